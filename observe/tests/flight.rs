//! A program that crashes leaves the last moments of its node in a file, however it crashes.
//!
//! Each test runs this program again, which then does what the test is about.

mod client;

use std::fs::{self, File};
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rusm_actor::{Config, Context, Node, send};
use rusm_observe::protocol::Row;
use rusm_observe::recording::{Crash, Recorded};
use rusm_observe::{FlightError, FlightRecorder, Observe};
use serde_json::json;

use client::{Client, access};

/// The variable with the file, for the program that is to crash.
const FILE: &str = "RUSM_TEST_FLIGHT";
const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;
/// A hang ends here.
const WAIT_MAX: Duration = Duration::from_secs(20);

fn config() -> Config {
    Config {
        workers: 2,
        ..Config::default()
    }
}

/// In the program that is to crash: its node and its recorder.
fn doomed() -> Option<(Node, FlightRecorder)> {
    let file = PathBuf::from(std::env::var_os(FILE)?);
    let node = Node::start(config()).expect("a node starts");
    let recorder = FlightRecorder::start(&node, "doomed", &file, |file, written| {
        eprintln!("told of {}: {}", file.display(), written.is_ok());
    });
    Some((node, recorder.expect("it records")))
}

/// A place for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("rusm-flight-{}-{test}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("it can be made");
        Folder(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("crash.jsonl")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("it is there").flatten();
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        entries.map(name).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs a test of this program as the one that is to crash.
fn run(test: &str, file: &Path) -> Output {
    let own = std::env::current_exe().expect("tests are programs");
    let mut command = Command::new(own);
    command.args(["--exact", test, "--nocapture"]);
    command.env(FILE, file).output().expect("it starts")
}

fn read(file: &Path) -> (Recorded, Crash) {
    let open = File::open(file).expect("it was written");
    let mut recorded = Recorded::read(BufReader::new(open)).expect("it is a recording");
    let crash = recorded.crash.take().expect("it says how it ended");
    (recorded, crash)
}

/// Two processes that talk, so that something happens.
fn talk(node: &Node) {
    node.spawn(|ctx| async move {
        let other = ctx.spawn(|mut ctx: Context| async move {
            ctx.register("listener").expect("it is free");
            loop {
                drop(ctx.receive().await);
            }
        });
        loop {
            send(other, b"something");
            ctx.sleep(Duration::from_micros(100)).await;
        }
    });
}

#[test]
fn an_abort_in_a_process_leaves_what_the_workers_did() {
    if let Some((node, _recorder)) = doomed() {
        talk(&node);
        node.spawn(|ctx| async move {
            ctx.sleep(Duration::from_millis(50)).await;
            std::process::abort();
        });
        std::thread::sleep(WAIT_MAX);
        return;
    }
    let folder = Folder::new("abort");
    let test = "an_abort_in_a_process_leaves_what_the_workers_did";
    let output = run(test, &folder.file());
    assert_eq!(output.status.signal(), Some(SIGABRT));
    assert!(String::from_utf8_lossy(&output.stderr).contains("crash.jsonl: true"));
    let (recorded, crash) = read(&folder.file());
    assert!(
        crash
            .end
            .reason
            .starts_with("SIGABRT in thread `rusm-worker-"),
        "{}",
        crash.end.reason
    );
    assert_eq!(recorded.scenario, "doomed");
    let events: usize = recorded
        .recording
        .workers
        .iter()
        .map(|it| it.events.len())
        .sum();
    assert!(events > 100, "{events}");
    let rows = || recorded.processes.values();
    let names = rows().filter_map(|row| row.name.as_deref());
    assert_eq!(names.collect::<Vec<_>>(), ["listener"]);
    // It is in the turn in which it ended everything, on its worker or on a thread that has lost it meanwhile.
    let ended = |row: &&Row| row.body.contains("an_abort_in_a_process") && row.state == "running";
    assert!(rows().any(|row| ended(&row)), "{:?}", recorded.processes);
    assert!(crash.overview.processes.alive >= 3, "{:?}", crash.overview);
    assert_eq!(folder.names(), ["crash.jsonl"]);
    let mode = fs::metadata(folder.file())
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "pieces of messages may be in it");
}

fn deeper(depth: u64) -> u64 {
    let room = [depth; 64];
    match std::hint::black_box(room[depth as usize % 64]) {
        u64::MAX => depth,
        _ => deeper(depth + 1) + room[7],
    }
}

#[test]
fn a_stack_overflow_in_a_process_leaves_a_file() {
    if let Some((node, _recorder)) = doomed() {
        node.spawn(|_| async {
            std::hint::black_box(deeper(0));
        });
        std::thread::sleep(WAIT_MAX);
        return;
    }
    let folder = Folder::new("overflow");
    let output = run(
        "a_stack_overflow_in_a_process_leaves_a_file",
        &folder.file(),
    );
    assert_eq!(output.status.signal(), Some(SIGABRT));
    // What says so otherwise still says so.
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("has overflowed its stack"), "{said}");
    let (_, crash) = read(&folder.file());
    let reason = crash.end.reason;
    assert!(reason.starts_with("SIGSEGV at address 0x"), "{reason}");
}

