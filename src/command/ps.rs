//! `rusm ps`: the processes of a node that have most of something, once.

use rusm_observe::protocol::{Command, Frame};

use super::{help, rows};
use crate::door::Door;
use crate::error::Failure;
use crate::options::LookOptions;

/// Prints the table; the answer is the status of our process.
pub(super) fn run(options: &LookOptions) -> Result<u8, Failure> {
    let mut client = Door::find(options.at.as_deref())?.look()?;
    client.ask(Command::SetObserverDetail { hz: 0 })?;
    let frame = rows::ask(&mut client, &options.wanted)?;
    if options.json {
        return help::print(&format!("{}\n", frame.encode()));
    }
    help::print(&table(&frame))
}

/// A `rows` as text.
pub(super) fn table(frame: &Frame) -> String {
    let Frame::Rows {
        window,
        alive,
        matched,
        rows: shown,
        ..
    } = frame
    else {
        return String::new();
    };
    let mut lines = rows::table(shown, *window);
    lines.push(rows::summary(shown.len(), *matched, *alive));
    lines.join("\n") + "\n"
}
