//! The modules both runtimes run, written by hand against what they have in common, and what their lines
//! mean.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::run::Outcome;
use super::table::{Better, Row};
use super::{Rows, Runs};
use crate::failure::Failure;

const PRELUDE: &str = include_str!("../../guests/lunatic/prelude.wat");

/// How much there is to do.
pub(super) struct Sizes {
    pub(super) span: Duration,
    pub(super) parked: u64,
    pub(super) hogs: u64,
    /// One for each core.
    pub(super) spawners: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Sizes {
            span: Duration::from_secs(2),
            parked: 10_000,
            hogs: 8,
            spawners: cores as u64,
        }
    }
}

/// One guest.
pub(super) struct Workload {
    pub(super) name: &'static str,
    text: &'static str,
    /// Numbers it prints, a line each.
    pub(super) lines: usize,
    pub(super) rows: Rows,
}

pub(super) const WORKLOADS: [Workload; 4] = [
    Workload {
        name: "storm",
        text: include_str!("../../guests/lunatic/storm.wat"),
        lines: 2,
        rows: |_, runs| {
            vec![Row::new(
                "spawn storm",
                "processes/s",
                Better::More,
                runs,
                rate,
            )]
        },
    },
    Workload {
        name: "ping_pong",
        text: include_str!("../../guests/lunatic/ping_pong.wat"),
        lines: 2,
        rows: |_, runs| {
            vec![Row::new(
                "ping-pong, one pair",
                "messages/s",
                Better::More,
                runs,
                rate,
            )]
        },
    },
    Workload {
        name: "hold",
        text: include_str!("../../guests/lunatic/hold.wat"),
        lines: 3,
        rows: hold,
    },
    Workload {
        name: "fairness",
        text: include_str!("../../guests/lunatic/fairness.wat"),
        lines: 3,
        rows: fairness,
    },
];

impl Workload {
    /// The module on disk.
    pub(super) fn assemble(&self, sizes: &Sizes, folder: &Path) -> Result<PathBuf, Failure> {
        let text = format!("(module\n{PRELUDE}\n{}\n)", self.text)
            .replace("NANOS", &sizes.span.as_nanos().to_string())
            .replace("SPAWNERS", &sizes.spawners.to_string())
            .replace("PARKED", &sizes.parked.to_string())
            .replace("HOGS", &sizes.hogs.to_string());
        let code = wat::parse_str(text).map_err(|error| Failure::Guest(error.to_string()))?;
        let path = folder.join(format!("{}.wasm", self.name));
        std::fs::write(&path, code)?;
        Ok(path)
    }
}

/// Of a guest that prints a count and the nanoseconds it took.
fn rate(outcome: &Outcome) -> f64 {
    outcome.lines[0] as f64 * 1e9 / outcome.lines[1] as f64
}

fn hold(sizes: &Sizes, runs: &Runs) -> Vec<Row> {
    let name = format!("{} parked", sizes.parked);
    vec![
        Row::new(&name, "bytes each", Better::Less, runs, |outcome| {
            let grown = outcome.rss_kb[1].saturating_sub(outcome.rss_kb[0]);
            grown as f64 * 1024.0 / outcome.lines[1] as f64
        }),
        Row::new(&name, "started/s", Better::More, runs, |outcome| {
            outcome.lines[1] as f64 * 1e9 / outcome.lines[2] as f64
        }),
    ]
}

fn fairness(sizes: &Sizes, runs: &Runs) -> Vec<Row> {
    let name = format!("beside {} hogs", sizes.hogs);
    vec![
        Row::new(&name, "us late, mean", Better::Less, runs, |outcome| {
            outcome.lines[1] as f64 / outcome.lines[0] as f64 / 1e3
        }),
        Row::new(&name, "us late, worst", Better::Less, runs, |outcome| {
            outcome.lines[2] as f64 / 1e3
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(rows: Rows, outcome: Outcome) -> Vec<String> {
        let runs = Runs {
            theirs: None,
            ours: vec![outcome],
        };
        let rows = rows(&Sizes::default(), &runs);
        rows.iter().map(Row::ours_text).collect()
    }

    #[test]
    fn the_figures_are_rates_bytes_and_microseconds() {
        let outcome = Outcome {
            lines: vec![0, 10, 2_000_000_000],
            rss_kb: [100, 200],
        };
        assert_eq!(figures(hold, outcome), ["10240", "5.0"]);
        let outcome = Outcome {
            lines: vec![4, 8_000, 5_000],
            rss_kb: [0, 0],
        };
        assert_eq!(figures(fairness, outcome), ["2.0", "5.0"]);
    }
}
