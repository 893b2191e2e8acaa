//! The order of the runs: all points once to warm up, then round after round over all of them, each round shuffled by
//! the seed, so that a machine that drifts hits all alike.

use std::sync::Arc;

use super::grid::{self, Axis};
use crate::args::Setting;
use crate::env::{self, Env};
use crate::failure::Failure;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::{self, Scenario};
use crate::watch::Watch;

/// Runs that one sweep may ask for.
const RUNS_MAX: u64 = 10_000;
/// How long all of them together may be asked to take.
const SECONDS_MAX: f64 = 24.0 * 3600.0;

/// What is to be run.
pub(crate) struct Plan {
    pub(crate) scenario: &'static Scenario,
    /// What all points have in common.
    pub(crate) fixed: Vec<Setting>,
    pub(crate) axes: Vec<Axis>,
    /// At least 1.
    pub(crate) repeats: u64,
    pub(crate) warmup: u64,
    pub(crate) seconds: f64,
    pub(crate) seed: u64,
    /// The figure that points are compared by, if not by the scenario's value.
    pub(crate) figure: Option<String>,
    /// Who looks at the runs, and may stop them.
    pub(crate) watch: Arc<Watch>,
}

/// One point of the grid and what its runs reported, warm-up left out.
pub(crate) struct Outcome {
    pub(crate) settings: Vec<Setting>,
    pub(crate) reports: Vec<Report>,
}

/// Everything a reader of the figures needs.
pub(crate) struct Sweep {
    pub(crate) plan: Plan,
    pub(crate) machine: Machine,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Plan {
    /// Each point once, for a second.
    pub(crate) fn new(name: &str, axes: Vec<Axis>) -> Result<Self, Failure> {
        Ok(Plan {
            scenario: scenario::find(name)?,
            fixed: Vec::new(),
            axes,
            repeats: 1,
            warmup: 0,
            seconds: 1.0,
            seed: 1,
            figure: None,
            watch: Arc::default(),
        })
    }

    /// Every point is tried against the scenario before the first one runs: a typing error must not cost an hour.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        env::seconds(&self.seconds.to_string())?;
        let runs = self.runs();
        if runs > RUNS_MAX {
            return Err(Failure::Usage(format!(
                "that is a sweep of {runs} runs, and {RUNS_MAX} are the most: give fewer values or repeats."
            )));
        }
        let seconds = runs as f64 * self.seconds;
        if seconds > SECONDS_MAX {
            return Err(Failure::Usage(format!(
                "that is a sweep of {seconds:.0} seconds, and {SECONDS_MAX:.0} are the most: give fewer values, \
                 repeats or seconds."
            )));
        }
        if self.axes.iter().any(|axis| axis.key == "secs") {
            return Err(Failure::Usage(
                "`secs` is no axis: all runs of a sweep take the same time, `seconds`.".into(),
            ));
        }
        for settings in grid::points(&self.axes) {
            self.env(&settings)?;
        }
        Ok(())
    }

    /// In all, those that warm up included.
    pub(crate) fn runs(&self) -> u64 {
        let rounds = self.repeats.saturating_add(self.warmup);
        self.points().saturating_mul(rounds)
    }

    pub(crate) fn points(&self) -> u64 {
        grid::size(&self.axes)
    }

    fn env(&self, settings: &[Setting]) -> Result<Env, Failure> {
        let mut all = self.fixed.clone();
        all.extend_from_slice(settings);
        all.push(("secs".to_string(), self.seconds.to_string()));
        let mut env = Env::new(self.scenario, &all)?;
        env.watch = self.watch.clone();
        Ok(env)
    }

    /// Runs all of it with `run`; `look` is told after each run how far it is, and how many are done.
    pub(crate) fn run(
        self,
        run: impl Fn(&Scenario, &Env) -> Result<Report, Failure>,
        look: impl Fn(&Sweep, u64),
    ) -> Result<Sweep, Failure> {
        let outcomes = grid::points(&self.axes).into_iter();
        let outcomes = outcomes.map(|settings| Outcome {
            settings,
            reports: Vec::new(),
        });
        let mut sweep = Sweep {
            outcomes: outcomes.collect(),
            machine: Machine::look(),
            plan: self,
        };
        let (mut random, mut done) = (sweep.plan.seed, 0);
        for round in 0..sweep.plan.warmup + sweep.plan.repeats {
            let mut order: Vec<usize> = (0..sweep.outcomes.len()).collect();
            grid::shuffle(&mut order, &mut random);
            for index in order {
                let env = sweep.plan.env(&sweep.outcomes[index].settings)?;
                let mut report = run(sweep.plan.scenario, &env)?;
                if let Some(figure) = &sweep.plan.figure {
                    report = report.led_by(figure)?;
                }
                if round >= sweep.plan.warmup {
                    sweep.outcomes[index].reports.push(report);
                }
                done += 1;
                look(&sweep, done);
            }
        }
        Ok(sweep)
    }
}

impl Sweep {
    /// The point with the greatest median, or the least one of times and sizes; the first of several.
    pub(crate) fn best(&self) -> Option<usize> {
        let medians = self.outcomes.iter().enumerate();
        let medians =
            medians.filter_map(|(at, it)| Some((at, super::Spread::of_value(it)?.median)));
        let figure = self.plan.figure.as_deref().unwrap_or_default();
        let less = ["_us", "_ns", "_kb"]
            .iter()
            .any(|unit| figure.ends_with(unit));
        let is_better = |one: f64, other: f64| if less { one < other } else { one > other };
        let best = medians.reduce(|best, other| {
            if is_better(other.1, best.1) {
                other
            } else {
                best
            }
        });
        best.map(|(at, _)| at)
    }
}
