//! Processes: see `docs/guest-abi.md`.

use std::future::{Future, ready};
use std::time::Duration;

use wasmtime::{Caller, Linker, Result};

use crate::abi::{Guest, MODULE, bytes, guest, put, put_some, room, settle, text};
use crate::guest::State;
use crate::host::process::{self, Exit};
use crate::host::{Refusal, reason};
use crate::link::{opaque, waits};

/// `demonitor` takes the message back as well.
const FLUSH: i32 = 1;

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "self", |caller: Guest<'_>| {
        caller.data().pid().to_bits().cast_signed()
    })?;
    linker.func_wrap(MODULE, "now", |_: Guest<'_>| {
        i64::try_from(rusm_sched::now().as_nanos()).unwrap_or(i64::MAX)
    })?;
    linker.func_wrap(MODULE, "args", args)?;
    linker.func_wrap(MODULE, "refusal", refusal)?;
    linker.func_wrap(MODULE, "exit", exit)?;
    linker.func_wrap(MODULE, "link", link)?;
    linker.func_wrap(MODULE, "unlink", unlink)?;
    linker.func_wrap(MODULE, "trap_exit", trap_exit)?;
    linker.func_wrap(MODULE, "monitor", monitor)?;
    linker.func_wrap(MODULE, "monitor_name", monitor_name)?;
    linker.func_wrap(MODULE, "demonitor", demonitor)?;
    linker.func_wrap(MODULE, "is_alive", is_alive)?;
    waits(linker, MODULE, "sleep", sleep)?;
    waits(linker, MODULE, "yield", |_: Caller<'_, State>, (): ()| {
        opaque(rusm_sched::yield_now())
    })?;
    Ok(())
}

/// Its arguments: each is its length in four bytes, and then that many bytes.
fn args(mut caller: Guest<'_>, at: i32, max: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let mut all = Vec::new();
    for arg in state.arguments() {
        all.extend_from_slice(&(arg.len() as u32).to_le_bytes());
        all.extend_from_slice(arg.as_bytes());
    }
    put_some(memory, at, max, &all)
}

/// A sentence about the last refusal.
fn refusal(mut caller: Guest<'_>, at: i32, max: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let last = state.actor.as_ref().and_then(|a| a.refusal.as_ref());
    let sentence = last.map(Refusal::to_string).unwrap_or_default();
    put_some(memory, at, max, sentence.as_bytes())
}

/// Returns only if what is said is no reason.
fn exit(mut caller: Guest<'_>, code: i32, detail: i32, at: i32, len: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let said = bytes(memory, at, len)?;
    match reason::reason(code.cast_unsigned(), detail.cast_unsigned(), said) {
        Ok(reason) => Err(Exit(reason).into()),
        Err(refusal) => Ok(settle(state, Err(refusal))),
    }
}

fn link(mut caller: Guest<'_>, peer: i64) -> i32 {
    let linked = process::link(caller.data_mut(), peer.cast_unsigned());
    settle(caller.data_mut(), linked.map(|()| 0))
}

fn unlink(mut caller: Guest<'_>, peer: i64) {
    process::unlink(caller.data_mut(), peer.cast_unsigned());
}

fn trap_exit(mut caller: Guest<'_>, trap: i32) -> i32 {
    i32::from(caller.data_mut().context.trap_exit(trap != 0))
}

fn monitor(mut caller: Guest<'_>, pid: i64, at: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    // Before it is made: who is not told its name must not hold it.
    room(memory, at, 8)?;
    let made = process::monitor(state, pid.cast_unsigned());
    if let Ok(reference) = &made {
        put(memory, at, &reference.to_le_bytes())?;
    }
    Ok(settle(state, made.map(|_| 0)))
}

fn monitor_name(mut caller: Guest<'_>, name: i32, name_len: i32, at: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    room(memory, at, 8)?;
    let made =
        text(memory, name, name_len, "a name")?.and_then(|name| process::monitor_name(state, name));
    if let Ok(reference) = &made {
        put(memory, at, &reference.to_le_bytes())?;
    }
    Ok(settle(state, made.map(|_| 0)))
}

fn demonitor(mut caller: Guest<'_>, reference: i64, flags: i32) -> i32 {
    let flush = flags & FLUSH != 0;
    let state = caller.data_mut();
    i32::from(process::demonitor(state, reference.cast_unsigned(), flush))
}

fn is_alive(_: Guest<'_>, pid: i64) -> i32 {
    i32::from(process::is_alive(pid.cast_unsigned()))
}

fn sleep<'a>(
    _: Caller<'a, State>,
    (nanoseconds,): (i64,),
) -> Box<dyn Future<Output = ()> + Send + 'a> {
    match process::within(nanoseconds.cast_unsigned()) {
        Some(Duration::ZERO) => Box::new(ready(())),
        span => opaque(rusm_sched::sleep(span.unwrap_or(Duration::MAX))),
    }
}
