//! A sweep on paper: for people, as CSV with one row a point (machine and seed in every row, so that a row says it
//! all on its own), and as JSON with every single value.

use rusm_sched::Config;
use serde_json::{Map, Value, json};

use super::plan::Outcome;
use super::{Spread, Sweep};
use crate::machine::COMMIT;
use crate::report::{short, tidy};

pub(super) fn human(sweep: &Sweep) -> String {
    let mut out = format!(
        "{} on {}, {} cores, kernel {}, {}; seed {}\n",
        sweep.plan.scenario.name,
        sweep.machine.cpu,
        sweep.machine.cores,
        sweep.machine.kernel,
        sweep.machine.rustc,
        sweep.plan.seed
    );
    for outcome in &sweep.outcomes {
        let spread = value(outcome);
        let settings: Vec<String> = outcome
            .settings
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        out.push_str(&format!(
            "{:<40}{:>10} ({} - {}) {}\n",
            settings.join(" "),
            short(spread.median),
            short(spread.min),
            short(spread.max),
            unit(outcome),
        ));
    }
    out
}

pub(super) fn csv(sweep: &Sweep) -> String {
    let keys = sweep.plan.axes.iter().map(|axis| axis.key.as_str());
    let fixed = [
        "scenario", "unit", "runs", "min", "median", "max", "p99_us", "seconds", "seed", "cpu",
        "cores", "kernel", "rustc",
    ];
    let mut out = row(keys.chain(fixed).map(String::from));
    for outcome in &sweep.outcomes {
        let spread = value(outcome);
        let p99 = Spread::of(outcome, |report| report.figure("p99_us"));
        let values = outcome.settings.iter().map(|(_, value)| value.clone());
        out.push_str(&row(values.chain([
            sweep.plan.scenario.name.to_string(),
            unit(outcome).to_string(),
            outcome.reports.len().to_string(),
            tidy(spread.min).to_string(),
            tidy(spread.median).to_string(),
            tidy(spread.max).to_string(),
            p99.map_or(String::new(), |it| tidy(it.median).to_string()),
            sweep.plan.seconds.to_string(),
            sweep.plan.seed.to_string(),
            sweep.machine.cpu.clone(),
            sweep.machine.cores.to_string(),
            sweep.machine.kernel.clone(),
            sweep.machine.rustc.to_string(),
        ])));
    }
    out
}

pub(super) fn json(sweep: &Sweep) -> String {
    let points: Vec<Value> = sweep.outcomes.iter().map(point).collect();
    let out = json!({
        "scenario": sweep.plan.scenario.name,
        "machine": sweep.machine.json(),
        "commit": COMMIT,
        "seed": sweep.plan.seed,
        "seconds": sweep.plan.seconds,
        "repeats": sweep.plan.repeats,
        "warmup": sweep.plan.warmup,
        "defaults": defaults(),
        "points": points,
    });
    format!("{out:#}\n")
}

/// Of what is measured.
pub(super) fn value(outcome: &Outcome) -> Spread {
    Spread::of_value(outcome).expect("a point of a sweep that is over has run")
}

/// The configuration of a run, but for what its point says otherwise.
fn defaults() -> Map<String, Value> {
    let config = Config::default();
    let fields = Config::fields().iter();
    fields
        .map(|field| (field.to_string(), json!(config.get(field))))
        .collect()
}

fn point(outcome: &Outcome) -> Value {
    let settings: Map<String, Value> = outcome
        .settings
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    let spread = value(outcome);
    let values: Vec<f64> = outcome.reports.iter().map(|it| tidy(it.value)).collect();
    json!({
        "settings": settings,
        "unit": unit(outcome),
        "values": values,
        "min": tidy(spread.min),
        "median": tidy(spread.median),
        "max": tidy(spread.max),
        "p99_us": Spread::of(outcome, |report| report.figure("p99_us")).map(|it| tidy(it.median)),
    })
}

fn unit(outcome: &Outcome) -> &'static str {
    outcome.reports.first().map_or("", |report| report.unit)
}

fn row(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| quoted(&cell)).collect();
    cells.join(",") + "\n"
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::made_up;
    use super::*;

    const LINE: &str = "pairs=1,2 budget=10,20 repeats=3 warmup=0 seed=9";

    #[test]
    fn the_csv_has_a_row_for_every_point_and_as_many_cells_in_each() {
        let mut sweep = made_up(LINE);
        sweep.machine.cpu = "Plain".to_string();
        let csv = csv(&sweep);
        let rows: Vec<Vec<&str>> = csv.lines().map(|row| row.split(',').collect()).collect();
        assert_eq!(rows.len(), 5);
        assert_eq!(rows[0][..4], ["pairs", "budget", "scenario", "unit"]);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        assert_eq!(rows[1][..5], ["1", "10", "ping-pong", "msgs/s", "3"]);
        let seed = rows[0].iter().position(|cell| *cell == "seed").unwrap();
        assert_eq!(rows[4][seed], "9");
    }

    #[test]
    fn cells_with_commas_or_quotes_are_quoted() {
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(quoted("plain"), "plain");
    }

    #[test]
    fn the_json_has_the_machine_the_seed_and_every_value() {
        let out: Value = serde_json::from_str(&json(&made_up(LINE))).unwrap();
        assert_eq!(out["seed"], 9);
        assert!(out["machine"]["cores"].is_number());
        assert!(out["defaults"]["budget"].is_string());
        let point = &out["points"][3];
        assert_eq!(point["settings"], json!({ "pairs": "2", "budget": "20" }));
        assert_eq!(point["values"].as_array().unwrap().len(), 3);
        let (min, max) = (
            point["min"].as_f64().unwrap(),
            point["max"].as_f64().unwrap(),
        );
        let median = point["median"].as_f64().unwrap();
        assert!(min < median && median < max);
        assert_eq!(point["p99_us"], 2.5);
    }

    #[test]
    fn people_read_one_line_a_point_below_the_machine() {
        let out = human(&made_up(LINE));
        assert_eq!(out.lines().count(), 5);
        assert!(out.contains("pairs=2 budget=20"));
    }
}
