//! Timers: messages that come later, unless they are taken back.

use std::time::Duration;

use rusm_actor::{Message, Pid, TimerRef};

use crate::guest::State;
use crate::host::{Actor, Held, Refusal, message};

/// Timers that one process may have running at a time.
pub(crate) const TIMERS_MAX: usize = 16_384;
/// Bytes of the messages of all its running timers.
pub(crate) const TIMERS_BYTES_MAX: usize = 16 << 20;

/// A timer that a process may take back.
pub(crate) struct Timer {
    timer: TimerRef,
    bytes: usize,
}

/// What the running timers of a process take.
#[derive(Default)]
pub(crate) struct Timers {
    count: usize,
    bytes: usize,
    /// The last number given to a timer that has no reference of its own.
    last: u64,
}

/// Sends bytes to a process later. The timer runs on if who started it ends.
pub(crate) fn send_after(
    state: &mut State,
    nanoseconds: u64,
    to: u64,
    tag: u64,
    content: &[u8],
) -> Result<u64, Refusal> {
    let message = Message::tagged(state.pid(), tag, message::measured(content)?);
    let delay = Duration::from_nanos(nanoseconds);
    let bytes = content.len();
    state.actor().room_for_timer(bytes)?;
    let to = Pid::from_bits(to);
    let timer = state.context.send_after(delay, to, message);
    let actor = state.actor();
    actor.timers.last += 1;
    let number = actor.timers.last;
    actor.hold_timer(number, Timer { timer, bytes });
    Ok(number)
}

/// Has the process itself get a timeout later, with the bytes in it. Only itself: a timeout is never
/// shed, however full a mailbox is.
pub(crate) fn start(
    state: &mut State,
    nanoseconds: u64,
    tag: u64,
    content: &[u8],
) -> Result<u64, Refusal> {
    let me = state.pid();
    let message = Message::tagged(me, tag, message::measured(content)?);
    let bytes = content.len();
    state.actor().room_for_timer(bytes)?;
    let delay = Duration::from_nanos(nanoseconds);
    let (reference, timer) = state.context.start_timer(delay, me, message);
    let number = reference.to_bits();
    state.actor().hold_timer(number, Timer { timer, bytes });
    Ok(number)
}

/// Takes a timer's message back: how many nanoseconds were left. `None`: it was sent already, or
/// is no timer of the process's.
pub(crate) fn cancel(state: &mut State, number: u64) -> Option<u64> {
    let actor = state.actor();
    let Some(Held::Timer(timer)) = actor.held(number) else {
        return None;
    };
    let left = timer.timer.cancel();
    // What has come due and was not received yet still counts: it takes memory.
    if left.is_some() {
        actor.release(number);
    }
    left.map(nanoseconds_of)
}

/// How many nanoseconds are left of a timer. `None`: as `cancel`.
pub(crate) fn read(state: &mut State, number: u64) -> Option<u64> {
    let Some(Held::Timer(timer)) = state.actor().held(number) else {
        return None;
    };
    timer.timer.remaining().map(nanoseconds_of)
}

fn nanoseconds_of(left: Duration) -> u64 {
    u64::try_from(left.as_nanos()).unwrap_or(u64::MAX)
}

impl Actor {
    /// Is there room for one more, with so many bytes? Forgets those that were sent, if need be.
    fn room_for_timer(&mut self, bytes: usize) -> Result<(), Refusal> {
        rusm_sched::spend(1);
        if self.timers.full(bytes) {
            rusm_sched::spend((self.timers.count / 32) as u32);
            self.forget_sent_timers();
        }
        if !self.timers.full(bytes) {
            return Ok(());
        }
        Err(match self.timers.count {
            TIMERS_MAX.. => Refusal::Limit {
                what: "timers running or not received",
                max: TIMERS_MAX,
            },
            _ => Refusal::Limit {
                what: "bytes in the messages of its timers",
                max: TIMERS_BYTES_MAX,
            },
        })
    }

    /// Those for others; the process's own count until they are received.
    fn forget_sent_timers(&mut self) {
        let last = self.timers.last;
        let sent = |(number, held): (&u64, &Held)| match held {
            Held::Timer(timer) if *number <= last => {
                timer.timer.remaining().is_none().then_some(*number)
            }
            _ => None,
        };
        let sent: Vec<u64> = self.held.iter().filter_map(sent).collect();
        for number in sent {
            self.release(number);
        }
    }

    fn hold_timer(&mut self, number: u64, timer: Timer) {
        self.timers.count += 1;
        self.timers.bytes += timer.bytes;
        self.held.insert(number, Held::Timer(timer));
    }

    /// A timer is held no longer.
    pub(super) fn forget_timer(&mut self, timer: &Timer) {
        self.timers.count -= 1;
        self.timers.bytes -= timer.bytes;
    }
}

impl Timers {
    fn full(&self, bytes: usize) -> bool {
        self.count >= TIMERS_MAX || self.bytes.saturating_add(bytes) > TIMERS_BYTES_MAX
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }
}
