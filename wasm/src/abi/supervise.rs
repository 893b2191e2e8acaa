//! Supervisors: see `docs/guest-services.md`.
//!
//! A supervisor is described by a record of 32 bytes:
//!
//! | at | is |
//! |---|---|
//! | 0 | u32: the strategy: 0 one for one, 1 one for all, 2 rest for one |
//! | 4 | u32: so many restarts |
//! | 8 | u64: in so many nanoseconds; one more ends it |
//! | 16 | u32: it ends by itself 0 never, 1 with any significant child, 2 with the last one |
//! | 20 | u32, u32: where the records of its children are, and how many |
//!
//! and a child by one of 48 bytes:
//!
//! | at | is |
//! |---|---|
//! | 0 | u32, u32: its id, where and how long |
//! | 8 | u32, u32: the name of its component |
//! | 16 | u32, u32: its arguments, as in `spawn`; at 0: the component's own |
//! | 24 | u32, u32: the name of a profile, or nothing |
//! | 32 | u32: it is started again 0 always, 1 unless it ended as intended, 2 never |
//! | 36 | u32: 1 stopped by a kill, 2 given all the time it needs, 4 significant |
//! | 40 | u64: nanoseconds that it is given to stop, or 0 for 5 s |

use std::future::Future;
use std::time::Duration;

use rusm_actor::Pid;
use rusm_actor::supervisor::{
    AutoShutdown, ChildInfo, ChildState, Restart, SHUTDOWN_TIMEOUT, Shutdown, Strategy,
};
use wasmtime::{Caller, Linker, Result};

use crate::abi::{MODULE, bytes, guest, put, room, settle, spawn, text};
use crate::guest::State;
use crate::host::Refusal;
use crate::host::spawn::{Options, checked};
use crate::host::supervise::{self, CHILDREN_MAX, Plan, Spec};
use crate::link::{opaque, waits};

const PLAN_BYTES: i32 = 32;
const CHILD_BYTES: usize = 48;
/// Bytes of what comes before an id in a list of children.
const LISTED_BYTES: usize = 16;
const KILL: u32 = 1;
const INFINITY: u32 = 2;
const SIGNIFICANT: u32 = 4;
const ID: &str = "a child's id";

type Answer<'a> = Box<dyn Future<Output = Result<i32>> + Send + 'a>;

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    waits(linker, MODULE, "supervise_start", start)?;
    waits(linker, MODULE, "supervise_start_child", start_child)?;
    waits(linker, MODULE, "supervise_restart_child", restart_child)?;
    waits(linker, MODULE, "supervise_terminate_child", terminate_child)?;
    waits(linker, MODULE, "supervise_delete_child", delete_child)?;
    waits(linker, MODULE, "supervise_count", count)?;
    waits(linker, MODULE, "supervise_which", which)?;
    waits(linker, MODULE, "supervise_stop", stop)?;
    Ok(())
}

/// The number of the supervisor; its pid is written to `to`.
fn start<'a>(mut caller: Caller<'a, State>, (plan, to): (i32, i32)) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        room(memory, to, 8)?;
        let started = match read_plan(memory, plan)? {
            Ok((plan, children)) => supervise::start(state, plan, children).await,
            Err(refusal) => Err(refusal),
        };
        if let Ok((_, pid)) = &started {
            put(memory, to, &pid.to_bits().to_le_bytes())?;
        }
        Ok(settle(
            state,
            started.map(|(number, _)| number.cast_signed()),
        ))
    })
}

/// The child's pid is written to `to`.
fn start_child<'a>(
    mut caller: Caller<'a, State>,
    (supervisor, child, to): (i32, i32, i32),
) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        room(memory, to, 8)?;
        let spec = read_child(memory, bytes(memory, child, CHILD_BYTES as i32)?)?;
        let started = match spec {
            Ok(spec) => supervise::start_child(state, supervisor.cast_unsigned(), spec).await,
            Err(refusal) => Err(refusal),
        };
        tell_pid(memory, state, started, to)
    })
}

