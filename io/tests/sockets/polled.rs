//! Sockets whose users try first and wait afterwards, and the look-up that tells its failures apart.

use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::Poll;

use crate::support::{join, loopback, run, wait};
use rusm_io::{LookUpError, Polled, look_up};
use socket2::{Domain, Protocol, Socket, Type};

fn tcp() -> Polled<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
    socket.set_nonblocking(true).unwrap();
    Polled::new(socket).unwrap()
}

fn listener() -> (Polled<Socket>, SocketAddr) {
    let socket = tcp();
    socket.get().bind(&loopback().into()).unwrap();
    socket.get().listen(16).unwrap();
    let address = socket.get().local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// Connects step by step, as a guest does.
async fn connect(to: SocketAddr) -> std::io::Result<Polled<Socket>> {
    let socket = tcp();
    match socket.attempt(|io| io.connect(&to.into())) {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        other => other?,
    }
    socket.writable().await;
    match socket.get().take_error()? {
        Some(error) => Err(error),
        None => Ok(socket),
    }
}

async fn pair() -> (Polled<Socket>, Polled<Socket>) {
    let (listener, address) = listener();
    let one = connect(address).await.unwrap();
    listener.readable().await;
    let (other, _) = listener.attempt(Socket::accept).unwrap();
    other.set_nonblocking(true).unwrap();
    (one, Polled::new(other).unwrap())
}

/// Whether it is readable now.
async fn is_readable(socket: &Polled<Socket>) -> bool {
    poll_fn(|cx| Poll::Ready(socket.poll_readable(cx).is_ready())).await
}

#[test]
fn readiness_is_what_is_true_now_and_not_what_has_changed() {
    for workers in [1, 2] {
        run(workers, |_| async {
            let (one, other) = pair().await;
            assert!(!is_readable(&other).await);
            one.attempt(|mut io| io.write(b"two")).unwrap();
            other.readable().await;
            // Nothing was taken, so nothing has changed.
            assert!(is_readable(&other).await);
            let mut bytes = [0; 2];
            assert_eq!(other.attempt(|mut io| io.read(&mut bytes)).unwrap(), 2);
            assert!(is_readable(&other).await, "one byte is left");
            assert_eq!(other.attempt(|mut io| io.read(&mut bytes)).unwrap(), 1);
            assert!(!is_readable(&other).await);
            let empty = other.attempt(|mut io| io.read(&mut bytes)).unwrap_err();
            assert_eq!(empty.kind(), ErrorKind::WouldBlock);
            drop(one);
            other.readable().await;
            assert_eq!(other.attempt(|mut io| io.read(&mut bytes)).unwrap(), 0);
        });
    }
}

#[test]
fn a_full_socket_is_writable_again_when_its_peer_has_read() {
    for workers in [1, 2] {
        run(workers, |_| async {
            let (one, other) = pair().await;
            let reader = join(&rusm_sched::handle(), async move {
                let (mut total, mut bytes) = (0, vec![0; 64 << 10]);
                loop {
                    other.readable().await;
                    match other.attempt(|mut io| io.read(&mut bytes)).unwrap() {
                        0 => return total,
                        count => total += count,
                    }
                }
            });
            let bytes = vec![7; 64 << 10];
            let (mut written, mut full) = (0, 0);
            while full < 3 {
                match one.attempt(|mut io| io.write(&bytes)) {
                    Ok(count) => written += count,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::WouldBlock);
                        full += 1;
                        one.writable().await;
                    }
                }
            }
            drop(one);
            assert_eq!(wait(reader).await, written);
        });
    }
}

#[test]
fn a_listener_waits_for_each_of_many_connections() {
    run(2, |_| async {
        let (listener, address) = listener();
        let clients = join(&rusm_sched::handle(), async move {
            for _ in 0..50 {
                drop(connect(address).await.unwrap());
                rusm_sched::yield_now().await;
            }
        });
        for _ in 0..50 {
            listener.readable().await;
            listener.attempt(Socket::accept).unwrap();
        }
        wait(clients).await;
    });
}

#[test]
fn a_refused_connect_is_writable_and_its_error_says_why() {
    run(1, |_| async {
        let (listener, address) = listener();
        drop(listener);
        let refused = connect(address).await.err().expect("nobody listens");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_name_is_looked_up_and_digits_are_answered_at_once() {
    run(1, |_| async {
        let found = look_up("localhost").await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
        let digits = look_up("192.0.2.7").await;
        assert_eq!(digits, Ok(vec![Ipv4Addr::new(192, 0, 2, 7).into()]));
        // Which of the two depends on whether this machine has a resolver.
        let nobody = look_up("nobody.invalid").await.unwrap_err();
        assert!(
            matches!(nobody, LookUpError::NoSuchName | LookUpError::TryAgain),
            "{nobody}"
        );
    });
}
