//! Files that cannot be run: each gets one sentence that says what, why and what to do.

mod support;

use rusm_wasm::{Engine, LoadError, Prepared};
use support::{engine, node};

fn prepare(engine: &Engine, bytes: &[u8], entry: Option<&str>) -> Result<Prepared, LoadError> {
    engine.load(bytes)?.prepare(entry)
}

#[track_caller]
fn check(bytes: impl AsRef<[u8]>, entry: Option<&str>, sentence: &str) {
    let node = node(1);
    let said = prepare(&engine(&node), bytes.as_ref(), entry)
        .err()
        .expect("it cannot be run")
        .to_string();
    assert_eq!(said, sentence);
}

#[test]
fn a_file_that_is_not_wasm() {
    check(
        "#!/bin/sh\necho hi\n",
        None,
        "it is not WebAssembly: it begins with `#!/bin/s`. Give a `.wasm` module, for example \
         one built for `wasm32-wasip1`, or a `.wat` text.",
    );
}

#[test]
fn a_text_with_a_mistake() {
    check(
        "(module\n  (func (export \"run\") (i32.const))\n)",
        None,
        "its WebAssembly text does not parse: expected a i32 at 2:34. Correct the text.",
    );
}

#[test]
fn a_module_cut_at_any_byte() {
    let whole = wat::parse_str(
        r#"(module (memory 1) (data (i32.const 0) "abc") (func (export "run") (nop)))"#,
    )
    .unwrap();
    let node = node(1);
    let engine = engine(&node);
    for end in 0..whole.len() {
        // Cut between two sections it may be valid, and either lacks its entry or can be run
        // without what was cut.
        let Err(error) = prepare(&engine, &whole[..end], None) else {
            continue;
        };
        let said = error.to_string();
        let words = [
            "it ends too early, after",
            "it is not WebAssembly",
            "it has nothing to start with",
            "it is not a valid module",
        ];
        assert!(
            words.iter().any(|words| said.starts_with(words)),
            "{end}: {said}"
        );
    }
    assert!(prepare(&engine, &whole, None).is_ok());
}

#[test]
fn a_truncated_module_says_how_long_it_is() {
    let whole = wat::parse_str(r#"(module (func (export "run") (nop) (nop)))"#).unwrap();
    check(
        &whole[..whole.len() - 2],
        None,
        &format!(
            "it ends too early, after {} bytes: a part of the module is missing. Copy or build \
             it again.",
            whole.len() - 2
        ),
    );
}

#[test]
fn a_module_that_breaks_a_rule() {
    let node = node(1);
    let said = prepare(
        &engine(&node),
        br#"(module (func (export "run") (drop (i64.eqz (i32.const 1)))))"#,
        None,
    )
    .err()
    .unwrap()
    .to_string();
    assert!(
        said.starts_with(
            "it is not a valid module: at offset 34: type mismatch: expected i64, found i32"
        ),
        "{said}"
    );
    assert!(
        said.ends_with("Build it again.") && !said.contains('\n'),
        "{said}"
    );
}

#[test]
fn an_import_nobody_provides() {
    check(
        r#"(module (import "env" "print" (func (param i32 i64) (result i32))) (func (export "run")))"#,
        None,
        "it imports `env`.`print` (func (param i32 i64) (result i32)), which nobody provides: \
         only `wasi_snapshot_preview1` is there. Build it for `wasm32-wasip1` without that \
         import.",
    );
    check(
        r#"(module (import "env" "memory" (memory 1)) (func (export "run")))"#,
        None,
        "it imports `env`.`memory` (memory), which nobody provides: only \
         `wasi_snapshot_preview1` is there. Build it for `wasm32-wasip1` without that import.",
    );
}

#[test]
fn an_import_of_another_type() {
    let wat = r#"(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64))) (func (export "run")))"#;
    let node = node(1);
    let said = prepare(&engine(&node), wat.as_bytes(), None)
        .err()
        .unwrap()
        .to_string();
    assert!(
        said.starts_with("an import has the wrong type: ")
            && said.contains("fd_close")
            && !said.contains('\n'),
        "{said}"
    );
}

#[test]
fn a_module_without_an_entry() {
    check(
        "(module)",
        None,
        "it has nothing to start with: no exported function `_start`, `main` or `run`, in fact \
         none at all. Build it as a program, not as a library.",
    );
    check(
        r#"(module (func (export "add")) (func (export "sub")) (memory (export "memory") 1))"#,
        None,
        "it has nothing to start with: no exported function `_start`, `main` or `run`. Name one \
         of its functions (`--invoke`): `add`, `sub`.",
    );
    check(
        r#"(module (func (export "add")))"#,
        Some("mul"),
        "it exports no function `mul`. Name one of its functions (`--invoke`): `add`.",
    );
}

#[test]
fn of_many_exports_the_first_are_listed() {
    let exports: String = (0..1_000)
        .map(|number| format!(r#"(func (export "f{number}"))"#))
        .collect();
    let node = node(1);
    let text = format!("(module {exports})");
    let said = prepare(&engine(&node), text.as_bytes(), None)
        .err()
        .unwrap()
        .to_string();
    assert!(
        said.ends_with("`f18`, `f19` and 980 more.") && said.contains("(`--invoke`): `f0`, `f1`,"),
        "{said}"
    );
}

#[test]
fn an_entry_that_wants_arguments() {
    check(
        r#"(module (func (export "add") (param i32 i32) (result i32) (i32.const 0)))"#,
        Some("add"),
        "its function `add` is (func (param i32 i32) (result i32)), but a program starts with a \
         function without parameters that returns nothing or one i32. Name another one \
         (`--invoke`).",
    );
}

#[test]
fn a_memory_larger_than_the_limit() {
    check(
        r#"(module (memory 257) (func (export "run")))"#,
        None,
        "its memory starts with 16842752 bytes, but a process may have 16777216. Raise the limit \
         (`--max-memory`), or build it with a smaller memory.",
    );
    check(
        r#"(module (memory i64 0x1000000000000) (func (export "run")))"#,
        None,
        "its memory starts with 18446744073709551615 bytes, but a process may have 16777216. \
         Raise the limit (`--max-memory`), or build it with a smaller memory.",
    );
}

#[test]
fn tables_and_memories_beyond_what_a_process_may_have() {
    let node = node(1);
    for wat in [
        r#"(module (table 200000 funcref) (func (export "run")))"#,
        r#"(module (memory 1) (memory 1) (func (export "run")))"#,
        r#"(module (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref) (table 1 funcref) (func (export "run")))"#,
    ] {
        let said = prepare(&engine(&node), wat.as_bytes(), None)
            .err()
            .expect("it cannot be run")
            .to_string();
        assert!(
            said.starts_with("it needs more than a process may have: "),
            "{said}"
        );
    }
}
