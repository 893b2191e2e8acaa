//! Receiving: which of the things in a process's mailbox a Lunatic guest gets to see, and as
//! what.
//!
//! Word that only the layer needs (`Mail::Linked`) and deaths that Lunatic does not tell (of
//! links that ended normally) are taken out on the way, also by a receive that looks for
//! something else: they are not the guest's.

use std::collections::BTreeMap;
use std::time::Duration;

use rusm_actor::{Content, ExitReason, Mark, Message, Pid};
use wasmtime::{Linker, Result};

use super::guest::{Guest, guest};
use super::letter::{Data, Mail, Scratch};
use super::memory::{bytes, parts};
use super::message::take_data;
use super::{Call, Ended, FOREVER, TIMED_OUT};
use crate::guest::State;
use crate::link::{opaque, waits};

const MODULE: &str = "lunatic::message";
const RECEIVE: &str = "lunatic::message::receive";
const SEND_RECEIVE: &str = "lunatic::message::send_receive_skip_search";
const TAG_BYTES: usize = 8;

const DATA: u32 = 0;
const LINK_DIED: u32 = 1;
const PROCESS_DIED: u32 = 2;

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    waits(
        linker,
        MODULE,
        "receive",
        |mut caller: Call<'_>, (at, count, millis): (u32, u32, u64)| {
            opaque(async move { receive(&mut caller, at, count, millis).await })
        },
    )?;
    waits(
        linker,
        MODULE,
        "send_receive_skip_search",
        |mut caller: Call<'_>, (to, tag, millis): (u64, i64, u64)| {
            opaque(async move {
                let state = caller.data_mut();
                let data = take_data(SEND_RECEIVE, state)?;
                let wanted = Wanted::Answer(tag, state.context.mark());
                guest(state)?.environment.post(to, data);
                let received = next(state, wanted, millis).await?;
                // What is no timeout is success here, whatever came.
                Ok(if received == TIMED_OUT {
                    TIMED_OUT
                } else {
                    DATA
                })
            })
        },
    )?;
    Ok(())
}

async fn receive(caller: &mut Call<'_>, at: u32, count: u32, millis: u64) -> Result<u32> {
    if count == 0 {
        return next(caller.data_mut(), Wanted::Any, millis).await;
    }
    let (memory, state) = parts(caller)?;
    let len = count.saturating_mul(TAG_BYTES as u32);
    let (tags, _) = bytes(RECEIVE, memory, at, len)?.as_chunks::<TAG_BYTES>();
    let tags: Vec<i64> = tags.iter().map(|tag| i64::from_le_bytes(*tag)).collect();
    next(state, Wanted::Tags(&tags), millis).await
}

/// What a receive is for.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Any,
    Tags(&'a [i64]),
    /// With this tag, and not there yet at the mark.
    Answer(i64, Mark),
}

/// Waits for the oldest message that is wanted, and makes it the one at work.
async fn next(state: &mut State, wanted: Wanted<'_>, millis: u64) -> Result<u32> {
    let deadline = (millis != FOREVER)
        .then(|| rusm_sched::now().saturating_add(Duration::from_millis(millis)));
    loop {
        let left = deadline.map(|deadline| deadline.saturating_sub(rusm_sched::now()));
        let Some(message) = take(state, wanted, left).await else {
            return Ok(TIMED_OUT);
        };
        if let Some(scratch) = open(state, message)? {
            let kind = match &scratch {
                Scratch::Data { .. } => DATA,
                Scratch::LinkDied(_) => LINK_DIED,
                Scratch::ProcessDied(_) => PROCESS_DIED,
            };
            guest(state)?.scratch = Some(scratch);
            return Ok(kind);
        }
    }
}

async fn take(state: &mut State, wanted: Wanted<'_>, left: Option<Duration>) -> Option<Message> {
    let State {
        context, lunatic, ..
    } = state;
    let links = &lunatic.as_ref()?.links;
    let (one, mark);
    let tags = match wanted {
        Wanted::Any => {
            return match left {
                None => Some(context.receive().await),
                Some(left) => context.receive_within(left).await,
            };
        }
        Wanted::Tags(tags) => {
            mark = None;
            tags
        }
        Wanted::Answer(tag, after) => {
            (one, mark) = ([tag], Some(after));
            &one
        }
    };
    let wanted = |message: &Message| is_wanted(message, tags, links);
    match (left, mark) {
        (None, None) => Some(context.receive_match(wanted).await),
        (None, Some(mark)) => Some(context.receive_match(wanted).after(mark).await),
        (Some(left), None) => context.receive_match_within(left, wanted).await,
        (Some(left), Some(mark)) => {
            let receive = context.receive_match_within(left, wanted);
            receive.after(mark).await
        }
    }
}

/// Does a receive with these tags take the message?
fn is_wanted(message: &Message, tags: &[i64], links: &BTreeMap<Pid, i64>) -> bool {
    let has = |tag: &i64| *tag != 0 && tags.contains(tag);
    match message.content() {
        Content::Native(native) => match native.downcast_ref() {
            Some(Mail::Data(data)) => has(&data.tag),
            Some(Mail::LinkDied(tag)) => has(tag),
            Some(Mail::Linked(..) | Mail::Unlinked(_)) => true,
            None => false,
        },
        Content::Exit(_, reason) => match message.linked_end() {
            Some(peer) => *reason == ExitReason::Normal || links.get(&peer).is_some_and(has),
            // Not from a link: it is the process's end.
            None => true,
        },
        _ => false,
    }
}

/// What the guest sees of a message; `None`: nothing.
fn open(state: &mut State, message: Message) -> Result<Option<Scratch>> {
    let guest = guest(state)?;
    match message.content() {
        Content::Native(_) => {}
        Content::Exit(_, reason) => return died(guest, message.linked_end(), reason),
        Content::Down(down) => {
            let held = guest.held();
            let id = held.watches.remove(&down.reference);
            return Ok(id.map(|id| {
                held.watched.remove(&id);
                Scratch::ProcessDied(id)
            }));
        }
        // From a process that is no guest of this layer: a message without a tag.
        Content::Bytes(bytes) => {
            return Ok(Some(Scratch::data(Data {
                bytes: bytes.to_vec(),
                ..Data::default()
            })));
        }
        _ => return Ok(None),
    }
    let Ok(mail) = message.downcast::<Mail>() else {
        return Ok(None);
    };
    Ok(match mail {
        Mail::Data(mut data) => {
            guest.waiting.remove(data.weight());
            data.slot = None;
            Some(Scratch::data(data))
        }
        Mail::Linked(pid, tag) => {
            guest.remember_link(pid, tag);
            None
        }
        Mail::Unlinked(pid) => {
            guest.links.remove(&pid);
            None
        }
        Mail::LinkDied(tag) => Some(Scratch::LinkDied(tag)),
    })
}

/// A linked process has ended, or somebody asks this one to.
fn died(guest: &mut Guest, linked: Option<Pid>, reason: &ExitReason) -> Result<Option<Scratch>> {
    let Some(peer) = linked else {
        return Err(Ended(reason.clone()).into());
    };
    let tag = guest.links.remove(&peer).unwrap_or(0);
    Ok((*reason != ExitReason::Normal).then_some(Scratch::LinkDied(tag)))
}
