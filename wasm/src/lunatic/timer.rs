//! `lunatic::timer`: messages that are sent later.

use std::time::Duration;

use rusm_actor::Message;
use wasmtime::{Linker, Result, format_err};

use super::Call;
use super::environment::TIMERS_MAX;
use super::guest::{guest, held};
use super::held::{TIMERS_HELD_MAX, Timer};
use super::letter::Mail;
use super::message::take_data;
use crate::guest::State;

const MODULE: &str = "lunatic::timer";
const SEND_AFTER: &str = "lunatic::timer::send_after";

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "send_after", send_after)?;
    linker.func_wrap(MODULE, "cancel_timer", cancel_timer)?;
    Ok(())
}

/// The message counts as one that waits for its receiver from now on. To the dead nothing is
/// sent, but there is a number.
fn send_after(mut caller: Call<'_>, to: u64, millis: u64) -> Result<u64> {
    rusm_sched::spend(2);
    let state = caller.data_mut();
    let mut data = take_data(SEND_AFTER, state)?;
    let environment = guest(state)?.environment.clone();
    let weight = data.weight();
    let Some(member) = environment.reserve(to, weight) else {
        return Ok(held(state)?.timers.skip());
    };
    let slot = environment.timer();
    data.slot = Some(slot.ok_or_else(|| {
        member.waiting.remove(weight);
        format_err!("`{SEND_AFTER}`: too many timers: a program may have {TIMERS_MAX}")
    })?);
    let delay = Duration::from_millis(millis);
    let message = Message::native(Mail::Data(data));
    let timer = Timer {
        timer: state.context.send_after(delay, member.pid, message),
        weight,
        waiting: member.waiting,
    };
    let timers = &mut held(state)?.timers;
    if timers.len() >= TIMERS_HELD_MAX {
        timers.retain(|timer| timer.timer.remaining().is_some());
    }
    timers.add("timers", timer)
}

/// 1 if it has not come yet and never will, 0 otherwise.
fn cancel_timer(mut caller: Call<'_>, id: u64) -> Result<u32> {
    rusm_sched::spend(1);
    let Some(timer) = held(caller.data_mut())?.timers.take(id) else {
        return Ok(0);
    };
    if timer.timer.cancel().is_none() {
        return Ok(0);
    }
    timer.waiting.remove(timer.weight);
    Ok(1)
}
