//! The store of keys and values: see `docs/guest-services.md`.
//!
//! A listing is described by a record of 36 bytes:
//!
//! | at | is |
//! |---|---|
//! | 0 | u32: 1 descending, 2 keys only, 4 `from` is a prefix, 8 it begins behind `from`, 16 it ends with `to` and not before it, 32 it has a `to` |
//! | 4 | u32: entries at most, or 0 for 100 |
//! | 8 | u32, u32: `from`, where and how long; empty is the beginning |
//! | 16 | u32, u32: `to` |
//! | 24 | u32, u32: `after`, the last key of the page before; empty: none |
//! | 32 | u32: 1 if `after` is given |
//!
//! A page is a u32, how many entries follow; a u32, 1 if there are more; and for each entry two u32,
//! how long key and value are, and their bytes. A batch is a row of steps: four u32, what (0 set,
//! 1 delete, 2 expect, 3 expect absent) and how long bucket, key and value are, and their bytes.

use std::future::Future;
use std::ops::Bound;
use std::sync::Arc;

use rusm_io::kv::{KeyValue, Page, Scan};
use wasmtime::{Caller, Linker, Result};

use crate::abi::{MODULE, bytes, guest, put, put_some, room, settle, text};
use crate::guest::State;
use crate::host::Refusal;
use crate::host::kv::{self, Step, What};
use crate::link::{opaque, waits};

const BUCKET: &str = "the name of a bucket";
/// Bytes of the description of a listing.
const SCAN_BYTES: i32 = 36;
/// Bytes of what comes before the entries of a page.
const PAGE_HEAD_BYTES: usize = 8;
/// Bytes of what comes before an entry's key.
const ENTRY_HEAD_BYTES: usize = 8;
/// Bytes of what comes before a step's bucket.
const STEP_HEAD_BYTES: usize = 16;

const DESCENDING: u32 = 1;
const KEYS_ONLY: u32 = 2;
const PREFIX: u32 = 4;
const FROM_BEHIND: u32 = 8;
const TO_INCLUDED: u32 = 16;
const HAS_TO: u32 = 32;
/// A compare-and-set expects an absent key.
const EXPECT_ABSENT: i32 = 1;
/// A compare-and-set deletes the key.
const DELETE: i32 = 2;

type Answer<'a> = Box<dyn Future<Output = Result<i32>> + Send + 'a>;
/// A range of memory as a guest claims it.
type Range = (i32, i32);

pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    waits(linker, MODULE, "kv_create", create)?;
    waits(linker, MODULE, "kv_drop", drop_bucket)?;
    waits(linker, MODULE, "kv_get", get)?;
    waits(linker, MODULE, "kv_exists", exists)?;
    waits(linker, MODULE, "kv_set", set)?;
    waits(linker, MODULE, "kv_delete", delete)?;
    waits(linker, MODULE, "kv_compare_and_set", compare_and_set)?;
    waits(linker, MODULE, "kv_list", list)?;
    waits(linker, MODULE, "kv_batch", batch)?;
    Ok(())
}

fn create<'a>(mut caller: Caller<'a, State>, (bucket, bucket_len): Range) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let made = match text(memory, bucket, bucket_len, BUCKET)? {
            Ok(bucket) => kv::create(state, bucket).await,
            Err(refusal) => Err(refusal),
        };
        Ok(settle(state, made.map(i32::from)))
    })
}

fn drop_bucket<'a>(mut caller: Caller<'a, State>, (bucket, bucket_len): Range) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let gone = match text(memory, bucket, bucket_len, BUCKET)? {
            Ok(bucket) => kv::drop(state, bucket).await,
            Err(refusal) => Err(refusal),
        };
        Ok(settle(state, gone.map(i32::from)))
    })
}

/// The length of the value; as much of it is written as there is room for.
fn get<'a>(
    mut caller: Caller<'a, State>,
    (bucket, bucket_len, key, key_len, to, max): (i32, i32, i32, i32, i32, i32),
) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        room(memory, to, max)?;
        let key = bytes(memory, key, key_len)?;
        let found = match text(memory, bucket, bucket_len, BUCKET)? {
            Ok(bucket) => kv::get(state, bucket, key).await,
            Err(refusal) => Err(refusal),
        };
        match found.and_then(|value| value.ok_or(Refusal::NoKey)) {
            Ok(value) => put_some(memory, to, max, &value),
            Err(refusal) => Ok(settle(state, Err(refusal))),
        }
    })
}

