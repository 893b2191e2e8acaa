//! `rusm top`: a node at work, on a screen that refreshes itself; or once, as text or JSON.

mod keys;
mod live;
mod state;
mod terminal;
mod view;

use std::io::{IsTerminal, stdin, stdout};
use std::time::{Duration, Instant};

use rusm_observe::protocol::{Frame, RowsWanted, Select};
use serde_json::{Value, json};

use super::help;
use crate::client::{Client, ClientError};
use crate::door::Door;
use crate::error::Failure;
use crate::options::LookOptions;
use view::View;

/// What is told a second is measured over so long: microseconds.
const MEASURED: u64 = 500_000;
/// Columns where there is no terminal.
const WIDTH: usize = 120;
/// For a node to say all of it once.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Shows the node; the answer is the status of our process.
pub(super) fn run(options: LookOptions) -> Result<u8, Failure> {
    let door = Door::find(options.at.as_deref())?;
    let mut client = door.look()?;
    if options.json {
        return lines(&mut client, &options);
    }
    if options.once || !stdout().is_terminal() || !stdin().is_terminal() {
        let (text, _) = screen(&mut client, &options.wanted)?;
        return help::print(&text);
    }
    live::run(&door, client, options.wanted)
}

/// One `rows` and one `tick`, each a line.
fn lines(client: &mut Client, options: &LookOptions) -> Result<u8, Failure> {
    let rows = super::rows::ask(client, &options.wanted)?;
    let tick = client.wait_for(|frame| matches!(frame, Frame::Tick(_)).then_some(frame))?;
    help::print(&format!("{}\n{}\n", tick.encode(), rows.encode()))
}

/// One screen as text, without a word to the terminal; and the `tick` and the `rows` that are shown.
pub(super) fn screen(
    client: &mut Client,
    wanted: &RowsWanted,
) -> Result<(String, Value), ClientError> {
    let mut view = View::new(client.hello().node.clone(), client.at().to_owned());
    client.select(Select {
        rows: Some(Some(wanted.clone())),
        ..Select::default()
    })?;
    let (mut first, mut has_rows) = (None, false);
    let mut shown = json!({});
    let until = Instant::now() + TIME_MAX;
    while let Some(frame) = client.next(until)? {
        match &frame {
            Frame::Rows { rows, .. } => {
                let known = rows.iter().any(|row| row.reductions_window.is_some());
                has_rows = !wanted.window || rows.is_empty() || known;
                shown["rows"] = serde_json::to_value(&frame).unwrap_or_default();
                view.hear(frame);
            }
            Frame::Tick(tick) => {
                let at = tick.overview.at;
                let since = at.saturating_sub(*first.get_or_insert(at));
                // The first one, and one that is late enough.
                if since == 0 || since >= MEASURED {
                    shown["tick"] = serde_json::to_value(&frame).unwrap_or_default();
                    view.hear(frame);
                }
                if has_rows && since >= MEASURED {
                    break;
                }
            }
            _ => {}
        }
    }
    let mut lines = view.head(WIDTH);
    lines.push(String::new());
    lines.extend(view.table(WIDTH, usize::MAX));
    lines.push(view.summary());
    Ok((lines.join("\n") + "\n", shown))
}
