//! Processes that wait for each other's answers in a circle: nobody of them goes on before a call gives up.
//!
//! Who waits for whom is there to be read; nobody is asked or woken. A circle is told if it is still there, without a turn
//! of any of its processes, two seconds after it was found.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rusm_actor::{Pid, ProcessState, WaitsFor, awaited, info, pending_calls};

use crate::protocol::Kind;
use crate::warnings::Finding;

/// Between two looks at all calls.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// From the first sight of a circle until it is told.
const STANDS_STILL: Duration = Duration::from_secs(2);
/// Calls that are looked at.
const CALLS_MAX: usize = 100_000;
/// Circles that are watched at a time.
const CIRCLES_MAX: usize = 100;
/// Processes of a circle that are named.
const NAMED_MAX: usize = 8;

/// A process of a circle, and the reductions that it had spent: as many as long as it has no turn.
type Member = (Pid, u64);

#[derive(Default)]
pub(super) struct Deadlocks {
    next: Duration,
    circles: Vec<Circle>,
}

struct Circle {
    found: Duration,
    /// Each waits for the next one, and the last one for the first.
    members: Vec<Member>,
}

impl Deadlocks {
    /// On a thread for blocking work where it looks at all calls.
    pub(super) async fn look(&mut self, now: Duration) -> Vec<Finding> {
        self.circles.retain(Circle::stands_still);
        if now >= self.next {
            self.next = now + LOOK_EVERY;
            let all = rusm_sched::blocking::run(|| circles(pending_calls(CALLS_MAX))).await;
            self.note(now, all.unwrap_or_default());
        }
        let told = |circle: &&Circle| circle.found + STANDS_STILL <= now;
        self.circles
            .iter()
            .filter(told)
            .map(Circle::finding)
            .collect()
    }

    fn note(&mut self, now: Duration, all: Vec<Vec<Pid>>) {
        let known: HashSet<Pid> = self.circles.iter().map(Circle::first).collect();
        let new = all.into_iter().filter(|pids| !known.contains(&pids[0]));
        let room = CIRCLES_MAX.saturating_sub(self.circles.len());
        let new = new.filter_map(|pids| Circle::of(now, &pids)).take(room);
        self.circles.extend(new);
    }
}

impl Circle {
    /// `None` if not all of them wait.
    fn of(found: Duration, pids: &[Pid]) -> Option<Circle> {
        let members = pids.iter().map(|pid| Some((*pid, spent_by_waiting(*pid)?)));
        let members = members.collect::<Option<Vec<_>>>()?;
        let circle = Circle { found, members };
        // They may have gone on since the calls were read.
        circle.stands_still().then_some(circle)
    }

    fn first(&self) -> Pid {
        self.members[0].0
    }

    /// Who waits for whom.
    fn edges(&self) -> impl Iterator<Item = (&Member, Pid)> {
        let asked = self.members.iter().cycle().skip(1).map(|(pid, _)| *pid);
        self.members.iter().zip(asked)
    }

    fn stands_still(&self) -> bool {
        self.edges().all(|((pid, spent), asked)| {
            awaited(*pid) == Some(asked) && spent_by_waiting(*pid) == Some(*spent)
        })
    }

    fn finding(&self) -> Finding {
        let edges = self.edges().take(NAMED_MAX);
        let waits = edges.map(|((pid, _), asked)| format!("{pid} waits for an answer of {asked}"));
        let waits: Vec<String> = waits.collect();
        let more = self.members.len().saturating_sub(NAMED_MAX);
        let more = match more {
            0 => String::new(),
            more => format!(", and {more} more in the same circle"),
        };
        Finding {
            kind: Kind::Deadlock,
            subject: self.first().to_string(),
            evidence: format!(
                "{}{more}; none of them goes on before a call gives up",
                waits.join(", ")
            ),
        }
    }
}

/// The reductions of a process that waits for a message.
fn spent_by_waiting(pid: Pid) -> Option<u64> {
    let info = info(pid)?;
    let waits = info.state == ProcessState::Waiting(WaitsFor::Message);
    waits.then_some(info.reductions)
}

/// The circles among these calls, each from its smallest pid on. A caller waits for one process only.
fn circles(calls: Vec<(Pid, Pid)>) -> Vec<Vec<Pid>> {
    let starts: Vec<Pid> = calls.iter().map(|(caller, _)| *caller).collect();
    let mut asked: HashMap<Pid, Pid> = calls.into_iter().collect();
    let mut found = Vec::new();
    for start in starts {
        let mut path = Vec::new();
        let mut places = HashMap::new();
        let mut at = start;
        // What was walked once is gone: it can be part of no other circle.
        while let Some(next) = asked.remove(&at) {
            places.insert(at, path.len());
            path.push(at);
            at = next;
        }
        if let Some(from) = places.get(&at) {
            let mut circle = path.split_off(*from);
            let smallest = circle.iter().enumerate().min_by_key(|(_, pid)| **pid);
            let first = smallest.map_or(0, |(at, _)| at);
            circle.rotate_left(first);
            found.push(circle);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(calls: &[(u64, u64)]) -> Vec<Vec<u64>> {
        let pids = |(caller, asked): &(u64, u64)| (Pid::from_bits(*caller), Pid::from_bits(*asked));
        let found = circles(calls.iter().map(pids).collect());
        let bits = |circle: Vec<Pid>| circle.iter().map(|pid| pid.to_bits()).collect();
        let mut found: Vec<Vec<u64>> = found.into_iter().map(bits).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn circles_are_found_and_those_who_only_wait_for_one_are_not_in_it() {
        let none: [Vec<u64>; 0] = [];
        assert_eq!(found(&[]), none);
        assert_eq!(found(&[(1, 2), (2, 3), (4, 3)]), none);
        assert_eq!(found(&[(2, 1), (1, 2)]), [[1, 2]]);
        // Two wait for the circle, one behind the other.
        assert_eq!(
            found(&[(9, 8), (8, 5), (5, 7), (7, 3), (3, 5)]),
            [[3, 5, 7]]
        );
        assert_eq!(found(&[(4, 3), (1, 2), (3, 4), (2, 1)]), [[1, 2], [3, 4]]);
    }
}
