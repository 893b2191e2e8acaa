//! Processes that change values in a durable store: each reads a counter of its own, writes it back one higher and
//! waits until that is on the disk. Or they only read, from memory or from the file.

use std::io;
use std::time::{Duration, Instant};

use rusm_actor::Node;
use rusm_io::Reactor;
use rusm_io::kv::{Bucket, Committed, KvError, Recovery, Store, StoreConfig};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::gather::{Ledger, Tally};
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "kv-storm",
    workload: "kv_storm",
    about: "durable read-modify-writes of a store in a temporary file, one key a process",
    choices: &[
        choice(
            "processes",
            "256",
            "processes, each of which waits for each write",
        ),
        choice(
            "op",
            "modify",
            "`modify`, `cas` (get, then compare and set), `set` or `get`",
        ),
        choice("size", "64", "bytes of a value, 8 at least"),
        choice(
            "cache",
            "32",
            "MiB of values in memory; 0: every read goes to the file",
        ),
        choice(
            "recovery",
            "scan",
            "`scan` or `quick`: see `rusm_io::kv::Recovery`",
        ),
    ],
    small: &[("processes", "16")],
    run,
};

const BUCKET: &str = "counters";

#[derive(Clone, Copy)]
enum Op {
    Modify,
    CompareAndSet,
    Set,
    Get,
}

impl Op {
    fn unit(self) -> &'static str {
        match self {
            Op::Get => "reads/s",
            Op::Modify | Op::CompareAndSet | Op::Set => "durable writes/s",
        }
    }
}

/// What each process does.
#[derive(Clone, Copy)]
struct Work {
    op: Op,
    size: usize,
    span: Duration,
    progress: &'static Tally,
}

fn run(env: &Env) -> Result<Report, Failure> {
    let processes = env.positive("processes")?;
    let op = match env.text("op") {
        "modify" => Op::Modify,
        "cas" => Op::CompareAndSet,
        "set" => Op::Set,
        "get" => Op::Get,
        other => return Err(unknown("op", other, "`modify`, `cas`, `set` or `get`")),
    };
    let work = Work {
        op,
        size: usize::try_from(env.positive("size")?)
            .unwrap_or(usize::MAX)
            .max(8),
        span: env.span,
        progress: env.progress(op.unit()),
    };
    let config = StoreConfig {
        cache_bytes_max: usize::try_from(env.number("cache")? << 20).unwrap_or(usize::MAX),
        recovery: match env.text("recovery") {
            "scan" => Recovery::Scan,
            "quick" => Recovery::Quick,
            other => return Err(unknown("recovery", other, "`scan` or `quick`")),
        },
        ..StoreConfig::default()
    };
    let node = Node::start_with(env.config.clone(), Reactor::new()?)?;
    let dir = TemporaryDir::new()?;
    let path = dir.0.join("storm.kv");
    let outcome = env.drive_on(&node, move |ctx| async move {
        let store = Store::open(path, config).await?;
        store.create_bucket(BUCKET).await?;
        let before = store.stats();
        let (ledger, start) = (Ledger::new(), Instant::now());
        for process in 0..processes {
            let (ledger, bucket) = (ledger.clone(), store.bucket(BUCKET));
            ctx.spawn(move |_ctx| async move {
                let key = process.to_be_bytes();
                let (count, gaps) = change(&bucket, &key, work, start)
                    .await
                    .expect("the disk works");
                ledger.close(count, &gaps);
            });
        }
        let (count, gaps) = ledger.all(processes).await;
        let elapsed = start.elapsed();
        let stats = store.stats();
        let commits = stats.commits - before.commits;
        store.close().await?;
        Ok::<_, KvError>(
            Report::rate(count, elapsed, op.unit())
                .with("commits_per_s", commits as f64 / elapsed.as_secs_f64())
                .with("writes_per_commit", count as f64 / commits.max(1) as f64)
                .with_latency(&gaps),
        )
    })?;
    outcome.map_err(|error| Failure::Io(io::Error::other(error)))
}

fn unknown(key: &str, value: &str, known: &str) -> Failure {
    Failure::Usage(format!("`{key}={value}` is unknown; choose {known}."))
}

/// Works until the time is over; how much was done, and how long each took.
async fn change(
    bucket: &Bucket,
    key: &[u8],
    work: Work,
    start: Instant,
) -> Result<(u64, Latency), KvError> {
    let (mut count, mut gaps) = (0, Latency::new());
    let size = work.size;
    bucket.set(key, vec![0; size]).await?;
    while start.elapsed() < work.span {
        let begun = Instant::now();
        match work.op {
            Op::Modify => {
                let more = move |old: Option<&[u8]>| Some(one_more(old, size));
                bucket.modify(key, more).await?;
            }
            Op::CompareAndSet => {
                let old = bucket.get(key).await?;
                let new = one_more(old.as_deref(), size);
                let done = bucket
                    .compare_and_set(key, old.as_deref(), Some(&new))
                    .await?;
                assert!(
                    matches!(done, Committed::Yes { .. }),
                    "the key is this process's own"
                );
            }
            Op::Set => bucket.set(key, vec![count as u8; size]).await?,
            Op::Get => {
                let found = bucket.get(key).await?;
                assert_eq!(found.map(|value| value.len()), Some(size));
            }
        }
        count += 1;
        gaps.note(begun.elapsed());
        work.progress.add(1);
    }
    if let Op::Modify | Op::CompareAndSet = work.op {
        // Every change was made once.
        let counted = bucket.get(key).await?.as_deref().map(number);
        assert_eq!(counted, Some(count));
    }
    Ok((count, gaps))
}

fn number(value: &[u8]) -> u64 {
    u64::from_le_bytes(*value.first_chunk().expect("a value has eight bytes"))
}

fn one_more(old: Option<&[u8]>, size: usize) -> Vec<u8> {
    let mut value = vec![0; size];
    let next = old.map_or(0, number) + 1;
    value[..8].copy_from_slice(&next.to_le_bytes());
    value
}

/// A directory for one run, gone afterwards.
struct TemporaryDir(std::path::PathBuf);

impl TemporaryDir {
    fn new() -> io::Result<Self> {
        let now = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default();
        let name = format!("rusm-kv-storm-{}-{}", std::process::id(), now.as_nanos());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir(&dir)?;
        Ok(Self(dir))
    }
}

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        // What cannot be removed is in a place for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
