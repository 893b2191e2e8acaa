//! What a person should look at: which warnings there are, and which are new or over.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::protocol::{Kind, Warning};

/// Warnings at a time; further ones are not told.
const WARNINGS_MAX: usize = 100;
/// Changes that are kept for clients that have not heard of them yet.
const CHANGES_MAX: usize = 1_000;

#[derive(Default)]
pub(crate) struct Warnings(Mutex<State>);

#[derive(Default)]
struct State {
    active: BTreeMap<(Kind, String), Warning>,
    /// Each begin and end, numbered from `first`.
    changes: std::collections::VecDeque<Warning>,
    first: u64,
}

/// What somebody found out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    pub(crate) subject: String,
    pub(crate) evidence: String,
}

impl Warnings {
    /// All that is so now: what is new begins, what is not among it any more is over.
    pub(crate) fn set(&self, at: u64, findings: Vec<Finding>) {
        let mut state = self.lock();
        let mut over = std::mem::take(&mut state.active);
        for finding in findings {
            let key = (finding.kind, finding.subject.clone());
            if let Some(known) = over.remove(&key) {
                let evidence = finding.evidence;
                state.active.insert(key, Warning { evidence, ..known });
            } else if state.active.len() < WARNINGS_MAX {
                let warning = Warning {
                    at,
                    kind: finding.kind,
                    subject: finding.subject,
                    active: true,
                    since: at,
                    evidence: finding.evidence,
                };
                state.note(warning.clone());
                state.active.insert(key, warning);
            }
        }
        for (_, warning) in over {
            state.note(Warning {
                at,
                active: false,
                ..warning
            });
        }
    }

    /// Those that are there now.
    pub(crate) fn active(&self) -> Vec<Warning> {
        self.lock().active.values().cloned().collect()
    }

    /// Where somebody stands who has heard of everything.
    pub(crate) fn end(&self) -> u64 {
        let state = self.lock();
        state.first + state.changes.len() as u64
    }

    /// What has changed since `from`, and where that leads.
    pub(crate) fn since(&self, from: u64) -> (Vec<Warning>, u64) {
        let state = self.lock();
        let skip = from.saturating_sub(state.first) as usize;
        let changes = state.changes.iter().skip(skip).cloned().collect();
        (changes, state.first + state.changes.len() as u64)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, warning: Warning) {
        if self.changes.len() == CHANGES_MAX {
            self.changes.pop_front();
            self.first += 1;
        }
        self.changes.push_back(warning);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(subject: &str, evidence: &str) -> Finding {
        Finding {
            kind: Kind::Mailbox,
            subject: subject.into(),
            evidence: evidence.into(),
        }
    }

    #[test]
    fn a_warning_is_told_when_it_begins_and_when_it_is_over() {
        let warnings = Warnings::default();
        let start = warnings.end();
        warnings.set(1, vec![finding("a", "one")]);
        warnings.set(2, vec![finding("a", "two"), finding("b", "one")]);
        assert_eq!(warnings.active()[0].evidence, "two");
        assert_eq!(warnings.active()[0].since, 1);
        warnings.set(3, vec![finding("b", "one")]);
        let (changes, end) = warnings.since(start);
        let told: Vec<_> = changes
            .iter()
            .map(|it| (it.subject.as_str(), it.at, it.active))
            .collect();
        assert_eq!(told, [("a", 1, true), ("b", 2, true), ("a", 3, false)]);
        assert_eq!(warnings.since(end).0, []);
    }

    #[test]
    fn a_client_that_comes_late_misses_the_oldest_changes_only() {
        let warnings = Warnings::default();
        for at in 0..CHANGES_MAX as u64 {
            warnings.set(2 * at, vec![finding("a", "it is so")]);
            warnings.set(2 * at + 1, vec![]);
        }
        let (changes, _) = warnings.since(0);
        assert_eq!(changes.len(), CHANGES_MAX);
        assert_eq!(changes.last().map(|it| it.active), Some(false));
    }
}
