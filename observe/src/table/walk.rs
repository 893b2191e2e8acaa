//! One walk over all processes: who has most of what is wanted, and what each spends a second.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rusm_actor::{Node, Pid, info};
use rusm_sched::{Address, TaskInfo};

use crate::protocol::{By, ROWS_MAX, Row, RowsWanted};
use crate::row::{Pace, row};

/// What is spent a second is measured over this time and more.
const WINDOW_MIN: Duration = Duration::from_millis(400);
/// And forgotten after this time: nobody wants to know any more.
pub(super) const WINDOW_MAX: Duration = Duration::from_secs(10);
/// Processes of which it is remembered what they had spent: 24 bytes for each, at three moments. Of those beyond nothing is
/// known.
const REMEMBERED_MAX: usize = 1 << 20;
/// The time of turns is not known.
const UNTIMED: u64 = u64::MAX;

/// What a walk found.
pub(super) struct Walked {
    pub(super) alive: u64,
    /// Those that the filter let through.
    pub(super) matched: u64,
    pub(super) rows: Vec<Row>,
    /// If it measured them.
    pub(super) paces: Option<Paces>,
}

/// What processes had spent at two moments, which is what they spend a second.
#[derive(Default)]
pub(super) struct Paces {
    pub(super) now: Moment,
    before: Moment,
}

/// What processes had spent when, on the node's clock, in the order of their places.
#[derive(Clone, Default)]
pub(super) struct Moment {
    pub(super) at: Duration,
    spent: Arc<Vec<Spent>>,
}

#[derive(Clone, Copy)]
pub(super) struct Spent {
    address: Address,
    reductions: u64,
    /// Nanoseconds, or `UNTIMED`.
    cpu: u64,
}

impl Paces {
    pub(super) fn latest(&self, pid: Pid) -> Pace {
        let address = Address::from_bits(pid.to_bits());
        let seconds = self.seconds();
        match (self.now.find(address), self.before.find(address)) {
            (Some(now), Some(before)) => now.since(before, seconds),
            _ => Pace::default(),
        }
    }

    fn seconds(&self) -> f64 {
        self.now.at.saturating_sub(self.before.at).as_secs_f64()
    }

    /// The memory of the older moment, if nobody else looks at it, for the next one: new memory costs as much as the walk.
    pub(super) fn into_spare(self) -> Vec<Spent> {
        let mut spare = Arc::try_unwrap(self.before.spent).unwrap_or_default();
        spare.clear();
        spare
    }
}

impl Moment {
    fn find(&self, address: Address) -> Option<&Spent> {
        let place = |spent: &Spent| spent.address.index();
        let at = self
            .spent
            .binary_search_by_key(&address.index(), place)
            .ok()?;
        self.spent.get(at).filter(|spent| spent.address == address)
    }
}

impl Spent {
    fn of(task: &TaskInfo) -> Self {
        Spent {
            address: task.address,
            reductions: task.reductions,
            cpu: task.cpu.map_or(UNTIMED, nanos),
        }
    }

    /// What was spent a second since then.
    fn since(&self, before: &Spent, seconds: f64) -> Pace {
        let a_second = |now: u64, then: u64| (now.saturating_sub(then) as f64 / seconds) as u64;
        Pace {
            reductions: Some(a_second(self.reductions, before.reductions)),
            cpu: (self.cpu != UNTIMED).then(|| a_second(self.cpu, before.cpu)),
        }
    }
}

/// Walks over `node`. `before`: what the walk before measured; `spare`: memory for what this one measures.
pub(super) fn walk(node: &Node, wanted: &RowsWanted, before: &Paces, spare: Vec<Spent>) -> Walked {
    let handle = node.handle();
    let now = handle.now();
    let measures = wanted.window && now.saturating_sub(before.now.at) >= WINDOW_MIN;
    let filter = Filter::new(node, &wanted.filter);
    let mut window = match measures {
        true => Window::measuring(before, now, spare),
        false => Window::measured(before),
    };
    let mut best = Best::new(wanted.limit.min(ROWS_MAX));
    let (mut alive, mut matched) = (0, 0);
    for task in handle.each_task().filter(|task| task.takes_letters) {
        alive += 1;
        let pace = match wanted.window {
            true => window.pace(&task),
            false => Pace::default(),
        };
        if filter.lets_through(&task) {
            matched += 1;
            best.offer(rank(wanted, &task, pace), task.address);
        }
    }
    let paces = window.into_paces(now, before);
    let known = paces.as_ref().unwrap_or(before);
    let rows = best.into_sorted().into_iter().filter_map(|address| {
        let summary = info(Pid::from_bits(address.to_bits()))?;
        Some(row(&summary, known.latest(summary.pid)))
    });
    let rows = rows.collect();
    Walked {
        alive,
        matched,
        rows,
        paces,
    }
}

