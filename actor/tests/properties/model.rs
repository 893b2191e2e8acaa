//! Replays a history against the rules: each operation must have had the outcome, each process
//! the messages and the end, that the rules give.
//!
//! Erlang leaves open when a signal arrives, and in which order those of several senders do.
//! Here both are known, which makes the model strict: the simulation writes down all that was
//! done in one order, and a process hears what was sent to it in that order, all of it whenever
//! its body goes on. What is left open makes branches, of which one must agree with all that
//! follows: how much of what it has sent to itself a process hears when it asks for a message.
//! Open as well are the order of what one death says, and the moments when timers fire.

use std::time::Duration;

use super::branch::{Branch, Verdict, equal};
use super::history::{Deed, Event, STRANGER, What};
use super::program::NAMES;
use super::rules::Process;
use super::run::Run;
use super::times::Times;

/// Is that what may happen? If not, at which event it went wrong, and how.
pub(crate) fn check(run: &Run, processes: usize) -> Result<(), (usize, String)> {
    let mut model = Model::new(processes);
    for (number, event) in run.events.iter().enumerate() {
        let checked = model.step(event);
        checked.map_err(|wrong| (number, format!("event {number}: {wrong}")))?;
    }
    model.over(run).map_err(|wrong| (run.events.len(), wrong))
}

#[derive(Default)]
struct Model {
    /// What may be so, by what was seen until now; never none, and rarely more than one.
    branches: Vec<Branch>,
    times: Times,
}

impl Model {
    fn new(processes: usize) -> Self {
        let mut model = Model::default();
        let mut first = Branch::default();
        first
            .world
            .processes
            .resize_with(processes + 1, Process::default);
        model.branches.push(first);
        model.times.note_free((0..NAMES).collect(), Duration::ZERO);
        model
    }

    fn step(&mut self, event: &Event) -> Verdict {
        self.time(event)?;
        let mut wrong = Ok(());
        let mut next: Vec<Branch> = Vec::new();
        for branch in self.branches.drain(..) {
            for mut branch in branch.split(&event.what) {
                match branch.step(event, &self.times) {
                    Ok(()) if next.contains(&branch) => {}
                    Ok(()) => next.push(branch),
                    Err(why) => wrong = Err(why),
                }
            }
        }
        self.branches = next;
        if self.branches.is_empty() {
            wrong
        } else {
            Ok(())
        }
    }

    /// What timers have to do with an event: the same in all branches.
    fn time(&mut self, event: &Event) -> Verdict {
        let now = event.at;
        let What::Did(who, deed) = &event.what else {
            if let What::Gone(who) = &event.what {
                let names = &self.branches[0].world.names;
                let owned = names.iter().filter(|(_, owner)| *owner == who);
                let owned = owned.map(|(name, _)| *name).collect();
                self.times.note_free(owned, now);
            }
            return Ok(());
        };
        match deed {
            Deed::Got(Some(seen)) if self.times.is_of_timer(seen) => {
                return self.times.receive(*who, seen, now);
            }
            Deed::Got(None) => return self.times.check_overdue(*who, now),
            Deed::Armed(id, due, to, reference) => {
                self.times.arm(*id, *due, to.clone(), *reference);
            }
            Deed::Cancelled(id, left) => {
                self.times.check_left(*id, *left, now)?;
                if left.is_some() {
                    self.times.cancel(*id);
                }
            }
            Deed::Remaining(id, left) => self.times.check_left(*id, *left, now)?,
            Deed::Unregistered(name, _) => self.times.note_owner(*name, STRANGER, now),
            Deed::Registered(name, who, Ok(())) => self.times.note_owner(*name, *who, now),
            _ => {}
        }
        Ok(())
    }

    /// Everybody has ended as expected, and nothing is left.
    fn over(&self, run: &Run) -> Verdict {
        if let Some(stuck) = &run.stuck {
            return Err(stuck.clone());
        }
        equal("left in the end", &run.left, &Vec::new())?;
        let mut wrong = Ok(());
        for branch in &self.branches {
            wrong = branch.over(run);
            if wrong.is_ok() {
                break;
            }
        }
        wrong
    }
}
