//! Which plots a sweep is shown by. One axis: a line. Two: a heat map, and a line along each axis through the best
//! point. More: a heat map of the first two for each combination of the others.

use super::grid::{self, Axis};
use super::plan::{Outcome, Plan, Sweep};
use crate::args::Setting;

/// Heat maps of one sweep that are drawn: more is more than anybody looks at.
const HEATS_MAX: usize = 64;

/// One plot.
pub(super) struct Figure<'a> {
    /// For files: no two of a sweep have the same.
    pub(super) name: String,
    pub(super) kind: Kind<'a>,
}

pub(super) enum Kind<'a> {
    /// The others are as `at` says.
    Heat {
        rows: &'a Axis,
        columns: &'a Axis,
        at: Vec<Setting>,
    },
    /// The others are as in the best point.
    Line { axis: &'a Axis },
}

/// All plots of a sweep. An axis with one value is none.
pub(super) fn of(plan: &Plan) -> Vec<Figure<'_>> {
    let axes: Vec<&Axis> = plan
        .axes
        .iter()
        .filter(|axis| axis.values.len() > 1)
        .collect();
    let mut figures = Vec::new();
    if let [rows, columns, others @ ..] = &axes[..] {
        let others: Vec<Axis> = others.iter().copied().cloned().collect();
        let all = grid::points(&others).into_iter().take(HEATS_MAX);
        figures.extend(all.enumerate().map(|(index, at)| Figure {
            name: format!("heat-{}", index + 1),
            kind: Kind::Heat { rows, columns, at },
        }));
    }
    figures.extend(axes.into_iter().map(|axis| Figure {
        name: format!("line-{}", axis.key),
        kind: Kind::Line { axis },
    }));
    figures
}

/// The point that has these settings among its own.
pub(super) fn find<'a>(sweep: &'a Sweep, wanted: &[Setting]) -> Option<&'a Outcome> {
    let has = |outcome: &&Outcome| wanted.iter().all(|it| outcome.settings.contains(it));
    sweep.outcomes.iter().find(has)
}

#[cfg(test)]
mod tests {
    use super::super::tests::plan;
    use super::*;

    fn names(line: &str) -> Vec<String> {
        let plan = plan(line).unwrap();
        of(&plan).into_iter().map(|figure| figure.name).collect()
    }

    #[test]
    fn axes_decide_which_plots_there_are() {
        assert!(names("pairs=1 budget=5").is_empty());
        assert_eq!(names("pairs=1,2 budget=5"), ["line-pairs"]);
        let two = ["heat-1", "line-pairs", "line-budget"];
        assert_eq!(names("pairs=1,2 budget=5,6"), two);
        let three = ["heat-1", "heat-2", "heat-3"];
        assert_eq!(names("pairs=1,2 budget=5,6 tick=1,2,3")[..3], three);
    }
}
