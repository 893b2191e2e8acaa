//! Starting components: see `docs/guest-abi.md`.
//!
//! Options are a record that may grow: what a guest does not write is not asked for.
//!
//! | at | is |
//! |---|---|
//! | 0 | u32: 1 linked, 2 watched, 4 with the arguments given instead of its own |
//! | 4 | u32: the priority and one, or 0 for the component's own |
//! | 8 | u64: bytes of memory at most, or 0 |
//! | 16 | u64: nanoseconds on a processor at most, or 0 |
//! | 24 | u32: messages that may wait for it, or 0 |
//! | 28 | u32: processes it and those it starts may be, or 0 |
//! | 32 | u32, u32: where the name of a profile is, and how long |

use std::time::Duration;

use wasmtime::{Linker, Result};

use crate::abi::{Guest, MODULE, bytes, guest, put, room, settle, text};
use crate::guest::State;
use crate::host::spawn::{self, Options, checked};
use crate::host::{Refusal, info, module};

/// Bytes of the record of options.
const OPTIONS_BYTES: usize = 40;
const LINK: u32 = 1;
const MONITOR: u32 = 2;
const ARGS: u32 = 4;
/// Bytes of what is written: a pid, and a monitor or zero.
const STARTED_BYTES: i32 = 16;

/// A range of memory as a guest claims it.
type Range = (i32, i32);

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "spawn",
        |mut caller: Guest<'_>, n: i32, nl: i32, a: i32, al: i32, o: i32, ol: i32, at: i32| {
            let options = |memory: &[u8]| read(memory, (o, ol));
            start(&mut caller, What::Component((n, nl)), (a, al), options, at)
        },
    )?;
    for (name, flag) in [("spawn_link", LINK), ("spawn_monitor", MONITOR)] {
        linker.func_wrap(
            MODULE,
            name,
            move |mut caller: Guest<'_>, n: i32, nl: i32, a: i32, al: i32, at: i32| {
                let options = |_: &[u8]| Ok(Ok((Options::of(flag | ARGS), flag | ARGS)));
                start(&mut caller, What::Component((n, nl)), (a, al), options, at)
            },
        )?;
    }
    Ok(())
}

/// What is started.
enum What {
    /// A component, by its name.
    Component(Range),
    /// A module that the guest holds.
    Module(u32),
}

/// As `spawn`, of a module that the guest holds.
pub(super) fn start_module(
    caller: &mut Guest<'_>,
    module: u32,
    args: Range,
    options: Range,
    at: i32,
) -> Result<i32> {
    let options = |memory: &[u8]| read(memory, options);
    start(caller, What::Module(module), args, options, at)
}

/// Starts something and writes its pid and monitor at `at`.
fn start(
    caller: &mut Guest<'_>,
    what: What,
    args: Range,
    options: impl FnOnce(&[u8]) -> Result<Result<(Options, u32), Refusal>>,
    at: i32,
) -> Result<i32> {
    let (memory, state) = guest(caller)?;
    // Before it is started: who is not told its pid must not have started it.
    room(memory, at, STARTED_BYTES)?;
    let name = match what {
        What::Component((at, len)) => text(memory, at, len, "the name of a component")?,
        What::Module(_) => Ok(""),
    };
    let args = arguments(bytes(memory, args.0, args.1)?);
    let started = options(memory)?.and_then(|(mut options, flags)| {
        if flags & ARGS != 0 {
            options.args = Some(checked(args?)?);
        }
        match what {
            What::Component(_) => spawn::spawn(state, name?, options),
            What::Module(module) => module::start(state, module, options),
        }
    });
    if let Ok((pid, monitor)) = &started {
        let mut both = [0; STARTED_BYTES as usize];
        both[..8].copy_from_slice(&pid.to_bits().to_le_bytes());
        both[8..].copy_from_slice(&monitor.unwrap_or(0).to_le_bytes());
        put(memory, at, &both)?;
    }
    Ok(settle(state, started.map(|_| 0)))
}

/// Arguments: each is its length in four bytes, and then that many bytes.
pub(super) fn arguments(mut all: &[u8]) -> Result<Vec<String>, Refusal> {
    let cut = || Refusal::Invalid("the arguments end in the midst of one".into());
    let mut args = Vec::new();
    while !all.is_empty() {
        let (len, rest) = all.split_first_chunk().ok_or_else(cut)?;
        let len = u32::from_le_bytes(*len) as usize;
        let (arg, rest) = rest.split_at_checked(len).ok_or_else(cut)?;
        let arg = str::from_utf8(arg).map_err(|_| Refusal::NotText("an argument"))?;
        if args.len() >= spawn::ARGS_MAX {
            return checked(vec![String::new(); spawn::ARGS_MAX + 1]);
        }
        args.push(arg.to_string());
        all = rest;
    }
    Ok(args)
}

fn read(memory: &[u8], at: Range) -> Result<Result<(Options, u32), Refusal>> {
    let given = bytes(memory, at.0, at.1)?;
    if given.len() > OPTIONS_BYTES {
        return Ok(Err(Refusal::TooLong {
            what: "options of a start",
            len: given.len(),
            max: OPTIONS_BYTES,
        }));
    }
    let mut record = [0; OPTIONS_BYTES];
    record[..given.len()].copy_from_slice(given);
    let word = |at: usize| {
        let word = record[at..at + 4].try_into();
        u32::from_le_bytes(word.expect("it is four bytes"))
    };
    let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
    let some = |number: u32| (number != 0).then_some(number);
    let profile = (word(32).cast_signed(), word(36).cast_signed());
    let profile = match profile.1 {
        0 => None,
        _ => Some(text(memory, profile.0, profile.1, "the name of a profile")?),
    };
    let flags = word(0);
    let priority = some(word(4)).map(|rank| info::ranked(rank - 1));
    Ok((|| {
        Ok((
            Options {
                priority: priority.transpose()?,
                memory_bytes_max: Some(long(8)).filter(|max| *max != 0),
                cpu: Some(long(16)).filter(|n| *n != 0).map(Duration::from_nanos),
                messages_max: some(word(24)),
                processes_max: some(word(28)),
                profile: profile.transpose()?.map(str::to_string),
                ..Options::of(flags)
            },
            flags,
        ))
    })())
}

impl Options {
    fn of(flags: u32) -> Self {
        Self {
            link: flags & LINK != 0,
            monitor: flags & MONITOR != 0,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_up_to_the_last_byte_and_refused_if_one_is_cut() {
        assert_eq!(arguments(b"").unwrap(), Vec::<String>::new());
        let two = b"\x01\0\0\0a\0\0\0\0";
        assert_eq!(arguments(two).unwrap(), ["a", ""]);
        for len in [1, 4, 6, 8] {
            assert!(arguments(&two[..len]).is_err(), "{len}");
        }
        assert!(arguments(b"\xff\xff\xff\xffa").is_err());
        assert!(arguments(b"\x01\0\0\0\xff").is_err());
        let many = vec![0; 4 * (spawn::ARGS_MAX + 1)];
        assert!(arguments(&many).is_err());
    }
}