/// What a process is ranked by.
fn rank(wanted: &RowsWanted, task: &TaskInfo, pace: Pace) -> u64 {
    let cpu = || task.cpu.map_or(0, nanos);
    match (wanted.by, wanted.window) {
        (By::Reductions, false) => task.reductions,
        (By::Reductions, true) => pace.reductions.unwrap_or(0),
        (By::Cpu, false) => cpu(),
        (By::Cpu, true) => pace.cpu.unwrap_or(0),
        (By::Memory, _) => task.bytes as u64,
        (By::Mailbox, _) => u64::from(task.letters),
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Those that have most, so many of them.
struct Best {
    limit: usize,
    /// The one that has least on top. Of equals the smaller address is better.
    heap: BinaryHeap<Reverse<(u64, Reverse<Address>)>>,
}

impl Best {
    fn new(limit: usize) -> Self {
        Best {
            limit,
            heap: BinaryHeap::with_capacity(limit + 1),
        }
    }

    fn offer(&mut self, value: u64, address: Address) {
        let rank = Reverse((value, Reverse(address)));
        if self.heap.len() < self.limit {
            self.heap.push(rank);
        } else if self.heap.peek().is_some_and(|least| rank < *least) {
            self.heap.pop();
            self.heap.push(rank);
        }
    }

    /// The one that has most first.
    fn into_sorted(self) -> Vec<Address> {
        let sorted = self.heap.into_sorted_vec();
        sorted.into_iter().map(|it| it.0.1.0).collect()
    }
}

/// Compares what processes have spent at two moments. All lists are in the order of places, as the walk is, so that one finger
/// in each is enough.
struct Window<'a> {
    before: Finger<'a>,
    /// Measured by the walk before; else this one does.
    measured: Option<Finger<'a>>,
    seconds: f64,
    now: Vec<Spent>,
}

/// A place in a list that only moves on.
struct Finger<'a> {
    list: &'a [Spent],
    at: usize,
}

impl<'a> Window<'a> {
    fn measuring(before: &'a Paces, now: Duration, spare: Vec<Spent>) -> Self {
        Window {
            before: Finger::new(&before.now),
            measured: None,
            seconds: now.saturating_sub(before.now.at).as_secs_f64(),
            now: spare,
        }
    }

    fn measured(paces: &'a Paces) -> Self {
        Window {
            before: Finger::new(&paces.before),
            measured: Some(Finger::new(&paces.now)),
            seconds: paces.seconds(),
            now: Vec::new(),
        }
    }

    fn pace(&mut self, task: &TaskInfo) -> Pace {
        let now = match &mut self.measured {
            Some(measured) => measured.find(task.address),
            None => Some(Spent::of(task)),
        };
        let before = self.before.find(task.address);
        if let (None, Some(now)) = (&self.measured, now)
            && self.now.len() < REMEMBERED_MAX
        {
            self.now.push(now);
        }
        match (now, before) {
            (Some(now), Some(before)) => now.since(&before, self.seconds),
            _ => Pace::default(),
        }
    }

    fn into_paces(self, at: Duration, before: &Paces) -> Option<Paces> {
        self.measured.is_none().then(|| Paces {
            before: before.now.clone(),
            now: Moment {
                at,
                spent: Arc::new(self.now),
            },
        })
    }
}

impl<'a> Finger<'a> {
    fn new(moment: &'a Moment) -> Self {
        Finger {
            list: &moment.spent,
            at: 0,
        }
    }

    fn find(&mut self, address: Address) -> Option<Spent> {
        while self.list.get(self.at)?.address.index() < address.index() {
            self.at += 1;
        }
        let found = self.list[self.at];
        (found.address == address).then_some(found)
    }
}

/// Which processes are wanted: those with a text in their pid, name, body or state.
struct Filter {
    text: String,
    /// It may be a part of a pid. Others are not written down to be compared.
    may_be_pid: bool,
    named: HashSet<u64>,
}

impl Filter {
    fn new(node: &Node, text: &str) -> Self {
        let named = node.registered().into_iter();
        let named = named.filter(|(name, _)| !text.is_empty() && name.contains(text));
        Filter {
            text: text.into(),
            may_be_pid: text.chars().all(|it| "<0123456789.>".contains(it)),
            named: named.map(|(_, pid)| pid.to_bits()).collect(),
        }
    }

    fn lets_through(&self, task: &TaskInfo) -> bool {
        let text = self.text.as_str();
        let pid = || Pid::from_bits(task.address.to_bits()).to_string();
        text.is_empty()
            || state(task).contains(text)
            || task.body.contains(text)
            || self.named.contains(&task.address.to_bits())
            || self.may_be_pid && pid().contains(text)
    }
}

fn state(task: &TaskInfo) -> &'static str {
    match task {
        TaskInfo { running: true, .. } => "running",
        TaskInfo { waiting: false, .. } => "runnable",
        TaskInfo { .. } => "waiting",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_kept_and_the_first_of_equals_comes_first() {
        let mut best = Best::new(3);
        for (place, value) in [5, 1, 9, 5, 7, 5].into_iter().enumerate() {
            best.offer(value, Address::from_bits(place as u64));
        }
        let places: Vec<u64> = best.into_sorted().iter().map(|it| it.to_bits()).collect();
        assert_eq!(places, [2, 4, 0]);
        let mut none = Best::new(0);
        none.offer(1, Address::from_bits(1));
        assert!(none.into_sorted().is_empty());
    }
}
