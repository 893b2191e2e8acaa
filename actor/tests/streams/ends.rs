//! Every way in which a stream ends, in every order, and what the other end hears of it.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use rusm_actor::{
    Context, ExitReason, Message, ReaderGone, StreamAborted, StreamReader, StreamWriter, exit,
    kill, send,
};

use super::everywhere::everywhere;
use super::{pattern, read_all};

fn aborted(reason: ExitReason) -> Result<(), StreamAborted> {
    Err(StreamAborted { reason })
}

#[test]
fn a_reader_gets_what_was_written_before_the_writer_was_dropped_and_then_the_end() {
    everywhere(|ctx| async move {
        let (mut writer, mut reader) = ctx.open_stream(100).expect("a capacity");
        writer.write_all(&pattern(60)).await.expect("there is room");
        drop(writer);
        assert_eq!(read_all(&mut reader, 7).await, (pattern(60), Ok(())));
        // The end stays the end.
        assert_eq!(reader.read(&mut [0; 4]).await, Ok(0));
    });
}

#[test]
fn a_writer_whose_reader_is_gone_is_told_even_if_there_is_room() {
    everywhere(|ctx| async move {
        let (mut writer, reader) = ctx.open_stream(100).expect("a capacity");
        writer.write_all(b"lost").await.expect("there is room");
        drop(reader);
        assert_eq!(writer.write(b"more").await, Err(ReaderGone));
        assert_eq!(writer.write_all(b"more").await, Err(ReaderGone));
        let error = std::io::Error::from(ReaderGone);
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_writer_that_waits_hears_that_its_reader_is_gone() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (mut writer, mut reader) = ctx.open_stream(3).expect("a capacity");
        ctx.spawn(move |_| async move {
            assert_eq!(writer.write_all(&[5; 100]).await, Err(ReaderGone));
            send(me, b"told");
        });
        reader.read(&mut [0; 2]).await.expect("it writes");
        drop(reader);
        ctx.receive().await;
    });
}

#[test]
fn a_reader_that_waits_hears_the_end() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (writer, mut reader) = ctx.open_stream(3).expect("a capacity");
        ctx.spawn(move |_| async move {
            assert_eq!(reader.read(&mut [0; 3]).await, Ok(0));
            send(me, b"told");
        });
        ctx.reductions(4).await;
        drop(writer);
        ctx.receive().await;
    });
}

#[test]
fn both_ends_may_go_in_any_order_with_or_without_bytes_between_them() {
    everywhere(|ctx| async move {
        for bytes in 0..4 {
            for writer_first in [true, false] {
                let (mut writer, reader) = ctx.open_stream(3).expect("a capacity");
                writer.write_all(&pattern(bytes)).await.expect("room");
                if writer_first {
                    drop(writer);
                    drop(reader);
                } else {
                    drop(reader);
                    drop(writer);
                }
            }
        }
    });
}

#[test]
fn an_aborted_stream_says_why_after_its_last_byte() {
    everywhere(|ctx| async move {
        let (mut writer, mut reader) = ctx.open_stream(100).expect("a capacity");
        writer.write_all(&pattern(20)).await.expect("there is room");
        writer.abort(ExitReason::Status(3));
        let expected = (pattern(20), aborted(ExitReason::Status(3)));
        assert_eq!(read_all(&mut reader, 6).await, expected);
        let again = reader.read(&mut [0; 4]).await;
        assert_eq!(again.map(drop), aborted(ExitReason::Status(3)));
    });
}

/// Starts a writer that ends as `end` says once it is told to, after it has written 9 bytes.
fn start_writer<F, Fut>(ctx: &mut Context, end: F) -> (rusm_actor::Pid, StreamReader)
where
    F: FnOnce(Context, StreamWriter) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let (mut writer, reader) = ctx.open_stream(9).expect("a capacity");
    let pid = ctx.spawn(move |ctx| async move {
        writer.write_all(&pattern(9)).await.expect("room");
        end(ctx, writer).await;
    });
    (pid, reader)
}

/// Waits for ever while it holds `held`.
async fn hold<T>(mut ctx: Context, held: T) {
    ctx.receive_match(|_| false).await;
    drop(held);
}

