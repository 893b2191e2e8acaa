//! What guests log: lines with a level, of bounded length and number, that no terminal obeys.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use rusm_actor::Pid;

use crate::grant::LogLevel;
use crate::guest::State;
use crate::host::{Refusal, power};

/// Bytes of one line; what is longer is cut.
pub(crate) const LINE_BYTES_MAX: usize = 4_096;
/// Lines that one process may log in a second.
pub(crate) const LINES_PER_SECOND_MAX: u32 = 100;
/// Lines that all guests of a node may log in a second.
pub(crate) const NODE_LINES_PER_SECOND_MAX: u32 = 1_000;
/// Reductions of a line: it is written by whoever logs it.
const COST: u32 = 16;

/// A line that a guest has logged.
#[derive(Debug)]
pub struct Line<'a> {
    /// How loud.
    pub level: LogLevel,
    /// Who.
    pub pid: Pid,
    /// Its component.
    pub component: &'a str,
    /// What, in one line without control characters.
    pub text: &'a str,
    /// Lines of this process before it that were dropped, because they were too many.
    pub dropped: u32,
}

/// Counts lines, second by second.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    /// When the second began, by the node's clock.
    began: Duration,
    lines: u32,
    dropped: u32,
}

/// The counter of all guests of a node.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<Counter>);

impl Counter {
    /// One more line: may it be written? Then how many were dropped before it.
    fn count(&mut self, now: Duration, max: u32) -> Option<u32> {
        if now.saturating_sub(self.began) >= Duration::from_secs(1) {
            self.began = now;
            self.lines = 0;
        }
        if self.lines >= max {
            self.dropped = self.dropped.saturating_add(1);
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.dropped))
    }
}

impl Pace {
    fn allows(&self, now: Duration) -> bool {
        let mut counter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counter.count(now, NODE_LINES_PER_SECOND_MAX).is_some()
    }
}

/// Logs a line. Too many are dropped, and the next one says how many.
pub(crate) fn log(state: &mut State, level: LogLevel, text: &str) -> Result<(), Refusal> {
    rusm_sched::spend(COST);
    power::may_log(state, level)?;
    let Some(standing) = state.standing.clone() else {
        return Ok(());
    };
    let Some(shared) = standing.shared() else {
        return Ok(());
    };
    let Some(sink) = shared.sink() else {
        return Ok(());
    };
    let now = rusm_sched::now();
    let counter = &mut state.actor().lines;
    let Some(dropped) = counter.count(now, LINES_PER_SECOND_MAX) else {
        return Ok(());
    };
    if !shared.pace.allows(now) {
        counter.dropped = counter.dropped.saturating_add(dropped).saturating_add(1);
        return Ok(());
    }
    sink(&Line {
        level,
        pid: state.pid(),
        component: &standing.name,
        text: &harmless(text),
        dropped,
    });
    Ok(())
}

/// One line that means nothing to a terminal: control characters, and those that change how others
/// are shown, are written out.
fn harmless(text: &str) -> String {
    let cut = &text[..text.floor_char_boundary(LINE_BYTES_MAX)];
    let mut line = String::with_capacity(cut.len());
    for c in cut.chars() {
        match c {
            '\t' => line.push(c),
            c if c.is_control() || is_trick(c) => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    if cut.len() < text.len() {
        line.push('…');
    }
    line
}

/// Separators of lines, and characters that turn or hide others.
fn is_trick(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_no_terminal_obeys_it() {
        for (text, shown) in [
            ("plain \u{e4}\t1", "plain \u{e4}\t1"),
            ("a\nb\r\n", "a\\nb\\r\\n"),
            ("\x1b[2J\u{9b}1m\x07", "\\u{1b}[2J\\u{9b}1m\\u{7}"),
            ("user\u{202e}gpj", "user\\u{202e}gpj"),
        ] {
            assert_eq!(harmless(text), shown);
        }
        let long = "\u{e4}".repeat(LINE_BYTES_MAX);
        assert_eq!(harmless(&long).chars().count(), LINE_BYTES_MAX / 2 + 1);
    }

    #[test]
    fn too_many_lines_are_dropped_and_the_next_one_says_how_many() {
        let mut counter = Counter::default();
        let at = Duration::from_millis;
        assert_eq!(counter.count(at(0), 2), Some(0));
        assert_eq!(counter.count(at(1), 2), Some(0));
        assert_eq!(counter.count(at(2), 2), None);
        assert_eq!(counter.count(at(999), 2), None);
        assert_eq!(counter.count(at(1000), 2), Some(2));
        assert_eq!(counter.count(at(1001), 2), Some(0));
    }
}
