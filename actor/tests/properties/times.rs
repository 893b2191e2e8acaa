//! What the model knows of timers: when each may fire, and for whom.
//!
//! The moment a timer fires is not in the history. It may be any from when it is due until a
//! little later, so these are the only messages whose arrival is not known exactly.

use std::collections::BTreeMap;
use std::time::Duration;

use super::history::{Id, Ref, STRANGER, Seen, Target, Who};
use super::rules::message;

/// No timer is later than this: a few ticks of the scheduler's wheel.
const LATE_MAX: Duration = Duration::from_micros(500);

#[derive(Debug)]
struct Timer {
    due: Duration,
    to: Target,
    brings: Seen,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Armed,
    Cancelled,
    Received,
}

/// Who had a name, and from when on.
#[derive(Debug)]
struct Tenure {
    name: u8,
    owner: Who,
    since: Duration,
}

/// All timers of a run.
#[derive(Default, Debug)]
pub(crate) struct Times {
    timers: BTreeMap<Id, Timer>,
    /// In their order; an entry ends with the next one for the same name.
    tenures: Vec<Tenure>,
}

impl Times {
    pub(crate) fn arm(&mut self, id: Id, due: Duration, to: Target, reference: Option<Ref>) {
        let brings = match reference {
            Some(reference) => Seen::Timeout(reference, id),
            None => message(id),
        };
        let state = State::Armed;
        let timer = Timer {
            due,
            to,
            brings,
            state,
        };
        self.timers.insert(id, timer);
    }

    /// Somebody has a name from `now` on; `STRANGER` is nobody.
    pub(crate) fn note_owner(&mut self, name: u8, owner: Who, now: Duration) {
        let since = now;
        self.tenures.push(Tenure { name, owner, since });
    }

    /// May `cancel` or `remaining` have answered `left` at `now`?
    pub(crate) fn check_left(
        &self,
        id: Id,
        left: Option<Duration>,
        now: Duration,
    ) -> Result<(), String> {
        let timer = &self.timers[&id];
        let fine = match left {
            Some(left) => {
                timer.state == State::Armed
                    && left == timer.due.saturating_sub(now)
                    && now <= timer.due + LATE_MAX
            }
            None => timer.state != State::Armed || now >= timer.due,
        };
        if fine {
            return Ok(());
        }
        Err(format!("{left:?} is not what is left of {timer:?}"))
    }

    pub(crate) fn cancel(&mut self, id: Id) {
        if let Some(timer) = self.timers.get_mut(&id) {
            timer.state = State::Cancelled;
        }
    }

    /// Is it the message of a timer?
    pub(crate) fn is_of_timer(&self, seen: &Seen) -> bool {
        match seen {
            Seen::Plain(id, _) | Seen::Timeout(_, id) => self.timers.contains_key(id),
            _ => false,
        }
    }

    /// `who` has received the message of a timer.
    pub(crate) fn receive(&mut self, who: Who, seen: &Seen, now: Duration) -> Result<(), String> {
        let (Seen::Plain(id, _) | Seen::Timeout(_, id)) = seen else {
            return Err(format!("{seen:?} is of no timer"));
        };
        let owners = self.owners(*id);
        let timer = self.timers.get_mut(id).ok_or("no such timer")?;
        let meant = match timer.to {
            Target::Process(to) => to == who,
            Target::Name(_) => owners.contains(&who),
        };
        if !meant || timer.state != State::Armed || now < timer.due || timer.brings != *seen {
            return Err(format!("{seen:?} cannot have come from {timer:?}"));
        }
        timer.state = State::Received;
        // Of several timers for one process, those that are due earlier come earlier.
        let due = timer.due;
        if !matches!(timer.to, Target::Process(_)) {
            return Ok(());
        }
        let earlier = |other: &&Timer| {
            other.to == Target::Process(who) && other.state == State::Armed && other.due < due
        };
        match self.timers.values().find(earlier) {
            Some(earlier) => Err(format!("{seen:?} came before {earlier:?}")),
            None => Ok(()),
        }
    }

    /// Everybody who had the name of a timer while it could fire.
    fn owners(&self, id: Id) -> Vec<Who> {
        let Some(Timer {
            due,
            to: Target::Name(name),
            ..
        }) = self.timers.get(&id)
        else {
            return Vec::new();
        };
        let tenures: Vec<_> = self.tenures.iter().filter(|t| t.name == *name).collect();
        let until = |at: usize| tenures.get(at + 1).map_or(Duration::MAX, |next| next.since);
        let owned = tenures.iter().enumerate();
        let owned = owned.filter(|(at, t)| t.since <= *due + LATE_MAX && until(*at) >= *due);
        owned.map(|(_, t)| t.owner).collect()
    }

    /// Fails if a message for `who` should have come before `now` and has not.
    pub(crate) fn check_overdue(&self, who: Who, now: Duration) -> Result<(), String> {
        let overdue = |(id, timer): &(&Id, &Timer)| {
            timer.state == State::Armed
                && timer.due + LATE_MAX < now
                && match timer.to {
                    Target::Process(to) => to == who,
                    Target::Name(_) => self.owners(**id) == [who],
                }
        };
        match self.timers.iter().find(overdue) {
            Some((_, timer)) => Err(format!("the message of {timer:?} is missing")),
            None => Ok(()),
        }
    }

    /// Nobody has any of these names any more.
    pub(crate) fn note_free(&mut self, names: Vec<u8>, now: Duration) {
        for name in names {
            self.note_owner(name, STRANGER, now);
        }
    }
}
