//! Throughput over time, in a bounded number of points however long a run is: when they are too many, each two become
//! one.

use crate::report::tidy;

/// Points of one run that are kept: of 50 runs together they go over the wire every second.
const POINTS_MAX: usize = 400;

/// Throughput by milliseconds since the start.
pub(super) struct Series {
    points: Vec<(u64, f64)>,
    /// Looks that make a point.
    each: u32,
    /// The sum and the number of those that are not a point yet.
    open: (f64, u32),
}

impl Series {
    pub(super) fn new() -> Self {
        Series {
            points: Vec::new(),
            each: 1,
            open: (0.0, 0),
        }
    }

    /// What a look found.
    pub(super) fn note(&mut self, at_ms: u64, throughput: f64) {
        self.open.0 += throughput;
        self.open.1 += 1;
        if self.open.1 < self.each {
            return;
        }
        let (sum, count) = std::mem::take(&mut self.open);
        self.points.push((at_ms, tidy(sum / f64::from(count))));
        if self.points.len() == POINTS_MAX {
            let pairs = self.points.chunks(2);
            self.points = pairs
                .map(|pair| (pair[1].0, (pair[0].1 + pair[1].1) / 2.0))
                .collect();
            self.each *= 2;
        }
    }

    pub(super) fn into_points(self) -> Vec<(u64, f64)> {
        self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_keeps_what_every_look_found() {
        let mut series = Series::new();
        series.note(50, 10.0);
        series.note(100, 20.0);
        assert_eq!(series.into_points(), [(50, 10.0), (100, 20.0)]);
    }

    #[test]
    fn a_long_run_keeps_its_span_and_its_mean_in_fewer_points() {
        let mut series = Series::new();
        let looks = 72_000;
        for look in 1..=looks {
            series.note(look * 50, (look % 2) as f64 * 100.0);
        }
        let points = series.into_points();
        assert!((POINTS_MAX / 4..POINTS_MAX).contains(&points.len()));
        assert!(points.iter().all(|(_, rate)| (*rate - 50.0).abs() < 1e-9));
        assert!(points.is_sorted_by(|one, other| one.0 < other.0));
        assert!(points.last().unwrap().0 > looks * 50 * 9 / 10);
    }
}