fn exists<'a>(
    mut caller: Caller<'a, State>,
    (bucket, bucket_len, key, key_len): (i32, i32, i32, i32),
) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let key = bytes(memory, key, key_len)?;
        let there = match text(memory, bucket, bucket_len, BUCKET)? {
            Ok(bucket) => kv::exists(state, bucket, key).await,
            Err(refusal) => Err(refusal),
        };
        Ok(settle(state, there.map(i32::from)))
    })
}

fn set<'a>(
    mut caller: Caller<'a, State>,
    (bucket, bucket_len, key, key_len, at, len): (i32, i32, i32, i32, i32, i32),
) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let (key, value) = (bytes(memory, key, key_len)?, bytes(memory, at, len)?);
        let done = match text(memory, bucket, bucket_len, BUCKET)? {
            Ok(bucket) => kv::set(state, bucket, key, value).await,
            Err(refusal) => Err(refusal),
        };
        Ok(settle(state, done.map(|()| 0)))
    })
}

fn delete<'a>(
    mut caller: Caller<'a, State>,
    (bucket, bucket_len, key, key_len): (i32, i32, i32, i32),
) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let key = bytes(memory, key, key_len)?;
        let gone = match text(memory, bucket, bucket_len, BUCKET)? {
            Ok(bucket) => kv::delete(state, bucket, key).await,
            Err(refusal) => Err(refusal),
        };
        Ok(settle(state, gone.map(i32::from)))
    })
}

/// 1 if the key had the expected value and has the new one now, else 0.
#[allow(
    clippy::type_complexity,
    reason = "it is the list of a function's arguments"
)]
fn compare_and_set<'a>(
    mut caller: Caller<'a, State>,
    (bucket, bucket_len, key, key_len, old, old_len, new, new_len, flags): (
        i32,
        i32,
        i32,
        i32,
        i32,
        i32,
        i32,
        i32,
        i32,
    ),
) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        let key = bytes(memory, key, key_len)?;
        let (old, new) = (bytes(memory, old, old_len)?, bytes(memory, new, new_len)?);
        let old = (flags & EXPECT_ABSENT == 0).then_some(old);
        let new = (flags & DELETE == 0).then_some(new);
        let done = match text(memory, bucket, bucket_len, BUCKET)? {
            Ok(bucket) => kv::compare_and_set(state, bucket, key, old, new).await,
            Err(refusal) => Err(refusal),
        };
        Ok(settle(state, done.map(i32::from)))
    })
}

/// How many bytes of a page were written: as many entries as there is room for.
fn list<'a>(
    mut caller: Caller<'a, State>,
    (bucket, bucket_len, scan, to, max): (i32, i32, i32, i32, i32),
) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        room(memory, to, max)?;
        let (scan, keys_only) = read_scan(memory, scan)?;
        let found = match text(memory, bucket, bucket_len, BUCKET)? {
            Err(refusal) => Err(refusal),
            Ok(bucket) if keys_only => kv::keys(state, bucket, scan).await.map(|page| Page {
                entries: page
                    .entries
                    .into_iter()
                    .map(|key| (key, Arc::default()))
                    .collect(),
                next: page.next,
            }),
            Ok(bucket) => kv::list(state, bucket, scan).await,
        };
        let written = match found {
            Ok(page) => write_page(room(memory, to, max)?, &page),
            Err(refusal) => Err(refusal),
        };
        Ok(settle(state, written))
    })
}

