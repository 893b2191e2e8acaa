//! Group commit: many writers, one transaction. Writers queue; one job at a time on the blocking
//! pool takes what waits, commits it with one wait for the disk, answers, and takes what has come
//! meanwhile. So the more processes write, the more writes share a wait.
//!
//! Those who were just answered often write again at once, but a committer that does not wait for them
//! finds only those who came during its last commit: two halves that take turns, each waiting for two
//! commits. So it gives those it answered a moment to come back (`patience.rs`).

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use redb::{CommitError, Database, StorageError};
use rusm_sched::blocking::{self, Refused};

use super::answer::{self, Sender};
use super::apply::{Apply, Effects, Fault};
use super::batch::{Change, Done};
use super::cache::Cache;
use super::error::KvError;
use super::file::{self, Opener, Published};
use super::limit::{GROUP_BYTES_MAX, GROUP_WRITES_MAX, Recovery, StoreConfig};
use super::patience::Patience;

/// What the handles of a store share.
pub(super) struct Inner {
    pub(super) path: Arc<Path>,
    config: StoreConfig,
    opener: Opener,
    /// The committer's.
    work: Mutex<Work>,
    published: RwLock<Published>,
    pub(super) cache: Cache,
    queue: Mutex<Queue>,
    /// As many wait as the committer hopes for.
    enough: Condvar,
    pub(super) counters: Counters,
}

struct Work {
    file: File,
    patience: Patience,
}

enum File {
    Open(Database),
    /// It has to be opened anew.
    Failed,
    Closed,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    bytes: usize,
    /// A committer is at work, or about to be.
    committing: bool,
    /// How many jobs it hopes for; zero if it does not wait.
    hoped: usize,
}

struct Job {
    change: Change,
    answer: Sender<Result<Done, KvError>>,
}

/// What a store has done since it was opened.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) writes: AtomicU64,
    pub(super) remembered: AtomicU64,
    pub(super) looked_up: AtomicU64,
}

impl Inner {
    /// Opens the file; blocks.
    pub(super) fn open(
        path: Arc<Path>,
        config: StoreConfig,
        opener: Opener,
    ) -> Result<Arc<Self>, KvError> {
        let (database, published) = file::open(&path, &opener, 0)?;
        Ok(Arc::new(Self {
            path,
            cache: Cache::new(config.cache_bytes_max),
            config,
            opener,
            work: Mutex::new(Work {
                file: File::Open(database),
                patience: Patience::default(),
            }),
            published: RwLock::new(published),
            queue: Mutex::default(),
            enough: Condvar::new(),
            counters: Counters::default(),
        }))
    }

    /// What readers see now.
    pub(super) fn published(&self) -> Published {
        self.with_published(Published::clone)
    }

