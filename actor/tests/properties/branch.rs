//! One way in which all processes may be, by what was seen until now: what each event must be
//! like, and what it changes.

use std::collections::BTreeSet;

use super::history::{
    Bound, CONDUCTOR, Crash, Deed, Event, Id, Order, Refusal, STRANGER, Seen, What, Who, name_of,
};
use super::program::Why;
use super::rules::{AliasKind, Signal, Watch, World, message};
use super::run::Run;
use super::times::Times;

/// What is wrong, if anything is.
pub(crate) type Verdict = Result<(), String>;

/// One way in which all may be, by what was seen until now.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Branch {
    pub(crate) world: World,
    /// Whose crash must be reported next.
    crashed: Option<(Who, Crash)>,
}

impl Branch {
    /// Itself, once for each number of signals that may have been heard before the event.
    pub(crate) fn split(self, what: &What) -> Vec<Branch> {
        let What::Did(who, Deed::Got(_)) = what else {
            return vec![self];
        };
        let (mut all, mut next) = (Vec::new(), self);
        while next.world.has_more(*who) {
            all.push(next.clone());
            if next.world.hear_next(*who).is_some() {
                // Whom a signal ends does not get any further.
                return all;
            }
        }
        all.push(next);
        all
    }

    pub(crate) fn step(&mut self, event: &Event, times: &Times) -> Verdict {
        self.world.now = event.at;
        if let What::Crashed(who, crash) = &event.what {
            let expected = self.crashed.take();
            return equal("the crash", &Some((*who, crash.clone())), &expected);
        }
        equal("unreported crashes", &self.crashed, &None)?;
        match &event.what {
            What::Turn(who) => self.turn(*who),
            What::Gone(who) => self.gone(*who),
            What::Quiet => self.quiet(times),
            What::Did(who, _) if !self.world.is_alive(*who) => Err("the dead act".into()),
            What::Did(who, Deed::Got(seen)) => self.got(*who, seen.as_ref(), times),
            What::Did(who, deed) => self.did(*who, deed),
            What::Crashed(..) => Ok(()),
        }
    }

    pub(crate) fn over(&self, run: &Run) -> Verdict {
        equal("unreported crashes", &self.crashed, &None)?;
        for (who, why) in &run.joined {
            let expected = &self.world.processes[*who].ended;
            equal(&format!("the end of {who}"), why, expected)?;
        }
        Ok(())
    }

    fn turn(&mut self, who: Who) -> Verdict {
        if !self.world.is_alive(who) {
            return Err("the dead go on".into());
        }
        match self.world.hear_all(who) {
            Some(why) => Err(format!("it goes on, where {why:?} ends it")),
            None => Ok(()),
        }
    }

    fn gone(&mut self, who: Who) -> Verdict {
        if !self.world.is_alive(who) {
            return Err("it ended before".into());
        }
        let why = match self.world.at(who).ending.take() {
            Some(Why::Panic) => Why::Panic,
            // What a process has said to itself counts, even if that was the last it did.
            Some(why) => self.world.hear_all(who).unwrap_or(why),
            None => self.world.hear_all(who).ok_or("nothing ends it")?,
        };
        if !matches!(why, Why::Normal | Why::Shutdown) {
            self.crashed = Some((who, self.crash(who, why.clone())));
        }
        self.world.settle(who, &why);
        Ok(())
    }

    /// What is to be reported of `who`, which ends.
    fn crash(&mut self, who: Who, why: Why) -> Crash {
        let name = self.world.names.iter().find(|(_, owner)| **owner == who);
        let name = name.map(|(name, _)| name_of(*name));
        let process = self.world.at(who);
        let peers: BTreeSet<_> = process.bonds.iter().map(|(peer, _)| *peer).collect();
        let (links, monitors) = (peers.len(), process.watchers.len());
        Crash {
            why,
            name,
            links,
            monitors,
        }
    }

