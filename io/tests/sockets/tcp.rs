//! TCP on the loopback interface: echoes, ends, refusals, back-pressure, dropped futures.

use std::future::{Future, poll_fn};
use std::io::{ErrorKind, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use crate::support::{join, loopback, run, run_with, until, wait};
use crate::tcp_pair;
use rusm_io::{TcpListener, TcpStream};
use rusm_sched::Config;

/// Echoes everything on every connection, each served by its own task.
async fn serve(mut listener: TcpListener) {
    loop {
        let (mut stream, _peer) = listener.accept().await.unwrap();
        rusm_sched::handle().spawn(async move {
            let mut bytes = vec![0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut bytes).await {
                if stream.write_all(&bytes[..count]).await.is_err() {
                    break;
                }
            }
        });
    }
}

fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind(loopback()).unwrap();
    let address = listener.local_addr().unwrap();
    rusm_sched::handle().spawn(serve(listener));
    address
}

#[test]
fn many_connections_echo_at_the_same_time_on_one_and_two_workers() {
    const CONNECTIONS: usize = 64;
    const ROUNDS: usize = 50;
    for workers in [1, 2] {
        run(workers, |reactor| async move {
            let server = echo_server();
            let client = |name: usize| async move {
                let mut stream = TcpStream::connect(server).await.unwrap();
                stream.set_nodelay(true).unwrap();
                for round in 0..ROUNDS {
                    let sent = [(name ^ round) as u8; 64];
                    let mut back = [0; 64];
                    stream.write_all(&sent).await.unwrap();
                    stream.read_exact(&mut back).await.unwrap();
                    assert_eq!(sent, back);
                }
            };
            let handle = rusm_sched::handle();
            let clients: Vec<_> = (0..CONNECTIONS).map(|n| join(&handle, client(n))).collect();
            for client in clients {
                wait(client).await;
            }
            until("only the listener is left", || {
                reactor.stats().sources_live == 1
            })
            .await;
            assert_eq!(reactor.stats().poll_errors, 0);
        });
    }
}

#[test]
fn connections_that_come_and_go_leave_nothing_registered() {
    for workers in [1, 2] {
        run(workers, |reactor| async move {
            let server = echo_server();
            let client = || async move {
                for _ in 0..100 {
                    let mut stream = TcpStream::connect(server).await.unwrap();
                    stream.write_all(&[7]).await.unwrap();
                    stream.read_exact(&mut [0]).await.unwrap();
                }
            };
            let handle = rusm_sched::handle();
            let clients: Vec<_> = (0..16).map(|_| join(&handle, client())).collect();
            for client in clients {
                wait(client).await;
            }
            until("only the listener is left", || {
                reactor.stats().sources_live == 1
            })
            .await;
        });
    }
}

