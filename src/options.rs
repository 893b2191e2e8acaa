//! What was meant: turns the words of a command line into values that make sense, or says which does not.
//!
//! Nothing is looked up here, no file and no directory: that is for the command that needs them.

mod tool;

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rusm_sched::WORKERS_MAX;
use rusm_wasm::Flavour;
use rusm_wasm::grant::{NetPattern, NetPatternError};

use crate::error::Misuse;
use crate::flags::{self, Flag, Given, RunFlags};

pub(crate) use tool::{AttachOptions, DashboardOptions, LookOptions, ROWS_DEFAULT, by};

/// One page, the least a memory can have.
const MEMORY_BYTES_MIN: u64 = 64 * 1024;

/// All a memory with 32-bit addresses can have.
const MEMORY_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// Processes that a program run by hand and those it starts may be, if nobody says otherwise.
const PROCESSES_MAX: u32 = 10_000;

/// One run of a program.
#[derive(Debug)]
pub(crate) struct RunOptions {
    pub(crate) program: PathBuf,
    /// What the program finds as its arguments; the first is the file name of the program.
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) dirs: Vec<Dir>,
    pub(crate) connect: Vec<NetPattern>,
    pub(crate) listen: Vec<NetPattern>,
    /// The file of the store of keys and values.
    pub(crate) store: Option<PathBuf>,
    pub(crate) memory_bytes_max: Option<u64>,
    pub(crate) processes_max: u32,
    pub(crate) workers: Option<usize>,
    /// Where the node is shown.
    pub(crate) observe: Option<SocketAddr>,
    /// Where a crash of the node is told.
    pub(crate) flight: Option<PathBuf>,
    pub(crate) entry: Option<String>,
    /// It was built for the Lunatic runtime.
    pub(crate) lunatic: bool,
    pub(crate) flavour: Flavour,
    pub(crate) coredump: Option<PathBuf>,
    pub(crate) profile: Option<PathBuf>,
}

/// A directory of the host and the name the program knows it by.
#[derive(Clone, Debug)]
pub(crate) struct Dir {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
}

impl TryFrom<RunFlags> for RunOptions {
    type Error = Misuse;

    fn try_from(typed: RunFlags) -> Result<Self, Misuse> {
        for flag in [
            &flags::COREDUMP,
            &flags::PROFILE,
            &flags::STORE,
            &flags::MAX_PROCESSES,
        ] {
            if typed.given.has(&flags::LUNATIC) && typed.given.has(flag) {
                return Err(Misuse::NotTogether(flag, &flags::LUNATIC));
            }
        }
        Ok(RunOptions {
            args: arguments(&typed)?,
            env: environment(&typed.given)?,
            dirs: directories(&typed.given)?,
            connect: addresses(&typed.given, &flags::CONNECT, NetPattern::connect)?,
            listen: addresses(&typed.given, &flags::LISTEN, NetPattern::listen)?,
            store: path(&typed.given, &flags::STORE)?,
            memory_bytes_max: single(&typed.given, &flags::MAX_MEMORY, size)?,
            processes_max: single(&typed.given, &flags::MAX_PROCESSES, processes)?
                .unwrap_or(PROCESSES_MAX),
            workers: single(&typed.given, &flags::WORKERS, workers)?,
            observe: single(&typed.given, &flags::OBSERVE, address)?,
            flight: path(&typed.given, &flags::FLIGHT)?,
            entry: single(&typed.given, &flags::INVOKE, |name| Ok(name.to_owned()))?,
            lunatic: typed.given.has(&flags::LUNATIC),
            flavour: flavour(&typed.given),
            coredump: file(&typed.given, &flags::COREDUMP),
            profile: file(&typed.given, &flags::PROFILE),
            program: typed.program.into(),
        })
    }
}

fn arguments(typed: &RunFlags) -> Result<Vec<String>, Misuse> {
    let name = Path::new(&typed.program)
        .file_name()
        .unwrap_or(&typed.program);
    std::iter::once(name)
        .chain(typed.args.iter().map(|arg| arg.as_os_str()))
        .map(|arg| {
            arg.to_str()
                .map(str::to_owned)
                .ok_or_else(|| Misuse::NotText(arg.to_owned()))
        })
        .collect()
}

/// A variable given twice has its last value, as in a shell.
fn environment(given: &Given) -> Result<Vec<(String, String)>, Misuse> {
    let mut variables: Vec<(String, String)> = Vec::new();
    for value in given.values(&flags::ENV) {
        let (key, value) = parse(&flags::ENV, value, |text| match text.split_once('=') {
            Some(("", _)) => Err("the name before `=` is empty".to_owned()),
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err("there is no `=` between name and value".to_owned()),
        })?;
        variables.retain(|(known, _)| *known != key);
        variables.push((key, value));
    }
    Ok(variables)
}

fn directories(given: &Given) -> Result<Vec<Dir>, Misuse> {
    let mut dirs: Vec<Dir> = Vec::new();
    for value in given.values(&flags::DIR) {
        let dir = parse(&flags::DIR, value, |text| match text.split_once("::") {
            Some(("", _) | (_, "")) => Err("one side of `::` is empty".to_owned()),
            Some((host, guest)) if dirs.iter().all(|dir| dir.guest != guest) => Ok(Dir {
                host: host.into(),
                guest: guest.to_owned(),
            }),
            Some((_, guest)) => Err(format!("`{guest}` is already another directory")),
            None => Err(
                "there is no `::` between the directory and the program's name for it".to_owned(),
            ),
        })?;
        dirs.push(dir);
    }
    Ok(dirs)
}

