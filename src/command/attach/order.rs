//! What can be typed at `rusm attach`, and what is meant by it.

use std::collections::BTreeMap;

use rusm_observe::protocol::{By, RowsWanted, RunOrder};

use crate::options;
use crate::suggest::closest;

/// How long a scenario runs unless somebody says otherwise.
const SECONDS: f64 = 3.0;

/// Something to do, as it is typed.
pub(super) struct Verb {
    pub(super) name: &'static str,
    /// What stands behind it.
    pub(super) rest: &'static str,
    pub(super) help: &'static str,
}

const fn verb(name: &'static str, rest: &'static str, help: &'static str) -> Verb {
    Verb { name, rest, help }
}

/// All of them, in the order the help lists them.
pub(super) const VERBS: [Verb; 20] = [
    verb(
        "ps",
        "[WHAT] [TEXT]",
        "processes by reductions, memory, mailbox or cpu; with TEXT in them",
    ),
    verb("top", "", "the node and its processes, once"),
    verb("tree", "", "who supervises whom"),
    verb("info", "PID|NAME", "one process, as it says itself"),
    verb("send", "PID|NAME TEXT", "a message of these bytes"),
    verb("kill", "PID|NAME", "ends a process, whatever it does"),
    verb(
        "spawn",
        "COMPONENT [ARGS]",
        "one more process of a component of the app",
    ),
    verb(
        "components",
        "",
        "the components of the app, and how many processes of each live",
    ),
    verb("names", "", "registered names"),
    verb("groups", "", "groups and their members"),
    verb("kv", "", "the buckets of the store, and what they hold"),
    verb(
        "streams",
        "",
        "streams between processes of the app, the fullest first",
    ),
    verb(
        "warnings",
        "",
        "what a person should look at; new ones are told as they come",
    ),
    verb(
        "config",
        "[FIELD [VALUE]]",
        "the scheduler's configuration, a field of it, or another value",
    ),
    verb("detail", "on|off", "a line about the node every second"),
    verb(
        "run",
        "SCENARIO [K=V ...]",
        "runs a scenario, with `seconds` and `seed` if need be",
    ),
    verb("stop", "", "ends what the laboratory is doing"),
    verb("runs", "", "runs that are over, the latest first"),
    verb("help", "", "this list"),
    verb("quit", "", "ends; so does Ctrl-D"),
];

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Order {
    Ps(RowsWanted),
    Top,
    Tree,
    Info(String),
    Send {
        to: String,
        text: String,
    },
    Kill(String),
    Spawn {
        component: String,
        args: Vec<String>,
    },
    Components,
    Names,
    Groups,
    Kv,
    Streams,
    Warnings,
    /// All, one, or one and its new value.
    Config(Option<String>, Option<String>),
    Detail(bool),
    Run(RunOrder),
    Stop,
    Runs,
    Help,
    Quit,
}

