//! How a program ended, as our own status and as one report for the reader of stderr.

use std::io::Write;

use rusm_actor::supervisor::{Action, SupervisorReport};
use rusm_actor::{ExitReason, Fault};
use rusm_wasm::Line;
use rusm_wasm::grant::{LogLevel, Word};

/// The status of a program that did not end by itself; a shell's number for SIGABRT.
const BROKEN: u8 = 134;

/// Lines of a backtrace that are shown; a recursion without end has thousands, all alike.
const FRAMES_MAX: usize = 32;

/// What our own process says and answers when the program has ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Ending {
    pub(crate) status: u8,
    /// What to tell on stderr; nothing when the program ended as it wished.
    pub(crate) report: Option<String>,
}

impl Ending {
    /// Of the program with this file name.
    pub(crate) fn new(program: &str, reason: &ExitReason) -> Ending {
        let (status, report) = match reason {
            ExitReason::Normal => (0, None),
            ExitReason::Status(status) => (own_status(*status), None),
            ExitReason::Trap(fault) => (
                BROKEN,
                Some(with_backtrace(
                    format!("`{program}` trapped: {}", fault.text),
                    fault,
                )),
            ),
            ExitReason::Panic(fault) => (
                BROKEN,
                Some(with_backtrace(
                    format!("`{program}` met a fault of ours, a panic: {}", fault.text),
                    fault,
                )),
            ),
            ExitReason::Error(why) => (1, Some(format!("`{program}` failed: {why}"))),
            other => (BROKEN, Some(format!("`{program}` was stopped: {other}"))),
        };
        Ending { status, report }
    }
}

/// Writes one report. A closed stderr is nobody's fault and changes no status.
pub(crate) fn to_stderr(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "rusm: {}", printable(text));
}

/// The text with what would steer a terminal spelled out: names of functions, imports and exports
/// and a program's last words are whatever its author wanted them to be.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Writes a line that a guest has logged: how loud, who, what.
pub(crate) fn log(line: &Line<'_>) {
    let Line {
        level,
        pid,
        component,
        text,
        dropped,
    } = line;
    let level = level.word();
    let mut stderr = std::io::stderr().lock();
    if *dropped > 0 {
        let _ = writeln!(
            stderr,
            "{level} {component} {pid} dropped={dropped} lines, too many in a second"
        );
    }
    let _ = writeln!(stderr, "{level} {component} {pid} {text}");
}

/// Writes an event of ours: how loud, about what, what.
pub(crate) fn event(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// As `event`, while we crash: the thread that did may hold the lock of stderr, for good.
pub(crate) fn last_event(text: &str) {
    let _ = rustix::io::write(std::io::stderr(), format!("{text}\n").as_bytes());
}

/// Writes what a supervisor of an app did, if that is loud enough.
pub(crate) fn supervised(quietest: LogLevel, supervisor: &str, done: &SupervisorReport) {
    let child = &done.child;
    let reason = &done.reason;
    let said = match reason {
        ExitReason::Trap(fault) => with_backtrace(format!("trapped: {}", fault.text), fault),
        ExitReason::Panic(fault) => with_backtrace(format!("panicked: {}", fault.text), fault),
        other => other.to_string(),
    };
    let (level, text) = match done.action {
        Action::Restarted(pid) => {
            let restarts = done.restarts;
            let text = format!("{child} restarted as={pid} restarts={restarts} reason={said}");
            (LogLevel::Warn, text)
        }
        Action::Forgotten if reason.is_orderly() => (LogLevel::Info, format!("{child} ended")),
        Action::Forgotten => (LogLevel::Error, format!("{child} ended reason={said}")),
        Action::GaveUp => {
            let text = format!("{supervisor} gave-up child={child} reason={said}");
            (LogLevel::Error, text)
        }
        Action::Killed => (
            LogLevel::Warn,
            format!("{child} killed, it did not stop in its time"),
        ),
        _ => return,
    };
    if level <= quietest {
        event(&format!("{} {text}", level.word()));
    }
}

/// The system keeps eight bits of a status; a larger one must not come out as success.
fn own_status(status: i32) -> u8 {
    u8::try_from(status).unwrap_or(u8::MAX)
}

fn with_backtrace(mut report: String, fault: &Fault) -> String {
    let frames = fault
        .backtrace
        .lines()
        .map(str::trim)
        .filter(|frame| !frame.is_empty());
    for frame in frames.clone().take(FRAMES_MAX) {
        report.push_str("\n    ");
        report.push_str(frame);
    }
    let more = frames.count().saturating_sub(FRAMES_MAX);
    if more > 0 {
        report.push_str(&format!("\n    and {more} more"));
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reason: ExitReason, status: u8, report: Option<&str>) {
        let expected = Ending {
            status,
            report: report.map(str::to_owned),
        };
        assert_eq!(Ending::new("a.wasm", &reason), expected);
    }

    #[test]
    fn a_program_that_ends_by_itself_has_the_last_word() {
        check(ExitReason::Normal, 0, None);
        check(ExitReason::Status(7), 7, None);
        check(ExitReason::Status(256), 255, None);
        check(ExitReason::Status(-1), 255, None);
    }

    #[test]
    fn a_trap_is_told_once_with_its_frames() {
        let reason = ExitReason::trap("unreachable", "0: inner\n  1: _start\n");
        check(
            reason,
            134,
            Some("`a.wasm` trapped: unreachable\n    0: inner\n    1: _start"),
        );
    }

    #[test]
    fn a_long_backtrace_is_cut_where_it_repeats_itself() {
        let report = Ending::new("a.wasm", &ExitReason::trap("deep", "f\n".repeat(100))).report;
        let report = report.expect("a trap is told");
        assert_eq!(report.lines().count(), 1 + FRAMES_MAX + 1);
        assert!(report.ends_with("\n    and 68 more"));
    }

    #[test]
    fn what_would_steer_a_terminal_is_spelled_out() {
        let text = "a\nb\tc \u{1b}[2J\u{9b}31m \u{8}é";
        assert_eq!(printable(text), "a\nb\\tc \\u{1b}[2J\\u{9b}31m \\u{8}é");
    }

    #[test]
    fn a_program_that_could_not_begin_or_says_why_it_failed_is_told_with_the_reason() {
        check(
            ExitReason::error("no room"),
            1,
            Some("`a.wasm` failed: no room"),
        );
    }
}
