//! What `rusm` says about itself, and what it says to a command line that makes no sense.

use super::run::Run;

#[test]
fn the_version_is_the_packages() {
    for flag in ["--version", "-V"] {
        Run::new()
            .arg(flag)
            .status(0)
            .stdout(concat!("rusm ", env!("CARGO_PKG_VERSION"), "\n"))
            .stderr("");
    }
}

#[test]
fn help_goes_to_stdout_and_names_the_commands() {
    for words in ["--help", "-h", "help"] {
        let ended = Run::new().args(words).status(0).stderr("");
        ended
            .stdout_has("Usage: rusm COMMAND")
            .stdout_has("  run      ")
            .stdout_has("  help     ");
    }
}

#[test]
fn help_for_run_names_its_flags_and_statuses() {
    for words in ["help run", "run --help", "run -h", "run --workers 1 --help"] {
        let mut ended = Run::new().args(words).status(0).stderr("");
        for part in [
            "--env K=V",
            "--dir HOST::GUEST",
            "--max-memory SIZE",
            "--max-processes N",
            "--workers N",
            "--invoke NAME",
            "134",
            "RUSM_CACHE_DIR",
        ] {
            ended = ended.stdout_has(part);
        }
    }
}

#[test]
fn what_makes_no_sense_is_misuse_and_one_sentence() {
    for (words, part) in [
        ("", "there is no command. Try `rusm run PROGRAM`"),
        (
            "rum a.wasm",
            "there is no command `rum`. Did you mean `run`?",
        ),
        (
            "deploy",
            "The commands are `run`, `build`, `inspect`, `node`, `ps`, `top`, `attach`, `observe` and `help`",
        ),
        ("help deploy", "there is no command `deploy`"),
        ("--verbose", "does not understand `--verbose`"),
        ("--help=run", "takes no value"),
        ("run --evn A=B a.wasm", "Did you mean `--env`?"),
        (
            "run --env",
            "`--env` needs a value. Write it like `--env LANG=en`",
        ),
        ("run --env A a.wasm", "`--env A` makes no sense"),
        ("run --dir here a.wasm", "`--dir here` makes no sense"),
        (
            "run --workers 0 a.wasm",
            "`--workers 0` makes no sense: it is not a number from 1 to",
        ),
        (
            "run --workers 1 --workers 2 a.wasm",
            "`--workers` was given twice",
        ),
        (
            "run --max-processes 0 a.wasm",
            "`--max-processes 0` makes no sense",
        ),
        (
            "run --max-memory lots a.wasm",
            "`--max-memory lots` makes no sense",
        ),
    ] {
        Run::new()
            .args(words)
            .status(2)
            .stdout("")
            .stderr_is_one_line()
            .stderr_has(part);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_argument_that_is_not_text_is_misuse() {
    use std::os::unix::ffi::OsStrExt;
    let word = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    Run::new()
        .args("run a.wasm")
        .arg(word)
        .status(2)
        .stderr_is_one_line()
        .stderr_has("is not UTF-8");
}