    /// Everybody has heard and read everything, and links have two ends.
    fn quiet(&self, times: &Times) -> Verdict {
        for (who, process) in self.world.processes.iter().enumerate() {
            if process.ended.is_some() || who == CONDUCTOR {
                continue;
            }
            if let Some(unheard) = process.coming.front() {
                return Err(format!("{who} was not told of {unheard:?}"));
            }
            if let Some(unread) = process.mailbox.front() {
                return Err(format!("{who} has never received {unread:?}"));
            }
            times.check_overdue(who, self.world.now)?;
            for (peer, bond) in &process.bonds {
                if !self.world.processes[*peer].bonds.contains(&(who, *bond)) {
                    return Err(format!("{who} is linked to {peer}, and not the other way"));
                }
            }
        }
        Ok(())
    }

    fn did(&mut self, who: Who, deed: &Deed) -> Verdict {
        match deed {
            Deed::Ends(why) => {
                self.world.at(who).ending = Some(why.clone());
                Ok(())
            }
            Deed::TrappedExits(on, before) => {
                let expected = std::mem::replace(&mut self.world.at(who).traps, *on);
                equal("trapped before", before, &expected)
            }
            Deed::Linked(peer, linked) => equal("linked", linked, &self.world.link(who, *peer)),
            Deed::Unlinked(peer) => {
                self.world.unlink(who, *peer);
                Ok(())
            }
            Deed::IsLinked(peer, yes) => {
                equal("is linked", yes, &self.world.at(who).is_bound(*peer))
            }
            Deed::IsAlive(other, yes) => equal("lives", yes, &self.world.is_alive(*other)),
            Deed::Spawned(child, ..)
            | Deed::Sent(child, _)
            | Deed::Exited(child, _)
            | Deed::Killed(child) => {
                self.reach(who, *child, deed);
                Ok(())
            }
            Deed::Registered(..) | Deed::Unregistered(..) | Deed::Whereis(..) => self.named(deed),
            Deed::SentToName(name, id, sent) => {
                let owner = self.world.owner(*name);
                self.world.post(owner, Signal::Message(message(*id)));
                equal("sent", sent, &(owner != STRANGER))
            }
            Deed::Joined(..) | Deed::Left(..) | Deed::Members(..) => self.grouped(deed),
            Deed::Armed(..) | Deed::Cancelled(..) | Deed::Remaining(..) => Ok(()),
            deed => self.watched(who, deed),
        }
    }

    fn reach(&mut self, who: Who, other: Who, deed: &Deed) {
        match deed {
            Deed::Spawned(child, bound, monitor) => {
                let bond = self.world.fresh_bond();
                self.world
                    .processes
                    .resize_with(self.world.processes.len().max(child + 1), Default::default);
                if *bound == Bound::Linked {
                    self.world.at(who).bonds.insert((*child, bond));
                    self.world.at(*child).bonds.insert((who, bond));
                }
                if let Some(reference) = monitor {
                    let (target, name) = (*child, None);
                    let watch = Watch { target, name };
                    self.world.at(who).watches.insert(*reference, watch);
                    self.world.at(*child).watchers.insert(*reference, who);
                }
            }
            Deed::Sent(_, id) => self.world.post(other, Signal::Message(message(*id))),
            Deed::Exited(_, Why::Kill) | Deed::Killed(_) => self.world.post(other, Signal::Kill),
            Deed::Exited(_, why) => self.world.post(other, Signal::Exit(who, why.clone())),
            _ => {}
        }
    }

    fn watched(&mut self, who: Who, deed: &Deed) -> Verdict {
        let world = &mut self.world;
        match *deed {
            Deed::Monitored(target, reference) => {
                world.watch(who, reference, Watch { target, name: None });
            }
            Deed::MonitoredName(name, reference) => {
                let (target, name) = (world.owner(name), Some(name));
                world.watch(who, reference, Watch { target, name });
            }
            Deed::MonitoredWithAlias(target, once, reference) => {
                let kind = AliasKind { once, tied: true };
                world.at(who).aliases.insert(reference, kind);
                world.watch(who, reference, Watch { target, name: None });
            }
            Deed::Demonitored(reference, found) | Deed::DemonitoredAndFlushed(reference, found) => {
                world.at(who).end_tied_alias(reference);
                let expected = world.stop_watching(who, reference);
                if !expected && matches!(deed, Deed::DemonitoredAndFlushed(..)) {
                    let is_down =
                        |seen: &Seen| matches!(seen, Seen::Down(r, ..) if *r == reference);
                    let mailbox = &mut world.at(who).mailbox;
                    mailbox.retain(|parcel| !is_down(&parcel.content));
                }
                return equal("found", &found, &expected);
            }
            Deed::Aliased(once, reference) => {
                let kind = AliasKind { once, tied: false };
                world.at(who).aliases.insert(reference, kind);
            }
            Deed::Unaliased(owner, reference, ended) => {
                let active = owner == who && world.at(who).aliases.remove(&reference).is_some();
                return equal("ended", &ended, &active);
            }
            Deed::SentToAlias(owner, reference, id) => {
                world.post(owner, Signal::ToAlias(reference, message(id)));
            }
            _ => return Err("the model does not know that".into()),
        }
        Ok(())
    }

