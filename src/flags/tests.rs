//! Command lines, and what they are taken for.

use super::*;

/// The command line `words`, as `program | args | flag=value...`, or the error's text.
fn run(words: &str) -> String {
    match parse(words.split_whitespace().map(OsString::from)) {
        Ok(Typed::Run(typed)) => {
            let args: Vec<_> = typed.args.iter().map(|arg| arg.to_string_lossy()).collect();
            let values: Vec<_> = typed
                .given
                .all()
                .iter()
                .map(|(name, value)| format!("{name}={}", value.display()))
                .collect();
            format!(
                "{} | {} | {}",
                typed.program.display(),
                args.join(" "),
                values.join(" ")
            )
        }
        Ok(Typed::Help(topic)) => format!("help {}", topic.unwrap_or_default()),
        Ok(Typed::Version) => "version".to_owned(),
        Ok(Typed::Build(folder)) => format!("build {}", folder.unwrap_or_default().display()),
        Ok(Typed::Inspect { file, json }) => format!("inspect {} {json}", file.display()),
        Ok(Typed::Tool(typed)) => {
            let values: Vec<_> = typed
                .given
                .all()
                .iter()
                .map(|(name, value)| format!("{name}={}", value.display()))
                .collect();
            let word = typed.word.unwrap_or_default();
            format!("{:?} {} | {}", typed.tool, word.display(), values.join(" "))
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn flags_stand_before_the_program_or_directly_behind_it() {
    for (words, meaning) in [
        ("run a.wasm", "a.wasm |  | "),
        ("run", ". |  | "),
        ("run --workers 2", ". |  | workers=2"),
        ("run --workers 2 a.wasm x", "a.wasm | x | workers=2"),
        (
            "run a.wasm --env=A=B --dir x::y z",
            "a.wasm | z | env=A=B dir=x::y",
        ),
        ("run a.wasm x --env A=B", "a.wasm | x --env A=B | "),
        (
            "run a.wasm --verbose --env A=B",
            "a.wasm | --verbose --env A=B | ",
        ),
        ("run a.wasm --help", "a.wasm | --help | "),
        ("run a.wasm -- --env A=B -- x", "a.wasm | --env A=B -- x | "),
        (
            "run a.wasm --workers 2 -- --workers 3",
            "a.wasm | --workers 3 | workers=2",
        ),
        ("run -- -a.wasm --env A=B", "-a.wasm | --env A=B | "),
        ("run --help", "help run"),
        ("help run", "help run"),
        ("help schema", "help schema"),
        ("build", "build "),
        ("build app", "build app"),
        ("build --help", "help build"),
        ("inspect a.wasm", "inspect a.wasm false"),
        ("inspect a.wasm --json", "inspect a.wasm true"),
        ("inspect -h", "help inspect"),
        ("ps", "Ps  | "),
        ("ps --by memory here --json", "Ps here | by=memory json="),
        ("top --once -h", "help top"),
        ("attach here -c ps", "Attach here | command=ps"),
        ("observe --no-open", "Observe  | no-open="),
        ("node start shop --workers=2", "NodeStart shop | workers=2"),
        ("node --help", "help node"),
        ("node start --help", "help node"),
        ("help node", "help node"),
        ("--help", "help "),
        ("-V", "version"),
    ] {
        assert_eq!(run(words), meaning, "{words}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_the_word_that_was_meant() {
    for (words, part) in [
        ("", "no command"),
        ("rnu a.wasm", "Did you mean `run`?"),
        ("help rum", "Did you mean `run`?"),
        ("run --wrokers 2 a.wasm", "Did you mean `--workers`?"),
        ("run -x a.wasm", "`-x`"),
        ("run --env", "`--env` needs a value"),
        ("build a b", "`b` is one word too many"),
        ("inspect", "no file"),
        ("inspect --jsn a", "Did you mean `--json`?"),
        ("run --workers 1 --workers 2 a", "was given twice"),
        ("node", "Try `rusm node start`"),
        ("node strat", "Did you mean `node start`?"),
        ("tpo", "Did you mean `top`?"),
        ("ps --filtr x", "Did you mean `--filter`?"),
        ("attach -c", "`--command` needs a value"),
        ("ps a b", "`b` is one word too many"),
        ("node start --observ x", "Did you mean `--observe`?"),
        ("--verison", "Did you mean `--version`?"),
        ("--help=x", "takes no value"),
    ] {
        assert!(run(words).contains(part), "{words}: {}", run(words));
    }
}
