//! Runs one scenario over a grid of settings. Decides the order of the runs: all points once to warm up, then round
//! after round over all of them, each round shuffled by the seed, so that a machine that drifts hits all alike.

mod grid;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::args::{Args, Setting, number};
use crate::env::{self, Env};
use crate::failure::Failure;
use crate::machine::Machine;
use crate::report::Report;
use crate::scenario::{self, Scenario};

use grid::Axis;

/// Runs that one sweep may ask for.
const RUNS_MAX: u64 = 10_000;

/// What is to be run.
struct Plan {
    scenario: &'static Scenario,
    axes: Vec<Axis>,
    repeats: u64,
    warmup: u64,
    seconds: f64,
    seed: u64,
    csv: Option<PathBuf>,
    json: Option<PathBuf>,
}

/// One point of the grid and what its runs reported, warm-up left out.
struct Outcome {
    settings: Vec<Setting>,
    reports: Vec<Report>,
}

/// Everything a reader of the figures needs.
struct Sweep {
    plan: Plan,
    machine: Machine,
    outcomes: Vec<Outcome>,
}

pub(crate) fn command(name: &str, settings: Vec<Setting>) -> Result<ExitCode, Failure> {
    let plan = Plan::parse(name, settings)?;
    // A file that cannot be written is better found out now than after the last run.
    for path in plan.csv.iter().chain(&plan.json) {
        std::fs::write(path, "")?;
    }
    let sweep = plan.run(|scenario, env| (scenario.run)(env))?;
    print!("{}", table::human(&sweep));
    if let Some(path) = &sweep.plan.csv {
        std::fs::write(path, table::csv(&sweep))?;
    }
    if let Some(path) = &sweep.plan.json {
        std::fs::write(path, table::json(&sweep))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Plan {
    /// What is no setting of the sweep itself is an axis. Every point is tried against the
    /// scenario before the first one runs: a typing error must not cost an hour.
    fn parse(name: &str, settings: Vec<Setting>) -> Result<Self, Failure> {
        let scenario = scenario::find(name)?;
        let mut args = Args {
            words: Vec::new(),
            settings,
        };
        let mut whole = |key: &str, default| match args.take(key) {
            None => Ok(default),
            Some(text) => number(&text)
                .ok_or_else(|| Failure::Usage(format!("`{key}={text}` is not a whole number."))),
        };
        let (repeats, warmup, seed) =
            (whole("repeats", 3)?, whole("warmup", 1)?, whole("seed", 1)?);
        let seconds = env::seconds(args.take("seconds").as_deref().unwrap_or("1"))?;
        let plan = Plan {
            scenario,
            repeats: repeats.max(1),
            warmup,
            seconds: seconds.as_secs_f64(),
            seed,
            csv: args.take("csv").map(PathBuf::from),
            json: args.take("json").map(PathBuf::from),
            axes: Axis::all(args.settings)?,
        };
        plan.check().map(|()| plan)
    }

    fn check(&self) -> Result<(), Failure> {
        let rounds = self.repeats.saturating_add(self.warmup);
        let runs = grid::size(&self.axes).saturating_mul(rounds);
        if runs > RUNS_MAX {
            return Err(Failure::Usage(format!(
                "that is a sweep of {runs} runs, and {RUNS_MAX} are the most: give fewer values or repeats."
            )));
        }
        for settings in grid::points(&self.axes) {
            self.env(&settings)?;
        }
        Ok(())
    }

    fn env(&self, settings: &[Setting]) -> Result<Env, Failure> {
        let mut settings = settings.to_vec();
        settings.push(("secs".to_string(), self.seconds.to_string()));
        Env::new(self.scenario, &settings)
    }

    fn run(
        self,
        run: impl Fn(&Scenario, &Env) -> Result<Report, Failure>,
    ) -> Result<Sweep, Failure> {
        let mut outcomes: Vec<Outcome> = grid::points(&self.axes)
            .into_iter()
            .map(|settings| Outcome {
                settings,
                reports: Vec::new(),
            })
            .collect();
        let mut random = self.seed;
        for round in 0..self.warmup + self.repeats {
            let mut order: Vec<usize> = (0..outcomes.len()).collect();
            grid::shuffle(&mut order, &mut random);
            for index in order {
                let outcome = &mut outcomes[index];
                let report = run(self.scenario, &self.env(&outcome.settings)?)?;
                if round >= self.warmup {
                    outcome.reports.push(report);
                }
            }
        }
        Ok(Sweep {
            plan: self,
            machine: Machine::look(),
            outcomes,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::time::Duration;

    use super::*;

    pub(super) fn plan(line: &str) -> Result<Plan, Failure> {
        Plan::parse(
            "ping-pong",
            Args::parse(line.split_whitespace().map(String::from)).settings,
        )
    }

    /// A sweep whose runs are made up: the value is the number of the run.
    pub(super) fn made_up(line: &str) -> Sweep {
        let count = RefCell::new(0);
        let run = |_: &Scenario, _: &Env| {
            *count.borrow_mut() += 1;
            Ok(Report::rate(*count.borrow(), Duration::from_secs(1), "msgs/s").with("p99_us", 2.5))
        };
        plan(line).unwrap().run(run).unwrap()
    }

    #[test]
    fn every_point_is_run_as_often_as_asked_and_warm_up_does_not_count() {
        let sweep = made_up("pairs=1,2 budget=10,20,30 repeats=2 warmup=1");
        assert_eq!(sweep.outcomes.len(), 6);
        for outcome in &sweep.outcomes {
            assert_eq!(outcome.reports.len(), 2);
            assert!(outcome.reports.iter().all(|report| report.value > 6.0));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_order_and_another_one_another() {
        let order = |seed: u64| {
            let sweep = made_up(&format!("budget=1,2,3,4,5,6,7,8 seed={seed}"));
            let firsts = sweep.outcomes.iter().map(|it| it.reports[0].value);
            firsts.map(|value| value as u64).collect::<Vec<_>>()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn a_wrong_field_value_or_size_is_refused_before_anything_runs() {
        for line in [
            "bugdet=1,2",
            "budget=1,many",
            "repeats=few",
            "seconds=0",
            "budget=1,2 repeats=9999999",
        ] {
            assert_eq!(plan(line).err().map(|it| it.exit_code()), Some(2), "{line}");
        }
    }

    #[test]
    fn a_real_sweep_of_a_real_field_reports_every_point() {
        let plan = plan("budget=50,1000 workers=2 repeats=1 warmup=0 seconds=0.02").unwrap();
        let sweep = plan.run(|scenario, env| (scenario.run)(env)).unwrap();
        assert!(sweep.outcomes.iter().all(|it| it.reports[0].value > 0.0));
    }
}
