//! `poll_oneoff`: a guest waits for clocks and descriptors. Sleeps are timers of the scheduler,
//! so a thousand sleeping guests cost no thread; files, stdout and stderr are ready at once, as
//! POSIX has it; stdin is ready when there is something to read.
//!
//! Everything a guest passes is a claim until checked: counts are bounded, and all pointers are
//! looked at before the wait.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use wasmtime::{Caller, Linker, Result};
use wasmtime_wasi::cli::StdinStream;
use wasmtime_wasi::p2::InputStream;
use wiggle::GuestMemory;

use super::{Errno, MODULE, State, Wasi, memory_and_wasi, opaque, stock};
use crate::link::waits;

/// More subscriptions than this in one call are refused with `EINVAL`; programs of this world use
/// a handful.
const SUBSCRIPTIONS_MAX: u32 = 4096;
const SUBSCRIPTION_BYTES: usize = 48;
const EVENT_BYTES: usize = 32;

const SUCCESS: Errno = 0;
const BADF: Errno = 8;
const FAULT: Errno = 21;
const INVAL: Errno = 28;

const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;
const CLOCK_REALTIME: u32 = 0;
const CLOCK_MONOTONIC: u32 = 1;
const ABSOLUTE: u16 = 1;

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    waits(
        linker,
        MODULE,
        "poll_oneoff",
        |mut caller: Caller<'_, State>,
         (subscriptions, events, count, out): (u32, u32, u32, u32)| {
            opaque(async move { poll_oneoff(&mut caller, subscriptions, events, count, out).await })
        },
    )?;
    Ok(())
}

async fn poll_oneoff(
    caller: &mut Caller<'_, State>,
    subscriptions: u32,
    events: u32,
    count: u32,
    out: u32,
) -> Result<Errno> {
    if count == 0 || count > SUBSCRIPTIONS_MAX {
        return Ok(INVAL);
    }
    let (memory, wasi) = memory_and_wasi(caller)?;
    let subscriptions = range(subscriptions, count as usize * SUBSCRIPTION_BYTES);
    let events = range(events, count as usize * EVENT_BYTES);
    let out = range(out, size_of::<u32>());
    let (Some(asked), Some(_), Some(_)) = (
        memory.get(subscriptions),
        memory.get(events.clone()),
        memory.get(out.clone()),
    ) else {
        return Ok(FAULT);
    };
    let mut waits = Vec::with_capacity(count as usize);
    for subscription in asked.chunks_exact(SUBSCRIPTION_BYTES) {
        let Some(wait) = Wait::read(subscription, wasi).await? else {
            return Ok(INVAL);
        };
        waits.push(wait);
    }
    let happened = wait(&waits).await;

    let (memory, _) = memory_and_wasi(caller)?;
    for (event, slot) in happened
        .iter()
        .zip(memory[events].chunks_exact_mut(EVENT_BYTES))
    {
        slot.copy_from_slice(event);
    }
    memory[out].copy_from_slice(&(happened.len() as u32).to_le_bytes());
    Ok(SUCCESS)
}

/// The bytes of a guest's array, wherever they are; on a 64-bit host this cannot overflow.
fn range(start: u32, len: usize) -> std::ops::Range<usize> {
    start as usize..start as usize + len
}

type Event = [u8; EVENT_BYTES];

/// One subscription, understood.
struct Wait {
    user_data: [u8; 8],
    kind: u8,
    until: Until,
}

#[derive(Clone, Copy)]
enum Until {
    /// Already there, or wrong from the start.
    Now(Errno),
    /// In the scheduler's time.
    Deadline(Duration),
    Stdin,
}

impl Wait {
    /// `None` if the subscription is of no kind there is.
    async fn read(subscription: &[u8], wasi: &mut Wasi) -> Result<Option<Self>> {
        let number = |at: usize| u64::from_le_bytes(bytes(subscription, at));
        let (kind, id) = (subscription[8], u32::from_le_bytes(bytes(subscription, 16)));
        let until = match kind {
            CLOCK => {
                let flags = u16::from_le_bytes(bytes(subscription, 40));
                deadline(id, Duration::from_nanos(number(24)), flags & ABSOLUTE != 0)
            }
            FD_READ | FD_WRITE => descriptor(id, kind, wasi).await?,
            _ => return Ok(None),
        };
        Ok(Some(Self {
            user_data: bytes(subscription, 0),
            kind,
            until,
        }))
    }

