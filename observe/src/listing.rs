//! Sections that take a walk: what the app's store holds, and the streams between its processes. Each is walked over once a
//! second at most, on a thread for blocking work and within a limit, for all who ask together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusm_actor::{Pid, StreamEnd, StreamInfo, StreamState, StreamView};
use rusm_io::kv::{BucketInfo, Store};
use serde_json::{Value, json};

use crate::app::App;
use crate::protocol::ROWS_MAX;

/// A list as old as this is still told; with the limit of one walk, two lists take less than a tenth of one processor.
const AGE_MAX: Duration = Duration::from_millis(900);
/// How long somebody waits for the walk of somebody else before he looks again.
const WAIT: Duration = Duration::from_millis(20);
/// For a walk over all streams; those it has not come to by then are only counted. (A store has a limit of its own.)
const STREAMS_TIME_MAX: Duration = Duration::from_millis(20);

/// The items of a section, and how many there were before they were cut.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) total: u64,
    pub(crate) items: Vec<Value>,
}

/// A section that is kept for others who ask.
#[derive(Default)]
pub(crate) struct Listing(Mutex<State>);

#[derive(Default)]
struct State {
    /// When it was made, on the clock of the node that serves.
    kept: Option<(Duration, Arc<Listed>)>,
    walking: bool,
}

/// What somebody who wants a list is to do now.
enum Turn {
    Take(Arc<Listed>),
    Wait,
    Walk,
}

impl Listing {
    /// The list, made by `walk` if there is none that is new enough. Called by processes.
    pub(crate) async fn list(&self, walk: impl FnOnce() -> Listed + Send + 'static) -> Arc<Listed> {
        loop {
            match self.turn() {
                Turn::Take(listed) => return listed,
                Turn::Wait => rusm_sched::sleep(WAIT).await,
                Turn::Walk => break,
            }
        }
        // Whatever happens to this process meanwhile, others must be able to walk; not before they would find the list.
        let _walking = Walking(self);
        let walked = rusm_sched::blocking::run(walk).await;
        let mut state = self.lock();
        if let Ok(walked) = walked {
            state.kept = Some((rusm_sched::now(), Arc::new(walked)));
        }
        // No thread for it, or it panicked: what was known before is better than nothing.
        let kept = state.kept.as_ref();
        kept.map_or_else(Arc::default, |(_, listed)| listed.clone())
    }

