//! Names that somebody tried to register while another living process held them: the latest few are remembered, for
//! those who look at the node. Written on the way to an error only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::node::Node;
use crate::pid::Pid;

/// Names whose conflicts are remembered; those with the latest attempts stay.
pub const NAME_CONFLICTS_MAX: usize = 64;

/// A name that others than its holder have tried to register, in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameConflict {
    /// The name.
    pub name: Arc<str>,
    /// Who has it.
    pub holder: Pid,
    /// Whom it was refused to last; it may have ended.
    pub refused: Pid,
    /// How often it was refused while this process held it, to whomever.
    pub times: u64,
    /// When last, on the clock of the node.
    pub last: Duration,
}

/// The conflicts of one node, the latest last.
#[derive(Default)]
pub(crate) struct Conflicts(Mutex<VecDeque<NameConflict>>);

impl Conflicts {
    #[cold]
    pub(super) fn note(&self, name: &str, holder: Pid, refused: Pid, now: Duration) {
        let mut all = self.lock();
        let at = all.iter().position(|it| &*it.name == name);
        let before = at.and_then(|at| all.remove(at));
        let known = before.filter(|it| it.holder == holder);
        if all.len() == NAME_CONFLICTS_MAX {
            all.pop_front();
        }
        all.push_back(NameConflict {
            times: known.as_ref().map_or(0, |it| it.times) + 1,
            name: known.map_or_else(|| name.into(), |it| it.name),
            holder,
            refused,
            last: now,
        });
    }

    fn all(&self) -> Vec<NameConflict> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<NameConflict>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Names that were refused because another process has them, and has them still; the one refused last comes last. Of
    /// the latest `NAME_CONFLICTS_MAX` names. Who asks for a name by [`Node::whereis_or_spawn`] is in no conflict.
    pub fn name_conflicts(&self) -> Vec<NameConflict> {
        let mut all = self.world().conflicts.all();
        all.retain(|it| self.whereis(&it.name) == Some(it.holder));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_were_refused_last_are_remembered() {
        let conflicts = Conflicts::default();
        let [holder, refused] = [1, 2].map(Pid::from_bits);
        let names = NAME_CONFLICTS_MAX + 2;
        let note = |number: usize| {
            let now = Duration::from_secs(number as u64);
            conflicts.note(&format!("name {number}"), holder, refused, now);
        };
        (0..NAME_CONFLICTS_MAX).for_each(note);
        // Refused again, it is not the oldest any more.
        note(0);
        (NAME_CONFLICTS_MAX..names).for_each(note);
        let all = conflicts.all();
        assert_eq!(all.len(), NAME_CONFLICTS_MAX);
        let has = |number: usize| all.iter().any(|it| *it.name == format!("name {number}"));
        assert_eq!(
            [0, 1, 2, 3, names - 1].map(has),
            [true, false, false, true, true]
        );
    }

    #[test]
    fn refusals_are_counted_from_the_moment_a_process_holds_the_name() {
        let conflicts = Conflicts::default();
        let [first, second, refused] = [1, 2, 3].map(Pid::from_bits);
        for (second_of, holder) in [(1, first), (2, first), (3, second)] {
            conflicts.note("orders", holder, refused, Duration::from_secs(second_of));
        }
        let expected = NameConflict {
            name: "orders".into(),
            holder: second,
            refused,
            times: 1,
            last: Duration::from_secs(3),
        };
        assert_eq!(conflicts.all(), [expected]);
    }
}
