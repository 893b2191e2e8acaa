//! A disk that fills up, fails and comes back, which no real file does on demand.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use redb::{Database, StorageBackend};
use rusm_sched::{Config, Scheduler, ThreadDriver};

use super::commit::Inner;
use super::{KvError, Scan, Store, StoreConfig};

/// A file in memory that refuses to grow while it is full, and everything while it is broken.
#[derive(Clone, Debug, Default)]
struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    full: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
}

impl Disk {
    fn check(&self) -> io::Result<()> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk is on fire")),
            false => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.check()?;
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.check()?;
        let bytes = self.bytes.lock().unwrap();
        out.copy_from_slice(&bytes[offset as usize..][..out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        let mut bytes = self.bytes.lock().unwrap();
        if self.full.load(Ordering::SeqCst) && len as usize > bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        bytes.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()
    }

    fn write(&self, offset: u64, from: &[u8]) -> io::Result<()> {
        self.check()?;
        self.bytes.lock().unwrap()[offset as usize..][..from.len()].copy_from_slice(from);
        Ok(())
    }
}

fn on(disk: &Disk) -> Store {
    let opened = disk.clone();
    let opener = Box::new(move || {
        Database::builder()
            .set_cache_size(1 << 20)
            .create_with_backend(opened.clone())
    });
    let config = StoreConfig {
        cache_bytes_max: 0,
        ..StoreConfig::default()
    };
    let path: Arc<Path> = Path::new("/disk/store.kv").into();
    Store(Inner::open(path, config, opener).unwrap())
}

fn run(body: impl Future<Output = ()> + Send + 'static) {
    let scheduler = Scheduler::start(Config::default(), Arc::new(ThreadDriver)).unwrap();
    let (done, wait) = mpsc::channel();
    scheduler.handle().spawn(async move {
        body.await;
        done.send(()).unwrap();
    });
    wait.recv_timeout(Duration::from_secs(60)).expect("it ends");
    scheduler.shutdown(Duration::from_secs(9)).unwrap();
}

#[test]
fn a_full_disk_is_told_and_writes_go_on_when_there_is_room_again() {
    let disk = Disk::default();
    run(async move {
        let store = on(&disk);
        store.create_bucket("b").await.unwrap();
        let bucket = store.bucket("b");
        bucket.set("k", "v").await.unwrap();
        disk.full.store(true, Ordering::SeqCst);
        let mut written = 0_u32;
        let error = loop {
            match bucket.set(written.to_be_bytes(), vec![7; 100_000]).await {
                Ok(()) => written += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, KvError::DiskFull { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains("/disk/store.kv") && text.contains("Make room"),
            "{text}"
        );
        // Still full: the next one says so again, and reads go on.
        let again = bucket.set("large", vec![7; 100_000]).await;
        assert!(matches!(again, Err(KvError::DiskFull { .. })), "{again:?}");
        assert!(bucket.exists(b"k").await.unwrap());
        assert_eq!(bucket.count().await.unwrap(), u64::from(written) + 1);
        disk.full.store(false, Ordering::SeqCst);
        bucket.set("large", vec![7; 100_000]).await.unwrap();
        assert_eq!(bucket.count().await.unwrap(), u64::from(written) + 2);
    });
}

#[test]
fn a_disk_that_fails_is_told_to_readers_and_writers_until_it_works_again() {
    let disk = Disk::default();
    run(async move {
        let store = on(&disk);
        store.create_bucket("b").await.unwrap();
        let bucket = store.bucket("b");
        bucket.set("k", "v").await.unwrap();
        disk.broken.store(true, Ordering::SeqCst);
        for _ in 0..2 {
            let error = bucket.set("k", "w").await.unwrap_err();
            assert!(error.to_string().contains("on fire"), "{error}");
            let error = bucket.list(Scan::all()).await.unwrap_err();
            assert!(error.to_string().contains("on fire"), "{error}");
        }
        disk.broken.store(false, Ordering::SeqCst);
        assert_eq!(bucket.get(b"k").await.unwrap().as_deref(), Some(&b"v"[..]));
        bucket.set("k", "w").await.unwrap();
        assert_eq!(bucket.get(b"k").await.unwrap().as_deref(), Some(&b"w"[..]));
        store.close().await.unwrap();
        assert_eq!(bucket.set("k", "v").await, Err(KvError::Closed));
    });
}

#[test]
fn a_look_adds_up_the_smallest_buckets_first_and_no_more_than_it_may() {
    let disk = Disk::default();
    run(async move {
        let store = on(&disk);
        for (name, keys) in [("all", 40_u8), ("few", 2), ("none", 0), ("some", 3)] {
            store.create_bucket(name).await.unwrap();
            for key in 0..keys {
                store.bucket(name).set([key], b"value").await.unwrap();
            }
        }
        let look = |keys_max, time_max| {
            let info = store.info_within(keys_max, time_max).unwrap();
            let known = info.buckets.iter().map(|it| (it.keys, it.bytes));
            known.collect::<Vec<_>>()
        };
        let long = Duration::from_secs(60);
        let keys = |keys, bytes| (Some(keys), bytes);
        let all = [
            keys(40, Some(240)),
            keys(2, Some(12)),
            keys(0, Some(0)),
            keys(3, Some(18)),
        ];
        assert_eq!(look(45, long), all);
        let mut but_one = all;
        but_one[0].1 = None;
        assert_eq!(look(44, long), but_one);
        assert_eq!(look(45, Duration::ZERO), [(None, None); 4]);
        store.close().await.unwrap();
        assert_eq!(store.info_blocking().err(), Some(KvError::Closed));
    });
}