#[test]
fn a_signal_from_outside_that_ends_the_program_leaves_a_file() {
    if let Some((_node, _recorder)) = doomed() {
        let own = std::process::id().to_string();
        let killed = Command::new("kill").args(["-SEGV", &own]).status();
        killed.expect("there is such a program");
        std::thread::sleep(WAIT_MAX);
        return;
    }
    let folder = Folder::new("kill");
    let test = "a_signal_from_outside_that_ends_the_program_leaves_a_file";
    let output = run(test, &folder.file());
    assert_eq!(output.status.signal(), Some(SIGSEGV));
    let (recorded, crash) = read(&folder.file());
    assert_eq!(recorded.recording.workers.len(), 2);
    assert!(
        crash.end.reason.starts_with("SIGSEGV in thread `"),
        "{crash:?}"
    );
}

#[test]
fn a_panic_of_the_program_leaves_a_file_and_one_of_a_process_does_not() {
    if let Some((node, recorder)) = doomed() {
        let ended = node.spawn_join(|_| async { panic!("of a process") });
        drop(ended.wait());
        let file = PathBuf::from(std::env::var_os(FILE).expect("it is set"));
        assert!(!file.exists(), "a process ended, and no node");
        let _recorder = recorder;
        panic!("of the program");
    }
    let folder = Folder::new("panic");
    let test = "a_panic_of_the_program_leaves_a_file_and_one_of_a_process_does_not";
    let output = run(test, &folder.file());
    assert_eq!(output.status.code(), Some(101));
    let (_, crash) = read(&folder.file());
    let reason = crash.end.reason;
    assert!(reason.starts_with("panic `of the program` at "), "{reason}");
}

#[test]
fn what_clients_had_traced_is_in_the_file() {
    if let Some(file) = std::env::var_os(FILE) {
        let (node, reactor) = client::node();
        let recorder = FlightRecorder::start(&node, "traced", Path::new(&file), |_, _| {});
        let recorder = recorder.expect("it records");
        let observe = Observe::new("127.0.0.1:0".parse().expect("an address"), access(None));
        let observer = observe.with_flight(&recorder).start(&node, reactor);
        let observer = observer.expect("it listens");
        let pid = node.spawn(|mut ctx: Context| async move {
            loop {
                drop(ctx.receive().await);
            }
        });
        let mut client = Client::new(&observer);
        client.ask(json!({"type": "trace", "id": 1, "pids": [pid.to_string()]}));
        assert_eq!(client.outcome(1)["type"], "done");
        send(pid, b"told already");
        assert_eq!(client.frame("trace")["dropped"], 0);
        send(pid, b"the last one");
        // It is told every 100 ms: this one waits for that, or was told.
        let asked = node.block_on(move |ctx| async move { drop(ctx.process_info(pid).await) });
        asked.expect("it answers");
        recorder.crashed("enough was seen");
        return;
    }
    let folder = Folder::new("traced");
    let output = run("what_clients_had_traced_is_in_the_file", &folder.file());
    assert!(output.status.success(), "{output:?}");
    let (_, crash) = read(&folder.file());
    let texts: Vec<&str> = crash.traced.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        texts,
        [r#"12 bytes "told already""#, r#"12 bytes "the last one""#]
    );
}

#[test]
fn an_orderly_end_leaves_nothing_and_the_next_recorder_may_start() {
    if let Some((node, recorder)) = doomed() {
        let file = PathBuf::from(std::env::var_os(FILE).expect("it is set"));
        let second = FlightRecorder::start(&node, "second", &file, |_, _| {});
        assert!(matches!(second, Err(FlightError::Taken)), "{second:?}");
        drop(recorder);
        let third = FlightRecorder::start(&node, "third", &file, |_, _| {});
        drop(third.expect("the first one is gone"));
        let nowhere =
            FlightRecorder::start(&node, "nowhere", Path::new("/no/such/folder/x"), |_, _| {});
        let text = nowhere.expect_err("it cannot be made").to_string();
        assert!(text.contains("/no/such/folder/x"), "{text}");
        let fourth = FlightRecorder::start(&node, "fourth", &file, |_, _| {});
        fourth.expect("a failed one takes nothing");
        return;
    }
    let folder = Folder::new("orderly");
    let test = "an_orderly_end_leaves_nothing_and_the_next_recorder_may_start";
    let output = run(test, &folder.file());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(folder.names(), [] as [&str; 0]);
}

#[test]
fn who_owns_it_may_say_that_the_node_has_failed_and_the_first_reason_stays() {
    if let Some((_node, recorder)) = doomed() {
        recorder.crashed("its supervisor has given up");
        recorder.crashed("something else");
        return;
    }
    let folder = Folder::new("owner");
    let test = "who_owns_it_may_say_that_the_node_has_failed_and_the_first_reason_stays";
    assert!(run(test, &folder.file()).status.success());
    let (_, crash) = read(&folder.file());
    assert_eq!(crash.end.reason, "its supervisor has given up");
}