fn read_scan(memory: &[u8], at: i32) -> Result<(Scan, bool)> {
    let record = bytes(memory, at, SCAN_BYTES)?;
    let word = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().expect("four bytes"));
    let range = |at: usize| bytes(memory, word(at).cast_signed(), word(at + 4).cast_signed());
    let (flags, entries_max) = (word(0), word(4));
    let (from, to, after) = (range(8)?, range(16)?, range(24)?);
    let is = |flag| flags & flag != 0;
    let mut scan = if is(PREFIX) {
        Scan::prefix(from)
    } else {
        let from = match is(FROM_BEHIND) {
            true => Bound::Excluded(from),
            false => Bound::Included(from),
        };
        let to = match (is(HAS_TO), is(TO_INCLUDED)) {
            (false, _) => Bound::Unbounded,
            (true, false) => Bound::Excluded(to),
            (true, true) => Bound::Included(to),
        };
        Scan::range::<&[u8]>((from, to))
    };
    if is(DESCENDING) {
        scan = scan.descending();
    }
    if word(32) != 0 {
        scan = scan.after(after);
    }
    if entries_max != 0 {
        scan = scan.entries_max(entries_max as usize);
    }
    Ok((scan, is(KEYS_ONLY)))
}

/// Writes as many entries as there is room for.
fn write_page(into: &mut [u8], page: &Page<KeyValue>) -> Result<i32, Refusal> {
    let (mut end, mut count) = (PAGE_HEAD_BYTES, 0_u32);
    let too_small =
        |needed: usize| Refusal::Invalid(format!("a page needs {needed} bytes of room"));
    for (key, value) in &page.entries {
        let begin = end;
        end += ENTRY_HEAD_BYTES + key.len() + value.len();
        if end > into.len() {
            if count == 0 {
                return Err(too_small(end));
            }
            end = begin;
            break;
        }
        // Sizes of keys and values are far below what four bytes hold.
        into[begin..begin + 4].copy_from_slice(&(key.len() as u32).to_le_bytes());
        into[begin + 4..begin + 8].copy_from_slice(&(value.len() as u32).to_le_bytes());
        let (at_key, at_value) = (begin + ENTRY_HEAD_BYTES, end - value.len());
        into[at_key..at_value].copy_from_slice(key);
        into[at_value..end].copy_from_slice(value);
        count += 1;
    }
    let more = page.next.is_some() || (count as usize) < page.entries.len();
    let head = into
        .get_mut(..PAGE_HEAD_BYTES)
        .ok_or_else(|| too_small(PAGE_HEAD_BYTES))?;
    head[..4].copy_from_slice(&count.to_le_bytes());
    head[4..].copy_from_slice(&u32::from(more).to_le_bytes());
    Ok(i32::try_from(end).unwrap_or(i32::MAX))
}

/// 1 if all of it was done; 0 if a condition did not hold: which step it was is written to `to`.
fn batch<'a>(mut caller: Caller<'a, State>, (at, len, to): (i32, i32, i32)) -> Answer<'a> {
    opaque(async move {
        let (memory, state) = guest(&mut caller)?;
        room(memory, to, 4)?;
        let done = match read_steps(bytes(memory, at, len)?) {
            Ok(steps) => kv::batch(state, &steps).await,
            Err(refusal) => Err(refusal),
        };
        if let Ok(Some(step)) = &done {
            put(memory, to, &(*step as u32).to_le_bytes())?;
        }
        Ok(settle(state, done.map(|step| i32::from(step.is_none()))))
    })
}

fn read_steps(mut rest: &[u8]) -> Result<Vec<Step<'_>>, Refusal> {
    let cut = || Refusal::Invalid("the batch ends in the midst of a step".into());
    let mut steps = Vec::new();
    while !rest.is_empty() {
        kv::may_batch(steps.len() + 1)?;
        let (head, behind) = rest.split_at_checked(STEP_HEAD_BYTES).ok_or_else(cut)?;
        let word = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
        let (bucket, behind) = behind.split_at_checked(word(4) as usize).ok_or_else(cut)?;
        let (key, behind) = behind.split_at_checked(word(8) as usize).ok_or_else(cut)?;
        let (value, behind) = behind.split_at_checked(word(12) as usize).ok_or_else(cut)?;
        let what = match word(0) {
            0 => What::Set,
            1 => What::Delete,
            2 => What::Expect,
            3 => What::ExpectAbsent,
            other => {
                return Err(Refusal::Invalid(format!(
                    "a step sets (0), deletes (1), expects (2) or expects absence (3), not {other}"
                )));
            }
        };
        let bucket = str::from_utf8(bucket).map_err(|_| Refusal::NotText(BUCKET))?;
        steps.push(Step {
            what,
            bucket,
            key,
            value,
        });
        rest = behind;
    }
    Ok(steps)
}