fn addresses(
    given: &Given,
    flag: &'static Flag,
    read: fn(&str) -> Result<NetPattern, NetPatternError>,
) -> Result<Vec<NetPattern>, Misuse> {
    let read = |text: &str| read(text).map_err(|why| why.to_string());
    given
        .values(flag)
        .map(|value| parse(flag, value, read))
        .collect()
}

fn flavour(given: &Given) -> Flavour {
    match given.has(&flags::COMPUTE) {
        true => Flavour::Compute,
        false => Flavour::Spawn,
    }
}

fn file(given: &Given, flag: &'static Flag) -> Option<PathBuf> {
    given.values(flag).next().map(PathBuf::from)
}

/// A file that is refused if it has no name.
fn path(given: &Given, flag: &'static Flag) -> Result<Option<PathBuf>, Misuse> {
    match file(given, flag) {
        Some(file) if file.as_os_str().is_empty() => Err(Misuse::BadValue {
            flag,
            value: String::new(),
            why: "it is no path".to_owned(),
        }),
        file => Ok(file),
    }
}

fn processes(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("it is not a number from 1 to {}", u32::MAX))
}

fn workers(text: &str) -> Result<usize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=WORKERS_MAX).contains(number));
    number.ok_or_else(|| format!("it is not a number from 1 to {WORKERS_MAX}"))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let at = text.parse();
    at.map_err(|_| "it is not an address and a port".to_owned())
}

/// Bytes: a number, or a number of kibi-, mebi- or gibibytes (`64K`, `64KB` and `64KiB` are the same).
fn size(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let factor = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" | "kib" => Some(1 << 10),
        "m" | "mb" | "mib" => Some(1 << 20),
        "g" | "gb" | "gib" => Some(1_u64 << 30),
        _ => None,
    };
    let number = text[..digits].parse::<u64>().ok();
    let Some((number, factor)) = number.zip(factor) else {
        return Err("it is not a number of bytes, or of K, M or G".to_owned());
    };
    let bytes = number
        .checked_mul(factor)
        .filter(|bytes| (MEMORY_BYTES_MIN..=MEMORY_BYTES_MAX).contains(bytes));
    bytes.ok_or_else(|| "a memory has between 64K and 4G".to_owned())
}

fn single<T>(
    given: &Given,
    flag: &'static Flag,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, Misuse> {
    given
        .values(flag)
        .next()
        .map(|value| parse(flag, value, read))
        .transpose()
}

fn parse<T>(
    flag: &'static Flag,
    value: &OsStr,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, Misuse> {
    let text = value
        .to_str()
        .ok_or_else(|| Misuse::NotText(value.to_owned()))?;
    read(text).map_err(|why| Misuse::BadValue {
        flag,
        value: text.to_owned(),
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::Typed;

    fn options(words: &str) -> Result<RunOptions, Misuse> {
        match flags::parse(words.split_whitespace().map(Into::into))? {
            Typed::Run(typed) => typed.try_into(),
            _ => panic!("`{words}` runs nothing"),
        }
    }

    #[test]
    fn the_program_finds_its_file_name_before_its_arguments() {
        let options = options("run some/where/a.wasm x -y").expect("it makes sense");
        assert_eq!(options.args, ["a.wasm", "x", "-y"]);
        assert_eq!(options.program, Path::new("some/where/a.wasm"));
    }

    #[test]
    fn a_variable_given_twice_has_its_last_value() {
        let options = options("run --env A=1 --env B= --env A=2=3 a.wasm").expect("it makes sense");
        let expected =
            [("B", ""), ("A", "2=3")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(options.env, expected);
    }

    #[test]
    fn sizes_are_bytes_or_powers_of_1024() {
        for (text, bytes) in [
            ("65536", 1 << 16),
            ("64K", 1 << 16),
            ("1mb", 1 << 20),
            ("4GiB", 1 << 32),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "M",
            "64X",
            "1.5M",
            "-1",
            "63K",
            "5G",
            "99999999999999999999",
            "18446744073709551615G",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_that_makes_no_sense_is_named_with_the_reason() {
        for (words, part) in [
            ("run --env A a.wasm", "`--env A`"),
            ("run --env =A a.wasm", "is empty"),
            ("run --dir texts a.wasm", "no `::`"),
            ("run --dir texts:: a.wasm", "is empty"),
            ("run --dir a::/x --dir b::/x a.wasm", "already another"),
            ("run --workers 0 a.wasm", "from 1 to 254"),
            ("run --connect example.com a.wasm", "names no port"),
            (
                "run --listen example.com:80 a.wasm",
                "an address of this machine",
            ),
            ("run --workers two a.wasm", "`--workers 2`"),
            ("run --observe 9090 a.wasm", "not an address and a port"),
            ("run --max-memory big a.wasm", "`--max-memory 64M`"),
            (
                "run --lunatic --profile p.json a.wasm",
                "`--profile` does not go with `--lunatic`",
            ),
            (
                "run --lunatic --store s.redb a.wasm",
                "`--store` does not go with `--lunatic`",
            ),
            ("run --store= a.wasm", "is no path"),
            ("run --flight-recorder= a.wasm", "is no path"),
        ] {
            let error = options(words).expect_err(words).to_string();
            assert!(error.contains(part), "{words}: {error}");
        }
    }
}
