//! Numbers, names and tables as people read them in a terminal.

use rusm_observe::quiet;

/// Parts of a path of types that say enough.
const BODY_PARTS: usize = 2;

/// `1234567` is `1.23 M`: three figures.
pub(crate) fn count(number: u64) -> String {
    match number {
        0..=9_999 => number.to_string(),
        _ => scaled(
            number as f64,
            1_000.0,
            &["", " k", " M", " G", " T", " P", " E"],
        ),
    }
}

/// `9000000` is `8.58 MiB`.
pub(crate) fn bytes(number: u64) -> String {
    match number {
        0..=1_023 => format!("{number} B"),
        _ => scaled(
            number as f64,
            1_024.0,
            &["", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"],
        ),
    }
}

/// Microseconds.
pub(crate) fn micros(number: f64) -> String {
    match number {
        number if number < 1e3 => format!("{} us", figures(number)),
        number if number < 1e6 => format!("{} ms", figures(number / 1e3)),
        number if number < 100e6 => format!("{} s", figures(number / 1e6)),
        number => clock((number / 1e6) as u64),
    }
}

/// Seconds, as a clock shows them.
pub(crate) fn clock(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let rest = format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60);
    match days {
        0 => rest,
        days => format!("{days}d {rest}"),
    }
}

fn scaled(mut number: f64, step: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while number >= step && unit + 1 < units.len() {
        number /= step;
        unit += 1;
    }
    format!("{}{}", figures(number), units[unit])
}

/// Three of them, and all those before the point.
fn figures(number: f64) -> String {
    match number {
        number if number >= 99.95 || number == 0.0 => format!("{number:.0}"),
        number if number >= 9.995 => format!("{number:.1}"),
        number => format!("{number:.2}"),
    }
}

/// The function that a body was written in, without what the compiler adds:
/// `shop::clerk::{{closure}}` is `shop::clerk`.
pub(crate) fn body(name: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0;
    for c in name.chars() {
        match c {
            '<' => depth += 1,
            '>' => depth = (depth - 1).max(0),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let parts: Vec<&str> = plain
        .split("::")
        .filter(|part| !part.is_empty() && !part.starts_with('{'))
        .collect();
    let last = parts.len().saturating_sub(BODY_PARTS);
    match parts[last..].join("::") {
        empty if empty.is_empty() => quiet(name),
        short => quiet(&short),
    }
}

/// The text in so many columns, cut if it is longer.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    match text.char_indices().nth(columns) {
        Some(_) if columns == 0 => String::new(),
        Some(_) => {
            let kept: String = text.chars().take(columns - 1).collect();
            kept + "~"
        }
        None => text.to_owned(),
    }
}

/// A column: what stands above it, whether numbers stand in it, and how wide it may be.
pub(crate) struct Column {
    pub(crate) head: String,
    pub(crate) is_number: bool,
    pub(crate) width_max: usize,
}

impl Column {
    pub(crate) fn text(head: &str, width_max: usize) -> Column {
        Column {
            head: head.into(),
            is_number: false,
            width_max,
        }
    }

    pub(crate) fn number(head: &str) -> Column {
        Column {
            head: head.into(),
            is_number: true,
            width_max: 20,
        }
    }
}

/// Lines of a table, its head first.
pub(crate) fn table(columns: &[Column], rows: &[Vec<String>]) -> Vec<String> {
    let heads: Vec<String> = columns.iter().map(|column| column.head.clone()).collect();
    let lines = || std::iter::once(&heads).chain(rows);
    let width = |at: usize| {
        let widths = lines().map(|line| line[at].chars().count());
        widths.max().unwrap_or(0).min(columns[at].width_max)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let cell = |(at, text): (usize, &String)| {
        let (width, text) = (widths[at], cut(text, widths[at]));
        match columns[at].is_number {
            true => format!("{text:>width$}"),
            false => format!("{text:width$}"),
        }
    };
    let line = |cells: &Vec<String>| {
        let cells: Vec<String> = cells.iter().enumerate().map(cell).collect();
        cells.join("  ").trim_end().to_owned()
    };
    lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_figures_and_a_unit() {
        for (number, text) in [
            (0, "0"),
            (9_999, "9999"),
            (12_345, "12.3 k"),
            (7_000_000, "7.00 M"),
        ] {
            assert_eq!(count(number), text);
        }
        for (number, text) in [(144, "144 B"), (2_048, "2.00 KiB"), (9_000_000, "8.58 MiB")] {
            assert_eq!(bytes(number), text);
        }
        for (number, text) in [
            (1.2, "1.20 us"),
            (55_000.0, "55.0 ms"),
            (2.5e6, "2.50 s"),
            (3_725e6, "1:02:05"),
        ] {
            assert_eq!(micros(number), text);
        }
        assert_eq!(clock(90_061), "1d 1:01:01");
    }

    #[test]
    fn a_body_is_the_function_that_it_was_written_in() {
        for (name, short) in [
            ("shop::clerk::{{closure}}", "shop::clerk"),
            (
                "a::b::c::run<a::X, b::Y<Z>>::{{closure}}::{{closure}}",
                "c::run",
            ),
            ("<a::T as b::U>::go", "go"),
            ("{{closure}}", "{{closure}}"),
            ("a\u{1b}[2J", "a\u{fffd}[2J"),
        ] {
            assert_eq!(body(name), short, "{name}");
        }
    }

    #[test]
    fn a_table_lines_its_columns_up_and_cuts_what_is_too_long() {
        let columns = [Column::text("name", 5), Column::number("n")];
        let rows = [["a", "10"], ["longest", "7"]].map(|row| row.map(String::from).to_vec());
        assert_eq!(
            table(&columns, &rows),
            ["name    n", "a      10", "long~   7"]
        );
        assert_eq!(cut("漢字かな", 3), "漢字~");
    }
}