    fn named(&mut self, deed: &Deed) -> Verdict {
        let some = |owner: Who| (owner != STRANGER).then_some(owner);
        match deed {
            Deed::Whereis(name, owner) => equal("owner", owner, &some(self.world.owner(*name))),
            Deed::Unregistered(name, owner) => {
                let expected = self.world.names.remove(name);
                equal("owner", owner, &expected)
            }
            Deed::Registered(name, who, outcome) => {
                let owner = some(self.world.owner(*name));
                let other = self.world.names.iter().find(|(_, owner)| *owner == who);
                let other = other.map(|(name, _)| name_of(*name));
                let fine = match outcome {
                    Ok(()) => owner.is_none() && other.is_none() && self.world.is_alive(*who),
                    // Of several reasons to refuse it may say any.
                    Err(Refusal::Taken(by)) => owner == Some(*by) && by != who,
                    Err(Refusal::Named(name)) => other.as_ref() == Some(name),
                    Err(Refusal::NoProcess) => !self.world.is_alive(*who),
                    Err(Refusal::BadName) => false,
                };
                if outcome.is_ok() {
                    self.world.names.insert(*name, *who);
                }
                equal("may be so", &fine, &true)
            }
            _ => Ok(()),
        }
    }

    fn grouped(&mut self, deed: &Deed) -> Verdict {
        match deed {
            Deed::Joined(group, who, joined) => {
                let alive = self.world.is_alive(*who);
                if alive {
                    self.world.groups.entry(*group).or_default().push(*who);
                }
                equal("joined", joined, &alive)
            }
            Deed::Left(group, who, left) => {
                let members = self.world.groups.entry(*group).or_default();
                let at = members.iter().position(|member| member == who);
                let found = at.map(|at| members.remove(at)).is_some();
                equal("left", left, &found)
            }
            Deed::Members(group, members) => {
                let expected = self.world.groups.get(group).cloned();
                equal("members", members, &expected.unwrap_or_default())
            }
            _ => Ok(()),
        }
    }

    /// `who` has asked for a message and seen this.
    fn got(&mut self, who: Who, seen: Option<&Seen>, times: &Times) -> Verdict {
        if seen.is_some_and(|seen| times.is_of_timer(seen)) {
            return Ok(());
        }
        if seen.is_none() && self.world.has_more(who) {
            return Err("there is more to hear".into());
        }
        let mailbox = &mut self.world.at(who).mailbox;
        let (Some(first), Some(seen)) = (mailbox.front().cloned(), seen) else {
            let first = mailbox.front().map(|parcel| parcel.content.clone());
            return equal("the next message", &seen.cloned(), &first);
        };
        let seen = without_order(seen);
        let mut together = mailbox.iter().take_while(|next| next.batch == first.batch);
        let Some(at) = together.position(|next| next.content == seen) else {
            return equal("the next message", &seen, &first.content);
        };
        mailbox.remove(at);
        // What was sent then has come: so have the messages of timers that fired before.
        times.check_overdue(who, first.at)
    }
}

fn without_order(seen: &Seen) -> Seen {
    match seen {
        Seen::Plain(id, _) => Seen::Plain(Id::clone(id), Order::Nothing),
        other => other.clone(),
    }
}

pub(crate) fn equal<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, expected: &T) -> Verdict {
    if seen == expected {
        return Ok(());
    }
    Err(format!("{what}: {seen:?}, where {expected:?} was expected"))
}
