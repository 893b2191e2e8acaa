//! Manifests that are wrong: what their authors read.

use super::read;
use crate::manifest::MISTAKES_MAX;

/// A manifest, and the one mistake in it.
const MISTAKES: &[(&str, &str)] = &[
    (
        "[nod]",
        "f:1:2: there is no key `nod` in rusm.toml. Did you mean `node`?",
    ),
    (
        "x = 1",
        "f:1:1: there is no key `x` in rusm.toml. There are `node`, `log`, `components`, `capabilities`, `supervisors`.",
    ),
    (
        "[components.a]\n  profil = \"x\"",
        "f:2:3: there is no key `profil` in [components.a]. Did you mean `profile`?",
    ),
    (
        "[capabilities.a]\nmailbox = { mesages = 1 }",
        "f:2:13: there is no key `mesages` in [capabilities.a.mailbox]. Did you mean `messages`?",
    ),
    (
        "[components.a]\nresident = \"2\"",
        "f:2:12: `resident` in [components.a] must be a number, not of type string.",
    ),
    (
        "[components.a]\nresident = -1",
        "f:2:12: `resident` in [components.a] is not a number from 0 to 100000: -1.",
    ),
    (
        "[components.a]\nresident = 99999999999999999999999",
        "f:2:12: `resident` in [components.a] is not a number from 0 to 100000: 99999999999999999999999.",
    ),
    (
        "[components.a]\nrestart = \"allways\"",
        "f:2:11: `restart` in [components.a] cannot be \"allways\". There are \"permanent\", \"transient\", \"temporary\".",
    ),
    (
        "[components.a]\nrestart = \"permanant\"",
        "f:2:11: `restart` in [components.a] cannot be \"permanant\". Did you mean \"permanent\"?",
    ),
    (
        "[components.a]\nargs = \"x\"",
        "f:2:8: `args` in [components.a] must be a list of texts like [\"a\", \"b\"], not of type string.",
    ),
    (
        "[components.a]\nargs = [\"x\", 1]",
        "f:2:14: `args` in [components.a] must be a text in quotes, not of type integer.",
    ),
    (
        "[components.a]\nargs = [\"\\u0000\"]",
        "f:2:9: `args` in [components.a] holds a zero, which no argument can: \"\\u0000\".",
    ),
    (
        "[components.a]\nenv = { \"A=B\" = \"\" }",
        "f:2:9: `env` in [components.a] holds a name that no variable can have: \"A=B\".",
    ),
    (
        "[components.a]\nstop = 5",
        "f:2:8: `stop` in [components.a] must be a time like \"20ms\", not of type integer.",
    ),
    (
        "[components.a]\nstop = \"5\"",
        "f:2:8: `stop` in [components.a] is not a number of us, ms, s, m or h, as in `20ms`: \"5\".",
    ),
    (
        "[components.a]\nprofile = \"trustd\"",
        "f:2:11: there is no profile `trustd`. Did you mean `trusted`?",
    ),
    (
        "[components.a]\nsupervisor = \"x\"",
        "f:2:14: there is no supervisor `x`. There are `main`.",
    ),
    (
        "[components]\na = 1",
        "f:2:5: `a` in rusm.toml must be a table, not of type integer.",
    ),
    (
        "components = 1",
        "f:1:14: `components` in rusm.toml must be tables with names, not of type integer.",
    ),
    (
        "[components.\"a/b\"]",
        "f:1:13: `a/b` is no name for a component. Use letters, digits, `-`, `_` and `.`, beginning with a letter or digit, up to 64.",
    ),
    (
        "[node]\nmemory = \"1K\"",
        "f:2:10: `memory` in [node] is not between 64K and 4G: \"1K\".",
    ),
    (
        "[node]\nmemory = \"64Q\"",
        "f:2:10: `memory` in [node] is not a number of bytes, or of K, M or G, as in `64M`: \"64Q\".",
    ),
    (
        "[node]\nmemory = \"1M\"\n[capabilities.a]\nmemory = \"2M\"",
        "f:4:10: `memory` in [capabilities.a] is more than [node] allows any guest: \"2M\".",
    ),
    (
        "[capabilities.a]\nextends = \"b\"",
        "f:2:11: the profile `a` extends `b`, which is not there. Write [capabilities.b], or extend one of `sandboxed`, `network-client`, `trusted`.",
    ),
    (
        "[capabilities.trusted]",
        "f:1:15: the profile `trusted` is built in. Choose another name, and extend it.",
    ),
    (
        "[capabilities.a]\nextends = \"a\"",
        "f:2:11: the profiles `a` extend each other in a circle. Let one of them extend `sandboxed`.",
    ),
    (
        "[capabilities.a]\nconnect = [\"example.com\"]",
        "f:2:12: `connect` in [capabilities.a] makes no sense, it names no port. Write HOST:PORT, for example `example.com:443`, `[::1]:80` or `*:*`: \"example.com\".",
    ),
    (
        "[capabilities.a]\nlisten = [\"a.b:1\"]",
        "f:2:11: `listen` in [capabilities.a] makes no sense, `a.b` is a name. Listening takes an address of this machine, `localhost` or `*`: \"a.b:1\".",
    ),
    (
        "[capabilities.a]\nregister = [\"\"]",
        "f:2:13: `register` in [capabilities.a] holds no pattern, it is empty. Write a name, or `*` for all: \"\".",
    ),
    (
        "[capabilities.a]\nkill = [\"everybody\"]",
        "f:2:9: `kill` in [capabilities.a] says nothing that is known. There are \"children\", \"descendants\", \"name:PATTERN\" and \"all\": \"everybody\".",
    ),
    (
        "[capabilities.a]\nstdio = [\"stdot\"]",
        "f:2:10: `stdio` in [capabilities.a] cannot be \"stdot\". Did you mean \"stdout\"?",
    ),
    (
        "[capabilities.a]\ncpu = { every = \"1s\" }",
        "f:2:7: [capabilities.a.cpu] has no `time`. Write one.",
    ),
    (
        "[capabilities.a]\ncpu = { time = \"0s\" }",
        "f:2:16: `time` in [capabilities.a.cpu] is nothing, and nothing would run: \"0s\".",
    ),
    (
        "[capabilities.a]\ncpu = { time = \"1ms\", every = \"5ms\" }",
        "f:2:31: `every` in [capabilities.a.cpu] is shorter than 10ms, which cannot be measured: \"5ms\".",
    ),
    (
        "[capabilities.a]\nkv = [{}]",
        "f:2:7: [capabilities.a.kv] has no `bucket`. Write one.",
    ),
    (
        "[capabilities.a]\ndirs = [{ path = \"a\" }, { path = \"b\", as = \"a\" }]",
        "f:2:44: `as` in [capabilities.a.dirs] is already the name of another directory: \"a\".",
    ),
    (
        "[capabilities.a]\nspawn = [\"jobb\"]\n[components.job]",
        "f:2:10: there is no component `jobb`. Did you mean `job`?",
    ),
    (
        "[supervisors.a]\nunder = \"b\"",
        "f:2:9: there is no supervisor `b`. There are `a`.",
    ),
    (
        "[supervisors.a]\nunder = \"a\"",
        "f:2:9: the supervisor `a` is, in the end, under itself. Leave out one `under` of the circle.",
    ),
];

