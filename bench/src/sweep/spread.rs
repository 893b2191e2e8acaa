//! What several runs of one point come to.

use super::plan::Outcome;
use crate::report::Report;

/// Minimum, median and maximum; of an even number of values the upper middle one, as the peers'
/// tables have it.
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// None without any values.
    pub(crate) fn over(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        Some(Spread {
            min: *values.first()?,
            median: values[values.len() / 2],
            max: *values.last()?,
        })
    }

    pub(crate) fn of(outcome: &Outcome, figure: impl Fn(&Report) -> Option<f64>) -> Option<Self> {
        Self::over(outcome.reports.iter().filter_map(figure).collect())
    }

    pub(crate) fn of_value(outcome: &Outcome) -> Option<Self> {
        Self::of(outcome, |report| Some(report.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_the_upper_of_two() {
        let median = |values: &[f64]| Spread::over(values.to_vec()).map(|it| it.median);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(4.0));
        assert_eq!(median(&[]), None);
    }
}
