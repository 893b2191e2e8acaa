//! Timers and the log: see `docs/guest-abi.md`.

use wasmtime::{Linker, Result};

use crate::abi::{Guest, MODULE, bytes, guest, put, room, settle};
use crate::grant::LogLevel;
use crate::guest::State;
use crate::host::{Refusal, log, timer};

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "timer_send_after", send_after)?;
    linker.func_wrap(MODULE, "timer_start", start)?;
    linker.func_wrap(
        MODULE,
        "timer_cancel",
        |mut caller: Guest<'_>, timer: i64| {
            left(timer::cancel(caller.data_mut(), timer.cast_unsigned()))
        },
    )?;
    linker.func_wrap(MODULE, "timer_read", |mut caller: Guest<'_>, timer: i64| {
        left(timer::read(caller.data_mut(), timer.cast_unsigned()))
    })?;
    linker.func_wrap(MODULE, "log", write)?;
    Ok(())
}

/// Nanoseconds that are left, or -1.
fn left(left: Option<u64>) -> i64 {
    left.map_or(-1, |left| i64::try_from(left).unwrap_or(i64::MAX))
}

/// Writes the number of a new timer at `at`.
fn started(
    memory: &mut [u8],
    state: &mut State,
    at: i32,
    timer: Result<u64, Refusal>,
) -> Result<i32> {
    if let Ok(number) = &timer {
        put(memory, at, &number.to_le_bytes())?;
    }
    Ok(settle(state, timer.map(|_| 0)))
}

fn send_after(
    mut caller: Guest<'_>,
    nanoseconds: i64,
    to: i64,
    tag: i64,
    at: i32,
    len: i32,
    number: i32,
) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    // Before it is started: who is not told its number must not have started it.
    room(memory, number, 8)?;
    let content = bytes(memory, at, len)?;
    let (to, tag) = (to.cast_unsigned(), tag.cast_unsigned());
    let timer = timer::send_after(state, nanoseconds.cast_unsigned(), to, tag, content);
    started(memory, state, number, timer)
}

fn start(
    mut caller: Guest<'_>,
    nanoseconds: i64,
    tag: i64,
    at: i32,
    len: i32,
    number: i32,
) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    room(memory, number, 8)?;
    let content = bytes(memory, at, len)?;
    let timer = timer::start(
        state,
        nanoseconds.cast_unsigned(),
        tag.cast_unsigned(),
        content,
    );
    started(memory, state, number, timer)
}

fn write(mut caller: Guest<'_>, level: i32, at: i32, len: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    // What is longer is cut, perhaps in the midst of a character.
    let line = bytes(memory, at, len)?;
    let line = &line[..line.len().min(log::LINE_BYTES_MAX + 4)];
    let level = match level {
        0 => Ok(LogLevel::Error),
        1 => Ok(LogLevel::Warn),
        2 => Ok(LogLevel::Info),
        3 => Ok(LogLevel::Debug),
        4 => Ok(LogLevel::Trace),
        _ => Err(Refusal::Invalid(format!(
            "a level is error (0), warn (1), info (2), debug (3) or trace (4), not {level}"
        ))),
    };
    let text = String::from_utf8_lossy(line);
    let done = level.and_then(|level| log::log(state, level, &text));
    Ok(settle(state, done.map(|()| 0)))
}