/// Understands a line; `None` is an empty one. The error is a sentence.
pub(super) fn understand(line: &str) -> Result<Option<Order>, String> {
    let line = line.trim();
    let (verb, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let words: Vec<&str> = rest.split_whitespace().collect();
    let order = match (verb, &words[..]) {
        ("", _) => return Ok(None),
        ("ps", words) => Order::Ps(wanted(words)),
        ("info", [who]) => Order::Info((*who).into()),
        ("send", [to, _, ..]) => Order::Send {
            to: (*to).into(),
            text: rest[to.len()..].trim_start().into(),
        },
        ("kill", [who]) => Order::Kill((*who).into()),
        ("spawn", [component, args @ ..]) => Order::Spawn {
            component: (*component).into(),
            args: args.iter().map(|arg| (*arg).into()).collect(),
        },
        ("config", []) => Order::Config(None, None),
        ("config", [field]) => Order::Config(Some((*field).into()), None),
        ("config", [field, value]) => Order::Config(Some((*field).into()), Some((*value).into())),
        ("detail", ["on"]) => Order::Detail(true),
        ("detail", ["off"]) => Order::Detail(false),
        ("run", [scenario, settings @ ..]) => Order::Run(run(scenario, settings)?),
        ("help", _) => Order::Help,
        ("quit" | "exit", []) => Order::Quit,
        (verb, []) => plain(verb)?,
        (verb, _) => return Err(misused(verb)),
    };
    Ok(Some(order))
}

/// One that stands alone.
fn plain(verb: &str) -> Result<Order, String> {
    match verb {
        "top" => Ok(Order::Top),
        "tree" => Ok(Order::Tree),
        "components" => Ok(Order::Components),
        "names" => Ok(Order::Names),
        "groups" => Ok(Order::Groups),
        "kv" => Ok(Order::Kv),
        "streams" => Ok(Order::Streams),
        "warnings" => Ok(Order::Warnings),
        "stop" => Ok(Order::Stop),
        "runs" => Ok(Order::Runs),
        _ => Err(misused(verb)),
    }
}

fn misused(typed: &str) -> String {
    if let Some(verb) = VERBS.iter().find(|verb| verb.name == typed) {
        let whole = format!("{} {}", verb.name, verb.rest);
        return format!("it is written `{}`: {}", whole.trim_end(), verb.help);
    }
    match closest(typed, VERBS.iter().map(|verb| verb.name)) {
        Some(meant) => format!("there is no command `{typed}`. Did you mean `{meant}`?"),
        None => format!("there is no command `{typed}`. `help` lists them."),
    }
}

pub(super) fn wanted(words: &[&str]) -> RowsWanted {
    let by = words.first().and_then(|word| options::by(word).ok());
    let filter = match by {
        Some(_) => &words[1..],
        None => words,
    };
    RowsWanted {
        by: by.unwrap_or(By::Reductions),
        window: false,
        limit: options::ROWS_DEFAULT,
        filter: filter.join(" "),
    }
}

fn run(scenario: &str, settings: &[&str]) -> Result<RunOrder, String> {
    let mut order = RunOrder {
        scenario: scenario.into(),
        settings: BTreeMap::new(),
        seconds: SECONDS,
        seed: 1,
    };
    for setting in settings {
        let no_number = || format!("`{setting}` is no number");
        match setting.split_once('=') {
            Some(("seconds", value)) => order.seconds = value.parse().map_err(|_| no_number())?,
            Some(("seed", value)) => order.seed = value.parse().map_err(|_| no_number())?,
            Some((key, value)) => drop(order.settings.insert(key.into(), value.into())),
            None => {
                return Err(format!(
                    "`{setting}` has no `=`: settings are like `pairs=4`"
                ));
            }
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_order() {
        let text = |text: &str| text.to_owned();
        for (line, order) in [
            ("tree", Order::Tree),
            ("  info  <0.1.2> ", Order::Info(text("<0.1.2>"))),
            (
                "send till  two  words",
                Order::Send {
                    to: text("till"),
                    text: text("two  words"),
                },
            ),
            (
                "spawn oven 1 2",
                Order::Spawn {
                    component: text("oven"),
                    args: vec![text("1"), text("2")],
                },
            ),
            (
                "config budget 9",
                Order::Config(Some(text("budget")), Some(text("9"))),
            ),
            ("detail on", Order::Detail(true)),
            ("exit", Order::Quit),
        ] {
            assert_eq!(understand(line), Ok(Some(order)), "{line}");
        }
        assert_eq!(understand("  "), Ok(None));
        let Ok(Some(Order::Ps(wanted))) = understand("ps memory shop") else {
            panic!("it is one");
        };
        assert_eq!((wanted.by, &*wanted.filter), (By::Memory, "shop"));
        let Ok(Some(Order::Run(order))) = understand("run ring tokens=2 seconds=0.5") else {
            panic!("it is one");
        };
        assert_eq!((order.seconds, order.settings.len()), (0.5, 1));
    }

    #[test]
    fn what_is_no_order_is_refused_with_what_was_meant() {
        for (line, part) in [
            ("tre", "Did you mean `tree`?"),
            ("dance", "`help` lists them"),
            ("kill", "`kill PID|NAME`"),
            ("send till", "`send PID|NAME TEXT`"),
            ("detail maybe", "`detail on|off`"),
            ("run ring tokens", "has no `=`"),
            ("run ring seconds=long", "is no number"),
            ("tree now", "`tree`"),
        ] {
            let said = understand(line).expect_err(line);
            assert!(said.contains(part), "{line}: {said}");
        }
    }

    #[test]
    fn every_verb_that_is_listed_is_one() {
        for verb in VERBS {
            let said = understand(verb.name).err().unwrap_or_default();
            assert!(!said.contains("there is no command"), "{said}");
        }
    }
}
