//! Sockets and standard streams in the hands of tasks, one file a family.

#[path = "../support/mod.rs"]
mod support;

mod polled;
mod reactor;
mod stdio;
mod tcp;
mod udp;
mod unix;

use rusm_io::{TcpListener, TcpStream};

/// Two ends of one TCP connection.
async fn tcp_pair() -> (TcpStream, TcpStream) {
    let mut listener = TcpListener::bind(support::loopback()).unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (other, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, one.local_addr().unwrap());
    (one, other)
}
