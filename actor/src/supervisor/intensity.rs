//! How many restarts are too many: a window that slides with the time.

use std::collections::VecDeque;
use std::time::Duration;

/// Restarts that a supervisor allows within its period, unless it says otherwise: as in OTP.
pub const INTENSITY_RESTARTS_MAX: u32 = 1;
/// The period that they are counted in, unless a supervisor says otherwise: as in OTP.
pub const INTENSITY_PERIOD: Duration = Duration::from_secs(5);

/// The restarts of the last period.
#[derive(Debug)]
pub(crate) struct Intensity {
    restarts_max: usize,
    period: Duration,
    /// When, the oldest first; never more than `restarts_max`.
    past: VecDeque<Duration>,
}

impl Intensity {
    pub(crate) fn new(restarts_max: u32, period: Duration) -> Self {
        Intensity {
            restarts_max: usize::try_from(restarts_max).unwrap_or(usize::MAX),
            period,
            past: VecDeque::new(),
        }
    }

    /// Notes a restart at `now`. False: it is one too many. Constant time on average.
    #[must_use]
    pub(crate) fn admit(&mut self, now: Duration) -> bool {
        while let Some(oldest) = self.past.front()
            && oldest.saturating_add(self.period) < now
        {
            self.past.pop_front();
        }
        if self.past.len() >= self.restarts_max {
            return false;
        }
        self.past.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(restarts_max: u32, period: u64, times: &[u64]) -> Vec<bool> {
        let mut window = Intensity::new(restarts_max, Duration::from_millis(period));
        let times = times.iter().copied().map(Duration::from_millis);
        times.map(|now| window.admit(now)).collect()
    }

    #[test]
    fn one_more_than_allowed_within_the_period_is_too_many() {
        assert_eq!(admitted(2, 1000, &[0, 1, 2]), [true, true, false]);
        assert_eq!(admitted(0, 1000, &[0]), [false]);
    }

    #[test]
    fn the_window_slides_and_holds_both_its_ends() {
        assert_eq!(admitted(1, 1000, &[0, 2100, 4200]), [true; 3]);
        assert_eq!(admitted(1, 1000, &[0, 1000]), [true, false]);
        assert_eq!(admitted(1, 1000, &[0, 1001]), [true, true]);
        let slid = [true, true, true, false];
        assert_eq!(admitted(2, 1000, &[0, 900, 1100, 1200]), slid);
    }

    #[test]
    fn an_endless_period_forgets_nothing() {
        let mut window = Intensity::new(1, Duration::MAX);
        assert!(window.admit(Duration::from_secs(1)));
        assert!(!window.admit(Duration::MAX));
    }
}
