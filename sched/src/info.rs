//! What is known of a task from outside, without asking it and without stopping anything.

use std::panic::Location;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use crate::census::InTurns;
use crate::config::Priority;
use crate::handle::Handle;
use crate::homes;
use crate::inbox::{self, LETTER_SIZE};
use crate::task::slot::{Address, Slot, all, resolve};

/// What is known of a task from outside. Taken while it runs: the parts may be of slightly
/// different moments, but all are of this task and none of a later one in the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskInfo {
    /// Where it is.
    pub address: Address,
    /// The type of its body, which names the function it was made in.
    pub body: &'static str,
    /// The task that started it; none if that was no task, or a thread of another program part.
    pub parent: Option<Address>,
    /// Who goes first.
    pub priority: Priority,
    /// A thread takes its turn now.
    pub running: bool,
    /// Neither queued nor running.
    pub waiting: bool,
    /// Waits for a letter, among other things perhaps.
    pub receiving: bool,
    /// Waits for a timer, among other things perhaps.
    pub sleeping: bool,
    /// It has an inbox.
    pub takes_letters: bool,
    /// Letters that came and were not received yet, about: in its inbox, taken out of it, and
    /// (to within a quarter) kept for later by the layer above.
    pub letters: u32,
    /// Reductions spent so far, up to its latest turn.
    pub reductions: u64,
    /// How long its turns have taken so far, the one it is in included; none unless
    /// `Config::times` is on. As a clock sees it: what the system gave of that time to other
    /// programs counts, and blocking work that the task only waits for does not.
    pub cpu: Option<Duration>,
    /// Since when it runs, or else when its latest turn ended, on the clock of [`now`](crate::now).
    /// It waits since then; if it could run, it was woken since, or did not end that turn itself.
    /// None before its first turn, and unless `Config::times` is on.
    pub since: Option<Duration>,
    /// Where in the source it was started; none unless `Config::times` is on.
    pub place: Option<&'static Location<'static>>,
    /// Memory in bytes: its slot, its body if that needs a place of its own, and its letters.
    /// Not what body and letters refer to.
    pub bytes: usize,
}

impl TaskInfo {
    /// `None` when it is not, or no longer, the task at `address` that lives there.
    fn of(slot: &Slot, address: Address, turns: &InTurns) -> Option<Self> {
        let letters = inbox::unread(slot).saturating_add(slot.shown.kept());
        let vtable = slot.vtable();
        let body_bytes = vtable.map_or(0, |vtable| vtable.boxed_bytes);
        let times = turns.times(address);
        let info = TaskInfo {
            address,
            body: vtable.map_or("", |vtable| (vtable.name)()),
            parent: slot.parent(),
            priority: slot.priority(),
            running: turns.has(address),
            waiting: slot.state.is_waiting(),
            receiving: slot.state.is_receiving(),
            sleeping: slot.shown.is_sleeping(),
            takes_letters: vtable.is_some_and(|vtable| vtable.has_inbox),
            letters,
            reductions: slot.reductions.load(Ordering::Relaxed),
            cpu: times.map(|times| Duration::from_nanos(times.ran)),
            since: times
                .and_then(|times| times.ended)
                .map(Duration::from_nanos),
            place: times.and_then(|times| times.place),
            bytes: slot.bytes() + body_bytes + letters as usize * LETTER_SIZE,
        };
        // Pairs with the release stores of whoever frees the slot or moves in: if any of the
        // above is theirs, so is the generation below.
        fence(Ordering::Acquire);
        (slot.address() == address && slot.state.is_live()).then_some(info)
    }
}

/// What is known of the task at `address`; `None` when it has ended. About 200 ns.
pub fn task_info(address: Address) -> Option<TaskInfo> {
    let slot = resolve(address);
    let shared = homes::find(slot.home())?;
    TaskInfo::of(slot, address, &shared.in_turns())
}

impl Handle {
    /// Everybody who lives on this scheduler now.
    pub fn tasks(&self) -> Vec<TaskInfo> {
        self.each_task().collect()
    }

    /// As `tasks`, one after the other: for those who keep few of many. About 20 ns for each,
    /// and 1 ns for each place where nobody lives.
    pub fn each_task(&self) -> impl Iterator<Item = TaskInfo> {
        let home = self.shared.home;
        let turns = self.shared.in_turns();
        // The address first: if it is still the slot's in the end, the home was its tenant's.
        let slots = all().map(|slot| (slot, slot.address()));
        let own = slots.filter(move |(slot, _)| slot.is_live_at(home));
        own.filter_map(move |(slot, address)| TaskInfo::of(slot, address, &turns))
    }
}
