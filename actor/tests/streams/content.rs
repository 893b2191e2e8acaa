//! What is written is what is read, whatever the pieces, and nobody gets far ahead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rusm_actor::{ExitReason, OpenStreamError, STREAM_BYTES_MAX, open_stream, send};

use super::everywhere::{everywhere, on_threads};
use super::{Random, pattern, read_all};

#[test]
fn bytes_written_in_pieces_of_every_size_are_read_in_pieces_of_every_size() {
    const LEN: usize = 40;
    everywhere(|ctx| async move {
        for piece in 1..=LEN + 1 {
            for capacity in [1, 7, LEN, LEN + 1] {
                let (mut writer, mut reader) = ctx.open_stream(capacity).expect("a capacity");
                ctx.spawn(move |_| async move {
                    for part in pattern(LEN).chunks(piece) {
                        writer.write_all(part).await.expect("somebody reads");
                    }
                });
                let other = LEN + 2 - piece;
                assert_eq!(read_all(&mut reader, other).await, (pattern(LEN), Ok(())));
            }
        }
    });
}

#[test]
fn random_pieces_through_random_capacities_keep_content_and_order() {
    const LEN: usize = 3_000;
    let seed = Arc::new(AtomicUsize::new(1));
    everywhere(move |ctx| {
        let mut random = Random(seed.fetch_add(1, Ordering::Relaxed) as u64 * 0x9E37_79B9);
        async move {
            let capacity = 1 + random.below(300);
            let (mut writer, mut reader) = ctx.open_stream(capacity).expect("a capacity");
            let mut pieces = Random(random.0 ^ 0xABCD);
            ctx.spawn(move |_| async move {
                let (all, mut at) = (pattern(LEN), 0);
                while at < LEN {
                    let end = LEN.min(at + 1 + pieces.below(400));
                    let written = writer.write(&all[at..end]).await.expect("somebody reads");
                    assert!(written > 0 && written <= end - at && written <= capacity);
                    at += written;
                }
            });
            let (mut all, mut buffer) = (Vec::new(), [0; 400]);
            loop {
                let piece = 1 + random.below(400);
                match reader.read(&mut buffer[..piece]).await.expect("no abort") {
                    0 => break,
                    count => all.extend_from_slice(&buffer[..count]),
                }
            }
            assert_eq!(all, pattern(LEN));
        }
    });
}

#[test]
fn a_writer_is_never_further_ahead_than_the_capacity() {
    for capacity in [1, 10] {
        everywhere(move |ctx| async move {
            let (mut writer, mut reader) = ctx.open_stream(capacity).expect("a capacity");
            let written = Arc::new(AtomicUsize::new(0));
            let count = written.clone();
            ctx.spawn(move |_| async move {
                while writer.write(&[9; 3]).await.is_ok_and(|written| {
                    count.fetch_add(written, Ordering::SeqCst);
                    true
                }) {}
            });
            let (mut read, mut buffer) = (0, [0; 4]);
            while read < 200 {
                ctx.reductions(1).await;
                assert!(written.load(Ordering::SeqCst) <= read + capacity);
                read += reader.read(&mut buffer).await.expect("no abort");
            }
        });
    }
}

#[test]
fn an_empty_piece_waits_for_nothing_and_means_nothing() {
    everywhere(|ctx| async move {
        let (mut writer, mut reader) = ctx.open_stream(1).expect("a capacity");
        assert_eq!(writer.write(&[]).await, Ok(0));
        assert_eq!(reader.read(&mut []).await, Ok(0));
        assert_eq!(writer.write(&[1, 2]).await, Ok(1));
        assert_eq!(writer.write(&[]).await, Ok(0));
        assert_eq!(reader.read(&mut []).await, Ok(0));
        assert_eq!(reader.read(&mut [0; 9]).await, Ok(1));
    });
}

#[test]
fn bytes_are_read_into_memory_that_is_taken_for_them() {
    everywhere(|ctx| async move {
        let (mut writer, mut reader) = ctx.open_stream(10).expect("a capacity");
        let written = ctx.spawn(move |_| async move {
            writer.write_all(&pattern(1000)).await.expect("it is read");
            writer.abort(ExitReason::Timeout);
        });
        let mut all = Vec::new();
        while all.len() < 1000 {
            assert_eq!(reader.read_vec(0).await, Ok(vec![]));
            let piece = reader.read_vec(7).await.expect("no abort yet");
            assert!((1..=7).contains(&piece.len()) && piece.capacity() <= 7);
            all.extend(piece);
        }
        assert_eq!(all, pattern(1000), "of {written}");
        let aborted = reader.read_vec(usize::MAX).await.expect_err("an abort");
        assert_eq!(aborted.reason, ExitReason::Timeout);
        let (writer, mut reader) = ctx.open_stream(1).expect("a capacity");
        drop(writer);
        assert_eq!(reader.read_vec(usize::MAX).await, Ok(vec![]), "the end");
    });
}

#[test]
fn a_capacity_that_makes_no_sense_is_refused_with_a_sentence() {
    let zero = open_stream(0).expect_err("no room");
    assert_eq!(zero, OpenStreamError::NoCapacity);
    assert!(zero.to_string().contains("choose a capacity of 1 to"));
    let large = open_stream(STREAM_BYTES_MAX + 1).expect_err("too much room");
    assert_eq!(large, OpenStreamError::TooLarge);
    let (writer, reader) = open_stream(STREAM_BYTES_MAX).expect("the greatest");
    assert_eq!(writer.capacity(), reader.capacity());
}

#[test]
fn many_streams_at_once_do_not_mix() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        for number in 0..40_usize {
            let (mut writer, mut reader) = ctx.open_stream(1 + number % 5).expect("a capacity");
            let expected = vec![number as u8; 50 + number];
            let bytes = expected.clone();
            ctx.spawn(move |_| async move {
                writer.write_all(&bytes).await.expect("somebody reads");
            });
            ctx.spawn(move |_| async move {
                assert_eq!(
                    read_all(&mut reader, 1 + number % 7).await,
                    (expected, Ok(()))
                );
                send(me, b"read");
            });
        }
        for _ in 0..40 {
            ctx.receive().await;
        }
    });
}

/// The pair always has something to do; each end has to let others run all the same.
#[test]
fn a_stream_that_never_rests_leaves_turns_to_others() {
    on_threads(1, |ctx| async move {
        let (mut writer, mut reader) = ctx.open_stream(1 << 20).expect("a capacity");
        let stop = Arc::new(AtomicBool::new(false));
        let until = stop.clone();
        ctx.spawn(move |_| async move {
            let piece = vec![1; 100_000];
            while !until.load(Ordering::Relaxed) && writer.write_all(&piece).await.is_ok() {}
        });
        ctx.spawn(move |_| async move {
            let mut buffer = vec![0; 100_000];
            while reader.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
        });
        for _ in 0..100 {
            ctx.sleep(Duration::from_micros(100)).await;
            ctx.reductions(1).await;
        }
        stop.store(true, Ordering::Relaxed);
    });
}
