//! One workload on all programs: what they came to, and that in parts of ours.

use super::peer::Said;
use crate::report::short;
use crate::sweep::Spread;

/// One program.
pub(super) struct Row {
    name: String,
    unit: String,
    spread: Spread,
    /// The median of its runs'.
    p99_us: Option<f64>,
}

impl Row {
    /// None without any runs.
    pub(super) fn of(name: &str, runs: Vec<Said>) -> Option<Self> {
        let p99 = runs.iter().filter_map(|said| said.p99_us).collect();
        Some(Row {
            name: name.to_string(),
            unit: runs.first()?.unit.clone(),
            spread: Spread::over(runs.iter().map(|said| said.value).collect())?,
            p99_us: Spread::over(p99).map(|it| it.median),
        })
    }

    /// How many times the value of the first row this one is, if they are of the same kind.
    fn ratio(&self, first: &Row) -> Option<f64> {
        let alike = self.unit == first.unit && first.spread.median > 0.0;
        alike.then(|| self.spread.median / first.spread.median)
    }
}

pub(super) fn print(workload: &str, rows: &[Row]) -> String {
    let Some(first) = rows.first() else {
        return format!("{workload}: no program has it\n");
    };
    let mut out = format!(
        "{workload:<16}{:>10}{:>10}{:>10}  {:<14}{:>9}  of {}\n",
        "min", "median", "max", "", "p99 us", first.name
    );
    for row in rows {
        let p99 = row.p99_us.map_or("-".to_string(), short);
        let ratio = row.ratio(first);
        let ratio = ratio.map_or("-".to_string(), |ratio| format!("{ratio:.2}x"));
        out.push_str(&format!(
            "  {:<14}{:>10}{:>10}{:>10}  {:<14}{p99:>9}  {ratio}\n",
            row.name,
            short(row.spread.min),
            short(row.spread.median),
            short(row.spread.max),
            row.unit,
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, unit: &str, values: &[f64]) -> Row {
        let said = |value: &f64| Said {
            value: *value,
            unit: unit.into(),
            p99_us: Some(*value),
        };
        Row::of(name, values.iter().map(said).collect()).unwrap()
    }

    #[test]
    fn rows_are_told_in_parts_of_the_first_where_they_measure_the_same() {
        let ours = row("rusm", "msgs/s", &[90.0, 100.0, 110.0]);
        assert_eq!(row("go", "msgs/s", &[50.0]).ratio(&ours), Some(0.5));
        assert_eq!(row("odd", "miles/h", &[50.0]).ratio(&ours), None);
        let none = row("none", "msgs/s", &[0.0]);
        assert_eq!(ours.ratio(&none), None);
        let text = print("ring", &[ours, none]);
        assert!(text.contains("90.00") && text.contains("110"), "{text}");
        assert!(text.lines().last().unwrap().ends_with("0.00x"), "{text}");
    }

    #[test]
    fn a_program_without_runs_has_no_row() {
        assert!(Row::of("x", Vec::new()).is_none());
        assert!(print("ring", &[]).contains("no program"));
    }
}
