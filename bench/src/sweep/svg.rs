//! A plot of a sweep as SVG that needs nothing else: no style sheet, no script, no font of its own.

use super::figures::{Figure, Kind, find};
use super::grid::Axis;
use super::plan::{Outcome, Sweep};
use super::table::value;
use crate::args::Setting;
use crate::report::short;

/// Where the plot begins: room for labels to the left and above.
const LEFT: usize = 110;
const TOP: usize = 40;
/// One cell of a heat map, or one value of a line.
const CELL_WIDTH: usize = 90;
const CELL_HEIGHT: usize = 36;
/// The plot of a line.
const HEIGHT: usize = 220;
/// Below the plot, for the values of an axis and its name.
const BOTTOM: usize = 50;
/// Lines at which a height can be read.
const GUIDES: usize = 4;
/// A bold letter, on the wide side.
const TITLE_CHAR_WIDTH: usize = 8;
/// Characters of a value that are written at an axis.
const LABEL_CHARS_MAX: usize = 13;

/// What has a meaning in HTML and in SVG, made to mean itself.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

pub(super) fn draw(sweep: &Sweep, figure: &Figure) -> String {
    match &figure.kind {
        Kind::Heat { rows, columns, at } => heat(sweep, rows, columns, at),
        Kind::Line { axis } => line(sweep, axis),
    }
}

/// A drawing that grows.
struct Drawing(String);

impl Drawing {
    /// Wide enough for its title.
    fn new(width: usize, height: usize, title: &str) -> Self {
        let width = width.max(title.chars().count() * TITLE_CHAR_WIDTH + 16);
        let title = escape(title);
        Drawing(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\" \
             aria-label=\"{title}\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text x=\"8\" y=\"20\" font-weight=\"bold\" fill=\"#222\">{title}</text>\n"
        ))
    }

    fn add(&mut self, element: &str) {
        self.0.push_str(element);
        self.0.push('\n');
    }

    /// `anchor`: where in the text x is.
    fn text(&mut self, (x, y): (usize, usize), anchor: &str, colour: &str, text: &str) {
        let text = escape(&shortened(text));
        self.add(&format!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>"
        ));
    }

    fn end(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LABEL_CHARS_MAX {
        return text.to_string();
    }
    let start: String = text.chars().take(LABEL_CHARS_MAX - 1).collect();
    start + "\u{2026}"
}

fn title(sweep: &Sweep, what: &str, at: &[Setting]) -> String {
    let mut title = format!("{} {}: {what}", sweep.plan.scenario.name, unit(sweep));
    for (key, value) in at {
        title.push_str(&format!(", {key}={value}"));
    }
    title
}

fn unit(sweep: &Sweep) -> &str {
    let first = sweep.outcomes.iter().find_map(|it| it.reports.first());
    first.map_or("", |report| report.unit)
}

fn heat(sweep: &Sweep, rows: &Axis, columns: &Axis, at: &[Setting]) -> String {
    let (width, height) = (
        columns.values.len() * CELL_WIDTH,
        rows.values.len() * CELL_HEIGHT,
    );
    let what = format!("{} by {}", rows.key, columns.key);
    let mut drawing = Drawing::new(
        LEFT + width + 20,
        TOP + height + BOTTOM,
        &title(sweep, &what, at),
    );
    let medians = || sweep.outcomes.iter().map(|outcome| value(outcome).median);
    let (low, high) = (
        medians().fold(f64::INFINITY, f64::min),
        medians().fold(f64::NEG_INFINITY, f64::max),
    );
    for (down, row) in rows.values.iter().enumerate() {
        let y = TOP + down * CELL_HEIGHT;
        drawing.text((LEFT - 8, y + 22), "end", "#222", row);
        for (along, column) in columns.values.iter().enumerate() {
            let mut wanted = at.to_vec();
            wanted.push((rows.key.clone(), row.clone()));
            wanted.push((columns.key.clone(), column.clone()));
            let Some(outcome) = find(sweep, &wanted) else {
                continue;
            };
            cell(
                &mut drawing,
                (LEFT + along * CELL_WIDTH, y),
                outcome,
                low,
                high,
            );
        }
    }
    drawing.text((LEFT - 8, TOP + height + 20), "end", "#777", &rows.key);
    along_the_bottom(&mut drawing, columns, TOP + height);
    drawing.end()
}

/// The darker the more.
fn cell(drawing: &mut Drawing, (x, y): (usize, usize), outcome: &Outcome, low: f64, high: f64) {
    let spread = value(outcome);
    let share = match high > low {
        true => (spread.median - low) / (high - low),
        false => 0.5,
    };
    let (fill, ink) = (colour(share), if share > 0.5 { "#fff" } else { "#222" });
    let range = format!("{} to {}", short(spread.min), short(spread.max));
    drawing.add(&format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{CELL_WIDTH}\" height=\"{CELL_HEIGHT}\" fill=\"{fill}\" \
         stroke=\"#fff\"><title>{}</title></rect>",
        escape(&range)
    ));
    drawing.text(
        (x + CELL_WIDTH / 2, y + 22),
        "middle",
        ink,
        &short(spread.median),
    );
}

