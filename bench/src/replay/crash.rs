//! The last moments of a node as text: what a flight recorder adds to a recording.

use rusm_observe::protocol::{Row, TraceEvent, TraceKind};
use rusm_observe::quiet;
use rusm_observe::recording::{Crash, Recorded};

use super::view::MS;

/// Traced events that are listed, the latest ones.
const TRACED_SHOWN_MAX: usize = 20;

/// Bytes of a name that are shown.
const NAME_BYTES_MAX: usize = 60;

/// How it ended, before everything else.
pub(super) fn end(crash: &Crash) -> String {
    format!(
        "the node ended: {}\n  program {}, at {} by Unix time\n\n",
        quiet(&crash.end.reason),
        crash.end.os_pid,
        crash.end.at_unix_ms as f64 / 1e3
    )
}

/// What else was known then.
pub(super) fn last_moments(crash: &Crash, recorded: &Recorded) -> String {
    let (all, system) = (&crash.overview.processes, &crash.overview.system);
    let memory = system
        .resident_bytes
        .map_or("?".into(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
    let mut out = format!(
        "\nat the end: {} processes ({} running, {} runnable, {} waiting), {memory} of memory\n",
        all.alive, all.running, all.runnable, all.waiting
    );
    for (worker, lane) in recorded.recording.workers.iter().enumerate() {
        let running = lane.running.and_then(|(task, _)| recorded.process(task));
        if let Some(row) = running {
            let (pid, name) = (quiet(&row.pid), who(row));
            out.push_str(&format!("in a turn on worker {worker}: {pid} {name}\n"));
        }
    }
    for warning in &crash.warnings {
        out.push_str(&format!("warned of: {}\n", quiet(&warning.evidence)));
    }
    let traced = crash.traced.len();
    if traced > 0 {
        let shown = traced.min(TRACED_SHOWN_MAX);
        out.push_str(&format!("\ntraced, the last {shown} of {traced} events:\n"));
        let latest = &crash.traced[traced - shown..];
        let taken = recorded.recording.taken as f64 / 1e3;
        latest
            .iter()
            .for_each(|event| out.push_str(&line(event, taken)));
    }
    out
}

/// With the time before the end, `taken` in microseconds.
fn line(event: &TraceEvent, taken: f64) -> String {
    let kind = match event.kind {
        TraceKind::Send => "sends to",
        TraceKind::Receive => "receives from",
        TraceKind::Spawn => "starts",
        TraceKind::Exit => "ends",
    };
    let before = (event.at as f64 - taken) / (MS / 1e3);
    let other = event.other.as_deref().unwrap_or("");
    let TraceEvent { pid, text, .. } = event;
    let what = quiet(&format!("{pid} {kind} {other}  {text}"));
    format!("{before:>12.3} ms  {what}\n")
}

/// Its name or else its body, of which the beginning says most.
pub(super) fn who(row: &Row) -> String {
    let name = row.name.as_ref().unwrap_or(&row.body);
    quiet(&name[..name.floor_char_boundary(NAME_BYTES_MAX)])
}