#[test]
fn connecting_where_nobody_listens_is_refused() {
    run(2, |_| async {
        let nobody = TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
        let error = TcpStream::connect(nobody).await.err().expect("refused");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_name_is_connected_to_and_an_unknown_one_says_so() {
    run(2, |_| async {
        let port = echo_server().port();
        let mut stream = TcpStream::connect_to(&format!("localhost:{port}"))
            .await
            .unwrap();
        stream.write_all(b"x").await.unwrap();
        stream.read_exact(&mut [0]).await.unwrap();

        let nobody = TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
        let refused = TcpStream::connect_to(&nobody.to_string())
            .await
            .err()
            .unwrap();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let unknown = TcpStream::connect_to("no port in it").await.err().unwrap();
        for (error, name) in [
            (refused, nobody.to_string()),
            (unknown, "no port in it".into()),
        ] {
            assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
        }
    });
}

#[test]
fn the_end_of_a_stream_is_read_after_its_last_bytes_and_stays() {
    run(2, |_| async {
        let (mut one, mut other) = tcp_pair().await;
        one.write_all(b"last words").await.unwrap();
        drop(one);
        let mut bytes = [0; 64];
        let mut text = Vec::new();
        loop {
            match other.read(&mut bytes).await.unwrap() {
                0 => break,
                count => text.extend_from_slice(&bytes[..count]),
            }
        }
        assert_eq!(text, b"last words");
        assert_eq!(other.read(&mut bytes).await.unwrap(), 0);
        let error = other.read_exact(&mut bytes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    });
}

/// A short read is taken for an empty queue, so the end that came under the same edge must not be
/// waited for. The reader starts at different moments of the arrival of bytes and end.
#[test]
fn an_end_that_comes_together_with_the_bytes_is_never_missed() {
    for workers in [1, 2] {
        run(workers, |_| async move {
            for round in 0..500 {
                let (mut one, mut other) = tcp_pair().await;
                let reader = async move {
                    let mut bytes = [0; 64];
                    let mut total = 0;
                    while let count @ 1.. = other.read(&mut bytes).await.unwrap() {
                        total += count;
                    }
                    total
                };
                let early = round % 2 == 0;
                let mut reader = Some(reader);
                let mut total = None;
                if early {
                    total = reader
                        .take()
                        .map(|reader| join(&rusm_sched::handle(), reader));
                }
                one.write_all(b"abc").await.unwrap();
                drop(one);
                match reader {
                    Some(reader) => assert_eq!(reader.await, 3),
                    None => assert_eq!(wait(total.take().unwrap()).await, 3),
                }
            }
        });
    }
}

#[test]
fn one_direction_can_end_while_the_other_goes_on() {
    run(2, |_| async {
        let (mut one, mut other) = tcp_pair().await;
        one.write_all(b"question").await.unwrap();
        one.shutdown(Shutdown::Write).unwrap();
        let mut bytes = [0; 8];
        other.read_exact(&mut bytes).await.unwrap();
        assert_eq!(other.read(&mut bytes).await.unwrap(), 0);
        other.write_all(b"answer").await.unwrap();
        let mut back = [0; 6];
        one.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"answer");
    });
}

#[test]
fn writing_to_a_peer_that_is_gone_ends_in_an_error() {
    run(2, |_| async {
        let (mut one, other) = tcp_pair().await;
        drop(other);
        let mut writes = 0;
        // The first writes may still be taken, until the peer's answer has come.
        let error = loop {
            match one.write(&[0; 1024]).await {
                Ok(_) => writes += 1,
                Err(error) => break error,
            }
            assert!(writes < 100_000);
        };
        assert!(matches!(
            error.kind(),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
        ));
    });
}

/// Both ends write far more than the system buffers before either may finish, through halves in
/// different tasks.
#[test]
fn large_transfers_in_both_directions_survive_back_pressure() {
    const BYTES: usize = 16 << 20;
    for workers in [1, 2] {
        run(workers, |_| async {
            let (one, other) = tcp_pair().await;
            let handle = rusm_sched::handle();
            let mut ends = Vec::new();
            for stream in [one, other] {
                let (mut read, mut write) = stream.into_split();
                ends.push(join(&handle, async move {
                    let bytes: Vec<u8> = (0..BYTES).map(|at| (at % 251) as u8).collect();
                    write.write_all(&bytes).await.unwrap();
                    write.shutdown().unwrap();
                }));
                ends.push(join(&handle, async move {
                    let mut bytes = vec![0; 100_000];
                    let mut total = 0;
                    while let count @ 1.. = read.read(&mut bytes).await.unwrap() {
                        let fits = |(at, &byte): (usize, &u8)| byte == ((total + at) % 251) as u8;
                        assert!(bytes[..count].iter().enumerate().all(fits));
                        total += count;
                    }
                    assert_eq!(total, BYTES);
                }));
            }
            for end in ends {
                wait(end).await;
            }
        });
    }
}

#[test]
fn pieces_are_written_in_order_by_one_call() {
    run(1, |_| async {
        let (mut one, mut other) = tcp_pair().await;
        let pieces = [
            IoSlice::new(b"head "),
            IoSlice::new(b"and "),
            IoSlice::new(b"body"),
        ];
        assert_eq!(one.write_vectored(&pieces).await.unwrap(), 13);
        let mut bytes = [0; 13];
        other.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"head and body");
    });
}

#[derive(Default)]
struct Count(AtomicUsize);
impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn only_the_waker_of_the_last_poll_is_woken() {
    run(1, |_| async {
        let (mut one, mut other) = tcp_pair().await;
        let (first, last) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let mut bytes = [0; 1];
        let mut read = pin!(other.read(&mut bytes));
        for waker in [
            first.clone().into(),
            Waker::noop().clone(),
            last.clone().into(),
        ] {
            assert!(
                read.as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            );
        }
        one.write_all(b"x").await.unwrap();
        until("the last waker is woken", || last.0.load(SeqCst) == 1).await;
        assert_eq!(first.0.load(SeqCst), 0);
        assert_eq!(read.await.unwrap(), 1);
    });
}

#[test]
fn a_read_that_is_dropped_while_it_waits_loses_nothing() {
    run(2, |_| async {
        let (mut one, mut other) = tcp_pair().await;
        for round in 0..100 {
            let mut bytes = [0; 8];
            {
                let mut read = pin!(other.read(&mut bytes));
                let once = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx).is_pending()));
                assert!(once.await);
            }
            one.write_all(&[round]).await.unwrap();
            assert_eq!(other.read(&mut bytes).await.unwrap(), 1);
            assert_eq!(bytes[0], round);
        }
    });
}

#[test]
fn a_turn_ends_even_if_there_are_always_more_bytes() {
    const BYTES: usize = 10_000;
    let config = Config {
        workers: 1,
        budget: 1000,
        ..Config::default()
    };
    run_with(config, |_| async {
        let (mut one, mut other) = tcp_pair().await;
        one.write_all(&[7; BYTES]).await.unwrap();
        let (mut total, mut turns) = (0, 0);
        while total < BYTES {
            let reads_of_a_turn = poll_fn(|cx| {
                let mut reads = 0;
                while let Poll::Ready(count) = other.poll_read(cx, &mut [0]) {
                    reads += count.unwrap();
                }
                Poll::Ready(reads)
            });
            total += reads_of_a_turn.await;
            turns += 1;
            rusm_sched::yield_now().await;
        }
        assert!(turns >= BYTES / 100, "all read in {turns} turns");
    });
}

#[test]
fn a_budget_below_the_price_of_an_attempt_still_makes_progress() {
    let config = Config {
        workers: 1,
        budget: 1,
        ..Config::default()
    };
    run_with(config, |_| async {
        let mut stream = TcpStream::connect(echo_server()).await.unwrap();
        for round in 0..20 {
            stream.write_all(&[round]).await.unwrap();
            let mut back = [0];
            stream.read_exact(&mut back).await.unwrap();
            assert_eq!(back[0], round);
        }
    });
}
