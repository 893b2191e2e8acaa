//! What was saved is shown lane by lane, and the lanes show what happened when.

mod crash;

use std::collections::BTreeMap;

use rusm_observe::recording::Recorded;
use rusm_sched::{Address, Config, Event, Lane, Recording, TurnEnd, What};

use super::text::print;
use super::view::View;
use super::{Saving, html};
use crate::args::Args;
use crate::failure::Failure;

/// The tasks are 0.0, 1.0, ...
fn task(number: u64) -> Address {
    Address::from_bits(number)
}

fn turn(at: u64, lasted: u64, number: u64, end: TurnEnd) -> Event {
    let task = task(number);
    let what = What::Turn {
        task,
        lasted,
        end,
        reductions: 7,
    };
    Event { at, what }
}

fn event(at: u64, what: What) -> Event {
    Event { at, what }
}

/// A thousand nanoseconds of two workers: the first one has two tasks and sleeps; the second
/// one steals, is stuck, and is not known before 300.
fn sample() -> Recording {
    let first = vec![
        turn(1_000, 200, 0, TurnEnd::Spent),
        event(
            1_150,
            What::Spawn {
                task: task(1),
                by: task(0),
            },
        ),
        turn(1_200, 100, 1, TurnEnd::Waiting),
        event(1_300, What::Park),
        event(1_500, What::Unpark),
        event(1_500, What::Timers { fired: 3 }),
        turn(1_500, 300, 1, TurnEnd::Ended),
        event(1_800, What::Park),
    ];
    let second = vec![
        event(1_300, What::Steal { from: 0, tasks: 2 }),
        turn(1_300, 100, 2, TurnEnd::Yielded),
    ];
    let overrun = What::Overrun {
        task: task(3),
        worker: 1,
        lasted: 400,
        rescued: true,
    };
    let lane = |events, missed| Lane {
        events,
        missed,
        running: None,
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
        workers: vec![
            lane(first, 0),
            Lane {
                running: Some((task(2), 1_900)),
                ..lane(second, 9)
            },
        ],
        ticker: lane(vec![event(1_800, overrun)], 0),
    }
}

fn recorded(recording: Recording) -> Recorded {
    Recorded {
        scenario: "sample".into(),
        recording,
        processes: BTreeMap::new(),
        crash: None,
    }
}

fn lanes(from: Option<f64>, to: Option<f64>) -> String {
    let recorded = recorded(sample());
    let view = View::new(&recorded.recording, from, to).unwrap();
    print(&view, &recorded, 10)
}

