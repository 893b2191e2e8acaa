//! How long a committer waits for those it has just answered: longer where that brought them together,
//! shorter where it was in vain, and never long beside a commit.

use std::time::Duration;

/// The shortest moment: what it costs to try again now and then.
const MOMENT_MIN: Duration = Duration::from_micros(20);
/// The longest moment, as a share of a commit.
const COMMIT_SHARE: u32 = 4;

#[derive(Debug, Default)]
pub(super) struct Patience {
    moment: Duration,
}

impl Patience {
    /// How long to wait after a commit that answered so many; not at all for a single one, whose
    /// writer gains nothing.
    pub(super) fn moment(&self, answered: usize, commit: Duration) -> Option<Duration> {
        let moment = self.moment.min(commit / COMMIT_SHARE).max(MOMENT_MIN);
        (answered > 1).then_some(moment)
    }

    /// Whether as many came as had been answered.
    pub(super) fn learn(&mut self, came: bool) {
        self.moment = match came {
            true => (self.moment.max(MOMENT_MIN) * 2).min(Duration::from_secs(1)),
            false => self.moment / 2,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_with_success_up_to_a_share_of_a_commit_and_shrinks_without() {
        let commit = Duration::from_millis(8);
        let mut patience = Patience::default();
        assert_eq!(patience.moment(1, commit), None);
        assert_eq!(patience.moment(2, commit), Some(MOMENT_MIN));
        for _ in 0..40 {
            patience.learn(true);
        }
        assert_eq!(patience.moment(2, commit), Some(Duration::from_millis(2)));
        for _ in 0..40 {
            patience.learn(false);
        }
        assert_eq!(patience.moment(2, commit), Some(MOMENT_MIN));
    }
}
