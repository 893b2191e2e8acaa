//! The table: medians of both, and how much better ours is.

use std::path::Path;

use super::Runs;
use super::run::Outcome;
use crate::machine::Machine;

/// Which way is better.
#[derive(Clone, Copy)]
pub(super) enum Better {
    More,
    Less,
}

/// One figure of both.
pub(super) struct Row {
    name: String,
    unit: &'static str,
    better: Better,
    theirs: Option<f64>,
    ours: f64,
}

impl Row {
    pub(super) fn new(
        name: &str,
        unit: &'static str,
        better: Better,
        runs: &Runs,
        figure: fn(&Outcome) -> f64,
    ) -> Self {
        let median = |outcomes: &[Outcome]| {
            let mut values: Vec<f64> = outcomes.iter().map(figure).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        Row {
            name: name.to_string(),
            unit,
            better,
            theirs: runs.theirs.as_deref().map(median),
            ours: median(&runs.ours),
        }
    }

    pub(super) fn ours_text(&self) -> String {
        figure(self.ours)
    }

    /// How many times better ours is; less than 1 if it is worse.
    fn ratio(&self) -> Option<f64> {
        let theirs = self.theirs?;
        let (numerator, denominator) = match self.better {
            Better::More => (self.ours, theirs),
            Better::Less => (theirs, self.ours),
        };
        (denominator > 0.0).then(|| numerator / denominator)
    }
}

/// Large numbers whole, small ones with a decimal.
fn figure(value: f64) -> String {
    if value >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

pub(super) fn print(rows: &[Row], lunatic: Option<&Path>, rounds: usize) -> String {
    let machine = Machine::look();
    let mut out = format!(
        "{}, {} cores, kernel {}, {}; medians of {rounds}\n",
        machine.cpu, machine.cores, machine.kernel, machine.rustc,
    );
    if let Some(lunatic) = lunatic {
        out.push_str(&format!("lunatic: {}\n", lunatic.display()));
    }
    let head = ("", "", "lunatic", "rusm", "rusm is better by");
    let mut line = |(name, unit, theirs, ours, ratio): (&str, &str, &str, &str, &str)| {
        out.push_str(&format!(
            "{name:<20} {unit:<15} {theirs:>12} {ours:>12}  {ratio}\n"
        ));
    };
    line(head);
    for row in rows {
        let theirs = row.theirs.map_or("-".to_string(), figure);
        let ratio = row
            .ratio()
            .map_or("-".to_string(), |ratio| format!("{ratio:.1}x"));
        line((&row.name, row.unit, &theirs, &row.ours_text(), &ratio));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(better: Better, theirs: &[u64], ours: &[u64]) -> Row {
        let outcomes = |values: &[u64]| -> Vec<Outcome> {
            let outcome = |value: &u64| Outcome {
                lines: vec![*value],
                rss_kb: [0; 2],
            };
            values.iter().map(outcome).collect()
        };
        let runs = Runs {
            theirs: Some(outcomes(theirs)),
            ours: outcomes(ours),
        };
        Row::new("x", "y", better, &runs, |outcome| outcome.lines[0] as f64)
    }

    #[test]
    fn better_is_more_of_a_rate_and_less_of_a_cost() {
        assert_eq!(row(Better::More, &[1, 2, 9], &[8, 8, 8]).ratio(), Some(4.0));
        assert_eq!(row(Better::Less, &[8], &[2]).ratio(), Some(4.0));
        assert_eq!(row(Better::Less, &[8], &[0]).ratio(), None);
    }

    #[test]
    fn without_lunatic_the_table_has_ours_alone() {
        let row = Row {
            theirs: None,
            ..row(Better::More, &[1], &[1500])
        };
        let table = print(&[row], None, 1);
        let last = table.lines().last().unwrap_or_default();
        assert!(last.ends_with("           -         1500  -"), "{last}");
    }
}
