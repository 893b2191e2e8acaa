//! A directory of its own for each test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rusm_io::kv::{Store, StoreConfig};

/// A directory that goes when this is dropped.
pub(crate) struct Place(PathBuf);

static PLACES: AtomicU32 = AtomicU32::new(0);

impl Place {
    pub(crate) fn new() -> Self {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let name = format!("rusm-kv-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("store.kv")
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(self.file(), StoreConfig::default())
            .await
            .unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A test that failed may have left a program that still writes here.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
