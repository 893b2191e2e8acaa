//! What a process holds beside references: ends of streams, modules and supervisors, under small numbers of its
//! own. A number of one process means nothing in another.

use rusm_actor::{ExitReason, Pid, StreamReader, StreamWriter};

use crate::guest::State;
use crate::host::{Refusal, module, supervise};

/// Streams, modules and supervisors that one process may hold at a time.
pub(crate) const THINGS_MAX: usize = 1_024;

/// One of them.
pub(crate) enum Thing {
    /// The end of a stream that was offered and not accepted yet.
    Offer(StreamReader),
    Reader(StreamReader),
    Writer(StreamWriter),
    Module(module::Code),
    Supervisor(supervise::Supervised),
    /// One that is being changed into another, for the length of a function.
    Taken,
}

/// A stream or module that came in a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Came {
    pub(crate) sender: Pid,
    pub(crate) tag: u64,
    /// Zero if there was no room for it.
    pub(crate) number: u32,
}

/// A table of them, made when a process first holds one.
#[derive(Default)]
pub(crate) struct Things {
    table: Vec<Option<Thing>>,
    free: Vec<u32>,
}

impl Things {
    /// Is there room for one more?
    pub(crate) fn room(&self) -> Result<(), Refusal> {
        if self.table.len() - self.free.len() < THINGS_MAX {
            return Ok(());
        }
        Err(Refusal::Limit {
            what: "streams, modules and supervisors at a time",
            max: THINGS_MAX,
        })
    }

    /// Keeps one; its number, which is never zero.
    pub(crate) fn hold(&mut self, thing: Thing) -> Result<u32, Refusal> {
        self.room()?;
        if let Some(number) = self.free.pop() {
            self.table[number as usize - 1] = Some(thing);
            return Ok(number);
        }
        self.table.push(Some(thing));
        // There are far fewer than numbers.
        Ok(self.table.len() as u32)
    }

    pub(crate) fn get(&mut self, number: u32) -> Option<&mut Thing> {
        self.table.get_mut(index(number)?)?.as_mut()
    }

    pub(crate) fn release(&mut self, number: u32) -> Option<Thing> {
        let thing = self.table.get_mut(index(number)?)?.take()?;
        self.free.push(number);
        Some(thing)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Thing> {
        self.table.iter().flatten()
    }
}

fn index(number: u32) -> Option<usize> {
    (number as usize).checked_sub(1)
}

impl State {
    pub(crate) fn things(&mut self) -> &mut Things {
        &mut self.actor().things
    }

    /// The guest has ended for this reason: whoever reads what it wrote is told if that is not all
    /// there was to be.
    pub(crate) fn ended(&mut self, reason: &ExitReason) {
        let Some(actor) = &mut self.actor else {
            return;
        };
        if *reason == ExitReason::Normal {
            return;
        }
        for thing in std::mem::take(&mut actor.things)
            .table
            .into_iter()
            .flatten()
        {
            if let Thing::Writer(writer) = thing {
                writer.abort(reason.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rusm_actor::open_stream;

    use super::*;

    fn reader() -> Thing {
        Thing::Reader(open_stream(1).unwrap().1)
    }

    #[test]
    fn numbers_begin_with_one_and_are_used_again() {
        let mut things = Things::default();
        assert_eq!(things.hold(reader()), Ok(1));
        assert_eq!(things.hold(reader()), Ok(2));
        assert!(things.release(1).is_some());
        assert!(things.release(1).is_none() && things.get(1).is_none());
        assert_eq!(things.hold(reader()), Ok(1));
        for unknown in [0, 3, u32::MAX] {
            assert!(things.get(unknown).is_none() && things.release(unknown).is_none());
        }
        assert_eq!(things.iter().count(), 2);
    }

    #[test]
    fn there_are_not_too_many() {
        let mut things = Things::default();
        for _ in 0..THINGS_MAX {
            things.hold(reader()).unwrap();
        }
        assert!(matches!(things.hold(reader()), Err(Refusal::Limit { .. })));
        things.release(7).unwrap();
        assert_eq!(things.hold(reader()), Ok(7));
    }
}
