//! What is told of the last moments of a node.

use rusm_observe::protocol::{Counters, Gauges, Overview, Processes, Row, System, TraceEvent};
use rusm_observe::protocol::{TraceKind, WakeToRun};
use rusm_observe::recording::{Crash, CrashEnd, Recorded};
use serde_json::{Value, json};

use super::super::html;
use super::super::text::print;
use super::super::view::View;
use super::{recorded, sample, task};

fn row(pid: &str, name: Value, body: &str) -> Row {
    let row = json!({"pid": pid, "name": name, "body": body, "state": "running", "waits_for": null, "since": null,
        "priority": "normal", "parent": null, "mailbox": 0, "reductions": 0, "reductions_window": null, "cpu": null,
        "cpu_window": null, "memory_bytes": 0, "groups": [], "place": null});
    serde_json::from_value(row).unwrap()
}

fn traced(at: u64) -> TraceEvent {
    TraceEvent {
        at,
        kind: TraceKind::Send,
        pid: "<0.1>".into(),
        other: Some("<0.2>".into()),
        text: "1 byte".into(),
    }
}

/// A node that ended while task 2 had a turn on worker 1.
fn crashed() -> Recorded {
    let rows = [
        (
            task(2),
            row("<0.2>", json!("clerk\u{1b}[2J"), "shop::clerk"),
        ),
        (task(1), row("<0.1>", Value::Null, "shop::till")),
    ];
    let overview = Overview {
        at: 2,
        target: "node".into(),
        processes: Processes {
            alive: 7,
            running: 1,
            ..Processes::default()
        },
        counters: Counters::default(),
        gauges: Gauges::default(),
        workers: Vec::new(),
        wake_to_run: WakeToRun::default(),
        system: System::default(),
    };
    Recorded {
        processes: rows.into_iter().collect(),
        crash: Some(Crash {
            end: CrashEnd {
                reason: "SIGABRT in thread `one`".into(),
                at_unix_ms: 1_500,
                os_pid: 77,
            },
            overview,
            warnings: Vec::new(),
            traced: (0..30).map(traced).collect(),
        }),
        ..recorded(sample())
    }
}

#[test]
fn the_last_moments_of_a_node_are_told_with_names_and_nothing_a_terminal_obeys() {
    let recorded = crashed();
    let view = View::new(&recorded.recording, Some(0.0), None).unwrap();
    let text = print(&view, &recorded, 10);
    for line in [
        "the node ended: SIGABRT in thread `one`\n  program 77, at 1.5 by Unix time\n",
        "at the end: 7 processes (1 running, 0 runnable, 0 waiting), ? of memory\n",
        "in a turn on worker 1: <0.2> clerk\u{fffd}[2J\n",
        "  shop::till\n",
        "traced, the last 20 of 30 events:\n",
        // The recording was taken at 2 us, and the last event was 27 us later.
        "       0.027 ms  <0.1> sends to <0.2>  1 byte\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
    let page = html::page(&view, &recorded).unwrap();
    assert!(page.contains("\"crash\":\"SIGABRT in thread `one`\""));
    assert!(page.contains("shop::till"));
}
