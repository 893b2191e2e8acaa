//! Hears of the signals that end a program: its own `abort`, and faults.
//!
//! JUSTIFICATION: safe libraries leave out 3 of these 5 signals, and have no handler that waits until somebody
//! else has written the file, which is the point.
//!
//! The handler does what a handler may: it tells a thread through a pipe, waits for it within a limit, puts back
//! what was there before, and returns; then what ended the program ends it.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::IntoRawFd;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use libc::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, c_int, c_void, sigaction, siginfo_t};

use super::{Faults, FlightError, panics};

const SIGNALS: [(c_int, &str); 5] = [
    (SIGABRT, "SIGABRT"),
    (SIGSEGV, "SIGSEGV"),
    (SIGBUS, "SIGBUS"),
    (SIGILL, "SIGILL"),
    (SIGFPE, "SIGFPE"),
];

/// For the file to be written. A crash within the allocator may keep the writer from it for ever.
const WRITE_TIME_MAX: Duration = Duration::from_secs(5);

/// Other signals while it is written.
const INTERRUPTIONS_MAX: u32 = 10;

/// What the handler finds: descriptors, or less than 0.
static ASK: AtomicI32 = AtomicI32::new(-1);
static ANSWER: AtomicI32 = AtomicI32::new(-1);
/// What was done at these signals before.
static BEFORE: OnceLock<[sigaction; SIGNALS.len()]> = OnceLock::new();
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Hears of faults until it is dropped; each leaves two descriptors behind. The handler stays where it is: others may have put theirs before it, and
/// call it. Then it does nothing but to put back what was there before.
#[derive(Debug)]
pub(super) struct Watch(());

/// What the handler says.
pub(super) struct Fault {
    signal: c_int,
    /// Of the system; 0 where that is not known.
    thread: u32,
    /// Where it faulted; `SENT` if it did not.
    address: u64,
}

/// In place of the address of a signal that was sent: there is none.
const SENT: u64 = u64::MAX;

/// Says that nobody listens to faults any more.
const OVER: Fault = Fault {
    signal: 0,
    thread: 0,
    address: SENT,
};

impl Watch {
    pub(super) fn start() -> Result<(Watch, Faults), FlightError> {
        if TAKEN.swap(true, Ordering::AcqRel) {
            return Err(FlightError::Taken);
        }
        // From here on its drop gives back what is taken.
        let started = open().inspect_err(|_| TAKEN.store(false, Ordering::Release));
        let (watch, faults) = started.map_err(FlightError::System)?;
        if BEFORE.get().is_none() {
            install().map_err(FlightError::System)?;
        }
        Ok((watch, faults))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let ask = ASK.swap(-1, Ordering::AcqRel);
        ANSWER.store(-1, Ordering::Release);
        if ask >= 0 {
            say(ask, &OVER);
        }
        TAKEN.store(false, Ordering::Release);
    }
}

fn open() -> io::Result<(Watch, Faults)> {
    let (asked, ask) = io::pipe()?;
    let (answered, answer) = io::pipe()?;
    // The handler's ends are never closed: it may still hold their numbers when the watch is over.
    let (ask, answered) = (ask.into_raw_fd(), answered.into_raw_fd());
    // First what a handler waits for, then what it asks with.
    ANSWER.store(answered, Ordering::Release);
    ASK.store(ask, Ordering::Release);
    let faults = Faults {
        asked,
        _answer: answer,
    };
    Ok((Watch(()), faults))
}

fn install() -> io::Result<()> {
    // SAFETY: these are plain numbers, for which zeroes are values.
    let nothing: sigaction = unsafe { std::mem::zeroed() };
    let mut before = [nothing; SIGNALS.len()];
    for ((signal, _), old) in SIGNALS.iter().zip(&mut before) {
        set(*signal, None, Some(old))?;
    }
    // Before there is a handler, which reads it.
    BEFORE.get_or_init(|| before);
    let mut ours = nothing;
    ours.sa_sigaction = on_fault as *const () as usize;
    // On the thread's spare stack: its own may be what has run over.
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    SIGNALS
        .iter()
        .try_for_each(|(signal, _)| set(*signal, Some(&ours), None))
}

