//! The table of processes, as `ps`, `top` and `attach` show it.

use rusm_observe::protocol::{Frame, Row, RowsWanted, Select};

use crate::client::{Client, ClientError};
use crate::text::{self, Column};
use rusm_observe::quiet;

/// What is spent lately is known after two looks, a second apart; after more than these it stays unknown.
const LOOKS_MAX: usize = 12;

/// The columns; the same ones for whatever is ranked, so that people find them.
pub(super) fn columns(window: bool) -> Vec<Column> {
    let (reductions, cpu) = match window {
        true => ("reds/s", "cpu %"),
        false => ("reds", "cpu"),
    };
    vec![
        Column::text("pid", 20),
        Column::text("name", 24),
        Column::text("body", 30),
        Column::text("state", 16),
        Column::number("mbox"),
        Column::number(reductions),
        Column::number(cpu),
        Column::number("memory"),
    ]
}

/// One process in these columns.
pub(super) fn cells(row: &Row, window: bool) -> Vec<String> {
    let state = match &row.waits_for {
        Some(what) => format!("waits {what}"),
        None => row.state.clone(),
    };
    let unknown = || "-".to_owned();
    let (reductions, cpu) = match window {
        true => (
            row.reductions_window.map_or_else(unknown, text::count),
            // Microseconds a second.
            row.cpu_window
                .map_or_else(unknown, |cpu| format!("{:.1}", cpu / 1e4)),
        ),
        false => (
            text::count(row.reductions),
            row.cpu.map_or_else(unknown, text::micros),
        ),
    };
    vec![
        quiet(&row.pid),
        row.name.as_deref().map_or_else(String::new, quiet),
        text::body(&row.body),
        quiet(&state),
        text::count(row.mailbox),
        reductions,
        cpu,
        text::bytes(row.memory_bytes),
    ]
}

/// The lines of the table.
pub(super) fn table(rows: &[Row], window: bool) -> Vec<String> {
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row, window)).collect();
    text::table(&columns(window), &cells)
}

/// What one `rows` says, once it says all that is wanted.
pub(super) fn ask(client: &mut Client, wanted: &RowsWanted) -> Result<Frame, ClientError> {
    client.select(Select {
        rows: Some(Some(wanted.clone())),
        ..Select::default()
    })?;
    let mut looks = 0;
    client.wait_for(|frame| {
        let Frame::Rows { rows, .. } = &frame else {
            return None;
        };
        looks += 1;
        let known = rows.is_empty() || rows.iter().any(|row| row.reductions_window.is_some());
        (!wanted.window || known || looks > LOOKS_MAX).then_some(frame)
    })
}

/// How many of how many processes a table shows.
pub(super) fn summary(shown: usize, matched: u64, alive: u64) -> String {
    match (shown as u64 == alive, matched == alive) {
        (true, _) => format!("{alive} processes"),
        (false, true) => format!("{shown} of {alive} processes"),
        (false, false) => format!("{shown} of {matched} that match, of {alive} processes"),
    }
}
