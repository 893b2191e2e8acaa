//! Laws that every history keeps, whenever signals arrive: each is read off the history alone.
//!
//! The model says more, but it and the processes might be wrong in the same way. These are the
//! sentences of the reference manual, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::history::{Bound, Deed, Event, Id, Order, Ref, Refusal, Seen, Target, What, Who};
use super::program::{Once, Why};
use super::run::Run;

type Verdict = Result<(), String>;

type Law = fn(&Book) -> Verdict;

/// The place of an event in a history.
type At = usize;

/// Is every law kept?
pub(crate) fn check(run: &Run) -> Verdict {
    let book = Book::of(run);
    let laws: [(&str, Law); 7] = [
        ("messages", messages),
        ("last words", last_words),
        ("monitors", monitors),
        ("exits", exits),
        ("the dead", the_dead),
        ("aliases", aliases),
        ("timers", timers),
    ];
    for (law, check) in laws {
        check(&book).map_err(|wrong| format!("the law of {law}: {wrong}"))?;
    }
    Ok(())
}

/// A history, sorted for looking things up.
struct Book<'a> {
    events: &'a [Event],
    deeds: Vec<(At, Who, &'a Deed)>,
    seen: Vec<(At, Who, &'a Seen)>,
    gone: BTreeMap<Who, At>,
    ends: BTreeMap<Who, Why>,
    /// Who was told to look around when all was done, and so had received everything.
    looked: BTreeMap<Who, At>,
    /// When all was done for the first time.
    quiet: At,
}

impl<'a> Book<'a> {
    fn of(run: &'a Run) -> Self {
        let events = &run.events;
        let (mut deeds, mut seen, mut unsure) = (Vec::new(), Vec::new(), BTreeSet::new());
        let (mut gone, mut ends, mut looked) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (at, event) in events.iter().enumerate() {
            match &event.what {
                What::Gone(who) => drop(gone.insert(*who, at)),
                What::Crashed(who, crash) => drop(ends.insert(*who, crash.why.clone())),
                What::Did(who, deed) => {
                    deeds.push((at, *who, deed));
                    match deed {
                        Deed::Got(Some(message)) => seen.push((at, *who, message)),
                        // Then it may end for what it has said to itself.
                        Deed::Exited(to, _) | Deed::Killed(to) if to == who => {
                            unsure.insert(*who);
                        }
                        Deed::Ends(why) if !unsure.contains(who) => {
                            ends.insert(*who, why.clone());
                        }
                        _ => {}
                    }
                    if let Deed::Got(Some(Seen::Plain(_, Order::Look))) = deed {
                        looked.insert(*who, at);
                    }
                }
                What::Turn(_) | What::Quiet => {}
            }
        }
        for (who, why) in &run.joined {
            ends.extend(why.clone().map(|why| (*who, why)));
        }
        let quiet = events.iter().position(|event| event.what == What::Quiet);
        Book {
            events,
            deeds,
            seen,
            gone,
            ends,
            looked,
            quiet: quiet.unwrap_or(events.len()),
        }
    }

    fn is_gone(&self, who: Who, at: At) -> bool {
        self.gone.get(&who).is_some_and(|gone| *gone < at)
    }

    /// Has `who` received what reached it before all was done?
    fn has_read_all(&self, who: Who) -> bool {
        self.looked.contains_key(&who)
    }

    /// Where the message was received, and by whom.
    fn receptions(&self, id: Id) -> Vec<(At, Who)> {
        let of = |seen: &&(At, Who, &Seen)| number_of(seen.2) == Some(id);
        let all = self.seen.iter().filter(of);
        all.map(|(at, who, _)| (*at, *who)).collect()
    }
}

fn number_of(seen: &Seen) -> Option<Id> {
    match seen {
        Seen::Plain(id, _) | Seen::Timeout(_, id) => Some(*id),
        _ => None,
    }
}

fn demand(kept: bool, wrong: impl FnOnce() -> String) -> Verdict {
    if kept { Ok(()) } else { Err(wrong()) }
}

/// Messages of one sender come once, in their order, to whom they were sent, and are not lost.
fn messages(book: &Book) -> Verdict {
    let mut last = BTreeMap::new();
    for (sent, sender, deed) in &book.deeds {
        let (Deed::Sent(_, id) | Deed::SentToName(_, id, _) | Deed::SentToAlias(_, _, id)) = deed
        else {
            continue;
        };
        let receptions = book.receptions(*id);
        demand(receptions.len() < 2, || format!("{id} came twice"))?;
        for (at, receiver) in &receptions {
            let before = last.insert((*sender, *receiver), *at);
            let ordered = before.is_none_or(|before| before < *at) && sent < at;
            demand(ordered, || format!("{id} came too early"))?;
        }
        let Deed::Sent(to, _) = deed else { continue };
        let right = receptions.iter().all(|(_, receiver)| receiver == to);
        demand(right, || format!("{id} came to somebody else"))?;
        let lost = *sent < book.quiet && book.has_read_all(*to) && receptions.is_empty();
        demand(!lost, || format!("{id} is lost"))?;
    }
    Ok(())
}

/// Nothing comes from a process after the news that it has ended.
fn last_words(book: &Book) -> Verdict {
    let mut senders = BTreeMap::new();
    for (_, sender, deed) in &book.deeds {
        if let Deed::Sent(_, id) | Deed::SentToName(_, id, _) | Deed::SentToAlias(_, _, id) = deed {
            senders.insert(*id, *sender);
        }
    }
    let mut ended = Vec::new();
    for (_, receiver, seen) in &book.seen {
        match seen {
            Seen::Down(_, Target::Process(who), _) => ended.push((*receiver, *who)),
            Seen::Plain(id, _) => {
                let from = senders.get(id).map(|sender| (*receiver, *sender));
                let late = from.is_some_and(|from| ended.contains(&from));
                demand(!late, || format!("{id} came after the end of its sender"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// One message for each monitor of a process that has ended, with its reason; none for others.
fn monitors(book: &Book) -> Verdict {
    for (made, watcher, deed) in &book.deeds {
        let (reference, target, once) = match deed {
            Deed::Monitored(who, reference) => (*reference, Some(*who), false),
            Deed::Spawned(who, _, Some(reference)) => (*reference, Some(*who), false),
            Deed::MonitoredName(_, reference) => (*reference, None, false),
            Deed::MonitoredWithAlias(who, once, reference) => {
                (*reference, Some(*who), *once == Once::Yes)
            }
            _ => continue,
        };
        let downs: Vec<_> = book
            .seen
            .iter()
            .filter(|(_, _, seen)| matches!(seen, Seen::Down(r, ..) if *r == reference))
            .collect();
        demand(downs.len() < 2, || format!("#{reference} spoke twice"))?;
        let ended = demonitored(book, reference);
        for (at, receiver, seen) in &downs {
            demand(receiver == watcher && made < at, || {
                format!("#{reference} spoke to another")
            })?;
            demand(ended.is_none_or(|ended| at < &ended), || {
                format!("#{reference} spoke after demonitor had ended it")
            })?;
            if let (Some(target), Seen::Down(_, _, why)) = (target, seen) {
                true_end(book, *at, target, why)?;
            }
        }
        let Some(target) = target else { continue };
        let due = book.is_gone(target, book.quiet)
            && book.has_read_all(*watcher)
            && made < &book.quiet
            && demonitor_calls(book, reference).is_empty()
            && !once;
        demand(!due || downs.len() == 1, || {
            format!("#{reference} never spoke")
        })?;
    }
    Ok(())
}

fn demonitor_calls(book: &Book, reference: Ref) -> Vec<(At, bool)> {
    let calls = book.deeds.iter().filter_map(|(at, _, deed)| match deed {
        Deed::Demonitored(of, found) if *of == reference => Some((*at, *found)),
        // It has taken out what had come.
        Deed::DemonitoredAndFlushed(of, _) if *of == reference => Some((*at, true)),
        _ => None,
    });
    calls.collect()
}

/// From where on the monitor must be silent.
fn demonitored(book: &Book, reference: Ref) -> Option<At> {
    let calls = demonitor_calls(book, reference);
    let ended = calls.into_iter().find(|(_, found)| *found);
    ended.map(|(at, _)| at)
}

/// `target` has ended before, for this reason if it is not that there was nobody.
fn true_end(book: &Book, at: At, target: Who, why: &Why) -> Verdict {
    demand(book.is_gone(target, at), || {
        format!("{target} was said to have ended, and lives")
    })?;
    let said = book.ends.get(&target);
    let fine = match why {
        Why::NoProcess => true,
        // Those who end in order and are not waited for say nothing themselves.
        Why::Shutdown | Why::Normal => said.is_none_or(|said| said == why),
        why => said == Some(why),
    };
    demand(fine, || format!("{target} ended for {said:?}, not {why:?}"))
}

/// Exit messages come from those who asked for an end, or who were linked and have ended.
fn exits(book: &Book) -> Verdict {
    for (at, receiver, seen) in &book.seen {
        let Seen::Exit(from, why) = seen else {
            continue;
        };
        let earlier = || book.deeds.iter().take_while(|(when, ..)| when < at);
        let asked = earlier().any(|(_, who, deed)| {
            who == from && matches!(deed, Deed::Exited(to, what) if to == receiver && what == why)
        });
        let tied = earlier().any(|(_, who, deed)| match deed {
            Deed::Linked(other, true) | Deed::Spawned(other, Bound::Linked, _) => {
                (who, other) == (from, receiver) || (who, other) == (receiver, from)
            }
            _ => false,
        });
        if !asked {
            demand(tied, || format!("{from} was never linked to {receiver}"))?;
            true_end(book, *at, *from, why)?;
        }
    }
    Ok(())
}

/// Those who have ended do nothing, have no name and are nowhere.
fn the_dead(book: &Book) -> Verdict {
    for (at, who, deed) in &book.deeds {
        demand(!book.is_gone(*who, *at), || {
            format!("{who} acts after its end")
        })?;
        let named: &[Who] = match deed {
            Deed::Whereis(_, Some(who)) | Deed::Unregistered(_, Some(who)) => &[*who],
            Deed::Registered(_, who, Ok(())) | Deed::Registered(_, _, Err(Refusal::Taken(who))) => {
                &[*who]
            }
            Deed::IsAlive(who, true) | Deed::Joined(_, who, true) => &[*who],
            Deed::Members(_, members) => members,
            _ => &[],
        };
        let ghost = named.iter().find(|who| book.is_gone(**who, *at));
        demand(ghost.is_none(), || format!("{deed:?} tells of a dead one"))?;
    }
    Ok(())
}

/// Nothing comes that was sent to an alias after its end, and one message to a reply alias.
fn aliases(book: &Book) -> Verdict {
    for (_, owner, deed) in &book.deeds {
        let (Deed::Aliased(once, reference) | Deed::MonitoredWithAlias(_, once, reference)) = deed
        else {
            continue;
        };
        let off = book.deeds.iter().find_map(|(at, _, deed)| match deed {
            Deed::Unaliased(_, of, true) if of == reference => Some(*at),
            _ => None,
        });
        let mut received = 0;
        for (sent, _, deed) in &book.deeds {
            let Deed::SentToAlias(to, of, id) = deed else {
                continue;
            };
            if of == reference {
                let came = book.receptions(*id).len();
                let late = off.is_some_and(|off| off < *sent) && came > 0;
                demand(!late && to == owner, || {
                    format!("{id} came by an alias that was off")
                })?;
                received += came;
            }
        }
        demand(*once == Once::No || received < 2, || {
            format!("the reply alias #{reference} was used twice")
        })?;
    }
    Ok(())
}

/// A timer's message comes once, not too early, and never after it was taken back.
fn timers(book: &Book) -> Verdict {
    let mut due: BTreeMap<Id, Duration> = BTreeMap::new();
    for (at, _, deed) in &book.deeds {
        match deed {
            Deed::Armed(id, when, ..) => drop(due.insert(*id, *when)),
            Deed::Cancelled(id, Some(_)) => {
                let came = book.receptions(*id);
                demand(came.is_empty(), || format!("{id} came and was taken back"))?;
            }
            Deed::Got(Some(seen)) => {
                let when = number_of(seen).and_then(|id| due.get(&id));
                let now = book.events[*at].at;
                demand(when.is_none_or(|when| *when <= now), || {
                    format!("{seen:?} came too early")
                })?;
            }
            _ => {}
        }
    }
    let twice = due.keys().find(|id| book.receptions(**id).len() > 1);
    demand(twice.is_none(), || format!("{twice:?} came twice"))
}
