//! A sweep from its start to its end, on the calling thread.

use rusm_observe::protocol::Point;

use super::shared::Shared;
use crate::failure::Failure;
use crate::sweep::{Outcome, Plan, Spread, Sweep};

pub(super) fn carry_out(shared: &Shared, plan: Plan) {
    let outcome = Failure::contain(|| {
        plan.run(
            |scenario, env| (scenario.run)(env),
            |sweep, done| shared.note_points(points(sweep), done),
        )
    });
    shared.end_sweep(outcome.map(|sweep| sweep.best()));
}

/// The points that have runs that count.
fn points(sweep: &Sweep) -> Vec<Point> {
    sweep.outcomes.iter().filter_map(point).collect()
}

fn point(outcome: &Outcome) -> Option<Point> {
    let (spread, first) = (Spread::of_value(outcome)?, outcome.reports.first()?);
    let figures = first.figures().filter_map(|(name, _)| {
        let spread = Spread::of(outcome, |report| report.figure(name))?;
        // JSON has no other numbers.
        let median = Some(spread.median).filter(|it| it.is_finite())?;
        Some((name.to_string(), median))
    });
    Some(Point {
        settings: outcome.settings.iter().cloned().collect(),
        runs: outcome.reports.len() as u64,
        unit: first.unit.to_string(),
        min: spread.min,
        median: spread.median,
        max: spread.max,
        figures: figures.collect(),
    })
}