/// The mistakes of `text`, as a user reads them.
#[track_caller]
fn mistakes(text: &str) -> Vec<String> {
    let mistakes = read(text).expect_err("it is wrong");
    assert_eq!(mistakes.more, 0);
    let told = mistakes.with_file("f").to_string();
    told.lines().map(str::to_owned).collect()
}

#[test]
fn each_kind_of_mistake_is_told_with_its_place_and_what_to_do() {
    let mut wrong = Vec::new();
    for (text, told) in MISTAKES {
        let found = mistakes(text);
        if found != [*told] {
            wrong.push(format!("{text}\n  gave {found:#?}\n  not {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once_in_its_order() {
    let told = mistakes(
        "[node]\nworkers = 0\nx = 1\n[log]\nlevel = \"loud\"\n[components.a]\nstop = []\n[[components.b]]\n",
    );
    let places: Vec<&str> = told
        .iter()
        .map(|line| line.split(": ").next().unwrap_or_default())
        .collect();
    assert_eq!(
        places,
        ["f:2:11", "f:3:1", "f:5:9", "f:7:8", "f:8:1"],
        "{told:?}"
    );
}

#[test]
fn what_is_not_toml_is_told_and_brings_no_mistakes_that_are_none() {
    let told = mistakes("[components.a]\nprofile = \"b\"\n[capabilities.b\nmemory = 5\n");
    assert!(
        told.iter().all(|line| line.contains("it is not TOML")),
        "{told:?}"
    );
    let told = mistakes("[node]\nworkers = 2\nworkers = 3\n");
    assert!(
        told[0].starts_with("f:3:1: it is not TOML: duplicate key"),
        "{told:?}"
    );
}

#[test]
fn columns_count_characters_and_a_terminal_is_safe() {
    assert!(mistakes("[node]\n\"äöü\" = 1")[0].starts_with("f:2:1: there is no key `äöü`"));
    assert!(mistakes("[components.a]\nenv = { \"ä\" = 1 }")[0].starts_with("f:2:15: "));
    let told = mistakes("\"\\u001b[2J\" = 1").concat();
    assert!(!told.contains('\x1b'), "{told}");
}

#[test]
fn endless_mistakes_have_an_end() {
    let text: String = (0..1000).map(|n| format!("k{n} = 1\n")).collect();
    let mistakes = read(&text).expect_err("it is wrong");
    assert_eq!(
        (mistakes.told.len(), mistakes.more),
        (MISTAKES_MAX, 1000 - MISTAKES_MAX)
    );
    assert!(
        mistakes
            .with_file("f")
            .to_string()
            .ends_with("\nand 950 more")
    );
    let deep = format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(&deep).is_err());
}
