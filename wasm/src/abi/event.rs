//! What was received, as core modules see it: a record of 48 bytes, and a body.
//!
//! | at | is |
//! |---|---|
//! | 0 | u32: the kind |
//! | 4 | u32: how long the body is |
//! | 8 | u64: the sender, or who came, left or ended; 0 if there is none |
//! | 16 | u64: the tag; 0 if there is none |
//! | 24 | u64: the monitor, timer, alias, group watch, request or stream; 0 if there is none |
//! | 32 | u32: the reason's code |
//! | 36 | u32: the reason's detail |
//! | 40 | u32: how many bytes at the end of the body are a name |
//! | 44 | u32: 1 if somebody joined a group |

use rusm_actor::{ExitReason, Pid, Watched};
use wasmtime::Result;

use crate::abi::put;
use crate::guest::State;
use crate::host::Body;
use crate::host::message::Event;
use crate::host::reason;
use crate::host::things::Came;

/// Bytes of the record.
const RECORD_BYTES: usize = 48;

pub(crate) const MESSAGE: u32 = 1;
pub(crate) const EXIT: u32 = 2;
pub(crate) const DOWN: u32 = 3;
pub(crate) const TIMER: u32 = 4;
pub(crate) const GROUP: u32 = 5;
pub(crate) const REQUEST: u32 = 6;
pub(crate) const OPAQUE: u32 = 7;
pub(crate) const STREAM: u32 = 8;
pub(crate) const MODULE: u32 = 9;

/// The record, and the body that goes with it.
struct Flat {
    kind: u32,
    pid: u64,
    tag: u64,
    reference: u64,
    reason: u32,
    detail: u32,
    name_len: u32,
    joined: bool,
    body: Body,
}

/// Is there room for an event where the guest says there is?
#[inline]
pub(crate) fn check(memory: &mut [u8], record: i32, room: (i32, i32)) -> Result<()> {
    super::room(memory, record, RECORD_BYTES as i32)?;
    super::room(memory, room.0, room.1)?;
    Ok(())
}

/// Writes an event to `record` and as much of its body as there is room for; what did not fit is
/// kept until the next receive.
#[inline]
pub(crate) fn deliver(
    memory: &mut [u8],
    state: &mut State,
    event: Event,
    record: i32,
    room: (i32, i32),
) -> Result<()> {
    let flat = Flat::new(event);
    let into = super::room(memory, room.0, room.1)?;
    let body = flat.body.bytes();
    let len = body.len().min(into.len());
    into[..len].copy_from_slice(&body[..len]);
    put(memory, record, &flat.record())?;
    if len < body.len() {
        state.actor().rest = Some(flat.body);
    } else if let Some(actor) = &mut state.actor {
        actor.rest = None;
    }
    Ok(())
}

impl Flat {
    #[inline]
    fn new(event: Event) -> Self {
        match event {
            Event::Message {
                sender,
                tag,
                alias,
                body,
            } => Flat {
                tag,
                reference: alias.unwrap_or_default(),
                ..Flat::plain(MESSAGE, sender, Body::Message(body))
            },
            other => Flat::of_others(other),
        }
    }

    fn of_others(event: Event) -> Self {
        match event {
            Event::Exit { sender, reason } => Flat::end(EXIT, sender, &reason, ""),
            Event::Down {
                reference,
                watched,
                reason,
            } => {
                let (pid, name) = match &watched {
                    Watched::Pid(pid) => (Some(*pid), ""),
                    Watched::Name(name) => (None, &**name),
                };
                Flat {
                    reference,
                    ..Flat::end(DOWN, pid, &reason, name)
                }
            }
            Event::Timer {
                reference,
                tag,
                body,
            } => Flat {
                tag,
                reference,
                ..Flat::plain(TIMER, None, Body::Message(body))
            },
            Event::Request {
                sender,
                tag,
                reference,
                body,
            } => Flat {
                tag,
                reference,
                ..Flat::plain(REQUEST, Some(sender), Body::Message(body))
            },
            Event::Group {
                reference,
                group,
                pid,
                joined,
            } => Flat {
                reference,
                joined,
                name_len: group.len() as u32,
                ..Flat::plain(GROUP, Some(pid), Body::Made(group.as_bytes().to_vec()))
            },
            Event::Message { sender, body, .. } => {
                Flat::plain(MESSAGE, sender, Body::Message(body))
            }
            Event::Stream(came) => Flat::thing(STREAM, came),
            Event::Module(came) => Flat::thing(MODULE, came),
            Event::Opaque => Flat::plain(OPAQUE, None, Body::Made(Vec::new())),
        }
    }

    /// A stream or module that came.
    fn thing(kind: u32, came: Came) -> Self {
        Flat {
            tag: came.tag,
            reference: u64::from(came.number),
            ..Flat::plain(kind, Some(came.sender), Body::Made(Vec::new()))
        }
    }

    fn plain(kind: u32, pid: Option<Pid>, body: Body) -> Self {
        Flat {
            kind,
            pid: pid.map_or(0, Pid::to_bits),
            tag: 0,
            reference: 0,
            reason: 0,
            detail: 0,
            name_len: 0,
            joined: false,
            body,
        }
    }

    fn end(kind: u32, pid: Option<Pid>, why: &ExitReason, name: &str) -> Self {
        let mut parts = reason::parts(why);
        parts.bytes.extend_from_slice(name.as_bytes());
        Flat {
            reason: parts.code,
            detail: parts.detail,
            name_len: name.len() as u32,
            ..Flat::plain(kind, pid, Body::Made(parts.bytes))
        }
    }

    #[inline]
    fn record(&self) -> [u8; RECORD_BYTES] {
        let mut record = [0; RECORD_BYTES];
        let len = self.body.bytes().len() as u32;
        record[0..4].copy_from_slice(&self.kind.to_le_bytes());
        record[4..8].copy_from_slice(&len.to_le_bytes());
        record[8..16].copy_from_slice(&self.pid.to_le_bytes());
        record[16..24].copy_from_slice(&self.tag.to_le_bytes());
        record[24..32].copy_from_slice(&self.reference.to_le_bytes());
        record[32..36].copy_from_slice(&self.reason.to_le_bytes());
        record[36..40].copy_from_slice(&self.detail.to_le_bytes());
        record[40..44].copy_from_slice(&self.name_len.to_le_bytes());
        record[44..48].copy_from_slice(&u32::from(self.joined).to_le_bytes());
        record
    }
}
