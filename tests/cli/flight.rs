//! `--flight-recorder`: a node that crashes leaves its last moments, and one that does not leaves nothing.

use std::fs::File;
use std::io::BufReader;

use rusm_observe::recording::{Crash, Recorded};

use super::node::address;
use super::run::{Ended, Folder, Run};

fn crash(folder: &Folder) -> (Recorded, Crash) {
    let open = File::open(folder.path("crash.jsonl")).expect("it was written");
    let mut recorded = Recorded::read(BufReader::new(open)).expect("it is a recording");
    let crash = recorded.crash.take().expect("it says how it ended");
    (recorded, crash)
}

/// Neither the file nor what it would have become one of.
fn left_nothing(ended: &Ended) {
    let entries = std::fs::read_dir(ended.folder.path("")).expect("it is there");
    let names = entries.flatten().map(|entry| entry.file_name());
    let left: Vec<_> = names
        .filter(|name| name.to_string_lossy().starts_with("crash"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_node_that_is_aborted_leaves_its_last_moments() {
    let node = Run::new()
        .args("node start --workers 2 --observe 127.0.0.1:0 --flight-recorder crash.jsonl")
        .starts();
    address(&node);
    let ended = node.signal("ABRT").ends();
    assert_eq!(ended.code(), None, "a signal has ended it");
    let ended = ended.stderr_has("error node crashed last-moments=crash.jsonl");
    let (recorded, crash) = crash(&ended.folder);
    assert_eq!(recorded.recording.workers.len(), 2);
    assert!(crash.end.reason.starts_with("SIGABRT"), "{crash:?}");
    assert!(crash.overview.processes.alive > 0, "{crash:?}");
}

#[test]
fn an_app_whose_supervisor_gives_up_leaves_its_last_moments() {
    let manifest = "[components.a]\nsource = \"a.wat\"\nresident = 1\n\
                    [components.b]\nsource = \"b.wat\"\nresident = 1\n\
                    [supervisors.main]\nrestarts = 2\nwithin = \"1m\"\n";
    let ended = Run::new()
        .file("app/rusm.toml", manifest)
        .file("app/a.wat", r#"(module (func (export "run") unreachable))"#)
        .file(
            "app/b.wat",
            r#"(module (func (export "run") (loop (br 0))))"#,
        )
        .args("run --flight-recorder crash.jsonl app")
        .status(1);
    let (recorded, crash) = crash(&ended.folder);
    assert_eq!(recorded.scenario, "app");
    assert!(
        crash.end.reason.ends_with("of the app has given up"),
        "{crash:?}"
    );
}

#[test]
fn traps_and_orderly_ends_leave_nothing() {
    // Far outside of its memory: the hardware stops it.
    let trap = r#"(module (memory 1) (func (export "_start") (drop (i32.load (i32.const -4)))))"#;
    for flavour in ["", "--compute "] {
        let run = Run::new().file("a.wat", trap);
        let ended = run.args(&format!("run {flavour}--flight-recorder crash.jsonl a.wat"));
        left_nothing(&ended.status(134).stderr_has("out of bounds memory access"));
    }
    let node = Run::new().args("node start --observe 127.0.0.1:0 --flight-recorder crash.jsonl");
    let node = node.starts();
    address(&node);
    left_nothing(&node.signal("TERM").ends().status(143));
}

#[test]
fn a_file_that_cannot_be_made_is_refused_before_anything_runs() {
    let run = Run::new().file("a.wat", r#"(module (func (export "_start")))"#);
    let ended = run.args("run --flight-recorder no/such/x a.wat").status(1);
    ended
        .stderr_is_one_line()
        .stderr_has("cannot keep a flight recording in `no/such/x`")
        .stderr_has("Name another file with `--flight-recorder`");
}
