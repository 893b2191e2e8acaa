//! Compiled programs are kept between runs, and whatever lies in the cache, the program runs right.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::guests::{EXIT_7, program};
use super::run::{Ended, Folder, Run};

/// The entries of the cache, each with what tells one file from another of the same name.
fn entries(folder: &Folder) -> BTreeMap<PathBuf, (u64, u64)> {
    let files = fs::read_dir(folder.path("cache")).expect("there is a cache");
    let known = files.map(|file| {
        let path = file.expect("the cache is readable").path();
        let data = path.metadata().expect("the entry is there");
        (path, (data.ino(), data.len()))
    });
    known.filter(|(path, _)| path.is_file()).collect()
}

fn first_run() -> Ended {
    Run::new().file("a.wat", EXIT_7).args("run a.wat").status(7)
}

fn again(folder: Folder) -> Ended {
    Run::inside(folder)
        .args("run a.wat")
        .status(7)
        .stdout("")
        .stderr("")
}

#[test]
fn the_second_start_takes_the_first_ones_code() {
    let folder = first_run().folder;
    let before = entries(&folder);
    assert_eq!(before.len(), 1, "{before:?}");
    let folder = again(folder).folder;
    assert_eq!(entries(&folder), before, "the entry was made anew");
}

#[test]
fn another_program_is_another_entry() {
    let folder = first_run().folder;
    let folder = Run::inside(folder)
        .file("b.wat", program("", 1))
        .args("run b.wat")
        .status(0)
        .folder;
    assert_eq!(entries(&folder).len(), 2);
    again(folder);
}

#[test]
fn an_entry_that_is_cut_off_or_foreign_is_replaced() {
    let ended = first_run();
    let (entry, _) = entries(&ended.folder)
        .pop_first()
        .expect("the first run left one");
    let good = fs::read(&entry).expect("it is readable");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let mut folder = ended.folder;
    for bad in [
        &good[..0],
        &good[..7],
        &good[..good.len() / 2],
        &good[..good.len() - 1],
        b"#!/bin/sh\nexit 1\n",
        &flipped,
    ] {
        fs::write(&entry, bad).expect("it is writable");
        folder = again(folder).folder;
        assert_eq!(
            fs::read(&entry).expect("it is there again").len(),
            good.len(),
            "it was left as it was"
        );
    }
}

#[test]
fn another_programs_entry_under_this_ones_name_does_not_run() {
    let folder = first_run().folder;
    let (seven, _) = entries(&folder)
        .pop_first()
        .expect("the first run left one");
    let folder = Run::inside(folder)
        .file("b.wat", program("unreachable", 1))
        .args("run b.wat")
        .status(134)
        .folder;
    let other = entries(&folder)
        .into_keys()
        .find(|path| *path != seven)
        .expect("the second run left one");
    fs::copy(other, &seven).expect("the cache is writable");
    again(folder);
}

#[test]
fn without_a_place_for_a_cache_programs_still_run() {
    let run = Run::new()
        .file("a.wat", EXIT_7)
        .file("taken", "a file, not a folder");
    run.variable("RUSM_CACHE_DIR", "taken")
        .args("run a.wat")
        .status(7)
        .stdout("")
        .stderr("");
    let ended = Run::new()
        .file("a.wat", EXIT_7)
        .variable("RUSM_CACHE_DIR", "")
        .args("run a.wat")
        .status(7)
        .stderr("");
    assert!(!ended.folder.path("cache").exists());
}
