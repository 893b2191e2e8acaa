//! `lunatic::process` but for spawning and configurations: who a process is, whom it is linked
//! to, whom it watches and ends.

use std::time::Duration;

use rusm_actor::{ExitReason, Message, kill as kill_pid, send};
use wasmtime::{Linker, Result, ensure};

use super::guest::{guest, held};
use super::held::MONITORS_MAX;
use super::letter::Mail;
use super::{Call, Ended};
use crate::guest::State;
use crate::link::{opaque, waits};

const MODULE: &str = "lunatic::process";
/// The only environment a program sees has this number, as with `lunatic run`.
const ENVIRONMENT: u64 = 1;

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    waits(
        linker,
        MODULE,
        "sleep_ms",
        |_: Call<'_>, (millis,): (u64,)| opaque(rusm_sched::sleep(Duration::from_millis(millis))),
    )?;
    linker.func_wrap(MODULE, "die_when_link_dies", die_when_link_dies)?;
    linker.func_wrap(MODULE, "process_id", process_id)?;
    linker.func_wrap(MODULE, "environment_id", || ENVIRONMENT)?;
    linker.func_wrap(MODULE, "link", link)?;
    linker.func_wrap(MODULE, "unlink", unlink)?;
    linker.func_wrap(MODULE, "monitor", monitor)?;
    linker.func_wrap(MODULE, "stop_monitoring", stop_monitoring)?;
    linker.func_wrap(MODULE, "kill", kill)?;
    linker.func_wrap(MODULE, "exists", exists)?;
    Ok(())
}

fn die_when_link_dies(mut caller: Call<'_>, dies: u32) -> Result<()> {
    let hears = dies == 0;
    guest(caller.data_mut())?.hears = hears;
    caller.data_mut().context.trap_exit(hears);
    Ok(())
}

fn process_id(mut caller: Call<'_>) -> Result<u64> {
    Ok(guest(caller.data_mut())?.id)
}

/// Each of the two hears of the other's death with the same tag. A dead one counts as one that
/// has failed.
fn link(mut caller: Call<'_>, tag: i64, id: u64) -> Result<()> {
    rusm_sched::spend(1);
    let state = caller.data_mut();
    let found = guest(state)?.environment.pid(id);
    let me = state.context.pid();
    let Some(peer) = found else {
        return link_to_nobody(state, tag);
    };
    if peer == me {
        return Ok(());
    }
    guest(state)?.remember_link(peer, tag);
    // Before the link, so that it is there when the link tells of a death.
    send(peer, Message::native(Mail::Linked(me, tag)));
    match state.context.link(peer) {
        Ok(()) => Ok(()),
        Err(_) => link_to_nobody(state, tag),
    }
}

fn link_to_nobody(state: &mut State, tag: i64) -> Result<()> {
    if !guest(state)?.hears {
        return Err(Ended(ExitReason::NoProcess).into());
    }
    send(state.context.pid(), Message::native(Mail::LinkDied(tag)));
    Ok(())
}

fn unlink(mut caller: Call<'_>, id: u64) -> Result<()> {
    rusm_sched::spend(1);
    let state = caller.data_mut();
    let me = state.context.pid();
    if let Some(peer) = guest(state)?.environment.pid(id) {
        state.context.unlink(peer);
        guest(state)?.links.remove(&peer);
        send(peer, Message::native(Mail::Unlinked(me)));
    }
    Ok(())
}

/// Watching the dead tells nothing, as with Lunatic.
fn monitor(mut caller: Call<'_>, id: u64) -> Result<()> {
    rusm_sched::spend(1);
    let state = caller.data_mut();
    let Some(peer) = guest(state)?.environment.pid(id) else {
        return Ok(());
    };
    let watched = &held(state)?.watched;
    if watched.contains_key(&id) {
        return Ok(());
    }
    ensure!(
        watched.len() < MONITORS_MAX,
        "`lunatic::process::monitor`: too many: a process may watch {MONITORS_MAX}"
    );
    let reference = state.context.monitor(peer);
    let held = held(state)?;
    held.watched.insert(id, reference);
    held.watches.insert(reference, id);
    Ok(())
}

fn stop_monitoring(mut caller: Call<'_>, id: u64) -> Result<()> {
    let state = caller.data_mut();
    let held = held(state)?;
    if let Some(reference) = held.watched.remove(&id) {
        held.watches.remove(&reference);
        state.context.demonitor_flush(reference);
    }
    Ok(())
}

fn kill(mut caller: Call<'_>, id: u64) -> Result<()> {
    rusm_sched::spend(1);
    if let Some(pid) = guest(caller.data_mut())?.environment.pid(id) {
        kill_pid(pid);
    }
    Ok(())
}

fn exists(mut caller: Call<'_>, id: u64) -> Result<u32> {
    let found = guest(caller.data_mut())?.environment.pid(id);
    Ok(u32::from(found.is_some()))
}
