//! What was typed: splits the arguments of the command line into flags and words, and judges none of the values.

use std::ffi::{OsStr, OsString};

use lexopt::{Arg, Parser};

use crate::error::Misuse;
use crate::suggest::closest;

/// The commands there are, in the order the help lists them.
pub(crate) const COMMANDS: [&str; 4] = ["run", "build", "inspect", "help"];

/// What the help has besides commands: the JSON schema of rusm.toml.
pub(crate) const SCHEMA_TOPIC: &str = "schema";

/// A flag of `rusm run`.
#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    /// What the help calls its value; empty if it takes none.
    pub(crate) value: &'static str,
    pub(crate) help: &'static str,
    /// A value that makes sense.
    pub(crate) example: &'static str,
    /// Whether it may be given more than once.
    pub(crate) repeats: bool,
}

pub(crate) const ENV: Flag = Flag {
    name: "env",
    value: "K=V",
    help: "Set the variable K of the program's environment to V; it inherits none. Repeatable",
    example: "LANG=en",
    repeats: true,
};
pub(crate) const DIR: Flag = Flag {
    name: "dir",
    value: "HOST::GUEST",
    help: "Let the program read and write the directory HOST, under the name GUEST. Repeatable",
    example: "texts::/texts",
    repeats: true,
};
pub(crate) const CONNECT: Flag = Flag {
    name: "connect",
    value: "HOST:PORT",
    help: "Let the program connect to HOST on PORT and look HOST up: a name, an address, a network \
           like 10.0.0.0/8, ports like 80-99, or * for any. Repeatable",
    example: "example.com:443",
    repeats: true,
};
pub(crate) const LISTEN: Flag = Flag {
    name: "listen",
    value: "ADDR:PORT",
    help: "Let the program take connections and datagrams on this address of the machine; PORT * \
           for any. Repeatable",
    example: "127.0.0.1:8080",
    repeats: true,
};
pub(crate) const MAX_MEMORY: Flag = Flag {
    name: "max-memory",
    value: "SIZE",
    help: "Limit the program's memory: bytes, or with K, M or G, as in 64M",
    example: "64M",
    repeats: false,
};
pub(crate) const MAX_PROCESSES: Flag = Flag {
    name: "max-processes",
    value: "N",
    help: "Let the program and those it starts be so many processes at a time; 10000 otherwise",
    example: "100000",
    repeats: false,
};
pub(crate) const WORKERS: Flag = Flag {
    name: "workers",
    value: "N",
    help: "Threads that run processes; otherwise as many as the CPUs rusm may use",
    example: "2",
    repeats: false,
};
pub(crate) const INVOKE: Flag = Flag {
    name: "invoke",
    value: "NAME",
    help: "Call the export NAME instead of `_start`; in an interface of a component, INTERFACE#NAME",
    example: "main",
    repeats: false,
};

pub(crate) const LUNATIC: Flag = Flag {
    name: "lunatic",
    value: "",
    help: "Run a program that was built for the Lunatic runtime: provide the imports `lunatic::*`",
    example: "",
    repeats: false,
};

pub(crate) const COMPUTE: Flag = Flag {
    name: "compute",
    value: "",
    help: "Compile the program for working on its memory for long, with guard pages, instead of \
           for starting fast",
    example: "",
    repeats: false,
};
pub(crate) const COREDUMP: Flag = Flag {
    name: "coredump",
    value: "FILE",
    help: "If the program traps, keep its memory and frames in FILE, as a WebAssembly core dump",
    example: "core.wasm",
    repeats: false,
};
pub(crate) const PROFILE: Flag = Flag {
    name: "profile",
    value: "FILE",
    help: "Note every millisecond which function runs; FILE is for profiler.firefox.com",
    example: "profile.json",
    repeats: false,
};

pub(crate) const STORE: Flag = Flag {
    name: "store",
    value: "FILE",
    help: "Keep the keys and values of the program in FILE, which is made if it is not there",
    example: "app.redb",
    repeats: false,
};

pub(crate) const OBSERVE: Flag = Flag {
    name: "observe",
    value: "ADDR:PORT",
    help: "Show what the node does on this address of the machine: http://ADDR:PORT/metrics. For \
           others than 127.0.0.1 see RUSM_OBSERVE_TOKEN",
    example: "127.0.0.1:9464",
    repeats: false,
};

/// The flags of `rusm run`, in the order the help lists them.
pub(crate) const RUN_FLAGS: [&Flag; 14] = [
    &ENV,
    &DIR,
    &CONNECT,
    &LISTEN,
    &STORE,
    &MAX_MEMORY,
    &MAX_PROCESSES,
    &WORKERS,
    &OBSERVE,
    &INVOKE,
    &LUNATIC,
    &COMPUTE,
    &COREDUMP,
    &PROFILE,
];

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
}

/// What stood behind `rusm run`.
#[derive(Default)]
pub(crate) struct RunFlags {
    pub(crate) program: OsString,
    /// The program's own arguments, without its name.
    pub(crate) args: Vec<OsString>,
    values: Vec<(&'static str, OsString)>,
}

impl RunFlags {
    /// The values given for a flag, in the order they were typed.
    pub(crate) fn values(&self, flag: &Flag) -> impl Iterator<Item = &OsStr> {
        self.values
            .iter()
            .filter(move |(name, _)| *name == flag.name)
            .map(|(_, value)| value.as_os_str())
    }

    /// Whether a flag without a value was given.
    pub(crate) fn has(&self, flag: &Flag) -> bool {
        self.values(flag).next().is_some()
    }

    /// The first flag that is about one program, or else an argument of it; what is left is also for
    /// apps.
    pub(crate) fn for_a_program(&self) -> Option<String> {
        let also_for_apps = [WORKERS.name, OBSERVE.name];
        let mut flags = self.values.iter();
        let flag = flags.find(|(name, _)| !also_for_apps.contains(name));
        let flag = flag.map(|(name, _)| format!("--{name}"));
        flag.or_else(|| self.args.first().map(|arg| arg.display().to_string()))
    }

    fn take_value(&mut self, flag: &'static Flag, parser: &mut Parser) -> Result<(), Misuse> {
        if !flag.repeats && self.values(flag).next().is_some() {
            return Err(Misuse::Repeated(flag));
        }
        if flag.value.is_empty() {
            if parser.optional_value().is_some() {
                return Err(takes_no_value(flag.name));
            }
            self.values.push((flag.name, OsString::new()));
            return Ok(());
        }
        let value = parser.value().map_err(|_| Misuse::NoValue(flag))?;
        self.values.push((flag.name, value));
        Ok(())
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
                typed.take_value(flag, &mut parser)?;
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
                typed.take_value(flag, &mut parser)?;
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