#[test]
fn lanes_show_who_had_a_turn_who_slept_and_what_is_not_known() {
    let text = lanes(Some(0.0), None);
    for line in [
        "sample: 2 workers, seed 5, 0.000 to 0.001 ms of 0.001; a column is 100 ns",
        "worker 0  |DDA..AAA..|",
        "          | + P U  P |",
        "worker 1  |???CBBBB C|",
        "          |   S    ! |",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn without_a_range_all_is_shown_that_is_known_of_every_worker() {
    let text = lanes(None, None);
    assert!(
        text.contains("0.000 to 0.001 ms of 0.001; a column is 70 ns"),
        "{text}"
    );
    assert!(
        !text.contains('?') || text.matches('?').count() == 1,
        "{text}"
    );
}

#[test]
fn the_summary_adds_up_what_is_in_the_range() {
    let recording = sample();
    let view = View::new(&recording, Some(0.0), None).unwrap();
    let sums = view.sums();
    assert_eq!((sums.turns, sums.busy, sums.longest), (6, 1_200, 400));
    assert_eq!((sums.asleep, sums.parks, sums.spawns), (400, 2, 1));
    assert_eq!(
        (sums.steals, sums.stolen, sums.timers, sums.overruns),
        (1, 2, 3, 1)
    );
    assert_eq!(sums.ends, [1, 0, 1, 1, 0, 1]);
    let half = View::new(&recording, Some(0.0), Some(0.000_25)).unwrap();
    assert_eq!((half.sums().turns, half.sums().busy), (2, 250));
    let ran: Vec<(u64, u64)> = view.tasks.iter().map(|it| (it.ran, it.turns)).collect();
    assert_eq!(ran, [(400, 2), (400, 1), (200, 2), (200, 1)]);
}

#[test]
fn a_range_with_nothing_in_it_is_refused() {
    for (from, to) in [(0.0005, 0.0005), (0.0006, 0.0005), (1.0, 2.0)] {
        let refused = View::new(&sample(), Some(from), Some(to)).err().unwrap();
        assert!(
            refused.contains("the recording lasts 0.001 ms"),
            "{refused}"
        );
    }
}

#[test]
fn a_simulation_in_which_no_time_passed_is_shown() {
    let mut recording = sample();
    recording.taken = recording.began;
    recording.ticker.events.clear();
    recording.workers = vec![Lane {
        events: vec![turn(1_000, 0, 0, TurnEnd::Ended)],
        ..Lane::default()
    }];
    let view = View::new(&recording, None, None).unwrap();
    assert_eq!(view.sums().turns, 1);
    assert!(print(&view, &recorded(recording.clone()), 10).contains("worker 0  |A"));
}

#[test]
fn a_file_whose_clock_is_at_its_end_is_shown() {
    let mut recording = sample();
    recording.taken = u64::MAX;
    recording.ticker.events.clear();
    recording.workers = vec![Lane {
        missed: 1,
        running: Some((task(0), u64::MAX)),
        ..Lane::default()
    }];
    let view = View::new(&recording, None, None).unwrap();
    assert!(print(&view, &recorded(recording.clone()), 10).contains("worker 0"));
}

#[test]
fn the_page_holds_its_data_and_asks_for_nothing_from_elsewhere() {
    let recorded = Recorded {
        scenario: "</script><b>".into(),
        ..recorded(sample())
    };
    let view = View::new(&recorded.recording, None, None).unwrap();
    let page = html::page(&view, &recorded).unwrap();
    assert!(page.contains("\"lanes\":[{") && !page.contains("/*RECORDING*/"));
    assert!(page.contains("\\u003c/script>\\u003cb>"));
    assert_eq!(page.matches("</script>").count(), 1);
    for from_elsewhere in ["http:", "https:", "src=", "href=", "import"] {
        assert!(!page.contains(from_elsewhere), "{from_elsewhere}");
    }
}

#[test]
fn who_asks_to_record_what_has_no_node_is_told_so() {
    let mut saving = Saving::default();
    assert!(saving.check("sample").is_ok());
    assert!(saving.set("record", "somewhere").unwrap());
    let refused = saving.check("sample").unwrap_err();
    assert_eq!(refused.exit_code(), 2);
    assert!(
        refused.to_string().contains("`sample` has no node"),
        "{refused}"
    );
}

fn run(line: &str) -> Result<(), Failure> {
    crate::command(Args::parse(line.split_whitespace().map(String::from))).map(|_| ())
}

/// A file of this test that is gone with it.
struct Temporary(std::path::PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let name = format!("rusm-replay-{}-{name}", std::process::id());
        Temporary(std::env::temp_dir().join(name))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may not have been made.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_run_is_saved_and_replayed_and_what_makes_no_sense_exits_with_2() {
    let (saved, page) = (Temporary::new("saved"), Temporary::new("page"));
    let (file, html) = (saved.0.display(), page.0.display());
    run(&format!(
        "run ring 0.05 procs=10 record={file} record_events=500"
    ))
    .unwrap();
    run(&format!("replay {file} html={html} width=40")).unwrap();
    let text = std::fs::read_to_string(&saved.0).unwrap();
    let Recorded {
        scenario,
        recording,
        ..
    } = Recorded::read(text.as_bytes()).unwrap();
    assert_eq!((scenario.as_str(), recording.events_max), ("ring", 500));
    let turns = recording.workers.iter().flat_map(|lane| &lane.events);
    assert!(
        turns
            .filter(|it| matches!(it.what, What::Turn { .. }))
            .count()
            > 100
    );
    assert!(
        std::fs::read_to_string(&page.0)
            .unwrap()
            .contains("\"scenario\":\"ring\"")
    );
    for line in [
        "replay".to_string(),
        "replay /nowhere/at/all".to_string(),
        format!("replay {html}"),
        format!("replay {file} from=9e9"),
        format!("replay {file} from=soon"),
        format!("replay {file} from=-1"),
        format!("replay {file} width=5"),
        format!("replay {file} height=5"),
        format!("replay {file} html=/nowhere/at/all"),
        "run ring 0.05 record=/nowhere/at/all".to_string(),
        format!("run ring 0.05 record={file} record_events=0"),
        format!("run ring 0.05 record={file} record_events=many"),
    ] {
        assert_eq!(run(&line).unwrap_err().exit_code(), 2, "{line}");
    }
}