/// Writes the pid of a child that was started to `to`; 0 if it has none.
fn tell_pid(
    memory: &mut [u8],
    state: &mut State,
    started: Result<Option<Pid>, Refusal>,
    to: i32,
) -> Result<i32> {
    if let Ok(pid) = &started {
        let pid = pid.map_or(0, Pid::to_bits);
        put(memory, to, &pid.to_le_bytes())?;
    }
    Ok(settle(state, started.map(|_| 0)))
}

/// The child's new pid is written to `to`.
fn restart_child<'a>(
    mut caller: Caller<'a, State>,
    (supervisor, id, id_len, to): (i32, i32, i32, i32),
) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        room(memory, to, 8)?;
        let started = match text(memory, id, id_len, ID)? {
            Ok(id) => supervise::restart_child(state, supervisor.cast_unsigned(), id).await,
            Err(refusal) => Err(refusal),
        };
        tell_pid(memory, state, started, to)
    })
}

fn terminate_child<'a>(
    mut caller: Caller<'a, State>,
    (supervisor, id, id_len): (i32, i32, i32),
) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let done = match text(memory, id, id_len, ID)? {
            Ok(id) => supervise::terminate_child(state, supervisor.cast_unsigned(), id).await,
            Err(refusal) => Err(refusal),
        };
        Ok(settle(state, done.map(|()| 0)))
    })
}

fn delete_child<'a>(
    mut caller: Caller<'a, State>,
    (supervisor, id, id_len): (i32, i32, i32),
) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let done = match text(memory, id, id_len, ID)? {
            Ok(id) => supervise::delete_child(state, supervisor.cast_unsigned(), id).await,
            Err(refusal) => Err(refusal),
        };
        Ok(settle(state, done.map(|()| 0)))
    })
}

/// Four u32 are written to `to`: listed, alive, supervisors, workers.
fn count<'a>(mut caller: Caller<'a, State>, (supervisor, to): (i32, i32)) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        room(memory, to, 16)?;
        let counts = supervise::count(state, supervisor.cast_unsigned()).await;
        if let Ok(counts) = &counts {
            let numbers = [
                counts.specs,
                counts.active,
                counts.supervisors,
                counts.workers,
            ];
            let numbers: Vec<u8> = numbers
                .iter()
                .flat_map(|n| (*n as u32).to_le_bytes())
                .collect();
            put(memory, to, &numbers)?;
        }
        Ok(settle(state, counts.map(|_| 0)))
    })
}

/// How many bytes were written to `to`: for each child a u32, how long its id is; a u32, 0 stopped,
/// 1 about to be restarted, 2 running; a u64, its pid or 0; and its id. What does not fit is left
/// out.
fn which<'a>(mut caller: Caller<'a, State>, (supervisor, to, max): (i32, i32, i32)) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        room(memory, to, max)?;
        let children = supervise::which(state, supervisor.cast_unsigned()).await;
        let written = children.map(|children| {
            let mut all = Vec::new();
            for child in &children {
                let one = listed(child);
                if all.len() + one.len() > max.cast_unsigned() as usize {
                    break;
                }
                all.extend(one);
            }
            all
        });
        if let Ok(all) = &written {
            put(memory, to, all)?;
        }
        // A thousand children with short ids are far from what an i32 holds.
        Ok(settle(state, written.map(|all| all.len() as i32)))
    })
}

fn listed(child: &ChildInfo) -> Vec<u8> {
    let id = child.id.as_deref().unwrap_or_default();
    let (code, pid) = match child.state {
        ChildState::Stopped => (0_u32, 0),
        ChildState::Restarting => (1, 0),
        ChildState::Running(pid) => (2, pid.to_bits()),
    };
    let mut one = Vec::with_capacity(LISTED_BYTES + id.len());
    one.extend((id.len() as u32).to_le_bytes());
    one.extend(code.to_le_bytes());
    one.extend(pid.to_le_bytes());
    one.extend(id.as_bytes());
    one
}

