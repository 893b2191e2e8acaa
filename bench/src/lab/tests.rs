//! The laboratory as those who look at a node see it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rusm_observe::protocol::RunState;

use super::*;

/// More than any of these takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn settings(line: &str) -> BTreeMap<String, String> {
    let pairs = line.split_whitespace().map(|pair| pair.split_once('='));
    let pairs = pairs.map(|pair| pair.unwrap());
    pairs
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}

fn order(scenario: &str, line: &str, seconds: f64) -> RunOrder {
    RunOrder {
        scenario: scenario.into(),
        settings: settings(line),
        seconds,
        seed: 1,
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "{what} does not come");
        std::thread::yield_now();
    }
}

fn over(lab: &Lab) -> Finished {
    until("the end of the run", || lab.finished().into_iter().next())
}

#[test]
fn a_run_is_seen_while_it_lasts_and_told_when_it_is_over() {
    let lab = Lab::new();
    assert!(lab.run_now().is_none() && lab.target().is_none());
    let id = lab
        .run(order("ping-pong", "pairs=2 workers=2", 0.5))
        .unwrap();
    let (run, node) = until("the node", || lab.target());
    assert_eq!(run, id);
    assert_eq!(node.handle().workers(), 2);
    let seen = until("a look", || {
        lab.run_now().filter(|run| run.throughput > 0.0)
    });
    assert_eq!(
        (seen.unit.as_str(), seen.state),
        ("msgs/s", RunState::Running)
    );
    assert!(seen.alive >= 4 && seen.peak >= seen.alive);
    let finished = over(&lab);
    assert_eq!(finished.run.state, RunState::Ended);
    assert_eq!(finished.run.unit, "msgs/s");
    assert_eq!(finished.series_unit, "msgs/s");
    assert!(finished.figures["p999_us"] > 0.0);
    assert!(finished.curve.len() > 5 && !finished.series.is_empty());
    assert_eq!(finished.config["workers"], "2");
    assert_eq!(lab.run_now(), Some(finished.run));
    assert!(lab.target().is_none());
}

/// Throughput on the way, over all of it.
fn mean(series: &[(u64, f64)]) -> f64 {
    let told = series.windows(2);
    let told = told.map(|pair| pair[1].1 * (pair[1].0 - pair[0].0) as f64);
    told.sum::<f64>() / (series[series.len() - 1].0 - series[0].0) as f64
}

#[test]
fn what_is_seen_of_a_run_while_it_lasts_is_of_the_order_of_what_it_comes_to() {
    // Of the second one, each turn does far more than one thing.
    for (scenario, line) in [("ping-pong", "workers=2"), ("fan-in", "workers=2")] {
        let lab = Lab::new();
        lab.run(order(scenario, line, 0.5)).unwrap();
        let finished = over(&lab);
        let (seen, value) = (mean(&finished.series), finished.value.unwrap());
        assert!(
            value > 0.0 && (0.5..2.0).contains(&(seen / value)),
            "{scenario}: {seen}, {value}"
        );
    }
}

#[test]
fn a_run_whose_scenario_does_not_tell_shows_the_turns_of_its_node() {
    let lab = Lab::new();
    lab.run(order("link-cascade", "n=1000 workers=2", 600.0))
        .unwrap();
    let seen = until("a look", || {
        lab.run_now().filter(|run| run.throughput > 0.0)
    });
    assert_eq!(seen.unit, "turns/s");
    lab.stop();
    assert_eq!(over(&lab).run.unit, "turns/s");
    // What it comes to has its own unit, and its course keeps that of the turns.
    lab.run(order("link-cascade", "n=1000 workers=2", 0.05))
        .unwrap();
    until("the second run", || lab.finished().get(1).cloned());
    let finished = &lab.finished()[0];
    assert_eq!(
        (finished.run.unit.as_str(), finished.series_unit.as_str()),
        ("deaths/s", "turns/s")
    );
}

