//! Whom a death concerns, and what becomes of who has died. Decisions only: nothing is started
//! or stopped here.

use std::ops::RangeInclusive;

use crate::exit::ExitReason;
use crate::supervisor::table::Key;

/// Which siblings are restarted together with a child that has died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// None: the children do not depend on each other.
    #[default]
    OneForOne,
    /// All of them.
    OneForAll,
    /// Those that were started after it.
    RestForOne,
}

/// Whether a child that has ended by itself is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    #[default]
    Permanent,
    /// Unless it ended as intended: `normal`, `shutdown`, or `shutdown` with something to say.
    Transient,
    /// Never; the supervisor forgets it.
    Temporary,
}

/// Whether a supervisor ends when significant children have ended by themselves. That one of
/// them was restarted, or stopped through its supervisor, does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoShutdown {
    /// It does not.
    #[default]
    Never,
    /// When one has.
    Any,
    /// When the last one has.
    All,
}

/// What becomes of a child that has ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Restart,
    /// It stays listed, without a process.
    Rest,
    Forget,
}

impl Strategy {
    /// The children that are stopped and started again because of the one that died, itself
    /// among them.
    pub(crate) fn reach(self, died: Key) -> RangeInclusive<Key> {
        match self {
            Strategy::OneForOne => died..=died,
            Strategy::OneForAll => Key::MIN..=Key::MAX,
            Strategy::RestForOne => died..=Key::MAX,
        }
    }
}

impl Restart {
    /// What becomes of a child that ended for `reason`.
    pub(crate) fn fate(self, reason: &ExitReason) -> Fate {
        match self {
            Restart::Temporary => Fate::Forget,
            Restart::Transient if reason.is_orderly() => Fate::Rest,
            Restart::Transient | Restart::Permanent => Fate::Restart,
        }
    }
}

impl AutoShutdown {
    /// Does the supervisor end now that a significant child has ended by itself?
    pub(crate) fn ends(self, any_left: impl FnOnce() -> bool) -> bool {
        match self {
            AutoShutdown::Never => false,
            AutoShutdown::Any => true,
            AutoShutdown::All => !any_left(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_strategy_reaches_its_siblings_and_the_dead_child() {
        let reached = |strategy: Strategy| -> Vec<Key> {
            let reach = strategy.reach(2);
            (0..5).filter(|key| reach.contains(key)).collect()
        };
        assert_eq!(reached(Strategy::OneForOne), [2]);
        assert_eq!(reached(Strategy::OneForAll), [0, 1, 2, 3, 4]);
        assert_eq!(reached(Strategy::RestForOne), [2, 3, 4]);
    }

    #[test]
    fn the_reason_decides_for_transient_children_only() {
        let said = ExitReason::shutdown_with("done", "");
        let orderly = [ExitReason::Normal, ExitReason::Shutdown, said];
        let abnormal = [
            ExitReason::Killed,
            ExitReason::error("boom"),
            ExitReason::Status(1),
        ];
        for reason in &orderly {
            assert_eq!(Restart::Transient.fate(reason), Fate::Rest, "{reason}");
        }
        for reason in &abnormal {
            assert_eq!(Restart::Transient.fate(reason), Fate::Restart, "{reason}");
        }
        for reason in orderly.iter().chain(&abnormal) {
            assert_eq!(Restart::Permanent.fate(reason), Fate::Restart, "{reason}");
            assert_eq!(Restart::Temporary.fate(reason), Fate::Forget, "{reason}");
        }
    }

    #[test]
    fn significant_children_end_their_supervisor_as_it_was_told() {
        assert!(!AutoShutdown::Never.ends(|| false));
        assert!(AutoShutdown::Any.ends(|| true));
        assert!(!AutoShutdown::All.ends(|| true));
        assert!(AutoShutdown::All.ends(|| false));
    }
}
