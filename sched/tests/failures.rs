//! What goes wrong in code of others stays there: in drivers, destructors, hooks and jobs.

mod support;

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};

use rusm_sched::{blocking, yield_now};

use support::{WAIT_MAX, start, workers};

/// What a destructor asked for was granted to the next task of that worker.
#[test]
fn a_task_that_asks_to_block_when_it_is_dropped_moves_nobody_else() {
    struct Asks;
    impl Drop for Asks {
        fn drop(&mut self) {
            let mut context = Context::from_waker(Waker::noop());
            assert!(pin!(blocking::enter()).poll(&mut context).is_pending());
        }
    }
    let scheduler = start(workers(1));
    let (done, wait) = mpsc::channel();
    scheduler.handle().spawn(async move {
        let handle = rusm_sched::handle();
        let asks = Asks;
        handle.spawn(std::future::poll_fn(move |_| {
            let _ = &asks;
            std::task::Poll::Ready(())
        }));
        handle.spawn(async move {
            yield_now().await;
            let name = std::thread::current().name().map(str::to_string);
            done.send(name).expect("the test listens");
        });
    });
    let name = wait.recv_timeout(WAIT_MAX).expect("it ends");
    assert_eq!(name.as_deref(), Some("rusm-worker-0"));
}