/// Puts back what was there.
fn restore() {
    for ((signal, _), old) in SIGNALS.iter().zip(BEFORE.get().into_iter().flatten()) {
        let _ = set(*signal, Some(old), None);
    }
}

fn set(signal: c_int, new: Option<&sigaction>, old: Option<&mut sigaction>) -> io::Result<()> {
    let new = new.map_or(ptr::null(), ptr::from_ref);
    let old = old.map_or(ptr::null_mut(), ptr::from_mut);
    // SAFETY: both are there or null; what is put in is `on_fault` with the signature that its flags
    // promise, or was there before.
    match unsafe { libc::sigaction(signal, new, old) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Uses atomics, and calls that the system allows in handlers (signal-safety(7)), nothing else.
extern "C" fn on_fault(signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    // SAFETY: the system gives it with SA_SIGINFO, and every signal has these fields.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr()) };
    // The first one only: another thread may crash as well, and so may the one that writes.
    let ask = ASK.swap(-1, Ordering::AcqRel);
    if ask >= 0 {
        let fault = Fault {
            signal,
            thread: thread_id(),
            address: if code > 0 { address as u64 } else { SENT },
        };
        say(ask, &fault);
    }
    let answer = ANSWER.load(Ordering::Acquire);
    if answer >= 0 {
        wait(answer);
    }
    restore();
    if signal == SIGABRT || code <= 0 {
        // It was sent: nothing faults again when this returns, and nobody but the system is to end the program.
        // SAFETY: there is no condition, and none of ours is installed by the default.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }
}

/// Tells the thread that listens.
fn say(ask: c_int, fault: &Fault) {
    let bytes = fault.to_bytes();
    // SAFETY: so many bytes are there. Nobody ever closes this end of the pipe.
    unsafe { libc::write(ask, bytes.as_ptr().cast(), bytes.len()) };
}

/// Until the other end of the pipe is closed, or the time is over.
fn wait(answer: c_int) {
    let mut answered = libc::pollfd {
        fd: answer,
        events: libc::POLLIN,
        revents: 0,
    };
    let time = WRITE_TIME_MAX.as_millis() as c_int;
    // Other signals interrupt it.
    for _ in 0..INTERRUPTIONS_MAX {
        // SAFETY: it is one, and lives until this returns.
        if unsafe { libc::poll(&mut answered, 1, time) } >= 0 {
            break;
        }
    }
}

#[cfg(target_os = "linux")]
fn thread_id() -> u32 {
    // SAFETY: there is no condition.
    unsafe { libc::gettid() }.cast_unsigned()
}

#[cfg(not(target_os = "linux"))]
fn thread_id() -> u32 {
    0
}

impl Fault {
    pub(super) fn is_one(&self) -> bool {
        self.signal != OVER.signal
    }

    pub(super) const BYTES: usize = 16;

    fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.signal.to_ne_bytes());
        bytes[4..8].copy_from_slice(&self.thread.to_ne_bytes());
        bytes[8..].copy_from_slice(&self.address.to_ne_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, address @ ..] = bytes;
        Fault {
            signal: c_int::from_ne_bytes([a, b, c, d]),
            thread: u32::from_ne_bytes([e, f, g, h]),
            address: u64::from_ne_bytes(address),
        }
    }
}

/// What it was, where, and what was said before.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = SIGNALS.iter().find(|(signal, _)| *signal == self.signal);
        f.write_str(known.map_or("a signal", |(_, name)| name))?;
        if self.address != SENT {
            write!(f, " at address {:#x}", self.address)?;
        }
        let name = fs::read_to_string(format!("/proc/self/task/{}/comm", self.thread));
        let Ok(name) = name else { return Ok(()) };
        let name = name.trim_end();
        write!(f, " in thread `{name}`")?;
        match panics::last_in(name) {
            Some(panic) => write!(f, ", after a {panic}"),
            None => Ok(()),
        }
    }
}
