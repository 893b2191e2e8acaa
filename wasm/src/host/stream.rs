//! Streams of bytes between processes: a guest keeps the end that writes and offers the other one to
//! a process, which accepts it or not. Whoever writes faster than the other end reads waits.

use std::any::Any;

use rusm_actor::{Message, Pid, ReaderGone, StreamReader, StreamView, open_stream};

use crate::guest::State;
use crate::host::Refusal;
use crate::host::message::Event;
use crate::host::things::{Came, Thing};

/// Bytes a stream holds on their way if its opener does not say.
pub(crate) const CAPACITY_BYTES: usize = 256 << 10;
/// Bytes a stream of a guest may hold on their way.
pub(crate) const CAPACITY_BYTES_MAX: usize = 4 << 20;
/// Bytes that all streams which one guest writes to may hold on their way.
pub(crate) const OPEN_BYTES_MAX: usize = 64 << 20;
/// Bytes that a component may write at a time: the host holds them while they wait for room.
pub(crate) const WRITE_BYTES_MAX: usize = 1 << 20;
/// Bytes that a component gets at a time, whatever it asks for.
pub(crate) const READ_BYTES_MAX: usize = 64 << 10;

/// The end of a stream, on its way to the process that may read from it. Native code sends one as a
/// message, and finds one in a message of a guest.
#[derive(Debug)]
pub struct StreamOffer {
    /// Who offers it.
    pub from: Pid,
    /// What it is about; the two agree on that.
    pub tag: u64,
    /// Where the bytes come out. Dropping it tells the writer that nobody reads.
    pub reader: StreamReader,
}

impl From<StreamOffer> for Message {
    fn from(offer: StreamOffer) -> Self {
        Message::native(offer)
    }
}

impl StreamOffer {
    /// The offer in a message.
    ///
    /// # Errors
    /// The message itself, if it is anything else.
    pub fn from_message(message: Message) -> Result<Self, Message> {
        message.downcast()
    }
}

/// What an offer is about, if the value of a message is one.
pub(crate) fn tag_of(value: &(dyn Any + Send)) -> Option<u64> {
    value.downcast_ref().map(|offer: &StreamOffer| offer.tag)
}

/// Keeps an offered stream until it is accepted.
pub(crate) fn offered(state: &mut State, offer: StreamOffer) -> Event {
    let StreamOffer { from, tag, reader } = offer;
    if reader.offered_to(state.pid()).is_none() {
        // Of native code, which lists nothing itself.
        list(state, reader.view());
    }
    let number = state.things().hold(Thing::Offer(reader)).unwrap_or(0);
    Event::Stream(Came {
        sender: from,
        tag,
        number,
    })
}

/// Opens a stream to a process; the number of the end that writes. With capacity zero it holds
/// [`CAPACITY_BYTES`].
pub(crate) fn open(state: &mut State, to: u64, tag: u64, capacity: u32) -> Result<u32, Refusal> {
    rusm_sched::spend(2);
    let capacity = match capacity as usize {
        0 => CAPACITY_BYTES,
        capacity => capacity,
    };
    if capacity > CAPACITY_BYTES_MAX {
        return Err(Refusal::TooLong {
            what: "a stream's capacity",
            len: capacity,
            max: CAPACITY_BYTES_MAX,
        });
    }
    let open: usize = state.things().iter().map(written).sum();
    if open + capacity > OPEN_BYTES_MAX {
        return Err(Refusal::Limit {
            what: "bytes of capacity in the streams it writes to",
            max: OPEN_BYTES_MAX,
        });
    }
    let (writer, reader) = open_stream(capacity).map_err(|e| Refusal::Invalid(e.to_string()))?;
    let number = state.things().hold(Thing::Writer(writer))?;
    reader.offered_to(Pid::from_bits(to));
    list(state, reader.view());
    let offer = StreamOffer {
        from: state.pid(),
        tag,
        reader,
    };
    state.context.send(Pid::from_bits(to), offer);
    Ok(number)
}

/// Has a stream seen by those who look at the node; that of a process without a standing is not.
fn list(state: &State, view: StreamView) {
    let shared = state.standing.as_ref().and_then(|it| it.shared());
    if let Some(shared) = shared {
        shared.streams.note(view);
    }
}

fn written(thing: &Thing) -> usize {
    match thing {
        Thing::Writer(writer) => writer.capacity(),
        _ => 0,
    }
}

/// Takes an offered stream; it is read under the same number.
pub(crate) fn accept(state: &mut State, offer: u32) -> Result<u32, Refusal> {
    let thing = state.things().get(offer).ok_or(Refusal::NotHeld)?;
    match std::mem::replace(thing, Thing::Taken) {
        Thing::Offer(reader) => {
            *thing = Thing::Reader(reader);
            Ok(offer)
        }
        other => {
            *thing = other;
            Err(Refusal::NotHeld)
        }
    }
}

/// Writes all of `bytes`, and waits while there is no room for them.
pub(crate) async fn write(state: &mut State, stream: u32, bytes: &[u8]) -> Result<(), Refusal> {
    match state.things().get(stream) {
        Some(Thing::Writer(writer)) => {
            let written = writer.write_all(bytes).await;
            written.map_err(|ReaderGone| Refusal::StreamBroken)
        }
        _ => Err(Refusal::NotHeld),
    }
}

/// Reads some bytes, and waits while there are none; zero at the end.
pub(crate) async fn read(
    state: &mut State,
    stream: u32,
    into: &mut [u8],
) -> Result<usize, Refusal> {
    match state.things().get(stream) {
        Some(Thing::Reader(reader)) => {
            let read = reader.read(into).await;
            read.map_err(|aborted| Refusal::StreamAborted(aborted.reason))
        }
        _ => Err(Refusal::NotHeld),
    }
}

/// As [`write`], of bytes that the host holds as long as it waits.
pub(crate) async fn write_held(
    state: &mut State,
    stream: u32,
    bytes: Vec<u8>,
) -> Result<(), Refusal> {
    let len = bytes.len();
    if len > WRITE_BYTES_MAX {
        return Err(Refusal::TooLong {
            what: "a piece of a stream",
            len,
            max: WRITE_BYTES_MAX,
        });
    }
    write(state, stream, &bytes).await
}

/// As [`read`], into memory of the host, which is taken when there are bytes.
pub(crate) async fn read_held(
    state: &mut State,
    stream: u32,
    max: usize,
) -> Result<Vec<u8>, Refusal> {
    match state.things().get(stream) {
        Some(Thing::Reader(reader)) => {
            let read = reader.read_vec(max.min(READ_BYTES_MAX)).await;
            read.map_err(|aborted| Refusal::StreamAborted(aborted.reason))
        }
        _ => Err(Refusal::NotHeld),
    }
}

/// Lets go of an end: what a writer has written is still read, and then comes the end; what a
/// reader has not read is dropped, and the writer is told. False: it holds no such end.
pub(crate) fn close(state: &mut State, stream: u32) -> bool {
    rusm_sched::spend(1);
    let is_end =
        |thing: &mut Thing| matches!(thing, Thing::Offer(_) | Thing::Reader(_) | Thing::Writer(_));
    let things = state.things();
    things.get(stream).is_some_and(is_end) && things.release(stream).is_some()
}
