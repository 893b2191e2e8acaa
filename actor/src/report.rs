//! Crashes of processes: panics are caught once, every end that nobody intended is told once.
//!
//! The standard panic hook would print each panic of a process and know nothing of processes.
//! Ours keeps text, place and backtrace for the exit reason instead; panics of other threads
//! go on to the hook that was there before.

pub(crate) mod limit;

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::fmt;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once, PoisonError, RwLock};
use std::time::Duration;

use rusm_sched::{Address, Ended, Handle, contain};

use crate::exit::ExitReason;
use crate::pid::Pid;
use crate::side::Side;
use crate::supervisor::own_name;
use crate::world::World;
use limit::{CRASH_REPORTS_PER_SECOND_MAX, Verdict};

/// Ancestors that a report names.
pub const ANCESTORS_MAX: usize = 8;
/// Linked processes that a report names.
pub const LINKS_SHOWN_MAX: usize = 16;

/// What a crash sink is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Report {
    /// A process has ended as nobody intended.
    Crash(CrashReport),
    /// So many crash reports of one node were not given, for there were more than
    /// `CRASH_REPORTS_PER_SECOND_MAX` in a second.
    Dropped(u64),
}

/// An end that nobody intended.
#[derive(Clone, Debug)]
pub struct CrashReport {
    /// Who ended.
    pub pid: Pid,
    /// The name it had.
    pub name: Option<Arc<str>>,
    /// Its label, if it was given one.
    pub label: Option<Arc<str>>,
    /// Why.
    pub reason: ExitReason,
    /// The type of its body, which names the function that it was written in.
    pub body: &'static str,
    /// Who started it, who started that one, and so on: as far as they still live, and not
    /// more than `ANCESTORS_MAX`. The first one may have ended.
    pub ancestors: Vec<Pid>,
    /// Those it was linked to, which were told; the first `LINKS_SHOWN_MAX` of them.
    pub linked: Vec<Pid>,
    /// How many links were told.
    pub links_told: usize,
    /// How many monitors were told.
    pub monitors_told: usize,
    /// Messages and signals that it had not received.
    pub unread: usize,
    /// Somebody waits for the process and hears of it in any case.
    pub joined: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Crash(crash) => fmt::Display::fmt(crash, f),
            Report::Dropped(count) => write!(
                f,
                "dropped {count} crash reports: more than {CRASH_REPORTS_PER_SECOND_MAX} a second"
            ),
        }
    }
}

/// One line, without the backtrace.
impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} crashed:", self.pid)?;
        if let Some(name) = &self.name {
            write!(f, " name={name}")?;
        }
        if let Some(label) = &self.label {
            write!(f, " label={label:?}")?;
        }
        write!(
            f,
            " reason={:?} body={}",
            self.reason.to_string(),
            self.body
        )?;
        if let Some(parent) = self.ancestors.first() {
            write!(f, " parent={parent}")?;
        }
        let (links, monitors) = (self.links_told, self.monitors_told);
        write!(
            f,
            " links={links} monitors={monitors} unread={}",
            self.unread
        )
    }
}

type Sink = Arc<dyn Fn(&Report) + Send + Sync>;

static SINK: RwLock<Option<Sink>> = RwLock::new(None);
/// Is there a sink? Asked at every end.
static HEARD: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The panic that is on its way from the hook to the exit reason, and whose it is.
    static CAUGHT: RefCell<Option<(Address, ExitReason)>> = const { RefCell::new(None) };
}

/// Has `sink` called for each process that ends by a panic, a trap, an error or a kill, and
/// with the number of those it was not called for. It runs on the worker and should be quick;
/// if it panics, that is lost. Replaces the one before; it is one for the whole program.
pub fn set_crash_sink(sink: impl Fn(&Report) + Send + Sync + 'static) {
    *SINK.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(sink));
    // Release: pairs with the load in `is_heard`.
    HEARD.store(true, Ordering::Release);
}

/// Reports the end of a process, unless it was in order or there are too many.
pub(crate) fn crash(death: Death<'_>) {
    if death.reason.is_orderly() || !is_heard() {
        return;
    }
    let world: Option<Arc<World>> = rusm_sched::extension_of(death.ended.address);
    let handle = rusm_sched::try_handle();
    // Without a scheduler there is no time to measure a second by: it is stopping.
    if let (Some(world), Some(handle)) = (world, handle) {
        match world.crashes.judge(handle.now()) {
            Verdict::Give { dropped_before: 0 } => {}
            Verdict::Give { dropped_before } => tell(&Report::Dropped(dropped_before)),
            Verdict::Drop => return,
            Verdict::DropFirst { tell_at } => return tell_later(&handle, tell_at, world),
        }
    }
    tell(&Report::Crash(death.report()));
}

/// A process that has ended, after all who had to be told were told.
pub(crate) struct Death<'a> {
    pub(crate) ended: Ended,
    pub(crate) reason: &'a ExitReason,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) side: &'a Side,
    pub(crate) unread: usize,
    pub(crate) joined: bool,
}

impl Death<'_> {
    fn report(self) -> CrashReport {
        let mut linked = self.side.links.all();
        let links_told = linked.len();
        linked.truncate(LINKS_SHOWN_MAX);
        CrashReport {
            pid: Pid::new(self.ended.address),
            name: self.name,
            label: self.side.label.clone(),
            reason: self.reason.clone(),
            body: own_name(self.ended.body),
            ancestors: ancestors(self.ended.parent),
            linked,
            links_told,
            monitors_told: self.side.watchers.iter().count(),
            unread: self.unread,
            joined: self.joined,
        }
    }
}

fn ancestors(parent: Option<Address>) -> Vec<Pid> {
    let parent_of = |address: &Address| rusm_sched::task_info(*address)?.parent;
    let all = std::iter::successors(parent, parent_of);
    all.take(ANCESTORS_MAX).map(Pid::new).collect()
}

/// Tells the count of dropped reports when their second is over, whatever happens then.
fn tell_later(handle: &Handle, at: Duration, world: Arc<World>) {
    let owed = Owed(world);
    handle.spawn(async move {
        rusm_sched::sleep_until(at).await;
        drop(owed);
    });
}

/// A count that is told at the latest when its node stops.
struct Owed(Arc<World>);

impl Drop for Owed {
    fn drop(&mut self) {
        match self.0.crashes.take_dropped() {
            0 => {}
            count => tell(&Report::Dropped(count)),
        }
    }
}

fn is_heard() -> bool {
    HEARD.load(Ordering::Acquire)
}

/// Calls the sink without any lock; its panics end here.
fn tell(report: &Report) {
    let sink = SINK.read().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(sink) = sink else { return };
    contain(|| sink(report));
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