    fn event(&self, errno: Errno) -> Event {
        let mut event = [0; EVENT_BYTES];
        event[..8].copy_from_slice(&self.user_data);
        event[8..10].copy_from_slice(&(errno as u16).to_le_bytes());
        event[10] = self.kind;
        // How much can be read or written is not known; at least a byte, says the stock one, or
        // end of file.
        event[16] = u8::from(self.kind != CLOCK);
        event
    }
}

fn bytes<const N: usize>(from: &[u8], at: usize) -> [u8; N] {
    from[at..at + N].try_into().expect("a slice of N bytes")
}

fn deadline(clock: u32, timeout: Duration, absolute: bool) -> Until {
    let now = rusm_sched::now();
    match (clock, absolute) {
        (CLOCK_MONOTONIC | CLOCK_REALTIME, false) => Until::Deadline(now.saturating_add(timeout)),
        (CLOCK_MONOTONIC, true) => Until::Deadline(timeout),
        (CLOCK_REALTIME, true) => {
            let today = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
            Until::Deadline(now.saturating_add(timeout.saturating_sub(today)))
        }
        // The clocks of CPU time do not run while one sleeps.
        _ => Until::Now(INVAL),
    }
}

/// What the stock implementation says a descriptor is: only it knows. It writes into a scratch of
/// ours, as if into a guest.
async fn descriptor(fd: u32, kind: u8, wasi: &mut Wasi) -> Result<Until> {
    const RIGHT_READ: u64 = 1 << 1;
    const RIGHT_WRITE: u64 = 1 << 6;
    const REGULAR_FILE: u8 = 4;
    const DIRECTORY: u8 = 3;
    /// `fdstat` holds 64-bit numbers, and alignment is checked.
    #[repr(align(8))]
    struct FdStat([u8; 24]);
    let mut stat = FdStat([0; 24]);
    let mut memory = GuestMemory::Unshared(&mut stat.0);
    let errno = stock::fd_fdstat_get(&mut wasi.ctx, &mut memory, fd.cast_signed(), 0).await?;
    if errno != SUCCESS {
        return Ok(Until::Now(errno));
    }
    let (file_type, rights) = (stat.0[0], u64::from_le_bytes(bytes(&stat.0, 8)));
    let needed = if kind == FD_READ {
        RIGHT_READ
    } else {
        RIGHT_WRITE
    };
    Ok(match file_type {
        DIRECTORY => Until::Now(BADF),
        _ if rights & needed == 0 => Until::Now(BADF),
        REGULAR_FILE => Until::Now(SUCCESS),
        // The only descriptor that can be read and nothing else; an opened device has more rights.
        _ if rights == RIGHT_READ && wasi.stdin_waits => Until::Stdin,
        _ => Until::Now(SUCCESS),
    })
}

/// Waits until at least one of `waits` is over, and says which are.
async fn wait(waits: &[Wait]) -> Vec<Event> {
    let deadlines = waits.iter().filter_map(|wait| match wait.until {
        Until::Now(_) => Some(Duration::ZERO),
        Until::Deadline(at) => Some(at),
        Until::Stdin => None,
    });
    let deadline = deadlines.min();
    let mut has_input = false;
    if waits.iter().any(|wait| matches!(wait.until, Until::Stdin)) {
        let mut stdin = wasmtime_wasi::cli::stdin().p2_stream();
        has_input = input_before(&mut *stdin, deadline).await;
    } else if let Some(deadline) = deadline {
        rusm_sched::sleep_until(deadline).await;
    }
    let now = rusm_sched::now();
    let over = waits.iter().filter_map(|wait| match wait.until {
        Until::Now(errno) => Some(wait.event(errno)),
        Until::Deadline(at) if at <= now => Some(wait.event(SUCCESS)),
        Until::Stdin if has_input => Some(wait.event(SUCCESS)),
        _ => None,
    });
    over.collect()
}

/// Whether stdin has something, or has ended, before `deadline`. Both are polled with each waker
/// that comes.
async fn input_before(stdin: &mut dyn InputStream, deadline: Option<Duration>) -> bool {
    let mut input = stdin.ready();
    let mut sleep = pin!(async move {
        match deadline {
            Some(deadline) => rusm_sched::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    });
    poll_fn(
        |context| match (input.as_mut().poll(context), sleep.as_mut().poll(context)) {
            (Poll::Ready(()), _) => Poll::Ready(true),
            (_, Poll::Ready(())) => Poll::Ready(false),
            _ => Poll::Pending,
        },
    )
    .await
}