    fn turn(&self) -> Turn {
        let now = rusm_sched::now();
        let mut state = self.lock();
        match &state.kept {
            Some((at, listed)) if now.saturating_sub(*at) < AGE_MAX => Turn::Take(listed.clone()),
            _ if state.walking => Turn::Wait,
            _ => {
                state.walking = true;
                Turn::Walk
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to walk, given back in any case.
struct Walking<'a>(&'a Listing);

impl Drop for Walking<'_> {
    fn drop(&mut self) {
        self.0.lock().walking = false;
    }
}

/// What the store of an app holds, its file first.
pub(crate) fn kv(app: &dyn App) -> Listed {
    let known = app.store().and_then(|store: Store| {
        let info = store.info_blocking().ok()?;
        Some((store.path().display().to_string(), info))
    });
    let Some((path, info)) = known else {
        return Listed::default();
    };
    let file = json!({"kind": "file", "name": path, "keys": null, "bytes": info.file_bytes});
    let bucket = |it: &BucketInfo| json!({"kind": "bucket", "name": *it.name, "keys": it.keys, "bytes": it.bytes});
    let all = std::iter::once(file).chain(info.buckets.iter().map(bucket));
    Listed {
        total: 1 + info.buckets.len() as u64,
        items: all.take(ROWS_MAX).collect(),
    }
}

/// The streams between the processes of an app, the fullest first.
pub(crate) fn streams(app: &dyn App) -> Listed {
    fullest(app.streams(), STREAMS_TIME_MAX)
}

fn fullest(views: Vec<StreamView>, time_max: Duration) -> Listed {
    let (begun, total) = (Instant::now(), views.len());
    let mut looked = 0;
    let mut infos = Vec::new();
    for view in &views {
        if begun.elapsed() >= time_max {
            break;
        }
        looked += 1;
        infos.extend(view.info());
    }
    // Some have gone since they were listed.
    let gone = looked - infos.len();
    infos.sort_by_key(|info| std::cmp::Reverse(info.waiting));
    Listed {
        total: (total - gone) as u64,
        items: infos.iter().take(ROWS_MAX).map(stream).collect(),
    }
}

fn stream(info: &StreamInfo) -> Value {
    let pid = |pid: Option<Pid>| pid.map(|pid| pid.to_string());
    let state = match info.state {
        StreamState::Offered => "offered",
        StreamState::Open => "open",
        StreamState::Ended => "ended",
        StreamState::Broken => "broken",
    };
    let waits = info.waits.map(|end| match end {
        StreamEnd::Writer => "writer",
        StreamEnd::Reader => "reader",
    });
    json!({"writer": pid(info.writer), "reader": pid(info.reader), "state": state, "waits": waits,
           "waiting": info.waiting, "capacity": info.capacity, "passed": info.passed})
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusm_actor::{Config, Context, Node, open_stream};

    #[test]
    fn the_fullest_streams_come_first_and_those_that_there_was_no_time_for_are_counted() {
        let node = Node::start(Config::default()).expect("a node starts");
        let done = node.block_on(|_: Context| async {
            let mut ends = Vec::new();
            for waiting in [1, 5, 3] {
                let (mut writer, reader) = open_stream(9).expect("a capacity");
                writer.write_all(&[0; 5][..waiting]).await.expect("room");
                ends.push((writer, reader));
            }
            let views = || ends.iter().map(|(writer, _)| writer.view()).collect();
            let gone = open_stream(1).expect("a capacity").0.view();
            let mut all: Vec<StreamView> = views();
            all.push(gone);
            let listed = fullest(all, Duration::from_secs(60));
            let waiting: Vec<_> = listed
                .items
                .iter()
                .map(|it| it["waiting"].clone())
                .collect();
            assert_eq!(
                (listed.total, waiting),
                (3, vec![5.into(), 3.into(), 1.into()])
            );
            let cut = fullest(views(), Duration::ZERO);
            assert_eq!((cut.total, cut.items.len()), (3, 0));
        });
        done.expect("it holds");
    }

    #[test]
    fn a_list_is_made_once_for_all_who_ask_at_the_same_time() {
        let node = Node::start(Config::default()).expect("a node starts");
        let walks = Arc::new(Mutex::new(0));
        let counted = walks.clone();
        let done = node.block_on(move |mut ctx: Context| async move {
            let (me, listing) = (ctx.pid(), Arc::new(Listing::default()));
            for _ in 0..20 {
                let (listing, walks) = (listing.clone(), counted.clone());
                ctx.spawn(move |_| async move {
                    let walk = move || {
                        *walks.lock().unwrap() += 1;
                        Listed {
                            total: 7,
                            items: Vec::new(),
                        }
                    };
                    let total = listing.list(walk).await.total;
                    rusm_actor::send(me, total.to_le_bytes());
                });
            }
            for _ in 0..20 {
                assert_eq!(ctx.receive().await.bytes(), 7_u64.to_le_bytes());
            }
        });
        done.expect("it holds");
        assert_eq!(*walks.lock().unwrap(), 1);
    }

    #[test]
    fn a_walk_that_fails_leaves_what_was_known_and_does_not_stop_the_next() {
        let node = Node::start(Config::default()).expect("a node starts");
        let done = node.block_on(|_: Context| async {
            let listing = Listing::default();
            let failed = listing.list(|| panic!("as a damaged file has it")).await;
            assert_eq!(failed.total, 0);
            let walk = || Listed {
                total: 3,
                items: Vec::new(),
            };
            assert_eq!(listing.list(walk).await.total, 3);
        });
        done.expect("it holds");
    }
}
