//! What a latency figure means here: nanoseconds in an HdrHistogram, against the due time where there is one.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The shares of a distribution that its curve is drawn through.
const SHARES: [f64; 11] = [
    0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 1.0,
];

/// Durations, to three significant digits.
#[derive(Clone)]
pub(crate) struct Latency(Histogram<u64>);

impl Latency {
    pub(crate) fn new() -> Self {
        Latency(Histogram::new(3).expect("three digits is a valid precision"))
    }

    /// One operation that nothing else waited for (a closed loop), or the lateness of one event
    /// against its own due time.
    pub(crate) fn note(&mut self, span: Duration) {
        self.0
            .record(nanos(span))
            .expect("the histogram grows as needed");
    }

    /// The lateness of an event that was due every `interval`, where being late kept the source
    /// from asking for the next ones. Those are counted with the lateness they would have had;
    /// leaving them out is the error known as coordinated omission.
    pub(crate) fn note_due_every(&mut self, interval: Duration, late: Duration) {
        self.0
            .record_correct(nanos(late), nanos(interval))
            .expect("the histogram grows as needed");
    }

    pub(crate) fn add(&mut self, other: &Latency) {
        self.0.add(&other.0).expect("both histograms grow");
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn quantile_us(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1e3
    }

    /// Microseconds by share of what was timed; no points where nothing was.
    pub(crate) fn curve(&self) -> Vec<(f64, f64)> {
        match self.count() {
            0 => Vec::new(),
            _ => curve(|share| self.quantile_us(share)),
        }
    }

    pub(crate) fn max_us(&self) -> f64 {
        self.0.max() as f64 / 1e3
    }
}

/// The curve of any distribution that knows its quantiles.
pub(crate) fn curve(quantile_us: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    SHARES.map(|share| (share, quantile_us(share))).to_vec()
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stall_of_a_ticker_counts_for_every_tick_it_swallowed() {
        let (mut plain, mut corrected) = (Latency::new(), Latency::new());
        let (tick, stall) = (Duration::from_millis(1), Duration::from_millis(10));
        plain.note(stall);
        corrected.note_due_every(tick, stall);
        assert_eq!(plain.count(), 1);
        // 10 ms late, and 9, 8, .. 1 ms for the ticks that never came.
        assert_eq!(corrected.count(), 10);
        assert!(corrected.quantile_us(0.5) < 6_000.0);
        assert_eq!(corrected.max_us(), plain.max_us());
    }

    #[test]
    fn a_punctual_tick_is_counted_once() {
        let mut latency = Latency::new();
        latency.note_due_every(Duration::from_millis(1), Duration::from_micros(50));
        assert_eq!(latency.count(), 1);
    }

    #[test]
    fn a_curve_goes_from_the_shortest_to_the_longest_and_never_down() {
        let mut latency = Latency::new();
        assert!(latency.curve().is_empty());
        for micros in [1, 2, 3, 500] {
            latency.note(Duration::from_micros(micros));
        }
        let curve = latency.curve();
        assert!(curve.is_sorted_by(|one, other| one.0 < other.0 && one.1 <= other.1));
        assert!(curve[0].1 < 1.1 && curve.last().unwrap().1 >= 500.0);
    }

    #[test]
    fn two_histograms_add_up() {
        let (mut one, mut two) = (Latency::new(), Latency::new());
        one.note(Duration::from_micros(1));
        two.note(Duration::from_micros(3));
        one.add(&two);
        assert_eq!(one.count(), 2);
        assert!((2.9..3.1).contains(&one.max_us()));
    }
}
