//! Ends of streams, and values of any kind, on their way to other processes and threads.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use rusm_actor::{Context, Message, StreamReader, StreamWriter, kill, open_stream, send};

use super::everywhere::{everywhere, on_threads};
use super::{pattern, read_all};

#[test]
fn an_end_goes_on_where_it_was_in_another_process() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (mut writer, mut reader) = ctx.open_stream(8).expect("a capacity");
        writer.write_all(&pattern(5)).await.expect("room");
        let mut first = [0; 2];
        assert_eq!(reader.read(&mut first).await, Ok(2));
        let takes_writer = ctx.spawn(|mut ctx: Context| async move {
            let message = ctx.receive().await;
            let mut writer = message.downcast::<StreamWriter>().expect("a writer");
            writer
                .write_all(&pattern(50)[5..])
                .await
                .expect("somebody reads");
        });
        let takes_reader = ctx.spawn(move |mut ctx| async move {
            let message = ctx.receive().await;
            let mut reader = message.downcast::<StreamReader>().expect("a reader");
            assert_eq!(
                read_all(&mut reader, 3).await,
                (pattern(50)[2..].to_vec(), Ok(()))
            );
            send(me, b"read");
        });
        send(takes_writer, Message::native(writer));
        send(takes_reader, Message::native(reader));
        assert_eq!(ctx.receive().await.bytes(), b"read");
    });
}

/// A value that only one process can have at a time, and that says when it is closed.
struct Handle {
    number: usize,
    closed: Arc<AtomicUsize>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.closed.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn any_handle_moves_from_process_to_process_and_closes_once_with_its_last_owner() {
    everywhere(|mut ctx| async move {
        let closed = Arc::new(AtomicUsize::new(0));
        let handle = Handle {
            number: 0,
            closed: closed.clone(),
        };
        let mut next = ctx.pid();
        for _ in 0..5 {
            let to = next;
            next = ctx.spawn(move |mut ctx| async move {
                let mut handle = ctx.receive().await.downcast::<Handle>().expect("a handle");
                handle.number += 1;
                send(to, Message::native(handle));
            });
        }
        send(next, Message::native(handle));
        let handle = ctx.receive().await.downcast::<Handle>().expect("a handle");
        assert_eq!((handle.number, closed.load(Ordering::SeqCst)), (5, 0));
        // Who ends closes what it has, and what is on its way to it.
        let (last, _) = ctx.spawn_monitor(|mut ctx: Context| async move {
            let _handle = ctx.receive().await;
            ctx.receive_match(|_| false).await;
        });
        send(last, Message::native(handle));
        ctx.reductions(3).await;
        kill(last);
        ctx.receive().await;
        while closed.load(Ordering::SeqCst) == 0 {
            ctx.reductions(1).await;
        }
        assert_eq!(closed.load(Ordering::SeqCst), 1);
    });
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on a thread of no scheduler.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = TaskContext::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[test]
fn a_plain_thread_may_hold_either_end() {
    on_threads(2, |ctx| async move {
        let (mut to_thread, mut reader) = open_stream(100).expect("a capacity");
        let (mut writer, mut from_thread) = open_stream(7).expect("a capacity");
        let thread = std::thread::spawn(move || {
            let (all, end) = block_on(read_all(&mut reader, 64));
            assert_eq!(end, Ok(()));
            block_on(writer.write_all(&all)).expect("somebody reads");
        });
        ctx.spawn(move |_| async move {
            to_thread
                .write_all(&pattern(10_000))
                .await
                .expect("it reads");
        });
        assert_eq!(
            read_all(&mut from_thread, 999).await,
            (pattern(10_000), Ok(()))
        );
        thread.join().expect("no panic");
    });
}
