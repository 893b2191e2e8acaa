//! Random manifests: whatever a file says, reading it ends soon, with an app or with mistakes that
//! have their places. Manifests that make sense are mutated, by bytes, lines and words.
//!
//! Runs for half a second; `RUSM_FUZZ_SECONDS=60 cargo test --test fuzz -- --nocapture` for longer, and
//! `RUSM_SEED=n` repeats a run. `fuzz/` has the same check for cargo-fuzz, which needs a nightly
//! compiler and finds more.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusm::manifest::{MISTAKES_MAX, Manifest};

/// Longer than any reading of a file of [`BYTES_MAX`], also on a busy machine.
const READ_TIME_MAX: Duration = Duration::from_secs(5);
const BYTES_MAX: usize = 32 << 10;

const BAKERY: &str = include_str!("../examples/bakery/rusm.toml");
const SCHEMA: &str = include_str!("../docs/rusm.schema.json");
const DOCUMENT: &str = include_str!("../docs/manifest.md");

/// What must hold of every text.
fn check(text: &str) -> bool {
    let begun = Instant::now();
    let read = Manifest::read(text, Path::new("/app"));
    assert!(
        begun.elapsed() < READ_TIME_MAX,
        "it took {:?}",
        begun.elapsed()
    );
    match &read {
        Ok(manifest) => {
            assert!(!manifest.supervisors.is_empty());
            for component in &manifest.components {
                let known = |name: &str| manifest.supervisors.iter().any(|one| one.name == name);
                assert!(known(&component.supervisor), "{component:?}");
                assert!(!component.name.contains('/'), "{component:?}");
            }
        }
        Err(mistakes) => {
            assert!(!mistakes.told.is_empty() && mistakes.told.len() <= MISTAKES_MAX);
            let lines = text.matches('\n').count() + 1;
            for mistake in &mistakes.told {
                assert!(
                    (1..=lines).contains(&mistake.line) && mistake.column > 0,
                    "{mistake:?}"
                );
                assert!(
                    !mistake.text.contains(|c: char| c.is_control()),
                    "{mistake:?}"
                );
            }
        }
    }
    read.is_ok()
}

/// Xorshift: enough for mutations, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Changes a manifest in one place.
fn mutate(text: &mut Vec<u8>, words: &[&str], random: &mut Random) {
    let at = random.below(text.len() + 1);
    match random.below(8) {
        0 => {
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => text.insert(at, *random.of(b"\"'[]{}=.,#\n\\ -_0\0\xff\x80")),
        2 => {
            let end = (at + 1 + random.below(20)).min(text.len());
            text.drain(at.min(end)..end);
        }
        3 | 4 => {
            let word = *random.of(words);
            text.splice(at..at, word.bytes());
        }
        5 => {
            // A line in another place.
            let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            let mut line = random.of(&lines).to_vec();
            line.push(b'\n');
            text.splice(at..at, line);
        }
        6 => {
            let (word, with) = (*random.of(words), *random.of(words));
            let known = String::from_utf8_lossy(text).replacen(word, with, 1);
            *text = known.into_bytes();
        }
        _ => {
            let times = 1 + random.below(40);
            let word = random.of(words).repeat(times);
            text.splice(at..at, word.into_bytes());
        }
    }
    text.truncate(BYTES_MAX);
}

#[test]
fn whatever_a_manifest_says_it_is_read_or_its_mistakes_are_told() {
    let variable = |name| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse().ok())
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seed: u64 = variable("RUSM_SEED").unwrap_or(now.as_nanos() as u64 | 1);
    let time =
        variable("RUSM_FUZZ_SECONDS").map_or(Duration::from_millis(500), Duration::from_secs);
    println!("RUSM_SEED={seed}");
    let mut random = Random(seed | 1);
    let example = DOCUMENT.split("```").nth(1).unwrap_or_default();
    let example = example.strip_prefix("toml\n").unwrap_or_default();
    assert!(check(BAKERY) && check(example), "the examples make sense");
    let mut corpus: Vec<Vec<u8>> = vec![BAKERY.into(), example.into(), Vec::new()];
    // Every key, word and example of the documents.
    let apart = |c: char| c == '"' || c == '`' || c.is_whitespace();
    let words: Vec<&str> = SCHEMA.split(apart).chain(DOCUMENT.split('`')).collect();
    let words: Vec<&str> = words
        .into_iter()
        .filter(|word| (1..200).contains(&word.len()))
        .collect();
    let (begun, mut runs, mut right) = (Instant::now(), 0_u64, 0_u64);
    while begun.elapsed() < time {
        let mut text = random.of(&corpus).clone();
        for _ in 0..1 + random.below(6) {
            mutate(&mut text, &words, &mut random);
        }
        let shown = String::from_utf8_lossy(&text).into_owned();
        runs += 1;
        if check(&shown) {
            right += 1;
            // What still makes sense is worth going on from.
            match corpus.len() {
                0..256 => corpus.push(text),
                len => corpus[3 + random.below(len - 3)] = text,
            }
        }
    }
    println!(
        "{runs} manifests, {right} of them right, in {:?}",
        begun.elapsed()
    );
    assert!(runs > 0);
}
