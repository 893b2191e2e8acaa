//! What was written is read again, and what is broken is refused with the line and the reason.

use rusm_actor::{Node, Pid};
use rusm_sched::{Address, Config, Event, Lane, Recording, TurnEnd, What};

use super::{Crash, CrashEnd, Recorded};
use crate::overview::Looker;
use crate::protocol::{Kind, TraceEvent, TraceKind, Warning};
use crate::shared::Target;
use crate::system::System;

/// One that never lived: those that do are told of by name.
fn task(number: u64) -> Address {
    Address::from_bits(u64::from(u32::MAX) << 32 | number)
}

fn lane(what: &[What]) -> Lane {
    let event = |what: &What| Event {
        at: 1_000,
        what: *what,
    };
    Lane {
        events: what.iter().map(event).collect(),
        missed: 9,
        running: Some((task(2), 1_900)),
    }
}

/// Two workers with all that can happen.
fn sample() -> Recording {
    let turn = |end| What::Turn {
        task: task(0),
        lasted: 200,
        end,
        reductions: 7,
    };
    use TurnEnd::{Ended, Moved, Spent, Waiting, Woken, Yielded};
    let turns = [Spent, Waiting, Woken, Yielded, Moved, Ended].map(turn);
    let spawn = What::Spawn {
        task: task(1),
        by: task(0),
    };
    let steal = What::Steal { from: 0, tasks: 2 };
    let others = [
        spawn,
        steal,
        What::Park,
        What::Unpark,
        What::Timers { fired: 3 },
    ];
    let overrun = What::Overrun {
        task: task(3),
        worker: 1,
        lasted: 400,
        rescued: true,
    };
    Recording {
        began: 1_000,
        taken: 2_000,
        events_max: 8,
        config: Config {
            workers: 2,
            budget: 77,
            ..Config::default()
        },
        seed: Some(5),
        workers: vec![lane(&turns), lane(&others)],
        ticker: Lane {
            running: None,
            ..lane(&[overrun])
        },
    }
}

fn recorded() -> Recorded {
    Recorded::new(sample(), "sample")
}

fn written(recorded: &Recorded) -> String {
    let mut out = Vec::new();
    recorded.write(&mut out).expect("memory takes it");
    String::from_utf8(out).expect("it is text")
}

fn refused(text: &str) -> String {
    Recorded::read(text.as_bytes()).expect_err("it makes no sense")
}

/// A node that has ended, with a process that is still there to be told of.
fn crashed() -> Recorded {
    let node = Node::start(Config {
        workers: 1,
        ..Config::default()
    });
    let node = node.expect("a node starts");
    let pid = node.spawn(|mut ctx| async move { drop(ctx.receive().await) });
    let mut recording = sample();
    let task = Address::from_bits(pid.to_bits());
    recording.workers[0].running = Some((task, 1_900));
    let target = Target {
        name: "node".into(),
        node: Node::over(node.handle()),
        reactor: None,
    };
    let warning = Warning {
        at: 1,
        kind: Kind::Pool,
        subject: "descriptors".into(),
        active: true,
        since: 1,
        evidence: "801 descriptors are open".into(),
    };
    let event = TraceEvent {
        at: 2,
        kind: TraceKind::Send,
        pid: pid.to_string(),
        other: None,
        text: "1 byte".into(),
    };
    Recorded {
        crash: Some(Crash {
            end: CrashEnd {
                reason: "SIGABRT".into(),
                at_unix_ms: 1_700_000_000_000,
                os_pid: 7,
            },
            overview: Looker::default().look(&target, System::default()),
            warnings: vec![warning],
            traced: vec![event.clone(), event],
        }),
        ..Recorded::new(recording, "sample")
    }
}

#[test]
fn what_was_saved_is_read_again() {
    let crashed = crashed();
    let running = crashed.recording.workers[0].running;
    let (task, _) = running.expect("one has a turn");
    let pid = crashed.process(task).map(|row| row.pid.clone());
    assert_eq!(pid, Some(Pid::from_bits(task.to_bits()).to_string()));
    for recorded in [recorded(), crashed] {
        let text = written(&recorded);
        assert_eq!(Recorded::read(text.as_bytes()), Ok(recorded));
    }
}

#[test]
fn a_file_that_breaks_off_is_refused_wherever_it_does() {
    let text = written(&crashed());
    for cut in 0..text.trim_end().len() {
        assert!(Recorded::read(&text.as_bytes()[..cut]).is_err(), "{cut}");
    }
    let half: String = text
        .lines()
        .take(5)
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(
        refused(&half),
        "it breaks off after line 5; record it again"
    );
    assert_eq!(
        refused(&half[..half.len() - 9]),
        "it breaks off in line 5; record it again"
    );
}

/// What is changed in a good file, and what is said about it.
const BROKEN: [(&str, &str, &str); 12] = [
    (
        "\"rusm_recording\":2",
        "\"rusm_recording\":1",
        "version 1, and this program reads 2",
    ),
    (
        "\"rusm_recording\":2",
        "\"other\":1",
        "line 1: this is no header",
    ),
    ("\"workers\":2", "\"workers\":900", "`workers` is 900"),
    (
        "\"start\":1000",
        "\"start\":9000",
        "it ends before it starts",
    ),
    (
        "\"budget\":\"77\"",
        "\"budget\":\"x\"",
        "`x` is no value for `budget`",
    ),
    ("\"lane\":1", "\"lane\":2", "there is no worker 2"),
    (
        "\"turn\":\"0.4294967295\"",
        "\"turn\":\"zero\"",
        "line 3: `turn` names no task",
    ),
    (
        "\"end\":\"spent\"",
        "\"end\":\"bored\"",
        "line 3: no turn ends by `bored`",
    ),
    ("\"park\":true", "\"dance\":true", "that is no event"),
    (
        "\"steal\":2",
        "\"steal\":-2",
        "`steal` is not a whole number",
    ),
    (
        "\"reductions\":7",
        "\"reductions\":70000000000",
        "`reductions` is too large",
    ),
    (
        "{\"events\":12}",
        "{\"events\":13}",
        "13 events were written, and 12 are there",
    ),
];

#[test]
fn what_is_no_recording_is_refused_with_the_line_and_the_reason() {
    let text = written(&recorded());
    for (from, to, sentence) in BROKEN {
        assert!(text.contains(from), "{from}");
        let why = refused(&text.replacen(from, to, 1));
        assert!(why.contains(sentence), "{from} {why}");
    }
    assert_eq!(refused("no json"), "line 1: that is no JSON object");
    assert_eq!(refused(""), "the file is empty");
    let without = text
        .lines()
        .filter(|line| !line.contains("\"lane\":\"ticker\""));
    let without: String = without.map(|line| format!("{line}\n")).collect();
    assert_eq!(refused(&without), "not all workers are in it");
}

#[test]
fn a_crash_without_its_counters_is_refused() {
    let text = written(&crashed());
    let without = text
        .lines()
        .filter(|line| !line.starts_with("{\"overview\""));
    let without: String = without.map(|line| format!("{line}\n")).collect();
    assert_eq!(refused(&without), "the overview is not in it");
    let broken = text.replacen("\"os_pid\":7", "\"os_pid\":-7", 1);
    assert!(refused(&broken).starts_with("line 1: `crash` is not what it should be"));
}
