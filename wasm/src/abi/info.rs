//! Looking at processes and ending them: see `docs/guest-abi.md`.
//!
//! What is known of a process is a record, and behind it two texts and three lists.
//!
//! | at | is |
//! |---|---|
//! | 0 | u64: who started it, or 0 |
//! | 8 | u64: reductions spent |
//! | 16 | u64: bytes of memory, as far as known |
//! | 24 | u32: what it does: 0 runs, 1 could run, 2 waits for a message, 3 for a timer, 4 for other things |
//! | 28 | u32: its priority |
//! | 32 | u32: messages that wait |
//! | 36 | u32: 1 traps exits, 2 has answered (else nothing is known of label, links and monitors), 4 and 8: see below |
//! | 40 | u32: bytes of its registered name |
//! | 44 | u32: bytes of its label |
//! | 48 | u32: how many pids it is linked to |
//! | 52 | u32: how many pids watch it |
//! | 56 | u32: how many bytes of group names |
//! | 60 | u32: how many processes it watches |
//! | 64 | u64: nanoseconds that its turns took, if 36 has 4 |
//! | 72 | u64: since when it runs, or else since when it does not, in nanoseconds of the node's clock, if 36 has 8 |

use std::future::{Future, ready};

use rusm_actor::{Pid, ProcessInfo};
use wasmtime::{Caller, Linker, Result};

use crate::abi::{Guest, MODULE, bytes, guest, put, put_some, room, settle, text};
use crate::guest::State;
use crate::host::{Body, Refusal, info, reason};
use crate::link::{opaque, waits};

/// Bytes of the record.
const RECORD_BYTES: i32 = 80;

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "kill", kill)?;
    linker.func_wrap(MODULE, "exit_process", exit_process)?;
    waits(linker, MODULE, "info", look)?;
    linker.func_wrap(MODULE, "list", list)?;
    linker.func_wrap(MODULE, "set_label", set_label)?;
    linker.func_wrap(MODULE, "priority", |caller: Guest<'_>| {
        info::rank(info::priority(caller.data())).cast_signed()
    })?;
    Ok(())
}

fn kill(mut caller: Guest<'_>, pid: i64) -> i32 {
    let state = caller.data_mut();
    let done = info::kill(state, pid.cast_unsigned());
    settle(state, done.map(|()| 0))
}

fn exit_process(
    mut caller: Guest<'_>,
    pid: i64,
    code: i32,
    detail: i32,
    at: i32,
    len: i32,
) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let said = bytes(memory, at, len)?;
    let done = reason::reason(code.cast_unsigned(), detail.cast_unsigned(), said)
        .and_then(|reason| info::exit(state, pid.cast_unsigned(), reason));
    Ok(settle(state, done.map(|()| 0)))
}

/// Writes the record at `record`, and of what is behind it as much as there is room for; the rest
/// is for `body_read`.
fn look<'a>(
    mut caller: Caller<'a, State>,
    (pid, record, at, max): (i64, i32, i32, i32),
) -> Box<dyn Future<Output = Result<i32>> + Send + 'a> {
    let pid = match info::may_look(caller.data(), pid.cast_unsigned()) {
        Ok(pid) => pid,
        Err(refusal) => return Box::new(ready(Ok(settle(caller.data_mut(), Err(refusal))))),
    };
    opaque(async move {
        let found = info::info(caller.data_mut(), pid).await;
        let (memory, state) = guest(&mut caller)?;
        let whole = match found {
            Ok(info) => {
                let (fixed, behind) = flat(&info);
                put(memory, record, &fixed)?;
                let whole = put_some(memory, at, max, &behind)?;
                state.actor().rest = Some(Body::Made(behind));
                Ok(whole)
            }
            Err(refusal) => Err(refusal),
        };
        Ok(settle(state, whole))
    })
}

fn flat(info: &ProcessInfo) -> ([u8; RECORD_BYTES as usize], Vec<u8>) {
    let summary = &info.summary;
    let inside = info.inside.clone().unwrap_or_default();
    let (name, label) = (summary.name.as_deref(), inside.label.as_deref());
    let (name, label) = (name.unwrap_or_default(), label.unwrap_or_default());
    let times = [summary.cpu, summary.since];
    let known = |at: usize| u32::from(times[at].is_some());
    let answered = u32::from(info.inside.is_some());
    let flags = u32::from(inside.traps_exits) | answered << 1 | known(0) << 2 | known(1) << 3;
    let mut behind = [name.as_bytes(), label.as_bytes()].concat();
    for pid in inside.links.iter().chain(&inside.monitored_by) {
        behind.extend_from_slice(&pid.to_bits().to_le_bytes());
    }
    let before = behind.len();
    for group in &summary.groups {
        behind.extend_from_slice(&(group.len() as u32).to_le_bytes());
        behind.extend_from_slice(group.as_bytes());
    }
    let words = [
        info::doing(summary.state),
        info::rank(summary.priority),
        info.messages() as u32,
        flags,
        name.len() as u32,
        label.len() as u32,
        inside.links.len() as u32,
        inside.monitored_by.len() as u32,
        (behind.len() - before) as u32,
        inside.monitors.len() as u32,
    ];
    let mut record = [0; RECORD_BYTES as usize];
    let parent = summary.parent.map_or(0, Pid::to_bits);
    let longs = [parent, summary.reductions, info.memory_bytes() as u64];
    for (at, long) in longs.into_iter().enumerate() {
        record[at * 8..at * 8 + 8].copy_from_slice(&long.to_le_bytes());
    }
    for (at, word) in words.into_iter().enumerate() {
        record[24 + at * 4..28 + at * 4].copy_from_slice(&word.to_le_bytes());
    }
    for (at, time) in times.into_iter().enumerate() {
        let nanos = time.map_or(0, info::nanos);
        record[64 + at * 8..72 + at * 8].copy_from_slice(&nanos.to_le_bytes());
    }
    (record, behind)
}

/// Writes pids, `max` at most, from the first one after `after` on; how many.
fn list(mut caller: Guest<'_>, after: i64, at: i32, max: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let max = max.cast_unsigned() as usize;
    let len = max.min(info::LIST_MAX) * 8;
    let into = room(memory, at, i32::try_from(len)?)?;
    let pids = info::list(state, after.cast_unsigned(), max);
    for (place, pid) in into.chunks_exact_mut(8).zip(&pids) {
        place.copy_from_slice(&pid.to_bits().to_le_bytes());
    }
    Ok(i32::try_from(pids.len())?)
}

fn set_label(mut caller: Guest<'_>, at: i32, len: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let label: Result<_, Refusal> = text(memory, at, len, "a label")?;
    let done = label.and_then(|label| info::set_label(state, label));
    Ok(settle(state, done.map(|()| 0)))
}
