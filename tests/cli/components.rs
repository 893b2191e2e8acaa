//! Components of WASI 0.2: programs of Rust's standard library and small ones in text, made from
//! modules for preview 1 by the adapter that toolchains use.

use std::path::Path;

use super::guests::{CAT, SLEEP, SPIN, lister, program};
use super::run::Run;
use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as ADAPTER;
use wit_component::ComponentEncoder;

const WORDFREQ: &[u8] = include_bytes!("../../examples/wordfreq/wordfreq.wasm");
const SIEVE: &[u8] = include_bytes!("../../examples/sieve/sieve.wasm");

/// The component that does what this module does.
fn adapted(module: impl AsRef<[u8]>) -> Vec<u8> {
    let module = wat::parse_bytes(module.as_ref()).expect("the text is good");
    ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.adapter("wasi_snapshot_preview1", ADAPTER))
        .and_then(|mut encoder| encoder.encode())
        .expect("the module is for preview 1")
}

#[test]
fn a_program_of_rusts_library_reads_files_and_prints() {
    let texts = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/wordfreq/texts");
    let run = Run::new()
        .file("w.wasm", adapted(WORDFREQ))
        .args("run --dir")
        .arg(format!("{}::/texts", texts.display()))
        .args("w.wasm -n 3 /texts");
    let expected = "\
5 files, 2510 bytes, 494 words, 221 of them distinct
      51  the
      21  a
      21  and
";
    run.status(0).stdout(expected).stderr("");
}

#[test]
fn a_program_of_rusts_library_writes_a_file() {
    let run = Run::new()
        .file("w.wasm", adapted(WORDFREQ))
        .file("texts/a.txt", "one two two");
    let ended = run
        .args("run --dir texts::/t w.wasm -n 1 -o /t/out.txt /t")
        .status(0)
        .stdout("")
        .stderr("");
    let text = ended.folder.read("texts/out.txt");
    assert_eq!(
        text,
        "1 files, 11 bytes, 3 words, 2 of them distinct\n       2  two\n"
    );
}

#[test]
fn nothing_outside_a_given_directory_can_be_opened() {
    for path in ["/t/../secret.txt", "/etc/passwd", "/t/link"] {
        let run = Run::new()
            .file("w.wasm", adapted(WORDFREQ))
            .file("secret.txt", "secret")
            .file("t/a", "");
        let folder = run.args("run --dir t::/t w.wasm").arg(path);
        folder
            .link("../secret.txt", "t/link")
            .status(1)
            .stderr_has("wordfreq: cannot read");
    }
}

#[test]
fn a_long_computation_is_the_same_as_in_a_module() {
    let run = Run::new()
        .file("s.wasm", adapted(SIEVE))
        .args("run s.wasm 1000000");
    let expected = "\
primes up to 1000000: 78498
the last ones: 999953 999959 999961 999979 999983
checksum: 3b73dce6391a5404
";
    run.status(0).stdout(expected).stderr("");
}

#[test]
fn arguments_and_environment_are_what_was_given() {
    Run::new()
        .file("a.wasm", adapted(lister("args")))
        .args("run a.wasm x --env -- y")
        .status(0)
        .stdout("a.wasm\0x\0--env\0--\0y\0");
    Run::new()
        .file("a.wasm", adapted(lister("environ")))
        .variable("SECRET", "1")
        .args("run --env A=1 a.wasm")
        .status(0)
        .stdout("A=1\0");
}

#[test]
fn much_input_goes_through_to_output() {
    let text: String = (0..50_000).map(|number| format!("{number}\n")).collect();
    Run::new()
        .file("a.wasm", adapted(CAT))
        .stdin(&text)
        .args("run a.wasm")
        .status(0)
        .stdout(&text)
        .stderr("");
}

#[test]
fn an_answer_comes_before_the_input_ends() {
    use std::io::Write;
    let mut running = Run::new()
        .file("a.wasm", adapted(CAT))
        .args("run --workers 1 a.wasm")
        .starts();
    let mut stdin = running.stdin.take().expect("it was just started");
    stdin.write_all(b"first\n").expect("it reads");
    let running = running.says("first");
    stdin.write_all(b"second\n").expect("it reads");
    let running = running.says("second");
    drop(stdin);
    running.ends().status(0).stdout("first\nsecond\n");
}

#[test]
fn a_sleep_of_100_ms_takes_at_least_that() {
    Run::new()
        .file("a.wasm", adapted(SLEEP))
        .args("run a.wasm")
        .status(0)
        .stderr("")
        .took_at_least(std::time::Duration::from_millis(100));
}

#[test]
fn a_spinning_component_is_stopped_by_a_signal() {
    let running = Run::new()
        .file("a.wasm", adapted(SPIN))
        .args("run --workers 1 a.wasm")
        .starts();
    running
        .says("ready")
        .signal("INT")
        .ends()
        .status(130)
        .stderr("");
}

#[test]
fn a_trap_is_134_and_one_report_with_the_functions_names() {
    Run::new()
        .file("a.wasm", adapted(program("unreachable", 1)))
        .args("run a.wasm")
        .status(134)
        .stdout("")
        .stderr_has("`a.wasm` trapped")
        .stderr_has("inner")
        .stderr_has("start");
}
