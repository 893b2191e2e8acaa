//! What stands before a mailbox with a limit: it takes the mail, whether the process runs or
//! not, and sheds what is too much.
//!
//! Mail of such a process does not go into its inbox, where nobody but the process could take
//! anything out again. It waits at the gate, signals and messages in the order they came, until
//! the process hears it. What was heard and not received yet lies in the `Mailbox`, which only
//! the process's own turns may touch; of that the gate knows the number, and how many of the
//! oldest are to be dropped.

mod ledger;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use rusm_sched::{Letter, contain, interrupt_past_guard};

use crate::limit::{MailboxInfo, MailboxLimit};
use crate::pid::Pid;
use crate::process::Process;
use crate::signal::{Signal, signal};
use crate::world::World;
use ledger::Entry;
pub(crate) use ledger::{Ledger, Unheard};

/// Parts of the table of gates: senders to different processes seldom meet at one lock.
const SHARDS: usize = 16;

/// The gates of one node.
#[derive(Default)]
pub(crate) struct Gates {
    shards: [RwLock<HashMap<Pid, Arc<Gate>>>; SHARDS],
    /// Messages shed so far by all of them, those of ended processes included.
    shed: Arc<AtomicU64>,
}

pub(crate) struct Gate {
    ledger: Mutex<Ledger>,
    shed_by_node: Arc<AtomicU64>,
}

/// What became of a letter.
#[must_use]
pub(crate) enum Offered {
    /// It was taken, or shed; so many lie unheard now.
    Done(u32),
    /// There is no room, and the sender is to know.
    Full(Letter<Signal>),
    /// The process has ended.
    Gone(Letter<Signal>),
}

impl Gates {
    pub(crate) fn make(&self, limit: MailboxLimit) -> Arc<Gate> {
        Arc::new(Gate {
            ledger: Mutex::new(Ledger::new(limit)),
            shed_by_node: self.shed.clone(),
        })
    }

    /// Puts a gate before the mailbox of `pid`, whose turn it is, or who is being started.
    pub(crate) fn put(&self, pid: Pid, gate: Arc<Gate>) {
        let shard = self.shard(pid).write();
        shard
            .unwrap_or_else(PoisonError::into_inner)
            .insert(pid, gate);
        // Whoever finds the inbox guarded finds the gate.
        rusm_sched::guard(pid.address());
    }

    fn find(&self, pid: Pid) -> Option<Arc<Gate>> {
        let shard = self.shard(pid).read();
        let shard = shard.unwrap_or_else(PoisonError::into_inner);
        shard.get(&pid).cloned()
    }

    fn remove(&self, pid: Pid) {
        let shard = self.shard(pid).write();
        shard.unwrap_or_else(PoisonError::into_inner).remove(&pid);
    }

    fn shard(&self, pid: Pid) -> &RwLock<HashMap<Pid, Arc<Gate>>> {
        &self.shards[pid.to_bits() as usize % SHARDS]
    }

    pub(crate) fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }
}

/// The gate of a process, if it has one and lives.
pub(crate) fn find(pid: Pid) -> Option<Arc<Gate>> {
    let world: Option<Arc<World>> = rusm_sched::extension_of(pid.address());
    world?.gates.find(pid)
}

/// Takes a letter for a process that has a gate; how many lie there unheard.
///
/// # Errors
/// The letter itself, when the process has ended.
pub(crate) fn post(to: Pid, letter: Letter<Signal>) -> Result<u32, Letter<Signal>> {
    let Some(gate) = find(to) else {
        return Err(letter);
    };
    match gate.offer(to, letter) {
        Offered::Done(unheard) => Ok(unheard),
        Offered::Gone(letter) => Err(letter),
        Offered::Full(letter) => {
            // This sender does not ask what becomes of it.
            gate.change(Ledger::count_one);
            discard(letter);
            Ok(0)
        }
    }
}

/// Has a process hear what lies at its gate.
fn nudge(to: Pid) {
    // The dead give the letter back.
    drop(interrupt_past_guard::<Process>(
        to.address(),
        Letter::new(Signal::Nudge),
    ));
}

/// Drops a letter that was shed. Who waits for an answer to it is told that none will come.
pub(crate) fn discard(letter: Letter<Signal>) {
    if let Signal::Call {
        from, reference, ..
    } = *letter
    {
        signal(from, Signal::Shed { reference });
    }
    // It may be another's than the sender's whose turn this is.
    contain(|| drop(letter));
}

impl Gate {
    /// Changes the ledger, and counts for the node what was shed by that.
    pub(crate) fn change<R>(&self, f: impl FnOnce(&mut Ledger) -> R) -> R {
        let mut ledger = self.lock();
        let before = ledger.shed();
        let outcome = f(&mut ledger);
        let shed = ledger.shed() - before;
        if shed > 0 {
            self.shed_by_node.fetch_add(shed, Ordering::Relaxed);
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn info(&self) -> MailboxInfo {
        self.lock().info()
    }

    /// Takes a letter from any thread.
    pub(crate) fn offer(&self, to: Pid, letter: Letter<Signal>) -> Offered {
        let (entry, unheard) = self.change(|ledger| (ledger.enter(letter), ledger.unheard()));
        match entry {
            Entry::Done { nudge: tell, shed } => {
                if tell {
                    nudge(to);
                }
                shed.into_iter().for_each(discard);
            }
            Entry::Full(letter) => return Offered::Full(letter),
            Entry::Gone(letter) => return Offered::Gone(letter),
        }
        Offered::Done(u32::try_from(unheard).unwrap_or(u32::MAX))
    }

    /// What nobody has heard when the process `me` has ended.
    pub(crate) fn close(&self, me: Pid) -> Unheard {
        let world: Option<Arc<World>> = rusm_sched::extension_of(me.address());
        if let Some(world) = world {
            world.gates.remove(me);
        }
        self.change(Ledger::close)
    }
}
