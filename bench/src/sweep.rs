//! Runs one scenario over a grid of settings, for the command line and for the laboratory.

mod figures;
mod files;
mod grid;
mod html;
mod plan;
mod spread;
mod svg;
mod table;

use std::process::ExitCode;

use crate::args::{Args, Setting, number};
use crate::env;
use crate::failure::Failure;

use files::Files;

pub(crate) use grid::Axis;
pub(crate) use plan::{Outcome, Plan, Sweep};
pub(crate) use spread::Spread;

pub(crate) fn command(name: &str, settings: Vec<Setting>) -> Result<ExitCode, Failure> {
    let (plan, files) = parse(name, settings)?;
    files.touch(&plan)?;
    let sweep = plan.run(|scenario, env| (scenario.run)(env), |_, _| ())?;
    print!("{}", table::human(&sweep));
    files.write(&sweep)?;
    Ok(ExitCode::SUCCESS)
}

/// What is no setting of the sweep itself is an axis.
fn parse(name: &str, settings: Vec<Setting>) -> Result<(Plan, Files), Failure> {
    let mut args = Args {
        words: Vec::new(),
        settings,
    };
    let mut whole = |key: &str, default| match args.take(key) {
        None => Ok(default),
        Some(text) => number(&text)
            .ok_or_else(|| Failure::Usage(format!("`{key}={text}` is not a whole number."))),
    };
    let (repeats, warmup, seed) = (whole("repeats", 3)?, whole("warmup", 1)?, whole("seed", 1)?);
    let seconds = env::seconds(args.take("seconds").as_deref().unwrap_or("1"))?;
    let figure = args.take("figure");
    let files = Files::of(&mut args);
    let plan = Plan {
        repeats: repeats.max(1),
        warmup,
        seconds: seconds.as_secs_f64(),
        seed,
        figure,
        ..Plan::new(name, Axis::all(args.settings)?)?
    };
    plan.check().map(|()| (plan, files))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::time::Duration;

    use super::*;
    use crate::env::Env;
    use crate::report::Report;
    use crate::scenario::Scenario;

    pub(super) fn plan(line: &str) -> Result<Plan, Failure> {
        let args = Args::parse(line.split_whitespace().map(String::from));
        parse("ping-pong", args.settings).map(|(plan, _)| plan)
    }

    /// A sweep whose runs are made up: the value is the number of the run.
    pub(super) fn made_up(line: &str) -> Sweep {
        let count = RefCell::new(0);
        let run = |_: &Scenario, _: &Env| {
            *count.borrow_mut() += 1;
            Ok(Report::rate(*count.borrow(), Duration::from_secs(1), "msgs/s").with("p99_us", 2.5))
        };
        plan(line).unwrap().run(run, |_, _| ()).unwrap()
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
    fn whoever_looks_is_told_after_each_run() {
        let told = RefCell::new(Vec::new());
        let run = |_: &Scenario, _: &Env| Ok(Report::rate(1, Duration::from_secs(1), "msgs/s"));
        let look = |sweep: &Sweep, done| {
            let counted: usize = sweep.outcomes.iter().map(|it| it.reports.len()).sum();
            told.borrow_mut().push((done, counted));
        };
        let plan = plan("pairs=1,2 repeats=1 warmup=1").unwrap();
        plan.run(run, look).unwrap();
        assert_eq!(told.into_inner(), [(1, 0), (2, 0), (3, 1), (4, 2)]);
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
    fn points_may_be_compared_by_a_figure_and_of_times_the_least_is_best() {
        let sweep = made_up("budget=1,2 repeats=1 warmup=0 figure=p99_us");
        assert_eq!(sweep.outcomes[0].reports[0].value, 2.5);
        let count = RefCell::new(0);
        let run = |_: &Scenario, _: &Env| {
            *count.borrow_mut() += 1;
            let late = f64::from(*count.borrow());
            Ok(Report::rate(1, Duration::from_secs(1), "msgs/s").with("p99_us", late))
        };
        let timed = plan("budget=1,2,3 repeats=1 warmup=0 figure=p99_us").unwrap();
        let timed = timed.run(run, |_, _| ()).unwrap();
        let best = &timed.outcomes[timed.best().unwrap()];
        assert_eq!(best.reports[0].value, 1.0);
        let unknown = plan("budget=1 repeats=1 warmup=0 figure=colour").unwrap();
        let refused = unknown.run(run, |_, _| ()).err().unwrap().to_string();
        assert!(
            refused.contains("`colour`") && refused.contains("p99_us"),
            "{refused}"
        );
    }

    #[test]
    fn what_is_wrong_or_too_much_is_refused_before_anything_runs() {
        for line in [
            "bugdet=1,2",
            "budget=1,many",
            "budget=1,0",
            "pairs=1,many",
            "pairs=",
            "secs=1,2",
            "repeats=few",
            "seconds=0",
            "budget=1,2 repeats=9999999",
            "budget=1,2 seconds=3600 repeats=20",
        ] {
            assert_eq!(plan(line).err().map(|it| it.exit_code()), Some(2), "{line}");
        }
    }

    #[test]
    fn a_real_sweep_of_a_real_field_reports_every_point() {
        let plan = plan("budget=50,1000 workers=2 repeats=1 warmup=0 seconds=0.02").unwrap();
        let sweep = plan.run(|scenario, env| (scenario.run)(env), |_, _| ());
        let outcomes = sweep.unwrap().outcomes;
        assert!(outcomes.iter().all(|it| it.reports[0].value > 0.0));
    }
}
