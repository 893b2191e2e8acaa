//! What can go wrong in our own hands, and the sentence a user reads about it: what, why, what to do.
//!
//! How a program ends, also badly, is no error of ours; `report.rs` tells that.

mod app;
mod look;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rusm_io::kv::KvError;
use rusm_wasm::{EngineError, LoadError, ProgramError};

use crate::flags::{COMMANDS, Flag};

pub(crate) use app::AppFailure;
pub(crate) use look::LookFailure;

/// Why nothing ran.
#[derive(Debug)]
pub(crate) enum Error {
    Misuse(Misuse),
    Failure(Failure),
}

/// The command line makes no sense.
#[derive(Debug)]
pub(crate) enum Misuse {
    NoCommand,
    UnknownCommand {
        typed: String,
        meant: Option<&'static str>,
    },
    UnknownFlag {
        typed: String,
        command: &'static str,
        meant: Option<&'static str>,
    },
    /// The splitter of the command line did not understand it; the text is its own.
    Syntax(String),
    /// A flag or an argument that is for one program, with an app.
    NotOfAnApp(String),
    /// Two flags that cannot be had together; the first one is the one to leave away.
    NotTogether(&'static Flag, &'static Flag),
    /// `inspect` was given none.
    NoFile,
    /// `node` alone.
    NodeWhat,
    /// What a node was to do; the sentence is of `attach`.
    Order(String),
    /// A word more than the command understands.
    OneWord(OsString),
    NoValue(&'static Flag),
    Repeated(&'static Flag),
    BadValue {
        flag: &'static Flag,
        value: String,
        why: String,
    },
    NotText(OsString),
}

/// The command line makes sense, and it cannot be done.
#[derive(Debug)]
pub(crate) enum Failure {
    ReadProgram {
        program: PathBuf,
        why: io::Error,
    },
    ProgramTooLarge {
        program: PathBuf,
        bytes_max: u64,
    },
    Signals(io::Error),
    Reactor(io::Error),
    Node(rusm_actor::StartError),
    Engine(EngineError),
    Load {
        program: PathBuf,
        why: LoadError,
    },
    Start {
        program: PathBuf,
        why: ProgramError,
    },
    Print(io::Error),
    Store(KvError),
    StoreFolder {
        file: PathBuf,
        folder: PathBuf,
    },
    Look(LookFailure),
    App(AppFailure),
    Keep {
        what: &'static str,
        file: PathBuf,
        why: io::Error,
    },
}

impl Error {
    /// Of our own process.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Error::Misuse(_) => 2,
            Error::Failure(_) => 1,
        }
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Error::Misuse(misuse)
    }
}

impl From<lexopt::Error> for Misuse {
    fn from(error: lexopt::Error) -> Self {
        Misuse::Syntax(error.to_string())
    }
}

impl From<AppFailure> for Failure {
    fn from(failure: AppFailure) -> Self {
        Failure::App(failure)
    }
}

impl<T: Into<LookFailure>> From<T> for Failure {
    fn from(failure: T) -> Self {
        Failure::Look(failure.into())
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::Failure(failure)
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Misuse(misuse) => misuse.fmt(f),
            Error::Failure(failure) => failure.fmt(f),
        }
    }
}

