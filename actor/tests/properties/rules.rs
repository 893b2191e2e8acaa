//! Erlang's rules in the plainest form: what each signal does to a process, and what a
//! process's end does to others. No mailboxes' speed, no threads, no memory to save.
//!
//! A link is a bond with a number of its own, held by both sides; whoever calls `link` without
//! holding a bond makes one, whoever calls `unlink` cuts those it holds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::history::{Order, Ref, STRANGER, Seen, Target, Who};
use super::program::{Once, Why};

/// What can reach a process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Signal {
    Message(Seen),
    ToAlias(Ref, Seen),
    /// Somebody asked for the end.
    Exit(Who, Why),
    Kill,
    /// A linked process has ended.
    Unbound(Who, Why),
    Link(Who, u32),
    Unlink(Who, u32),
    Monitor(Who, Ref),
    Demonitor(Ref),
    Down(Ref, Who, Why),
}

/// A signal on its way, or a message that has come.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parcel<T> {
    pub(crate) at: Duration,
    /// Those of one death have no order among themselves.
    pub(crate) batch: u32,
    pub(crate) content: T,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AliasKind {
    pub(crate) once: Once,
    /// Ends with the monitor of the same reference.
    pub(crate) tied: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Watch {
    pub(crate) target: Who,
    pub(crate) name: Option<u8>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Process {
    /// Why it has ended.
    pub(crate) ended: Option<Why>,
    /// Why it is about to.
    pub(crate) ending: Option<Why>,
    pub(crate) traps: bool,
    pub(crate) coming: VecDeque<Parcel<Signal>>,
    pub(crate) mailbox: VecDeque<Parcel<Seen>>,
    pub(crate) bonds: BTreeSet<(Who, u32)>,
    pub(crate) watches: BTreeMap<Ref, Watch>,
    pub(crate) watchers: BTreeMap<Ref, Who>,
    pub(crate) aliases: BTreeMap<Ref, AliasKind>,
}

impl Process {
    pub(crate) fn is_bound(&self, peer: Who) -> bool {
        self.bonds.iter().any(|(other, _)| *other == peer)
    }

    /// Gives up all bonds with `peer`.
    pub(crate) fn unbind(&mut self, peer: Who) -> Vec<u32> {
        let held = self.bonds.iter().filter(|(other, _)| *other == peer);
        let cut: Vec<_> = held.map(|(_, bond)| *bond).collect();
        self.bonds.retain(|(other, _)| *other != peer);
        cut
    }

    pub(crate) fn end_tied_alias(&mut self, reference: Ref) {
        if self.aliases.get(&reference).is_some_and(|kind| kind.tied) {
            self.aliases.remove(&reference);
        }
    }
}

/// All processes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct World {
    pub(crate) processes: Vec<Process>,
    pub(crate) names: BTreeMap<u8, Who>,
    pub(crate) groups: BTreeMap<u8, Vec<Who>>,
    pub(crate) now: Duration,
    batches: u32,
    bonds: u32,
}

impl World {
    pub(crate) fn is_alive(&self, who: Who) -> bool {
        let process = self.processes.get(who);
        process.is_some_and(|process| process.ended.is_none())
    }

    pub(crate) fn at(&mut self, who: Who) -> &mut Process {
        &mut self.processes[who]
    }

    pub(crate) fn fresh_bond(&mut self) -> u32 {
        self.bonds += 1;
        self.bonds
    }

    pub(crate) fn post(&mut self, to: Who, signal: Signal) {
        self.batches += 1;
        self.post_in_batch(to, signal, self.batches);
    }

    fn post_in_batch(&mut self, to: Who, content: Signal, batch: u32) {
        let at = self.now;
        if self.is_alive(to) {
            let parcel = Parcel { at, batch, content };
            self.at(to).coming.push_back(parcel);
        }
    }

    /// Has a process hear all that has come, up to what ends it.
    pub(crate) fn hear_all(&mut self, who: Who) -> Option<Why> {
        let mut end = None;
        while end.is_none() && !self.at(who).coming.is_empty() {
            end = self.hear_next(who);
        }
        end
    }

    /// Has something come that `who` has not heard?
    pub(crate) fn has_more(&self, who: Who) -> bool {
        let process = self.processes.get(who);
        process.is_some_and(|process| !process.coming.is_empty())
    }

    /// Has a process hear the oldest of what has come.
    pub(crate) fn hear_next(&mut self, who: Who) -> Option<Why> {
        let Parcel { at, batch, content } = self.at(who).coming.pop_front()?;
        match self.hear(who, content) {
            Heard::Nothing => None,
            Heard::End(why) => Some(why),
            Heard::Message(content) => {
                let parcel = Parcel { at, batch, content };
                self.at(who).mailbox.push_back(parcel);
                None
            }
        }
    }

    fn hear(&mut self, who: Who, signal: Signal) -> Heard {
        let me = self.at(who);
        match signal {
            Signal::Message(seen) => return Heard::Message(seen),
            Signal::Kill => return Heard::End(Why::Killed),
            Signal::Exit(from, why) if me.traps => return Heard::Message(Seen::Exit(from, why)),
            Signal::Exit(from, Why::Normal) if from != who => {}
            Signal::Exit(_, why) => return Heard::End(why),
            Signal::Unbound(from, why) => {
                let bound = !me.unbind(from).is_empty();
                match bound {
                    true if me.traps => return Heard::Message(Seen::Exit(from, why)),
                    true if why != Why::Normal => return Heard::End(why),
                    _ => {}
                }
            }
            Signal::Link(from, bond) => drop(me.bonds.insert((from, bond))),
            Signal::Unlink(from, bond) => drop(me.bonds.remove(&(from, bond))),
            Signal::Monitor(from, reference) => drop(me.watchers.insert(reference, from)),
            Signal::Demonitor(reference) => drop(me.watchers.remove(&reference)),
            Signal::Down(reference, from, why) => {
                me.end_tied_alias(reference);
                if let Some(watch) = me.watches.remove(&reference) {
                    let target = watch.name.map_or(Target::Process(from), Target::Name);
                    return Heard::Message(Seen::Down(reference, target, why));
                }
            }
            Signal::ToAlias(reference, seen) => {
                let Some(kind) = me.aliases.get(&reference).copied() else {
                    return Heard::Nothing;
                };
                if kind.once == Once::Yes {
                    me.aliases.remove(&reference);
                    if kind.tied {
                        self.stop_watching(who, reference);
                    }
                }
                return Heard::Message(seen);
            }
        }
        Heard::Nothing
    }

    /// Ends a monitor that `who` holds; was there one?
    pub(crate) fn stop_watching(&mut self, who: Who, reference: Ref) -> bool {
        let watch = self.at(who).watches.remove(&reference);
        if let Some(watch) = &watch {
            self.post(watch.target, Signal::Demonitor(reference));
        }
        watch.is_some()
    }

    /// Settles the end of a process: names and groups first, then those who are to be told.
    pub(crate) fn settle(&mut self, who: Who, why: &Why) {
        let dead = std::mem::take(self.at(who));
        self.at(who).ended = Some(why.clone());
        self.names.retain(|_, owner| *owner != who);
        for members in self.groups.values_mut() {
            members.retain(|member| *member != who);
        }
        self.batches += 1;
        let batch = self.batches;
        let peers: BTreeSet<_> = dead.bonds.iter().map(|(peer, _)| *peer).collect();
        for peer in peers {
            self.post_in_batch(peer, Signal::Unbound(who, why.clone()), batch);
        }
        for (reference, watcher) in dead.watchers {
            let down = Signal::Down(reference, who, why.clone());
            self.post_in_batch(watcher, down, batch);
        }
        for (reference, watch) in dead.watches {
            self.post_in_batch(watch.target, Signal::Demonitor(reference), batch);
        }
        for unheard in dead.coming {
            match unheard.content {
                Signal::Link(from, _) => {
                    self.post_in_batch(from, Signal::Unbound(who, Why::NoProcess), batch);
                }
                Signal::Monitor(from, reference) => {
                    let down = Signal::Down(reference, who, Why::NoProcess);
                    self.post_in_batch(from, down, batch);
                }
                _ => {}
            }
        }
    }

    /// `who` watches `target`, or whoever has a name if somebody has.
    pub(crate) fn watch(&mut self, who: Who, reference: Ref, watch: Watch) {
        let target = watch.target;
        if target == who {
            return;
        }
        self.at(who).watches.insert(reference, watch);
        if self.is_alive(target) {
            self.post(target, Signal::Monitor(who, reference));
        } else {
            self.post(who, Signal::Down(reference, target, Why::NoProcess));
        }
    }

    /// `who` links `peer`; false if that is refused.
    pub(crate) fn link(&mut self, who: Who, peer: Who) -> bool {
        if peer == who || self.at(who).is_bound(peer) {
            return true;
        }
        let alive = self.is_alive(peer);
        if !alive && !self.at(who).traps {
            return false;
        }
        let bond = self.fresh_bond();
        self.at(who).bonds.insert((peer, bond));
        if alive {
            self.post(peer, Signal::Link(who, bond));
        } else {
            self.post(who, Signal::Unbound(peer, Why::NoProcess));
        }
        true
    }

    pub(crate) fn unlink(&mut self, who: Who, peer: Who) {
        for bond in self.at(who).unbind(peer) {
            self.post(peer, Signal::Unlink(who, bond));
        }
    }

    /// Who has a name; `STRANGER` if nobody has.
    pub(crate) fn owner(&self, name: u8) -> Who {
        self.names.get(&name).copied().unwrap_or(STRANGER)
    }
}

enum Heard {
    Nothing,
    Message(Seen),
    End(Why),
}

/// A message with this number.
pub(crate) fn message(id: u32) -> Seen {
    Seen::Plain(id, Order::Nothing)
}
