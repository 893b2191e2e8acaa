//! What can go wrong with a store. Each message says what, why and what to do.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{DatabaseError, StorageError};
use rusm_sched::blocking::Refused;

use super::limit::{
    BATCH_BYTES_MAX, BATCH_STEPS_MAX, BUCKET_NAME_BYTES_MAX, KEY_BYTES_MAX, PAGE_ENTRIES_MAX,
    VALUE_BYTES_MAX,
};

/// Why a call of a store failed. Of a write that failed nothing was done, except as
/// [`KvError::Disk`] and [`KvError::DiskFull`] say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KvError {
    /// Somebody else has the file open.
    Locked(Arc<Path>),
    /// The file is no store, or is damaged.
    Corrupt {
        /// The file.
        path: Arc<Path>,
        /// What was found.
        why: String,
    },
    /// There is no room left. The next write tries again.
    DiskFull {
        /// The file.
        path: Arc<Path>,
        /// What the system says.
        why: String,
    },
    /// The system refuses in another way. If that happened while a write was made durable it may
    /// have been done or not, as a whole; the next write opens the file anew.
    Disk {
        /// The file.
        path: Arc<Path>,
        /// What the system says.
        why: String,
    },
    /// There is no such bucket.
    NoBucket(String),
    /// A bucket's name is empty or too long.
    BucketName {
        /// How long it is.
        bytes: usize,
    },
    /// One bucket too many.
    TooManyBuckets {
        /// How many there may be.
        max: usize,
    },
    /// A key is too large.
    KeyTooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// A value is too large.
    ValueTooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// A batch has too many steps or bytes.
    BatchTooLarge {
        /// Its writes and conditions.
        steps: usize,
        /// The bytes of their keys and values.
        bytes: usize,
    },
    /// A page was asked for with no entries, or with too many.
    PageSize {
        /// How many were asked for.
        entries: usize,
    },
    /// So many writes wait for the disk already that this one was not taken.
    Busy {
        /// The bytes that wait.
        waiting_bytes: usize,
    },
    /// The blocking pool did not take the work.
    NotRun(Refused),
    /// The function that was to change a value panicked; the text says how.
    Panicked(String),
    /// The store was closed.
    Closed,
}

impl fmt::Display for KvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked(path) => write!(
                f,
                "cannot open the store `{}`: somebody else has it open. Stop the other program, or \
                 name another file.",
                path.display()
            ),
            Self::Corrupt { path, why } => write!(
                f,
                "`{}` is no store, or is damaged: {why}. Restore it from a backup, or move it away \
                 to begin with an empty one.",
                path.display()
            ),
            Self::DiskFull { path, why } => write!(
                f,
                "cannot write to the store `{}`: {why}. Make room on its disk; the next write \
                 tries again.",
                path.display()
            ),
            Self::Disk { path, why } => write!(
                f,
                "cannot use the store `{}`: {why}. See that its directory exists, that this user \
                 may write to it, and that its disk is sound.",
                path.display()
            ),
            Self::Busy { waiting_bytes } => write!(
                f,
                "the write was not taken: {waiting_bytes} bytes of writes wait for the disk \
                 already. Write less at a time, or raise `waiting_bytes_max`."
            ),
            Self::NotRun(why) => write!(f, "the store could not work: {why}. Try again later."),
            Self::Panicked(text) => write!(
                f,
                "the value was not changed: the function that was to change it panicked: {text}"
            ),
            Self::Closed => f.write_str("the store was closed. Open it again."),
            asked => asked.fmt_asked(f),
        }
    }
}

impl KvError {
    /// The mistakes of the caller.
    fn fmt_asked(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBucket(name) => {
                write!(f, "there is no bucket `{name}`. Create it before using it.")
            }
            Self::BucketName { bytes } => write!(
                f,
                "a bucket's name has 1 to {BUCKET_NAME_BYTES_MAX} bytes, not {bytes}. Choose \
                 another one."
            ),
            Self::TooManyBuckets { max } => write!(
                f,
                "the store has {max} buckets, and may not have more. Delete one, put keys with a \
                 prefix in one bucket, or raise `buckets_max`."
            ),
            Self::KeyTooLarge { bytes } => write!(
                f,
                "a key has at most {KEY_BYTES_MAX} bytes, not {bytes}. Use a shorter one, a hash \
                 for example."
            ),
            Self::ValueTooLarge { bytes } => write!(
                f,
                "a value has at most {VALUE_BYTES_MAX} bytes, not {bytes}. Split it over several \
                 keys, or put it in a file."
            ),
            Self::BatchTooLarge { steps, bytes } => write!(
                f,
                "a batch has at most {BATCH_STEPS_MAX} steps and {BATCH_BYTES_MAX} bytes, not \
                 {steps} and {bytes}. Split it."
            ),
            Self::PageSize { entries } => write!(
                f,
                "a page has 1 to {PAGE_ENTRIES_MAX} entries, not {entries}. Ask for fewer, and for \
                 the next page after that."
            ),
            _ => unreachable!("the others have their words above"),
        }
    }

    /// What a refusal of the storage below means for the store in `path`.
    pub(super) fn from_storage(path: &Arc<Path>, error: &StorageError) -> Self {
        let path = path.clone();
        match error {
            StorageError::Corrupted(why) => Self::Corrupt {
                path,
                why: why.clone(),
            },
            StorageError::ValueTooLarge(bytes) => Self::ValueTooLarge { bytes: *bytes },
            StorageError::Io(error) => Self::from_io(path, error),
            other => Self::Disk {
                path,
                why: other.to_string(),
            },
        }
    }

    pub(super) fn from_io(path: Arc<Path>, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let why = error.to_string();
        match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
                Self::DiskFull { path, why }
            }
            Kind::InvalidData | Kind::UnexpectedEof => Self::Corrupt { path, why },
            _ => Self::Disk { path, why },
        }
    }

    pub(super) fn from_open(path: &Arc<Path>, error: &DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::Locked(path.clone()),
            DatabaseError::Storage(error) => Self::from_storage(path, error),
            other => Self::Corrupt {
                path: path.clone(),
                why: other.to_string(),
            },
        }
    }

    /// Does the file have to be opened anew before it can be used again?
    pub(super) fn is_of_the_disk(&self) -> bool {
        matches!(
            self,
            Self::Disk { .. } | Self::DiskFull { .. } | Self::Corrupt { .. } | Self::Locked(_)
        )
    }
}

impl std::error::Error for KvError {}

impl From<Refused> for KvError {
    fn from(refused: Refused) -> Self {
        Self::NotRun(refused)
    }
}

/// The file of a store, as its errors name it.
pub(super) fn shared(path: PathBuf) -> Arc<Path> {
    path.into()
}