#[test]
fn a_killed_writer_is_no_end_but_an_abort() {
    everywhere(|mut ctx| async move {
        let (pid, mut reader) = start_writer(&mut ctx, hold);
        reader.read(&mut [0; 2]).await.expect("it has written");
        kill(pid);
        let (rest, end) = read_all(&mut reader, 4).await;
        assert_eq!(
            (rest, end),
            (pattern(9)[2..].to_vec(), aborted(ExitReason::Killed))
        );
        // Of a full stream, while it waits for room.
        let waits = |_, mut writer: StreamWriter| async move {
            writer.write_all(&[1; 50]).await.ok();
        };
        let (pid, mut reader) = start_writer(&mut ctx, waits);
        reader.read(&mut [0; 1]).await.expect("it has written");
        exit(pid, ExitReason::error("enough"));
        let (_, end) = read_all(&mut reader, 64).await;
        assert_eq!(end, aborted(ExitReason::error("enough")));
    });
}

#[test]
fn a_writer_that_panics_is_no_end_but_an_abort() {
    everywhere(|mut ctx| async move {
        let panics = |_, writer: StreamWriter| async move {
            let _held = writer;
            panic!("on purpose");
        };
        let (_, mut reader) = start_writer(&mut ctx, panics);
        let (all, end) = read_all(&mut reader, 4).await;
        assert_eq!(all, pattern(9));
        assert!(end.is_err());
    });
}

#[test]
fn a_writer_that_returns_ends_its_stream_whatever_others_die_of() {
    everywhere(|mut ctx| async move {
        let victim = ctx.spawn(|ctx| hold(ctx, ()));
        let ends = move |_, writer: StreamWriter| async move {
            kill(victim);
            rusm_sched::reductions(3).await;
            drop(writer);
        };
        let (_, mut reader) = start_writer(&mut ctx, ends);
        assert_eq!(read_all(&mut reader, 4).await, (pattern(9), Ok(())));
    });
}

#[test]
fn a_writer_that_lies_in_the_mailbox_of_a_killed_process_is_aborted() {
    everywhere(|ctx| async move {
        let (writer, mut reader) = ctx.open_stream(9).expect("a capacity");
        let pid = ctx.spawn(|ctx| hold(ctx, ()));
        send(pid, Message::native(writer));
        kill(pid);
        let (_, end) = read_all(&mut reader, 4).await;
        assert_eq!(end, aborted(ExitReason::Killed));
    });
}

#[test]
fn a_killed_reader_breaks_the_stream_whether_its_writer_waits_or_not() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (mut writer, mut reader) = ctx.open_stream(4).expect("a capacity");
        let pid = ctx.spawn(move |_| async move {
            let mut buffer = [0; 3];
            while reader.read(&mut buffer).await.is_ok() {}
        });
        ctx.spawn(move |_| async move {
            while writer.write(&[1; 7]).await.is_ok() {}
            assert_eq!(writer.write(&[1]).await, Err(ReaderGone));
            send(me, b"told");
        });
        ctx.reductions(20).await;
        kill(pid);
        ctx.receive().await;
    });
}

#[test]
fn a_call_that_was_given_up_has_moved_nothing() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (mut writer, mut reader) = ctx.open_stream(4).expect("a capacity");
        {
            let mut buffer = [0; 4];
            let mut read = pin!(reader.read(&mut buffer));
            give_up(read.as_mut()).await;
        }
        assert_eq!(writer.write(&[1, 2, 3, 4]).await, Ok(4));
        {
            let mut write = pin!(writer.write(&[9; 4]));
            give_up(write.as_mut()).await;
        }
        ctx.spawn(move |_| async move {
            assert_eq!(
                read_all(&mut reader, 3).await,
                (vec![1, 2, 3, 4, 5], Ok(()))
            );
            send(me, b"read");
        });
        writer.write_all(&[5]).await.expect("somebody reads");
        drop(writer);
        ctx.receive().await;
    });
}

/// Polls until nothing is left to do but to wait, and stops then.
async fn give_up<F: Future>(mut future: std::pin::Pin<&mut F>) {
    for _ in 0..3 {
        std::future::poll_fn(|cx| {
            assert!(future.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        rusm_sched::yield_now().await;
    }
}
