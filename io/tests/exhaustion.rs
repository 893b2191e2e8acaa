//! What happens when descriptors run out, and that none is left behind. A program of its own, and
//! one test in it, because the limit and the count belong to the whole process.

#![cfg(target_os = "linux")]

mod support;

use rusm_io::{TcpListener, TcpStream};
use rusm_sched::handle;
use support::{join, loopback, run, until, wait};

/// Descriptors that this process has open.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn accepting_survives_the_end_of_descriptors_and_shutdown_returns_all_of_them() {
    let before = descriptors();
    for workers in [1, 2] {
        run(workers, |reactor| async move {
            let mut listener = TcpListener::bind(loopback()).unwrap();
            let address = listener.local_addr().unwrap();
            // Two connections wait in the queue when the descriptors run out.
            let mut clients = Vec::new();
            for _ in 0..2 {
                clients.push(TcpStream::connect(address).await.unwrap());
            }
            let (soft, hard) = rlimit::Resource::NOFILE.get().unwrap();
            let lowest = std::fs::File::open("/dev/null").unwrap();
            let full = std::os::fd::AsRawFd::as_raw_fd(&lowest) as u64;
            drop(lowest);
            rlimit::Resource::NOFILE.set(full, hard).unwrap();

            let server = join(&handle(), async move {
                for _ in 0..2 {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    stream.write_all(b"y").await.unwrap();
                }
            });
            until("the loop has paused twice", || {
                reactor.stats().accepts_paused >= 2
            })
            .await;
            rlimit::Resource::NOFILE.set(soft, hard).unwrap();

            wait(server).await;
            for mut client in clients {
                client.read_exact(&mut [0]).await.unwrap();
            }
        });
        assert_eq!(descriptors(), before);
    }
}
