//! Ctrl-C and SIGTERM: the first stops the program in good order, the second ends us at once.
//!
//! The second is dealt with inside the signal handler, so nothing of ours that hangs can keep it out.
//! The first wakes a thread of its own, because a handler may not do what stopping a program takes.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rusm_actor::{Node, Pid};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

/// How long stopping in good order may take before we end anyway.
pub(crate) const STOP_TIME_MAX: Duration = Duration::from_secs(2);

/// What a shell adds to the number of a signal to get a status.
const SIGNALLED: i32 = 128;

/// The ear for signals. There is one in our process.
pub(crate) struct Watch {
    shared: Arc<Shared>,
}

struct Shared {
    /// What the first signal has to stop. Without it, it ends us.
    program: Mutex<Option<Stop>>,
    /// The first signal, once it has come; 0 before.
    signal: AtomicI32,
}

/// How to stop what runs, and how long that may take before we end anyway.
struct Stop {
    how: Box<dyn FnOnce() + Send>,
    patience: Duration,
}

impl Watch {
    /// Starts listening.
    pub(crate) fn start() -> io::Result<Watch> {
        let first_came = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Handlers run in the order they were registered: the first signal finds the flag unset.
            flag::register_conditional_shutdown(
                signal,
                SIGNALLED + signal,
                Arc::clone(&first_came),
            )?;
            flag::register(signal, Arc::clone(&first_came))?;
        }
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let shared = Arc::new(Shared {
            program: Mutex::new(None),
            signal: AtomicI32::new(0),
        });
        let stop = Arc::clone(&shared);
        let listen = move || {
            if let Some(signal) = signals.forever().next() {
                stop.stop(signal);
            }
        };
        thread::Builder::new()
            .name("rusm-signals".to_owned())
            .spawn(listen)?;
        Ok(Watch { shared })
    }

    /// From now on the first signal kills this program, and leaves it to the caller to end us.
    pub(crate) fn guard(&self, node: &Node, pid: Pid) {
        let node = node.clone();
        self.stop_by(STOP_TIME_MAX, move || node.kill(pid));
    }

    /// From now on the first signal does this, and leaves it to the caller to end us within
    /// `patience`.
    pub(crate) fn stop_by(&self, patience: Duration, how: impl FnOnce() + Send + 'static) {
        let how = Box::new(how);
        let program = self.shared.program.lock();
        *program.unwrap_or_else(PoisonError::into_inner) = Some(Stop { how, patience });
    }

    /// The status to end with, if a signal came.
    pub(crate) fn status(&self) -> Option<u8> {
        // Pairs with the store in `Shared::stop`: whoever sees the kill sees its cause.
        let signal = self.shared.signal.load(Ordering::Acquire);
        (signal != 0).then(|| u8::try_from(SIGNALLED + signal).unwrap_or(u8::MAX))
    }
}

impl Shared {
    fn stop(&self, signal: i32) {
        let program = self
            .program
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Stop { how, patience }) = program {
            // Pairs with the load in `Watch::status`.
            self.signal.store(signal, Ordering::Release);
            how();
            // When the caller is done in time, our process ends, and this thread with it.
            thread::sleep(patience);
        }
        low_level::exit(SIGNALLED + signal);
    }
}