/// From a light blue to a dark one.
fn colour(share: f64) -> String {
    let between = |from: f64, to: f64| (from + (to - from) * share.clamp(0.0, 1.0)).round() as u8;
    let (red, green, blue) = (
        between(226.0, 8.0),
        between(236.0, 48.0),
        between(248.0, 107.0),
    );
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn along_the_bottom(drawing: &mut Drawing, axis: &Axis, bottom: usize) {
    for (along, value) in axis.values.iter().enumerate() {
        let x = LEFT + along * CELL_WIDTH + CELL_WIDTH / 2;
        drawing.text((x, bottom + 20), "middle", "#222", value);
    }
    let middle = LEFT + axis.values.len() * CELL_WIDTH / 2;
    drawing.text((middle, bottom + 40), "middle", "#777", &axis.key);
}

/// Medians along one axis, with bars from minimum to maximum.
fn line(sweep: &Sweep, axis: &Axis) -> String {
    let best = sweep
        .best()
        .map(|best| sweep.outcomes[best].settings.clone());
    let others: Vec<Setting> = best.unwrap_or_default();
    let others: Vec<Setting> = others
        .into_iter()
        .filter(|(key, _)| *key != axis.key)
        .collect();
    let width = axis.values.len() * CELL_WIDTH;
    let mut drawing = Drawing::new(
        LEFT + width + 20,
        TOP + HEIGHT + BOTTOM,
        &title(sweep, &format!("by {}", axis.key), &others),
    );
    let spreads: Vec<_> = axis
        .values
        .iter()
        .map(|value| {
            let mut wanted = others.clone();
            wanted.push((axis.key.clone(), value.clone()));
            find(sweep, &wanted).map(super::table::value)
        })
        .collect();
    let top = spreads
        .iter()
        .flatten()
        .fold(0.0, |top: f64, it| top.max(it.max));
    let top = if top > 0.0 { top * 1.05 } else { 1.0 };
    let y = |value: f64| TOP as f64 + HEIGHT as f64 * (1.0 - value / top);
    for guide in 0..=GUIDES {
        let value = top * guide as f64 / GUIDES as f64;
        let (at, right) = (y(value), LEFT + width);
        drawing.add(&format!(
            "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/>"
        ));
        drawing.text((LEFT - 8, at as usize + 4), "end", "#222", &short(value));
    }
    let mut path = String::new();
    for (along, spread) in spreads.iter().enumerate() {
        let Some(spread) = spread else { continue };
        let x = LEFT + along * CELL_WIDTH + CELL_WIDTH / 2;
        let (low, middle, high) = (y(spread.min), y(spread.median), y(spread.max));
        let step = if path.is_empty() { 'M' } else { 'L' };
        path.push_str(&format!("{step}{x} {middle:.1}"));
        drawing.add(&format!(
            "<path d=\"M{x} {low:.1}V{high:.1}\" stroke=\"#8fb3d9\" stroke-width=\"4\"/>\
             <circle cx=\"{x}\" cy=\"{middle:.1}\" r=\"3.5\" fill=\"#08306b\"/>"
        ));
    }
    drawing.add(&format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"#08306b\" stroke-width=\"1.5\"/>"
    ));
    along_the_bottom(&mut drawing, axis, TOP + HEIGHT);
    drawing.end()
}

#[cfg(test)]
mod tests {
    use super::super::figures;
    use super::super::tests::made_up;
    use super::*;

    fn drawn(line: &str) -> Vec<String> {
        let sweep = made_up(line);
        let figures = figures::of(&sweep.plan);
        figures.iter().map(|figure| draw(&sweep, figure)).collect()
    }

    #[test]
    fn a_heat_map_has_a_cell_for_every_point_and_a_line_a_dot() {
        let drawn = drawn("pairs=1,2,3 budget=10,20 repeats=1 warmup=0");
        assert_eq!(drawn[0].matches("<title>").count(), 6);
        assert_eq!(drawn[1].matches("<circle").count(), 3);
        assert_eq!(drawn[2].matches("<circle").count(), 2);
        for plot in &drawn {
            assert!(plot.starts_with("<svg ") && plot.ends_with("</svg>\n"));
            assert!(!plot.contains("NaN") && !plot.contains("inf"));
        }
    }

    #[test]
    fn the_most_is_the_darkest_and_the_least_the_lightest() {
        assert_eq!(colour(0.0), "#e2ecf8");
        assert_eq!(colour(1.0), "#08306b");
        assert_eq!(colour(9.0), colour(1.0));
    }

    #[test]
    fn nothing_that_a_user_wrote_becomes_markup() {
        let escaped = escape("<script>'a' & \"b\"</script>");
        assert_eq!(
            escaped,
            "&lt;script&gt;&#39;a&#39; &amp; &quot;b&quot;&lt;/script&gt;"
        );
        assert_eq!(
            shortened("a value that is far too long"),
            "a value that\u{2026}"
        );
    }
}
