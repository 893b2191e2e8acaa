//! What each thread of a scheduler counts, and how it is read.
//!
//! A thread writes its own cells only, with plain stores (0.3 ns); readers sum them up. So a
//! snapshot taken while work goes on is of slightly different moments.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number with one writer.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    /// Owner only.
    #[inline(always)]
    pub(crate) fn add(&self, more: u64) {
        let sum = self.0.load(Ordering::Relaxed).wrapping_add(more);
        self.0.store(sum, Ordering::Relaxed);
    }

    /// Owner only.
    #[inline]
    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The cells of one thread.
#[derive(Default)]
pub(crate) struct Cells {
    pub(crate) spawned: Count,
    pub(crate) exited: Count,
    pub(crate) panics: Count,
    pub(crate) turns: Count,
    pub(crate) reductions: Count,
    pub(crate) steals: Count,
    pub(crate) stolen: Count,
    pub(crate) searches: Count,
    pub(crate) parks: Count,
    pub(crate) overflows: Count,
    pub(crate) busy_nanos: Count,
    /// When the thread last stopped being idle; 0 while it is idle.
    pub(crate) busy_since: Count,
    /// When the turn began that the thread takes now, if turns are timed and it is not idle.
    pub(crate) turn_began: Count,
    pub(crate) queued: Count,
    /// The address of the task whose turn it is, or that ended in the latest one; or nobody's.
    pub(crate) task: Count,
    pub(crate) wake_to_run: Latencies,
}

/// Counts by duration: four buckets for each power of two of nanoseconds.
pub(crate) struct Latencies {
    counts: [Count; BUCKETS],
    nanos: Count,
}

const BUCKETS: usize = 4 * 40;

impl Default for Latencies {
    fn default() -> Self {
        Latencies {
            counts: std::array::from_fn(|_| Count::default()),
            nanos: Count::default(),
        }
    }
}

impl Latencies {
    pub(crate) fn note(&self, nanos: u64) {
        self.counts[bucket(nanos)].add(1);
        self.nanos.add(nanos);
    }
}

fn bucket(nanos: u64) -> usize {
    let nanos = nanos.max(4);
    let power = 63 - nanos.leading_zeros() as usize;
    let quarter = (nanos >> (power - 2)) as usize & 3;
    ((power - 2) * 4 + quarter).min(BUCKETS - 1)
}

/// The greatest duration that falls into a bucket.
fn upper(bucket: usize) -> u64 {
    let (power, quarter) = (bucket / 4 + 2, (bucket % 4) as u64);
    ((5 + quarter) << (power - 2)) - 1
}

/// Durations from being woken to being run: about one wake-up in 64 turns is timed.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    nanos: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            counts: vec![0; BUCKETS],
            nanos: 0,
        }
    }
}

impl Histogram {
    /// How many wake-ups were timed.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The duration that the given share (0 to 1) of the timed wake-ups did not exceed, to
    /// within a quarter; zero when there were none.
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                return Duration::from_nanos(upper(bucket));
            }
        }
        Duration::ZERO
    }

    /// Those that were timed since `earlier`, an older look at the same scheduler.
    pub fn since(&self, earlier: &Histogram) -> Histogram {
        let counts = self.counts.iter().zip(&earlier.counts);
        Histogram {
            counts: counts
                .map(|(now, then)| now.saturating_sub(*then))
                .collect(),
            nanos: self.nanos.saturating_sub(earlier.nanos),
        }
    }

    /// All that were timed together.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// The longest duration that each bucket takes, shortest first, and how many it holds: four
    /// buckets for each power of two of nanoseconds.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let counts = self.counts.iter().enumerate();
        counts.map(|(bucket, count)| (Duration::from_nanos(upper(bucket)), *count))
    }

    fn add(&mut self, latencies: &Latencies) {
        for (sum, count) in self.counts.iter_mut().zip(&latencies.counts) {
            *sum += count.get();
        }
        self.nanos += latencies.nanos.get();
    }
}

