//! A sweep as one page that needs nothing else: where and how it was measured, the plots, and every point.

use super::figures;
use super::plan::{Outcome, Plan, Sweep};
use super::svg::{draw, escape};
use super::table::value;
use crate::machine::COMMIT;
use crate::report::short;

const STYLE: &str = "\
body { font: 15px/1.5 sans-serif; color: #222; background: #fff; max-width: 75em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse } th, td { padding: .25em .8em; border-bottom: 1px solid #ddd; text-align: right }
th { color: #555 } tr.best { background: #e2ecf8; font-weight: bold } code { background: #f4f4f4; padding: .2em .4em }
dt { color: #555; float: left; width: 8em } dd { margin-left: 9em } figure { display: inline-block; margin: 1em 1em 0 0 }";

pub(super) fn page(sweep: &Sweep) -> String {
    let name = escape(sweep.plan.scenario.name);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{name}</title>\n\
         <style>\n{STYLE}\n</style>\n</head>\n<body>\n<h1>{name}</h1>\n<p>{}</p>\n",
        escape(sweep.plan.scenario.about)
    );
    out.push_str(&facts(sweep));
    for figure in figures::of(&sweep.plan) {
        out.push_str(&format!("<figure>\n{}</figure>\n", draw(sweep, &figure)));
    }
    out.push_str(&table(sweep));
    out.push_str("</body>\n</html>\n");
    out
}

fn facts(sweep: &Sweep) -> String {
    let (plan, machine) = (&sweep.plan, &sweep.machine);
    let mut facts = vec![
        (
            "machine",
            format!("{}, {} CPUs", machine.cpu, machine.cores),
        ),
        (
            "system",
            format!("kernel {}, {}", machine.kernel, machine.rustc),
        ),
        ("commit", COMMIT.to_string()),
        ("seed", plan.seed.to_string()),
        (
            "runs",
            format!(
                "{} of each point after {} to warm up, {} s each, shuffled",
                plan.repeats, plan.warmup, plan.seconds
            ),
        ),
    ];
    if let Some(best) = sweep.best().map(|best| &sweep.outcomes[best]) {
        let median = short(value(best).median);
        facts.push((
            "best",
            format!("{} {}: {}", median, unit(best), settings(best)),
        ));
    }
    let mut out = String::from("<dl>\n");
    for (name, what) in facts {
        out.push_str(&format!("<dt>{name}</dt><dd>{}</dd>\n", escape(&what)));
    }
    let command = escape(&command(plan));
    out.push_str(&format!(
        "<dt>repeat</dt><dd><code>{command}</code></dd>\n</dl>\n"
    ));
    out
}

fn settings(outcome: &Outcome) -> String {
    let all = outcome.settings.iter();
    let all: Vec<String> = all.map(|(key, value)| format!("{key}={value}")).collect();
    all.join(" ")
}

fn unit(outcome: &Outcome) -> &str {
    outcome.reports.first().map_or("", |report| report.unit)
}

/// What repeats the sweep.
fn command(plan: &Plan) -> String {
    let mut words = vec![
        "rusm-bench sweep".to_string(),
        plan.scenario.name.to_string(),
    ];
    let fixed = plan
        .fixed
        .iter()
        .map(|(key, value)| format!("{key}={value}"));
    let axes = plan
        .axes
        .iter()
        .map(|axis| format!("{}={}", axis.key, axis.values.join(",")));
    words.extend(fixed.chain(axes).map(|word| quoted(&word)));
    words.push(format!(
        "repeats={} warmup={} seconds={} seed={}",
        plan.repeats, plan.warmup, plan.seconds, plan.seed
    ));
    words.extend(plan.figure.iter().map(|figure| format!("figure={figure}")));
    words.join(" ")
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "=,._-/".contains(char);
    match word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn table(sweep: &Sweep) -> String {
    let mut out = String::from("<h2>Every point</h2>\n<table>\n<tr>");
    let keys = sweep.plan.axes.iter().map(|axis| axis.key.as_str());
    for head in keys.chain(["min", "median", "max", "unit"]) {
        out.push_str(&format!("<th>{}</th>", escape(head)));
    }
    out.push_str("</tr>\n");
    let best = sweep.best();
    for (index, outcome) in sweep.outcomes.iter().enumerate() {
        let class = if best == Some(index) {
            " class=\"best\""
        } else {
            ""
        };
        let spread = value(outcome);
        let values = outcome.settings.iter().map(|(_, value)| value.clone());
        let figures = [spread.min, spread.median, spread.max].map(short);
        out.push_str(&format!("<tr{class}>"));
        for cell in values.chain(figures).chain([unit(outcome).to_string()]) {
            out.push_str(&format!("<td>{}</td>", escape(&cell)));
        }
        out.push_str("</tr>\n");
    }
    out + "</table>\n"
}

#[cfg(test)]
mod tests {
    use super::super::tests::{made_up, plan};
    use super::*;

    #[test]
    fn the_page_has_machine_seed_plots_and_points_and_fetches_nothing() {
        let sweep = made_up("pairs=1,2 budget=10,20 repeats=2 warmup=0 seed=77");
        let page = page(&sweep);
        for says in [
            "77",
            COMMIT,
            &sweep.machine.kernel,
            "<svg ",
            "class=\"best\"",
        ] {
            assert!(page.contains(says), "{says}");
        }
        assert_eq!(page.matches("<tr").count(), 5);
        assert_eq!(page.matches("<svg ").count(), 3);
        assert!(!page.contains("src=") && !page.contains("href=") && !page.contains("url("));
        let outside = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!outside.contains("://"));
    }

    #[test]
    fn what_a_user_wrote_is_text() {
        let mut sweep = made_up("pairs=1 repeats=1 warmup=0");
        sweep.outcomes[0].settings[0].1 = "<b>1".into();
        sweep.plan.axes[0].values[0] = "<b>1".into();
        sweep.machine.cpu = "<i>".into();
        let page = page(&sweep);
        assert!(!page.contains("<b>") && !page.contains("<i>"));
        assert!(page.contains("&lt;b&gt;1"));
    }

    #[test]
    fn the_command_repeats_the_sweep() {
        let line = "pairs=1,2 budget=10 repeats=2 warmup=1 seconds=0.5 seed=9";
        let expected = format!("rusm-bench sweep ping-pong {line}");
        assert_eq!(command(&plan(line).unwrap()), expected);
        assert_eq!(quoted("program=my file"), "'program=my file'");
    }
}