fn stop<'a>(mut caller: Caller<'a, State>, (supervisor,): (i32,)) -> Answer<'a> {
    opaque(async move {
        let state = caller.data_mut();
        let stopped = supervise::stop(state, supervisor.cast_unsigned()).await;
        Ok(settle(state, stopped.map(|()| 0)))
    })
}

fn word(record: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(record[at..at + 4].try_into().expect("it is four bytes"))
}

fn long(record: &[u8], at: usize) -> u64 {
    u64::from(word(record, at)) | u64::from(word(record, at + 4)) << 32
}

fn unknown(what: &str, number: u32) -> Refusal {
    Refusal::Invalid(format!("there is no {what} {number}"))
}

fn read_plan(memory: &[u8], at: i32) -> Result<Result<(Plan, Vec<Spec>), Refusal>> {
    let record = bytes(memory, at, PLAN_BYTES)?;
    let count = word(record, 24) as usize;
    if count > CHILDREN_MAX {
        return Ok(Err(supervise::too_many(CHILDREN_MAX)));
    }
    let len = (count * CHILD_BYTES) as i32;
    let records = bytes(memory, word(record, 20).cast_signed(), len)?;
    let mut children = Vec::with_capacity(count);
    for record in records.chunks_exact(CHILD_BYTES) {
        match read_child(memory, record)? {
            Ok(child) => children.push(child),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    Ok(plan(record).map(|plan| (plan, children)))
}

fn plan(record: &[u8]) -> Result<Plan, Refusal> {
    Ok(Plan {
        strategy: match word(record, 0) {
            0 => Strategy::OneForOne,
            1 => Strategy::OneForAll,
            2 => Strategy::RestForOne,
            other => return Err(unknown("strategy", other)),
        },
        restarts_max: word(record, 4),
        period: Duration::from_nanos(long(record, 8)),
        auto_shutdown: match word(record, 16) {
            0 => AutoShutdown::Never,
            1 => AutoShutdown::Any,
            2 => AutoShutdown::All,
            other => return Err(unknown("end of supervisors", other)),
        },
    })
}

fn read_child(memory: &[u8], record: &[u8]) -> Result<Result<Spec, Refusal>> {
    let range = |at: usize| {
        (
            word(record, at).cast_signed(),
            word(record, at + 4).cast_signed(),
        )
    };
    let string = |at: usize, what| text(memory, range(at).0, range(at).1, what);
    let (id, component) = (string(0, ID)?, string(8, "the name of a component")?);
    let profile = string(24, "the name of a profile")?;
    let args = match range(16) {
        (0, _) => None,
        (at, len) => Some(spawn::arguments(bytes(memory, at, len)?)),
    };
    let flags = word(record, 36);
    Ok((|| {
        let profile = Some(profile?.to_string()).filter(|profile| !profile.is_empty());
        Ok(Spec {
            id: id?.to_string(),
            component: component?.to_string(),
            options: Options {
                profile,
                args: args.transpose()?.map(checked).transpose()?,
                ..Options::default()
            },
            restart: match word(record, 32) {
                0 => Restart::Permanent,
                1 => Restart::Transient,
                2 => Restart::Temporary,
                other => return Err(unknown("kind of restart", other)),
            },
            shutdown: match (flags & KILL != 0, flags & INFINITY != 0, long(record, 40)) {
                (true, _, _) => Shutdown::Kill,
                (_, true, _) => Shutdown::Infinity,
                (_, _, 0) => Shutdown::After(SHUTDOWN_TIMEOUT),
                (_, _, span) => Shutdown::After(Duration::from_nanos(span)),
            },
            significant: flags & SIGNIFICANT != 0,
        })
    })())
}
