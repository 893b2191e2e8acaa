//! Compiled code on disk: found again, and never trusted without proof.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusm_actor::{ExitReason, Node};
use rusm_wasm::{CacheConfig, CacheStats, Engine, EngineConfig, EngineError, Program};
use support::{TempDir, node};

const NOTHING: CacheStats = CacheStats {
    hits: 0,
    misses: 0,
    rejected: 0,
    evicted: 0,
    failed: 0,
};

fn engine(node: &Node, dir: &Path, bytes_max: u64) -> Result<Engine, EngineError> {
    let cache = Some(CacheConfig {
        dir: dir.to_path_buf(),
        bytes_max,
    });
    Engine::new(
        EngineConfig {
            memory_bytes_max: 1 << 20,
            instances_max: 4,
            cache,
            ..Default::default()
        },
        &node.handle(),
    )
}

/// Loads and runs a program that exits with `number`, in a new engine; what its cache did.
fn load(dir: &Path, number: i32, bytes_max: u64) -> CacheStats {
    let node = node(1);
    let engine = engine(&node, dir, bytes_max).unwrap();
    let wat = format!(r#"(module (func (export "run") (result i32) (i32.const {number})))"#);
    let guest = engine.load(wat.as_bytes()).unwrap().prepare(None).unwrap();
    let reason = guest.spawn(&node, Program::default()).unwrap().wait();
    assert!(
        matches!(reason, ExitReason::Status(status) if status == number),
        "{reason:?}"
    );
    engine.cache_stats()
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}

#[test]
fn the_second_start_needs_no_compiler() {
    let dir = TempDir::new();
    assert_eq!(
        load(dir.path(), 1, 1 << 20),
        CacheStats {
            misses: 1,
            ..NOTHING
        }
    );
    assert_eq!(
        load(dir.path(), 1, 1 << 20),
        CacheStats { hits: 1, ..NOTHING }
    );
    assert_eq!(
        load(dir.path(), 2, 1 << 20),
        CacheStats {
            misses: 1,
            ..NOTHING
        }
    );
    assert_eq!(entries(dir.path()).len(), 2);
}

#[test]
fn a_damaged_entry_is_compiled_again_and_replaced() {
    let dir = TempDir::new();
    load(dir.path(), 1, 1 << 20);
    let path = &entries(dir.path())[0];
    let whole = fs::read(path).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut longer = whole.clone();
    longer.push(0);
    let damaged = [
        Vec::new(),
        whole[..20].to_vec(),
        whole[..whole.len() - 1].to_vec(),
        flipped,
        longer,
        b"\x7fELF".repeat(99),
    ];
    for entry in damaged {
        fs::write(path, entry).unwrap();
        assert_eq!(
            load(dir.path(), 1, 1 << 20),
            CacheStats {
                rejected: 1,
                ..NOTHING
            }
        );
        assert_eq!(
            load(dir.path(), 1, 1 << 20),
            CacheStats { hits: 1, ..NOTHING }
        );
    }
}

#[test]
fn an_entry_under_the_name_of_another_module_is_not_run() {
    let dir = TempDir::new();
    load(dir.path(), 1, 1 << 20);
    let one = entries(dir.path()).remove(0);
    load(dir.path(), 2, 1 << 20);
    let two = entries(dir.path())
        .into_iter()
        .find(|path| *path != one)
        .unwrap();
    fs::copy(&one, &two).unwrap();
    // `load` checks that it is number two that runs.
    assert_eq!(
        load(dir.path(), 2, 1 << 20),
        CacheStats {
            rejected: 1,
            ..NOTHING
        }
    );
}

#[test]
fn the_entries_unused_for_longest_make_room() {
    let dir = TempDir::new();
    load(dir.path(), 1, 1 << 20);
    let size = fs::metadata(&entries(dir.path())[0]).unwrap().len();
    load(dir.path(), 2, 1 << 20);
    for path in entries(dir.path()) {
        let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
        fs::File::open(path)
            .unwrap()
            .set_modified(an_hour_ago)
            .unwrap();
    }
    fs::write(dir.path().join("mine"), vec![0; 10_000]).unwrap();
    assert_eq!(load(dir.path(), 1, 1 << 20).hits, 1);
    // Room for two and a half: the one that was just used stays, the other one goes, and what is
    // not ours is not touched.
    assert_eq!(
        load(dir.path(), 3, size * 5 / 2),
        CacheStats {
            misses: 1,
            evicted: 1,
            ..NOTHING
        }
    );
    assert_eq!(load(dir.path(), 1, 1 << 20).hits, 1);
    assert_eq!(load(dir.path(), 2, 1 << 20).misses, 1);
    assert!(dir.path().join("mine").exists());
}

#[test]
fn an_entry_larger_than_the_cache_is_not_kept() {
    let dir = TempDir::new();
    assert_eq!(
        load(dir.path(), 1, 100),
        CacheStats {
            misses: 1,
            failed: 1,
            ..NOTHING
        }
    );
    assert!(entries(dir.path()).is_empty());
}

#[test]
fn the_directory_is_made_for_its_user_alone() {
    let dir = TempDir::new();
    let inner = dir.path().join("a/b");
    load(&inner, 1, 1 << 20);
    assert_eq!(
        fs::metadata(&inner).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert_eq!(
        fs::metadata(&entries(&inner)[0])
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
}

#[test]
fn a_directory_others_can_write_to_is_refused() {
    let dir = TempDir::new();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let said = engine(&node(1), dir.path(), 1)
        .err()
        .expect("it is refused")
        .to_string();
    assert!(said.contains("others may write to it"), "{said}");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let said = engine(&node(1), Path::new("/proc/no/cache"), 1)
        .err()
        .expect("it is refused")
        .to_string();
    assert!(
        said.starts_with("cannot keep compiled code in `/proc/no/cache`: "),
        "{said}"
    );
}

#[test]
fn a_directory_that_vanishes_costs_time_and_nothing_else() {
    let dir = TempDir::new();
    let inner = dir.path().join("cache");
    let node = node(1);
    let engine = engine(&node, &inner, 1 << 20).unwrap();
    fs::remove_dir(&inner).unwrap();
    assert!(engine.load(br#"(module (func (export "run")))"#).is_ok());
    assert_eq!(
        engine.cache_stats(),
        CacheStats {
            misses: 1,
            failed: 1,
            ..NOTHING
        }
    );
}
