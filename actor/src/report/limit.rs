//! How many crash reports one node may give in a second, and how many were not given.
//!
//! A storm of crashes must not become a storm of lines. What is left out is counted, and the
//! count is told when its second is over: it is never lost.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Crash reports one node gives in a second.
pub const CRASH_REPORTS_PER_SECOND_MAX: u32 = 50;

const SECOND: Duration = Duration::from_secs(1);

/// The limit of one node.
#[derive(Default)]
pub(crate) struct Limit(Mutex<Window>);

#[derive(Default)]
struct Window {
    /// When its first crash came, in the node's time.
    begun: Duration,
    given: u32,
    dropped: u64,
}

/// What to do about a crash.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Report it; before it, that so many were dropped, if any were.
    Give { dropped_before: u64 },
    /// Do not.
    Drop,
    /// Do not; it is the first one, and the count must be told at this time.
    DropFirst { tell_at: Duration },
}

impl Limit {
    /// A process has crashed at `now`.
    pub(crate) fn judge(&self, now: Duration) -> Verdict {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = window.begun.saturating_add(SECOND);
        let mut dropped_before = 0;
        if window.given == 0 || now >= end {
            dropped_before = std::mem::take(&mut window.dropped);
            window.begun = now;
            window.given = 0;
        }
        if window.given < CRASH_REPORTS_PER_SECOND_MAX {
            window.given += 1;
            return Verdict::Give { dropped_before };
        }
        window.dropped += 1;
        match window.dropped {
            1 => Verdict::DropFirst { tell_at: end },
            _ => Verdict::Drop,
        }
    }

    /// How many were dropped and not told of yet; they count as told now.
    pub(crate) fn take_dropped(&self) -> u64 {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut window.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE_BEFORE: Verdict = Verdict::Give { dropped_before: 0 };

    fn fill(limit: &Limit, now: Duration) {
        for _ in 0..CRASH_REPORTS_PER_SECOND_MAX {
            assert_eq!(limit.judge(now), NONE_BEFORE);
        }
    }

    #[test]
    fn what_is_over_the_limit_is_counted_and_told_with_the_next_second() {
        let limit = Limit::default();
        let start = Duration::from_secs(7);
        fill(&limit, start);
        let tell_at = start + SECOND;
        assert_eq!(limit.judge(start), Verdict::DropFirst { tell_at });
        assert_eq!(limit.judge(start), Verdict::Drop);
        let next = Verdict::Give { dropped_before: 2 };
        assert_eq!(limit.judge(tell_at), next);
        assert_eq!(limit.judge(tell_at), NONE_BEFORE);
        assert_eq!(limit.take_dropped(), 0);
    }

    #[test]
    fn a_count_that_was_told_early_is_told_once_and_counting_goes_on() {
        let limit = Limit::default();
        fill(&limit, SECOND);
        let first = Verdict::DropFirst {
            tell_at: 2 * SECOND,
        };
        assert_eq!(limit.judge(SECOND), first);
        assert_eq!(limit.take_dropped(), 1);
        assert_eq!(limit.judge(SECOND), first);
        assert_eq!(limit.take_dropped(), 1);
        assert_eq!(limit.judge(3 * SECOND), NONE_BEFORE);
    }
}
