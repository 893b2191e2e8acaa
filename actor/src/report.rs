//! Panics of processes: caught once, told once.
//!
//! The standard panic hook would print each panic of a process and know nothing of processes.
//! Ours keeps text, place and backtrace for the exit reason instead; panics of other threads
//! go on to the hook that was there before.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Once, PoisonError, RwLock};

use rusm_sched::Address;

use crate::exit::ExitReason;
use crate::pid::Pid;

/// An end that nobody intended.
#[derive(Clone, Debug)]
pub struct CrashReport {
    /// Who ended.
    pub pid: Pid,
    /// Its label, if it was given one.
    pub label: Option<Arc<str>>,
    /// Why.
    pub reason: ExitReason,
    /// Somebody waits for the process and hears of it in any case.
    pub joined: bool,
}

type Sink = Arc<dyn Fn(&CrashReport) + Send + Sync>;

static SINK: RwLock<Option<Sink>> = RwLock::new(None);

thread_local! {
    /// The panic that is on its way from the hook to the exit reason, and whose it is.
    static CAUGHT: RefCell<Option<(Address, ExitReason)>> = const { RefCell::new(None) };
}

/// Has `sink` called once for each process that ends by a panic, a trap, an error or a kill.
/// It runs on the worker and should be quick. Replaces the one before.
pub fn set_crash_sink(sink: impl Fn(&CrashReport) + Send + Sync + 'static) {
    *SINK.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(sink));
}

pub(crate) fn crash(pid: Pid, reason: &ExitReason, label: Option<&str>, joined: bool) {
    if reason.is_orderly() {
        return;
    }
    let sink = SINK.read().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(sink) = sink {
        sink(&CrashReport {
            pid,
            label: label.map(Arc::from),
            reason: reason.clone(),
            joined,
        });
    }
}

/// Puts the hook in place, once per program.
pub(crate) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if let Some(task) = rusm_sched::current_task() {
                let reason = reason_of(info);
                CAUGHT.with_borrow_mut(|caught| *caught = Some((task, reason)));
            } else {
                before(info);
            }
        }));
    });
}

fn reason_of(info: &PanicHookInfo<'_>) -> ExitReason {
    let text = info.payload_as_str().unwrap_or("a value that is no text");
    let place = info.location().map(|place| format!(" at {place}"));
    let text = format!("{text}{}", place.unwrap_or_default());
    ExitReason::panic(text, Backtrace::force_capture().to_string())
}

/// The reason for a panic that was just caught on this thread.
pub(crate) fn take_panic(payload: &(dyn Any + Send)) -> ExitReason {
    let caught = CAUGHT.with_borrow_mut(Option::take);
    // One that was contained elsewhere may have been left there.
    let own = caught.filter(|(task, _)| rusm_sched::current_task() == Some(*task));
    own.map(|(_, reason)| reason).unwrap_or_else(|| {
        // Raised by `resume_unwind`, which calls no hook.
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_string());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        ExitReason::panic(
            text.unwrap_or_else(|| "a value that is no text".into()),
            String::new(),
        )
    })
}
