//! A program that is killed: what it was told is written is there, and what it was not told is there as
//! a whole or not at all. The program is this test binary itself, started with a variable set.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rusm_io::kv::{Batch, Recovery, Scan, Store, StoreConfig};
use rusm_sched::handle;

use crate::place::Place;
use crate::support::{join, run, wait};

const FILE: &str = "RUSM_KV_TEST_FILE";
const QUICK: &str = "RUSM_KV_TEST_QUICK";
const WRITERS: u32 = 16;

fn config(quick: bool) -> StoreConfig {
    StoreConfig {
        recovery: if quick {
            Recovery::Quick
        } else {
            Recovery::Scan
        },
        ..StoreConfig::default()
    }
}

/// The program: writers that say each write they were told is durable. Does nothing as a test.
#[test]
fn the_program_that_is_killed() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let quick = std::env::var_os(QUICK).is_some();
    run(2, move |_| async move {
        let store = Store::open(path, config(quick)).await.unwrap();
        store.create_bucket("a").await.unwrap();
        store.create_bucket("b").await.unwrap();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = store.clone();
                join(&handle(), async move {
                    for n in 0.. {
                        let key = format!("{writer:02}/{n:08}");
                        let key = key.as_bytes();
                        let batch = Batch::new().set("a", key, *b"1").set("b", key, [7; 500]);
                        store.commit(batch).await.unwrap();
                        println!("wrote {writer:02}/{n:08}");
                    }
                })
            })
            .collect();
        for writer in writers {
            wait(writer).await;
        }
    });
}

fn killed_after(words: usize, quick: bool) {
    let place = Place::new();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "durable::the_program_that_is_killed",
            "--nocapture",
        ])
        .env(FILE, place.file())
        .stdout(Stdio::piped());
    if quick {
        command.env(QUICK, "1");
    }
    let mut program = command.spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut told = Vec::new();
    let mut take = |line: std::io::Result<String>| {
        // The last line may be cut.
        let key = line.ok()?.strip_prefix("wrote ")?.to_string();
        (key.len() == 11).then(|| told.push(key))
    };
    let mut wrote = 0;
    while wrote < words {
        let line = lines.next().expect("it goes on until it is killed");
        wrote += usize::from(take(line).is_some());
    }
    program.kill().unwrap();
    lines.for_each(|line| {
        take(line);
    });
    program.wait().unwrap();
    run(1, move |_| async move {
        let store = Store::open(place.file(), config(quick)).await.unwrap();
        for key in &told {
            for bucket in ["a", "b"] {
                let there = store.bucket(bucket).exists(key.as_bytes()).await.unwrap();
                assert!(there, "{key} is not in {bucket}");
            }
        }
        let all = || Scan::all().entries_max(10_000);
        let keys = async |bucket| store.bucket(bucket).keys(all()).await.unwrap();
        let (a, b) = (keys("a").await, keys("b").await);
        assert_eq!(a, b);
        assert!(told.len() >= words);
        // It goes on as if nothing had been.
        store.bucket("a").set("k", "v").await.unwrap();
    });
}

#[test]
fn what_was_told_as_written_survives_a_kill() {
    for words in [1, 200, 1500] {
        killed_after(words, false);
    }
}

#[test]
fn what_was_told_as_written_survives_a_kill_with_quick_recovery() {
    killed_after(300, true);
}

#[test]
fn another_program_that_has_the_store_open_is_noticed() {
    let place = Place::new();
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "durable::the_program_that_is_killed",
            "--nocapture",
        ])
        .env(FILE, place.file())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(program.stdout.take().unwrap());
    let mut lines = out.lines().map_while(Result::ok);
    lines
        .find(|line| line.contains("wrote "))
        .expect("it writes");
    let path = place.file();
    let opened = run(1, |_| async move {
        Store::open(path, config(false)).await.err()
    });
    program.kill().unwrap();
    program.wait().unwrap();
    let text = opened.expect("it is locked").to_string();
    assert!(text.contains("somebody else has it open"), "{text}");
}