/// What one worker, or all threads together, have done so far.
#[derive(Clone, Debug, Default)]
pub struct WorkerStats {
    /// Tasks started here.
    pub spawned: u64,
    /// Tasks ended here.
    pub exited: u64,
    /// Tasks that ended by a panic, and destructors that panicked.
    pub panics: u64,
    /// Turns given.
    pub turns: u64,
    /// Reductions spent in them.
    pub reductions: u64,
    /// Successful thefts by this worker.
    pub steals: u64,
    /// Tasks that came with them.
    pub stolen: u64,
    /// Searches for work.
    pub searches: u64,
    /// Times it went to sleep.
    pub parks: u64,
    /// Tasks that its full queue spilled into the injector.
    pub overflows: u64,
    /// Time not spent searching or asleep.
    pub busy: Duration,
    /// Tasks in its queue, as of its last look.
    pub queued: u64,
    /// From woken to run.
    pub wake_to_run: Histogram,
}

impl WorkerStats {
    /// Adds one thread's cells; `now` in nanoseconds closes a busy period that still lasts.
    pub(crate) fn add(&mut self, cells: &Cells, now: u64) {
        self.spawned += cells.spawned.get();
        self.exited += cells.exited.get();
        self.panics += cells.panics.get();
        self.turns += cells.turns.get();
        self.reductions += cells.reductions.get();
        self.steals += cells.steals.get();
        self.stolen += cells.stolen.get();
        self.searches += cells.searches.get();
        self.parks += cells.parks.get();
        self.overflows += cells.overflows.get();
        self.queued += cells.queued.get();
        let since = cells.busy_since.get();
        let lasting = if since == 0 {
            0
        } else {
            now.saturating_sub(since)
        };
        self.busy += Duration::from_nanos(cells.busy_nanos.get() + lasting);
        self.wake_to_run.add(&cells.wake_to_run);
    }
}

/// What a scheduler has done so far. Reading it costs microseconds and disturbs nobody.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Each worker's part; a rescued worker's counts go on.
    pub workers: Vec<WorkerStats>,
    /// All together, threads for blocking work and foreign threads included.
    pub total: WorkerStats,
    /// Threads that are in a turn now.
    pub running: usize,
    /// Tasks in the injector and the priority queues.
    pub injected: usize,
    /// Turns that outlived the limit so far.
    pub rescues: u64,
    /// Threads that are stuck in such turns now.
    pub stuck: usize,
    /// Overlong turns that found no spare thread left.
    pub rescues_refused: u64,
    /// Threads of the blocking pool now.
    pub blocking_threads: usize,
    /// Jobs that wait for one.
    pub blocking_queued: usize,
    /// Jobs done so far.
    pub blocking_done: u64,
    /// Jobs refused because too many waited.
    pub blocking_refused: u64,
    /// Timers that are armed.
    pub timers: usize,
    /// Times the ticker has ticked.
    pub ticks: u64,
}

impl Stats {
    /// Tasks that exist now.
    pub fn live(&self) -> u64 {
        self.total.spawned.saturating_sub(self.total.exited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_a_bucket_that_ends_at_most_a_quarter_above_it() {
        for nanos in [4, 5, 7, 100, 1_000, 123_456, 9_999_999] {
            let end = upper(bucket(nanos));
            assert!(
                end >= nanos && end <= nanos + nanos / 4 + 1,
                "{nanos}: {end}"
            );
        }
    }

    #[test]
    fn quantiles_come_from_the_counts() {
        let latencies = Latencies::default();
        for _ in 0..99 {
            latencies.note(1_000);
        }
        latencies.note(1_000_000);
        let mut histogram = Histogram::default();
        histogram.add(&latencies);
        assert_eq!(histogram.count(), 100);
        assert!(histogram.quantile(0.5) < Duration::from_nanos(1300));
        assert!(histogram.quantile(1.0) >= Duration::from_millis(1));
        assert_eq!(histogram.sum(), Duration::from_nanos(1_099_000));
        assert_eq!(
            histogram.buckets().map(|(_, count)| count).sum::<u64>(),
            100
        );
    }
}
