//! Unix sockets: connections by path, pairs, back-pressure.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::support::{join, run, wait};
use rusm_io::{UnixListener, UnixStream};

/// A path of this test's own, removed at the end.
struct Socket(PathBuf);

impl Socket {
    fn new(name: &str) -> Self {
        let name = format!("rusm-io-{}-{name}.sock", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // A test that failed early has not made it.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// More clients than the listener's queue holds, so that some have to try again.
#[test]
fn clients_connect_by_path_and_echo() {
    for workers in [1, 2] {
        let socket = Socket::new(&format!("echo-{workers}"));
        let path = socket.0.clone();
        run(workers, |_| async move {
            const CLIENTS: usize = 300;
            let mut listener = UnixListener::bind(&path).unwrap();
            let handle = rusm_sched::handle();
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    let path = path.clone();
                    join(&handle, async move {
                        let mut stream = UnixStream::connect(&path).await.unwrap();
                        stream.write_all(b"hello").await.unwrap();
                        let mut back = [0; 5];
                        stream.read_exact(&mut back).await.unwrap();
                        assert_eq!(&back, b"hello");
                    })
                })
                .collect();
            for _ in 0..CLIENTS {
                let mut stream = listener.accept().await.unwrap();
                handle.spawn(async move {
                    let mut bytes = [0; 5];
                    stream.read_exact(&mut bytes).await.unwrap();
                    stream.write_all(&bytes).await.unwrap();
                });
            }
            for client in clients {
                wait(client).await;
            }
        });
    }
}

#[test]
fn a_pair_carries_more_than_the_system_buffers() {
    const BYTES: usize = 4 << 20;
    run(2, |_| async {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        let writer = join(&rusm_sched::handle(), async move {
            one.write_all(&vec![7; BYTES]).await.unwrap();
        });
        let mut bytes = vec![0; BYTES];
        other.read_exact(&mut bytes).await.unwrap();
        assert!(bytes.iter().all(|&byte| byte == 7));
        assert_eq!(other.read(&mut bytes).await.unwrap(), 0);
        wait(writer).await;
    });
}

#[test]
fn a_path_where_nobody_listens_is_refused() {
    let socket = Socket::new("nobody");
    let path = socket.0.clone();
    run(1, |_| async move {
        drop(UnixListener::bind(&path).unwrap());
        let error = UnixStream::connect(&path).await.err().expect("refused");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}
