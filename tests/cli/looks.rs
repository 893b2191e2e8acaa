//! What a trap tells, and what a run leaves behind to be looked at: core dumps and profiles.

use wasmparser::{Parser, Payload};
use wat::GenerateDwarf;

use super::guests::component;
use super::run::Run;

/// Reads far beyond its memory, three calls deep.
const TRAPS: &str = r#"(module $bank
  (memory (export "memory") 1)
  (global (mut i32) (i32.const 7))
  (func $count (param i32)
    (drop (i32.load
      (local.get 0))))
  (func $vault (call $count (i32.const 700000)))
  (func (export "_start")
    (i32.store (i32.const 64) (i32.const 0x61626364))
    (call $vault)))"#;

/// Works for a good while, in a function of its own.
const WORKS: &str = r#"(module $mill
  (global $sum (mut i64) (i64.const 1))
  (func $grind (local $left i32)
    (local.set $left (i32.const 100000000))
    (loop $again
      (global.set $sum (i64.add (i64.mul (global.get $sum) (i64.const 25214903917)) (i64.const 11)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
  (func (export "_start") (call $grind)))"#;

#[test]
fn a_trap_names_module_and_function_and_the_line_of_source_if_it_is_known() {
    let plain = wat::parse_str(TRAPS).expect("the text is good");
    Run::new()
        .file("a.wasm", plain)
        .args("run a.wasm")
        .status(134)
        .stderr_has("out of bounds memory access")
        .stderr_has("bank!count")
        .stderr_has("bank!vault");
    let with_lines = wat::Parser::new()
        .generate_dwarf(GenerateDwarf::Full)
        .parse_str(Some("counting.wat".as_ref()), TRAPS)
        .expect("the text is good");
    Run::new()
        .file("a.wasm", with_lines)
        .args("run a.wasm")
        .status(134)
        .stderr_has("bank!count")
        .stderr_has("counting.wat:5");
}

#[test]
fn a_trap_leaves_a_core_dump_with_the_memory_it_had() {
    let run = Run::new()
        .file("a.wat", TRAPS)
        .args("run --coredump core a.wat")
        .status(134)
        .stderr_has("bank!count");
    let dump = std::fs::read(run.folder.path("core")).expect("it was written");
    let sections: Vec<String> = Parser::new(0)
        .parse_all(&dump)
        .filter_map(|section| match section.expect("it is a module") {
            Payload::CustomSection(custom) => Some(custom.name().to_owned()),
            Payload::DataSection(_) => Some("data".to_owned()),
            _ => None,
        })
        .collect();
    for name in ["core", "corestack", "coremodules", "coreinstances", "data"] {
        assert!(
            sections.iter().any(|section| section == name),
            "{name} in {sections:?}"
        );
    }
    assert!(
        dump.windows(4).any(|bytes| bytes == b"dcba"),
        "what the guest wrote"
    );
}

#[test]
fn a_trap_in_a_component_leaves_a_core_dump() {
    let run = Run::new()
        .file("a.wat", component("unreachable"))
        .args("run --coredump core a.wat")
        .status(134);
    let dump = std::fs::read(run.folder.path("core")).expect("it was written");
    assert!(dump.starts_with(b"\0asm"));
}

#[test]
fn a_program_that_ends_well_leaves_no_core_dump() {
    let run = Run::new()
        .file("a.wat", r#"(module (func (export "_start")))"#)
        .args("run --coredump core a.wat")
        .status(0)
        .stderr("");
    assert!(!run.folder.path("core").exists());
}

#[test]
fn a_core_dump_that_cannot_be_written_is_told_beside_the_trap() {
    Run::new()
        .file("a.wat", TRAPS)
        .args("run --coredump no/such/folder/core a.wat")
        .status(1)
        .stderr_has("bank!count")
        .stderr_has("cannot keep the core dump in `no/such/folder/core`");
}

#[test]
fn a_profile_names_the_function_in_which_the_time_went() {
    for (name, flags) in [("a.wat", ""), ("b.wat", "--compute ")] {
        let run = Run::new()
            .file(name, WORKS)
            .args(&format!("run {flags}--profile profile.json {name}"))
            .status(0)
            .stderr("");
        let profile = run.folder.read("profile.json");
        let profile: serde_json::Value = serde_json::from_str(&profile).expect("it is JSON");
        let thread = &profile["threads"][0];
        let samples = thread["samples"]["length"]
            .as_u64()
            .expect("it has samples");
        assert!(
            samples > 5,
            "{samples} samples of a tenth of a second and more"
        );
        assert!(
            thread["stringArray"].to_string().contains("grind"),
            "{thread}"
        );
    }
}

#[test]
fn a_program_made_for_computing_ends_and_traps_like_any_other() {
    for flags in ["", "--compute "] {
        Run::new()
            .file("a.wat", TRAPS)
            .args(&format!("run {flags}a.wat"))
            .status(134)
            .stderr_has("out of bounds memory access")
            .stderr_has("bank!count");
    }
    Run::new()
        .args("run --compute=yes a.wat")
        .status(2)
        .stderr_has("`--compute` takes no value");
}
