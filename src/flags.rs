//! What was typed: splits the arguments of the command line into flags and words, and judges none of the values.

mod given;
mod known;

use std::ffi::{OsStr, OsString};

use lexopt::{Arg, Parser};

use crate::error::Misuse;
use crate::suggest::closest;

pub(crate) use given::{Given, Tool, ToolFlags};
pub(crate) use known::*;

/// The commands there are, in the order the help lists them.
pub(crate) const COMMANDS: [&str; 9] = [
    "run", "build", "inspect", "node", "ps", "top", "attach", "observe", "help",
];

/// What the help has besides commands: the JSON schema of rusm.toml.
pub(crate) const SCHEMA_TOPIC: &str = "schema";

/// One command line, taken apart.
pub(crate) enum Typed {
    Version,
    /// `None` is the overview.
    Help(Option<&'static str>),
    Run(RunFlags),
    /// The app in this folder, or in the current one.
    Build(Option<OsString>),
    Inspect {
        file: OsString,
        json: bool,
    },
    /// Something for a node that runs, or a node to run.
    Tool(ToolFlags),
}

/// What stood behind `rusm run`.
#[derive(Default)]
pub(crate) struct RunFlags {
    pub(crate) program: OsString,
    /// The program's own arguments, without its name.
    pub(crate) args: Vec<OsString>,
    pub(crate) given: Given,
}

impl RunFlags {
    /// The first flag that is about one program, or else an argument of it; what is left is also for
    /// apps.
    pub(crate) fn for_a_program(&self) -> Option<String> {
        let also_for_apps = [WORKERS.name, OBSERVE.name, FLIGHT.name];
        let mut flags = self.given.all().iter();
        let flag = flags.find(|(name, _)| !also_for_apps.contains(name));
        let flag = flag.map(|(name, _)| format!("--{name}"));
        flag.or_else(|| self.args.first().map(|arg| arg.display().to_string()))
    }
}

/// Takes a command line apart, without the name of our own program.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Typed, Misuse> {
    let mut parser = Parser::from_args(arguments);
    match parser.next()? {
        None => Err(Misuse::NoCommand),
        Some(Arg::Short('h') | Arg::Long("help")) => alone(parser, Typed::Help(None)),
        Some(Arg::Short('V') | Arg::Long("version")) => alone(parser, Typed::Version),
        Some(Arg::Value(word)) => match word.to_str() {
            Some("run") => parse_run(parser),
            Some("build") => parse_build(parser),
            Some("inspect") => parse_inspect(parser),
            Some("node") => parse_node(parser),
            Some("ps") => given::parse(Tool::Ps, parser),
            Some("top") => given::parse(Tool::Top, parser),
            Some("attach") => given::parse(Tool::Attach, parser),
            Some("observe") => given::parse(Tool::Observe, parser),
            Some("help") => parse_help(parser),
            _ => Err(unknown_command(&word)),
        },
        Some(flag) => Err(unknown_flag(flag, "rusm", &["help", "version"])),
    }
}

fn parse_help(mut parser: Parser) -> Result<Typed, Misuse> {
    match parser.next()? {
        None | Some(Arg::Short('h') | Arg::Long("help")) => Ok(Typed::Help(None)),
        Some(Arg::Value(word)) => match topics().find(|topic| word == *topic) {
            Some(topic) => Ok(Typed::Help(Some(topic))),
            None => Err(unknown_command(&word)),
        },
        Some(flag) => Err(unknown_flag(flag, "rusm help", &[])),
    }
}

fn parse_build(mut parser: Parser) -> Result<Typed, Misuse> {
    let mut folder = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => {
                return alone(parser, Typed::Help(Some("build")));
            }
            Arg::Value(word) if folder.is_none() => folder = Some(word),
            Arg::Value(word) => return Err(Misuse::OneWord(word)),
            flag => return Err(unknown_flag(flag, "rusm build", &[])),
        }
    }
    Ok(Typed::Build(folder))
}

fn parse_inspect(mut parser: Parser) -> Result<Typed, Misuse> {
    let (mut file, mut json) = (None, false);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => {
                return alone(parser, Typed::Help(Some("inspect")));
            }
            Arg::Long("json") => json = true,
            Arg::Value(word) if file.is_none() => file = Some(word),
            Arg::Value(word) => return Err(Misuse::OneWord(word)),
            flag => return Err(unknown_flag(flag, "rusm inspect", &["json"])),
        }
    }
    let file = file.ok_or(Misuse::NoFile)?;
    Ok(Typed::Inspect { file, json })
}

