//! Which part of a bucket is listed, in which order, and how much at a time.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use redb::{AccessGuard, ReadableTable, StorageError};

use super::error::KvError;
use super::file::Snapshot;
use super::limit::{self, PAGE_BYTES_MAX, PAGE_ENTRIES_MAX};

/// Entries of a page unless it is said otherwise.
const PAGE_ENTRIES: usize = 100;

/// What is to be listed. Keys are ordered by their bytes.
#[derive(Clone, Debug)]
#[must_use = "it lists nothing by itself"]
pub struct Scan {
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
    descending: bool,
    after: Option<Vec<u8>>,
    entries_max: usize,
}

impl Scan {
    /// The whole bucket, 100 entries a page.
    pub fn all() -> Self {
        Self::range::<&[u8]>(..)
    }

    /// The keys of a range. An empty one lists nothing.
    pub fn range<K: AsRef<[u8]>>(range: impl RangeBounds<K>) -> Self {
        let owned = |bound: Bound<&K>| bound.map(|key| key.as_ref().to_vec());
        Self {
            from: owned(range.start_bound()),
            to: owned(range.end_bound()),
            descending: false,
            after: None,
            entries_max: PAGE_ENTRIES,
        }
    }

    /// The keys that begin with `prefix`.
    pub fn prefix(prefix: impl AsRef<[u8]>) -> Self {
        let prefix = prefix.as_ref();
        let mut scan = Self::all();
        scan.from = Bound::Included(prefix.to_vec());
        // The first key behind all of them: the last byte that can be raised is.
        if let Some(last) = prefix.iter().rposition(|byte| *byte < u8::MAX) {
            let mut behind = prefix[..=last].to_vec();
            behind[last] += 1;
            scan.to = Bound::Excluded(behind);
        }
        scan
    }

    /// From the last key to the first one.
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// Goes on behind a page: `cursor` is its `next`, or any key.
    pub fn after(mut self, cursor: impl Into<Vec<u8>>) -> Self {
        self.after = Some(cursor.into());
        self
    }

    /// At most so many entries a page, 1 to [`PAGE_ENTRIES_MAX`].
    pub fn entries_max(mut self, entries_max: usize) -> Self {
        self.entries_max = entries_max;
        self
    }

    pub(super) fn check(&self) -> Result<(), KvError> {
        for bound in [&self.from, &self.to] {
            if let Bound::Included(key) | Bound::Excluded(key) = bound {
                limit::check_key(key)?;
            }
        }
        match self.entries_max {
            1..=PAGE_ENTRIES_MAX => Ok(()),
            entries => Err(KvError::PageSize { entries }),
        }
    }

    /// The range that is left behind the cursor; `None` if nothing can be in it.
    fn rest(&self) -> Option<Rest<'_>> {
        let (mut from, mut to) = (as_slice(&self.from), as_slice(&self.to));
        if let Some(after) = self.after.as_deref() {
            // A cursor before the range, seen in the direction of the listing, changes nothing.
            match self.descending {
                false if !excludes_from(from, after) => from = Bound::Excluded(after),
                true if !excludes_to(to, after) => to = Bound::Excluded(after),
                _ => {}
            }
        }
        let possible = match (from, to) {
            (Bound::Included(from), Bound::Included(to)) => from <= to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to))
            | (Bound::Excluded(from), Bound::Included(to)) => from < to,
            _ => true,
        };
        possible.then_some((from, to))
    }

    /// Reads one page; `take` makes an entry of a key and a value and says how large it is.
    pub(super) fn page<T>(
        &self,
        rows: &Snapshot,
        take: impl Fn(&[u8], &[u8]) -> (T, usize),
    ) -> Result<Page<T>, StorageError> {
        let mut page = Page {
            entries: Vec::new(),
            next: None,
        };
        let Some(rest) = self.rest() else {
            return Ok(page);
        };
        let mut range = ReadableTable::range::<&[u8]>(rows, rest)?;
        let (mut bytes, mut last) = (0, Vec::new());
        loop {
            let entry = match self.descending {
                false => range.next(),
                true => range.next_back(),
            };
            let Some((key, value)): Option<Entry<'_>> = entry.transpose()? else {
                return Ok(page);
            };
            if page.entries.len() == self.entries_max || bytes > PAGE_BYTES_MAX {
                page.next = Some(last);
                return Ok(page);
            }
            let (entry, size) = take(key.value(), value.value());
            bytes += size;
            last.clear();
            last.extend_from_slice(key.value());
            page.entries.push(entry);
        }
    }
}

/// Where a range begins and ends.
type Rest<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);
type Entry<'a> = (
    AccessGuard<'a, &'static [u8]>,
    AccessGuard<'a, &'static [u8]>,
);

/// Does a range that begins so leave out `key` because it lies before?
fn excludes_from(from: Bound<&[u8]>, key: &[u8]) -> bool {
    match from {
        Bound::Included(from) => key < from,
        Bound::Excluded(from) => key <= from,
        Bound::Unbounded => false,
    }
}

fn excludes_to(to: Bound<&[u8]>, key: &[u8]) -> bool {
    match to {
        Bound::Included(to) => key > to,
        Bound::Excluded(to) => key >= to,
        Bound::Unbounded => false,
    }
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

/// A part of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In the order that was asked for.
    pub entries: Vec<T>,
    /// The cursor for [`Scan::after`], if there is more. It stays good whatever is written.
    pub next: Option<Vec<u8>>,
}

/// A key and its value.
pub type KeyValue = (Arc<[u8]>, Arc<[u8]>);
