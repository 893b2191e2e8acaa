//! How long to wait before a child is started again: twice as long each time, up to a limit.

use std::time::Duration;

/// Pauses between the restarts of one child. The first is `first`, each further one twice the
/// one before, `pause_max` at most. A child that has lived for `pause_max` begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    pause_max: Duration,
}

impl Backoff {
    /// From `first` on, `pause_max` at most; never more than that, even the first time.
    pub fn new(first: Duration, pause_max: Duration) -> Self {
        Backoff { first, pause_max }
    }

    /// The pause before the next restart.
    pub(crate) fn pause(self, tries: &mut Tries, now: Duration) -> Duration {
        let lived = tries
            .started
            .map_or(Duration::ZERO, |at| now.saturating_sub(at));
        if lived >= self.pause_max {
            tries.count = 0;
        }
        let factor = 1_u32.checked_shl(tries.count).unwrap_or(u32::MAX);
        tries.count = tries.count.saturating_add(1);
        tries.started = None;
        self.first.saturating_mul(factor).min(self.pause_max)
    }
}

/// What a child has behind it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tries {
    /// Restarts in a row.
    count: u32,
    /// When it last came to life; `None` while it has not.
    started: Option<Duration>,
}

impl Tries {
    pub(crate) fn note_start(&mut self, now: Duration) {
        self.started = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn pauses_double_up_to_their_limit_and_never_overflow() {
        let (backoff, mut tries) = (Backoff::new(10 * MS, 75 * MS), Tries::default());
        let pauses = (0..5).map(|_| backoff.pause(&mut tries, Duration::ZERO));
        assert_eq!(
            pauses.collect::<Vec<_>>(),
            [10, 20, 40, 75, 75].map(|n| n * MS)
        );
        let (endless, mut tries) = (Backoff::new(MS, Duration::MAX), Tries::default());
        let last = (0..100).map(|_| endless.pause(&mut tries, Duration::ZERO));
        assert_eq!(last.last(), Some(MS * u32::MAX));
        let (huge, mut tries) = (Backoff::new(Duration::MAX, Duration::MAX), Tries::default());
        for _ in 0..3 {
            assert_eq!(huge.pause(&mut tries, Duration::MAX), Duration::MAX);
        }
    }

    #[test]
    fn a_child_that_has_lived_long_enough_begins_anew() {
        let (backoff, mut tries) = (Backoff::new(10 * MS, 100 * MS), Tries::default());
        assert_eq!(backoff.pause(&mut tries, Duration::ZERO), 10 * MS);
        tries.note_start(10 * MS);
        assert_eq!(backoff.pause(&mut tries, 109 * MS), 20 * MS);
        tries.note_start(200 * MS);
        assert_eq!(backoff.pause(&mut tries, 300 * MS), 10 * MS);
    }
}