#[test]
fn a_run_that_is_stopped_ends_and_makes_room_for_the_next() {
    let lab = Lab::new();
    lab.run(order("spawn-storm", "workers=2", 600.0)).unwrap();
    let busy = lab.run(order("ring", "", 1.0)).unwrap_err();
    assert_eq!(busy.code, Code::Busy);
    until("the node", || lab.target());
    lab.stop();
    let finished = over(&lab);
    assert_eq!(
        (finished.run.state, finished.run.error),
        (RunState::Stopped, None)
    );
    assert_eq!(
        (finished.run.unit.as_str(), finished.value),
        ("spawns/s", None)
    );
    let next = lab.run(order("ping-pong", "workers=2", 0.05)).unwrap();
    assert_eq!(next, 2);
    until("the second run", || lab.finished().get(1).cloned());
    assert_eq!(lab.finished()[0].run.id, 2);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_starts() {
    let lab = Lab::new();
    for (order, code, says) in [
        (order("dance", "", 1.0), Code::UnknownScenario, "`dance`"),
        (order("ring", "pace=3", 1.0), Code::BadValue, "`pace`"),
        (
            order("ring", "tokens=many", 1.0),
            Code::BadValue,
            "`tokens=many`",
        ),
        (
            order("ring", "budget=many", 1.0),
            Code::BadValue,
            "`budget`",
        ),
        (order("ring", "workers=0", 1.0), Code::BadValue, "`workers`"),
        (order("ring", "secs=3", 1.0), Code::BadValue, "`seconds`"),
        (order("ring", "", 0.0), Code::BadValue, "`0`"),
        (order("ring", "", 1e9), Code::BadValue, "3600"),
        (order("ring", "", f64::NAN), Code::BadValue, "NaN"),
    ] {
        let refusal = lab.run(order).unwrap_err();
        assert_eq!(refusal.code, code, "{refusal:?}");
        assert!(refusal.message.contains(says), "{refusal:?}");
    }
    assert_eq!(lab.set_profile("huge").unwrap_err().code, Code::BadValue);
    assert!(lab.run_now().is_none() && lab.finished().is_empty());
}

#[test]
fn a_run_that_fails_is_told_with_its_sentence() {
    let lab = Lab::new();
    lab.run(order("spawn-storm", "count=fingers", 1.0)).unwrap();
    let finished = over(&lab);
    assert_eq!(finished.run.state, RunState::Failed);
    assert!(finished.run.error.unwrap().contains("`count=fingers`"));
    assert_eq!(finished.value, None);
}

#[test]
fn a_profile_holds_for_scenarios_that_know_profiles_unless_one_is_chosen() {
    let lab = Lab::new();
    lab.set_profile("max").unwrap();
    let env = |line| order::env(&order("spawn-storm", line, 1.0), lab.shared.profile()).unwrap();
    assert_eq!(env("").text("profile"), "max");
    assert_eq!(env("profile=light").text("profile"), "light");
    assert!(order::env(&order("ring", "", 1.0), "max").is_ok());
}

#[test]
fn a_fairness_run_shows_its_processes_on_both_sides() {
    let lab = Lab::new();
    let line = "hogs=2 bystanders=3 kind=reductions";
    lab.run(order("fairness", line, 600.0)).unwrap();
    let sides = until("both sides", || {
        let run = lab.run_now()?;
        let woke =
            |side: &rusm_observe::protocol::Side| side.lanes.iter().any(|lane| lane.late.is_some());
        run.sides.first().is_some_and(woke).then_some(run.sides)
    });
    let names: Vec<&str> = sides.iter().map(|side| side.name.as_str()).collect();
    assert_eq!(names, ["rusm", "fifo"]);
    for side in &sides {
        assert_eq!(side.lanes.len(), 5);
        assert!((0.3..=1.0).contains(&side.jain), "{}", side.jain);
    }
    lab.stop();
    assert_eq!(over(&lab).run.state, RunState::Stopped);
}

fn sweep(line: &str, repeats: u64, seconds: f64) -> SweepOrder {
    let axes = settings(line).into_iter();
    let axes = axes.map(|(key, values)| (key, values.split(',').map(String::from).collect()));
    SweepOrder {
        scenario: "ping-pong".into(),
        axes: axes.collect(),
        repeats,
        warmup: 1,
        seconds,
        seed: 1,
    }
}

fn swept(lab: &Lab) -> Sweep {
    until("the end of the sweep", || {
        lab.sweep_now()
            .filter(|sweep| sweep.state != RunState::Running)
    })
}

#[test]
fn a_sweep_fills_its_points_and_names_the_best() {
    let lab = Lab::new();
    lab.sweep(sweep("budget=50,4000 workers=2", 2, 0.02))
        .unwrap();
    assert!(lab.target().is_none());
    let sweep = swept(&lab);
    assert_eq!((sweep.state, sweep.error), (RunState::Ended, None));
    assert_eq!((sweep.done, sweep.total, sweep.points.len()), (6, 6, 2));
    let best = &sweep.points[sweep.best.unwrap()];
    for point in &sweep.points {
        assert!(point.runs == 2 && point.median <= best.median);
        assert!(point.min <= point.median && point.median <= point.max);
        assert!(point.figures["p95_us"] > 0.0);
    }
}

#[test]
fn a_sweep_can_be_stopped_and_wrong_ones_do_not_begin() {
    let lab = Lab::new();
    let values = vec!["1"; 21].join(",");
    let wide = format!("budget={values} tick={values}");
    for (order, says) in [
        (sweep("budget=many", 1, 1.0), "`budget`"),
        (sweep("budget=1", 0, 1.0), "`repeats`"),
        (sweep("budget=1,2", 1_000_000, 1.0), "10000"),
        (sweep("budget=1,2", 1_000, 3600.0), "86400"),
        (sweep("budget=", 1, 1.0), "`budget`"),
        (sweep(&wide, 1, 1.0), "441"),
    ] {
        let refusal = lab.sweep(order).unwrap_err();
        assert_eq!(refusal.code, Code::BadValue);
        assert!(refusal.message.contains(says), "{refusal:?}");
    }
    lab.sweep(sweep("budget=1,2 workers=2", 1, 600.0)).unwrap();
    assert_eq!(
        lab.run(order("ring", "", 1.0)).unwrap_err().code,
        Code::Busy
    );
    lab.stop();
    assert_eq!(swept(&lab).state, RunState::Stopped);
}