fn not_together(f: &mut fmt::Formatter<'_>, flag: &str, other: &str) -> fmt::Result {
    write!(
        f,
        "`--{flag}` does not go with `--{other}`: it is for other guests."
    )?;
    write!(f, " Leave `--{flag}` away.")
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misuse::NoCommand => {
                f.write_str("there is no command. Try `rusm run PROGRAM`, or `rusm --help`.")
            }
            Misuse::UnknownCommand { typed, meant } => {
                let hint = hint("", *meant, &known_commands());
                write!(f, "there is no command `{typed}`. {hint}")
            }
            Misuse::UnknownFlag {
                typed,
                command,
                meant,
            } => {
                let hint = hint("--", *meant, "See `rusm --help`.");
                write!(f, "`{command}` does not understand `{typed}`. {hint}")
            }
            Misuse::Syntax(why) => {
                write!(
                    f,
                    "the command line makes no sense: {why}. See `rusm --help`."
                )
            }
            Misuse::NotTogether(flag, other) => not_together(f, flag.name, other.name),
            Misuse::NotOfAnApp(word) => write!(
                f,
                "`{word}` is for one program, and this is an app: its rusm.toml says what its \
                 components get. Write it there."
            ),
            Misuse::NoFile => write!(f, "there is no file to look at: `rusm inspect FILE`."),
            Misuse::NodeWhat => {
                f.write_str("`rusm node` does nothing by itself. Try `rusm node start`.")
            }
            Misuse::Order(why) => f.write_str(why),
            Misuse::OneWord(word) => write!(
                f,
                "`{}` is one word too many. See `rusm --help`.",
                word.display()
            ),
            Misuse::NoValue(flag) => {
                write!(f, "`--{}` needs a value. {}", flag.name, example(flag))
            }
            Misuse::Repeated(flag) => write!(f, "`--{}` was given twice. Say it once.", flag.name),
            Misuse::BadValue { flag, value, why } => {
                let example = example(flag);
                write!(
                    f,
                    "`--{} {value}` makes no sense: {why}. {example}",
                    flag.name
                )
            }
            Misuse::NotText(word) => {
                let word = word.display();
                write!(
                    f,
                    "`{word}` is not UTF-8, and all a program sees must be. Rename it."
                )
            }
        }
    }
}

fn known_commands() -> String {
    let (last, others) = COMMANDS.split_last().expect("there are some");
    format!("The commands are `{}` and `{last}`.", others.join("`, `"))
}

fn hint(dashes: &str, meant: Option<&str>, otherwise: &str) -> String {
    match meant {
        Some(meant) => format!("Did you mean `{dashes}{meant}`?"),
        None => otherwise.to_owned(),
    }
}

fn example(flag: &Flag) -> String {
    format!("Write it like `--{} {}`.", flag.name, flag.example)
}

fn no_folder(f: &mut fmt::Formatter<'_>, file: &Path, folder: &Path) -> fmt::Result {
    let (file, folder) = (file.display(), folder.display());
    write!(
        f,
        "cannot open the store `{file}`: there is no folder `{folder}`. Make it, or name another file."
    )
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::ReadProgram { program, why } => {
                write!(f, "cannot run `{}`: ", program.display())?;
                match why.kind() {
                    io::ErrorKind::NotFound => write!(f, "there is no such file. Check the path."),
                    _ => write!(f, "reading it failed: {why}. Name a file that can be read."),
                }
            }
            Failure::ProgramTooLarge { program, bytes_max } => {
                let (program, mebibytes) = (program.display(), bytes_max >> 20);
                write!(
                    f,
                    "cannot run `{program}`: it is larger than {mebibytes} MiB. Name a WebAssembly program."
                )
            }
            Failure::Signals(why) => write!(
                f,
                "cannot listen for Ctrl-C: {why}. Close some files or programs."
            ),
            Failure::Reactor(why) => write!(
                f,
                "cannot wait for events: {why}. Close some files or programs."
            ),
            Failure::Node(why) => write!(f, "cannot start: {why}"),
            Failure::Engine(why) => write!(f, "cannot start: {why}"),
            Failure::Load { program, why } => {
                write!(f, "cannot run `{}`: {why}", program.display())
            }
            // This sentence names all it needs.
            Failure::Start {
                why: why @ ProgramError::Dir { .. },
                ..
            } => write!(f, "{why}"),
            Failure::Start { program, why } => {
                write!(f, "cannot run `{}`: {why}", program.display())
            }
            Failure::Print(why) => {
                write!(f, "cannot print the answer: {why}. Send it somewhere else.")
            }
            // These sentences name all they need.
            Failure::Store(why) => why.fmt(f),
            Failure::StoreFolder { file, folder } => no_folder(f, file, folder),
            Failure::Look(why) => why.fmt(f),
            Failure::App(why) => why.fmt(f),
            Failure::Keep { what, file, why } => {
                let file = file.display();
                write!(
                    f,
                    "cannot keep the {what} in `{file}`: {why}. Name another file."
                )
            }
        }
    }
}