/// `rusm node` has one word so far.
fn parse_node(mut parser: Parser) -> Result<Typed, Misuse> {
    match parser.next()? {
        None => Err(Misuse::NodeWhat),
        Some(Arg::Short('h') | Arg::Long("help")) => alone(parser, Typed::Help(Some("node"))),
        Some(Arg::Value(word)) if word == "start" => given::parse(Tool::NodeStart, parser),
        Some(Arg::Value(word)) => {
            let typed = word.to_string_lossy();
            let meant = closest(&typed, ["start"]).map(|_| "node start");
            let typed = format!("node {typed}");
            Err(Misuse::UnknownCommand { typed, meant })
        }
        Some(flag) => Err(unknown_flag(flag, "rusm node", &[])),
    }
}

fn topics() -> impl Iterator<Item = &'static str> {
    COMMANDS.into_iter().chain([SCHEMA_TOPIC])
}

/// Flags stand before the program or directly behind it. The first word behind the program that is not
/// one of them begins the program's own arguments, and so does `--`, which is dropped.
fn parse_run(mut parser: Parser) -> Result<Typed, Misuse> {
    let mut typed = RunFlags::default();
    typed.program = loop {
        match parser.next()? {
            // The app in the current folder.
            None => break ".".into(),
            Some(Arg::Value(program)) => break program,
            Some(Arg::Short('h') | Arg::Long("help")) => {
                return alone(parser, Typed::Help(Some("run")));
            }
            Some(Arg::Long(name)) if find(name).is_some() => {
                let flag = find(name).expect("the guard found it");
                typed.given.take(flag, &mut parser)?;
            }
            Some(flag) => {
                return Err(unknown_flag(
                    flag,
                    "rusm run",
                    &RUN_FLAGS.map(|flag| flag.name),
                ));
            }
        }
    };
    while next_is_a_flag(&mut parser) {
        match parser.next()? {
            Some(Arg::Long(name)) => {
                let flag = find(name).expect("it was looked up before it was taken");
                typed.given.take(flag, &mut parser)?;
            }
            // Behind a `--` that stood before the program nothing is a flag.
            Some(Arg::Value(word)) => {
                typed.args.push(word);
                break;
            }
            _ => break,
        }
    }
    let rest = parser.raw_args()?;
    typed.args.extend(rest);
    Ok(Typed::Run(typed))
}

/// What a flag without a value means, unless it was given one (`--help=x`).
fn alone(mut parser: Parser, meant: Typed) -> Result<Typed, Misuse> {
    match parser.optional_value() {
        Some(_) => Err(takes_no_value("help")),
        None => Ok(meant),
    }
}

fn takes_no_value(flag: &str) -> Misuse {
    Misuse::Syntax(format!("`--{flag}` takes no value"))
}

/// Whether the next word is a flag of `rusm run`. Drops a `--`.
fn next_is_a_flag(parser: &mut Parser) -> bool {
    let Some(mut rest) = parser.try_raw_args() else {
        return false;
    };
    let next = rest.peek().and_then(OsStr::to_str).unwrap_or_default();
    if next == "--" {
        rest.next();
        return false;
    }
    let name = next
        .strip_prefix("--")
        .map(|flag| flag.split('=').next().unwrap_or_default());
    name.and_then(find).is_some()
}

fn find(name: &str) -> Option<&'static Flag> {
    RUN_FLAGS.into_iter().find(|flag| flag.name == name)
}

fn unknown_command(word: &OsStr) -> Misuse {
    let typed = word.to_string_lossy().into_owned();
    let meant = closest(&typed, COMMANDS);
    Misuse::UnknownCommand { typed, meant }
}

fn unknown_flag(flag: Arg<'_>, command: &'static str, known: &[&'static str]) -> Misuse {
    let (typed, meant) = match flag {
        Arg::Long(name) => (format!("--{name}"), closest(name, known.iter().copied())),
        Arg::Short(letter) => (format!("-{letter}"), None),
        Arg::Value(word) => (word.to_string_lossy().into_owned(), None),
    };
    Misuse::UnknownFlag {
        typed,
        command,
        meant,
    }
}

#[cfg(test)]
mod tests;