    pub(super) fn with_published<R>(&self, look: impl FnOnce(&Published) -> R) -> R {
        look(
            &self
                .published
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Queues a change and waits until it is durable. A change that was queued is done even if
    /// nobody waits for it any more.
    pub(super) async fn change(self: &Arc<Self>, change: Change) -> Result<Done, KvError> {
        let (sender, answer) = answer::new();
        let job = Job {
            change,
            answer: sender,
        };
        if self.enqueue(job)? {
            self.start_committer()?;
        }
        // The committer answers all it takes, so the pool went down with it.
        answer
            .await
            .unwrap_or(Err(KvError::NotRun(Refused::Stopping)))
    }

    /// Queues a job; true if a committer has to be started.
    fn enqueue(&self, job: Job) -> Result<bool, KvError> {
        let bytes = job.change.bytes();
        let mut queue = self.queue();
        // A single one is always taken, so that a small limit cannot stop all writing.
        if !queue.jobs.is_empty() && queue.bytes + bytes > self.config.waiting_bytes_max {
            let waiting_bytes = queue.bytes;
            drop(queue);
            return Err(KvError::Busy { waiting_bytes });
        }
        queue.bytes += bytes;
        queue.jobs.push_back(job);
        let enough = queue.jobs.len() == queue.hoped;
        let idle = !std::mem::replace(&mut queue.committing, true);
        drop(queue);
        if enough {
            self.enough.notify_one();
        }
        Ok(idle)
    }

    fn start_committer(self: &Arc<Self>) -> Result<(), KvError> {
        let inner = self.clone();
        let mut work = pin!(blocking::run(move || inner.serve()));
        // The first poll hands the job over; nobody waits for its end, the queue does.
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(refused)) => {
                let mut queue = self.queue();
                queue.committing = false;
                let jobs = std::mem::take(&mut queue.jobs);
                queue.bytes = 0;
                drop(queue);
                for job in jobs {
                    job.answer.send(Err(refused.clone().into()));
                }
                Err(refused.into())
            }
            _ => Ok(()),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits until nobody waits.
    fn serve(&self) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(group) = self.next_group() {
            let begun = Instant::now();
            let (changes, answers): (Vec<_>, Vec<_>) = group
                .into_iter()
                .map(|job| (job.change, job.answer))
                .unzip();
            let answered = answers.len();
            let closes = changes.iter().any(|change| matches!(change, Change::Close));
            // redb may panic on a file that somebody has damaged.
            let commit = AssertUnwindSafe(|| self.commit(&mut work.file, changes));
            let outcome = catch_unwind(commit).unwrap_or_else(|_| {
                let why = "the storage panicked; the file may be damaged".into();
                let path = self.path.clone();
                Err(KvError::Corrupt { path, why })
            });
            if outcome.as_ref().is_err_and(KvError::is_of_the_disk) {
                self.shut(&mut work.file, File::Failed);
            }
            if closes {
                self.shut(&mut work.file, File::Closed);
            }
            answer_all(answers, outcome);
            self.await_return(&mut work.patience, answered, begun.elapsed());
        }
    }

    /// Gives those who were answered a moment to write again.
    fn await_return(&self, patience: &mut Patience, answered: usize, commit: Duration) {
        let Some(moment) = patience.moment(answered, commit) else {
            return;
        };
        let mut queue = self.queue();
        queue.hoped = answered;
        let (mut queue, _) = self
            .enough
            .wait_timeout_while(queue, moment, |queue| queue.jobs.len() < answered)
            .unwrap_or_else(PoisonError::into_inner);
        queue.hoped = 0;
        let came = queue.jobs.len() >= answered;
        drop(queue);
        patience.learn(came);
    }

    /// What waits, up to the size of a transaction.
    fn next_group(&self) -> Option<Vec<Job>> {
        let mut queue = self.queue();
        let (mut writes, mut bytes, mut count) = (0, 0, 0);
        for job in &queue.jobs {
            (writes, bytes) = (writes + job.change.writes(), bytes + job.change.bytes());
            if count > 0 && (writes > GROUP_WRITES_MAX || bytes > GROUP_BYTES_MAX) {
                break;
            }
            count += 1;
        }
        queue.committing = count > 0;
        let group: Vec<Job> = queue.jobs.drain(..count).collect();
        queue.bytes -= group.iter().map(|job| job.change.bytes()).sum::<usize>();
        (!group.is_empty()).then_some(group)
    }

    /// Does the changes in one transaction and shows them to the readers.
    fn commit(&self, file: &mut File, changes: Vec<Change>) -> Outcomes {
        if let File::Failed = file {
            let version = self.with_published(|published| published.version);
            let (database, published) = file::open(&self.path, &self.opener, version)?;
            *file = File::Open(database);
            self.publish(published);
        }
        let File::Open(database) = &*file else {
            return Err(KvError::Closed);
        };
        if changes
            .iter()
            .all(|change| matches!(change, Change::Nothing | Change::Close))
        {
            return Ok(changes.iter().map(|_| Ok(Done::Nothing)).collect());
        }
        let count = changes.len() as u64;
        let outcomes = self
            .transact(database, changes)
            .map_err(|error| KvError::from_storage(&self.path, &error))?;
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        self.counters.writes.fetch_add(count, Ordering::Relaxed);
        Ok(outcomes)
    }

    fn transact(
        &self,
        database: &Database,
        changes: Vec<Change>,
    ) -> Result<Vec<Result<Done, KvError>>, StorageError> {
        let Published {
            version, buckets, ..
        } = self.published();
        let mut transaction = database.begin_write().map_err(file::of_transaction)?;
        transaction.set_quick_repair(self.config.recovery == Recovery::Quick);
        let mut apply = Apply::new(&transaction, buckets, self.config.buckets_max);
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            outcomes.push(match apply.change(change) {
                Ok(done) => Ok(done),
                Err(Fault::Refused(error)) => Err(error),
                Err(Fault::Storage(error)) => return Err(error),
            });
        }
        let (buckets, effects) = apply.finish();
        transaction.commit().map_err(|error| match error {
            CommitError::Storage(error) => error,
            other => StorageError::Corrupted(other.to_string()),
        })?;
        let published = Published {
            version: version + 1,
            buckets,
            snapshot: Some(file::snapshot_of(database)?),
        };
        self.show(published, &effects);
        Ok(outcomes)
    }

    /// Shows a commit to the readers, in one step.
    fn show(&self, published: Published, effects: &Effects) {
        let version = published.version;
        for (place, value) in &effects.values {
            self.cache.stage(place, value, version);
        }
        self.publish(published);
        for (place, _) in &effects.values {
            self.cache.settle(place);
        }
        for bucket in &effects.gone {
            self.cache.forget(*bucket);
        }
    }

    fn publish(&self, published: Published) {
        let mut place = self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, published);
        drop(place);
        drop(before);
    }

    fn shut(&self, file: &mut File, next: File) {
        let version = self.with_published(|published| published.version);
        self.publish(Published {
            version,
            ..Published::default()
        });
        *file = next;
    }
}

/// What came of each change of a transaction, or why there was no transaction.
type Outcomes = Result<Vec<Result<Done, KvError>>, KvError>;

fn answer_all(answers: Vec<Sender<Result<Done, KvError>>>, outcome: Outcomes) {
    match outcome {
        Ok(outcomes) => {
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                answer.send(outcome);
            }
        }
        Err(error) => {
            for answer in answers {
                answer.send(Err(error.clone()));
            }
        }
    }
}

impl Drop for Inner {
    /// Closing waits for the disk, so it is done on the blocking pool if this is a worker.
    fn drop(&mut self) {
        let work = self.work.get_mut().unwrap_or_else(PoisonError::into_inner);
        let file = std::mem::replace(&mut work.file, File::Closed);
        let published = self
            .published
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let snapshot = published.snapshot.take();
        if rusm_sched::worker_index().is_some() {
            let mut work = pin!(blocking::run(move || drop((snapshot, file))));
            let _handed_over = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}
