//! Sending and receiving: see `docs/guest-abi.md`.

use std::future::{self, Future, poll_fn};
use std::task::{Poll, ready};

use rusm_actor::{Alias, Pid, Reference};
use wasmtime::{Caller, Linker, Result};

use crate::abi::event::{self, deliver};
use crate::abi::{Guest, MODULE, bytes, guest, put, put_some, settle};
use crate::guest::State;
use crate::host::message::{self, Want};
use crate::host::process::within;
use crate::host::{Refusal, seal};
use crate::link::{opaque, waits};

/// A receive has got something.
const RECEIVED: i32 = 0;
/// A receive has got nothing in its time.
const TIMED_OUT: i32 = 1;
/// Bytes of an alias: whose it is, its reference, its seal.
const ALIAS_BYTES: i32 = 24;

/// Where a receive puts what it gets.
#[derive(Clone, Copy)]
struct Into {
    record: i32,
    body: (i32, i32),
}

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "send", send)?;
    linker.func_wrap(MODULE, "try_receive", try_receive)?;
    waits(linker, MODULE, "receive", receive)?;
    linker.func_wrap(MODULE, "body_read", body_read)?;
    linker.func_wrap(MODULE, "reply", reply)?;
    linker.func_wrap(MODULE, "alias", alias)?;
    linker.func_wrap(MODULE, "unalias", unalias)?;
    linker.func_wrap(MODULE, "send_alias", send_alias)?;
    Ok(())
}

fn send(mut caller: Guest<'_>, to: i64, tag: i64, at: i32, len: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let content = bytes(memory, at, len)?;
    let sent = message::send(state, to.cast_unsigned(), tag.cast_unsigned(), content);
    Ok(settle(state, sent.map(|()| 0)))
}

fn want(kind: i32, which: i64) -> Result<Want, Refusal> {
    let which = which.cast_unsigned();
    match kind {
        0 => Ok(Want::Any),
        1 => Ok(Want::Tag(which)),
        2 => Ok(Want::Reference(which)),
        _ => Err(Refusal::Invalid(format!(
            "a receive takes anything (0), a tag (1) or a reference (2), not {kind}"
        ))),
    }
}

/// What came of looking: a code for the guest, or nothing, and it may wait.
fn look(caller: &mut Guest<'_>, want: Want, into: Into) -> Result<Option<i32>> {
    let (memory, state) = guest(caller)?;
    // Before anything is taken: a wrong pointer is told whether or not something is there.
    event::check(memory, into.record, into.body)?;
    let Some(event) = message::try_receive(state, want) else {
        return Ok(None);
    };
    deliver(memory, state, event, into.record, into.body)?;
    Ok(Some(RECEIVED))
}

fn try_receive(
    mut caller: Guest<'_>,
    kind: i32,
    which: i64,
    record: i32,
    at: i32,
    max: i32,
) -> Result<i32> {
    let body = (at, max);
    match want(kind, which) {
        Ok(want) => {
            let found = look(&mut caller, want, Into { record, body })?;
            Ok(found.unwrap_or(TIMED_OUT))
        }
        Err(refusal) => Ok(settle(caller.data_mut(), Err(refusal))),
    }
}

/// What is there is taken at once, unless the turn is over: an asynchronous call costs four times
/// as much.
fn receive<'a>(
    mut caller: Caller<'a, State>,
    (kind, which, patience, record, at, max): (i32, i64, i64, i32, i32, i32),
) -> Box<dyn Future<Output = Result<i32>> + Send + 'a> {
    let into = Into {
        record,
        body: (at, max),
    };
    let want = match want(kind, which) {
        Ok(want) => want,
        Err(refusal) => {
            return Box::new(future::ready(Ok(settle(caller.data_mut(), Err(refusal)))));
        }
    };
    let turn_over = rusm_sched::spend(0);
    if !turn_over {
        match look(&mut caller, want, into).transpose() {
            Some(found) => return Box::new(future::ready(found)),
            None if patience == 0 => return Box::new(future::ready(Ok(TIMED_OUT))),
            None => {}
        }
    }
    let within = within(patience.cast_unsigned());
    if want == Want::Any && within.is_none() {
        return opaque(poll_fn(move |cx| {
            let (memory, state) = guest(&mut caller)?;
            event::check(memory, into.record, into.body)?;
            let event = ready!(message::poll_receive(state, cx));
            deliver(memory, state, event, into.record, into.body)?;
            Poll::Ready(Ok(RECEIVED))
        }));
    }
    opaque(async move {
        let (memory, _) = guest(&mut caller)?;
        event::check(memory, into.record, into.body)?;
        let event = message::receive(caller.data_mut(), want, within).await;
        let (memory, state) = guest(&mut caller)?;
        let Some(event) = event else {
            return Ok(TIMED_OUT);
        };
        deliver(memory, state, event, into.record, into.body)?;
        Ok(RECEIVED)
    })
}

/// What did not fit of the last body, from `from` on; how many bytes were written.
fn body_read(mut caller: Guest<'_>, from: i32, at: i32, max: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let rest = state.actor.as_ref().and_then(|actor| actor.rest.as_ref());
    let rest = rest.map(|body| body.bytes()).unwrap_or_default();
    let rest = rest
        .get(from.cast_unsigned() as usize..)
        .unwrap_or_default();
    let whole = put_some(memory, at, max, rest)?;
    Ok(whole.min(i32::try_from(max.cast_unsigned()).unwrap_or(i32::MAX)))
}

fn reply(mut caller: Guest<'_>, request: i64, tag: i64, at: i32, len: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let content = bytes(memory, at, len)?;
    let done = message::reply(state, request.cast_unsigned(), tag.cast_unsigned(), content);
    Ok(settle(state, done.map(|()| 0)))
}

fn alias(mut caller: Guest<'_>, once: i32, at: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    // Before it is made: who gets none must not hold it.
    super::room(memory, at, ALIAS_BYTES)?;
    let made = message::alias(state, once != 0);
    if let Ok(alias) = &made {
        put(memory, at, &seal::to_bytes(*alias))?;
    }
    Ok(settle(state, made.map(|_| 0)))
}

fn unalias(mut caller: Guest<'_>, reference: i64) -> i32 {
    let off = message::unalias(caller.data_mut(), reference.cast_unsigned());
    i32::from(off)
}

fn send_alias(mut caller: Guest<'_>, alias: i32, tag: i64, at: i32, len: i32) -> Result<i32> {
    let (memory, state) = guest(&mut caller)?;
    let to = bytes(memory, alias, ALIAS_BYTES)?;
    let word = |index: usize| {
        let word = &to[index * 8..index * 8 + 8];
        u64::from_le_bytes(word.try_into().expect("it is eight bytes"))
    };
    let (pid, reference) = (Pid::from_bits(word(0)), Reference::from_bits(word(1)));
    let content = bytes(memory, at, len)?;
    let alias = Alias::from_parts(pid, reference);
    let sent = message::send_alias(state, alias, word(2), tag.cast_unsigned(), content);
    Ok(settle(state, sent.map(|()| 0)))
}
