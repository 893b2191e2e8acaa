//! Decides how an accept loop survives: which errors it steps over, which it sits out, and which
//! end it.

use std::future::poll_fn;
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use crate::source::{Seen, Source};

/// The first pause when descriptors or memory have run out; each further one is twice as long, up
/// to the limit.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(250);

/// What an error of `accept` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// That one connection failed; the next may not.
    Retry,
    /// The system is short of something; others must give it back first.
    Pause,
    /// The listener itself is no good.
    Fail,
}

/// Waits for the next connection that `take` can take. Each readiness is used up before the next is
/// waited for.
pub(crate) async fn accept<L: AsRawFd, T>(
    source: &Source<L>,
    seen: &mut Seen,
    take: impl Fn(&L) -> io::Result<T>,
) -> io::Result<T> {
    let counters = &source.poller().counters;
    let mut pause = PAUSE_MIN;
    loop {
        let error = match poll_fn(|cx| source.poll_read(seen, cx, &take)).await {
            Ok(taken) => return Ok(taken),
            Err(error) => error,
        };
        match verdict(&error) {
            Verdict::Retry => counters.accepts_retried.add(1),
            Verdict::Pause => {
                counters.accepts_paused.add(1);
                rusm_sched::sleep(pause).await;
                pause = PAUSE_MAX.min(pause * 2);
            }
            Verdict::Fail => return Err(error),
        }
    }
}

/// accept(2) on Linux reports errors of the new connection as its own and asks to treat them like
/// "try again".
fn verdict(error: &io::Error) -> Verdict {
    match error.raw_os_error() {
        Some(
            libc::ECONNABORTED
            | libc::ECONNRESET
            | libc::EPROTO
            | libc::EPERM
            | libc::ETIMEDOUT
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::ENOPROTOOPT,
        ) => Verdict::Retry,
        Some(
            // The last one is the limit on registrations with epoll, met when the new socket is
            // registered.
            libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::ENOSPC,
        ) => Verdict::Pause,
        _ => Verdict::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_of_the_listener_itself_ends_the_loop() {
        let cases = [
            (libc::ECONNABORTED, Verdict::Retry),
            (libc::EPROTO, Verdict::Retry),
            (libc::EMFILE, Verdict::Pause),
            (libc::ENFILE, Verdict::Pause),
            (libc::EBADF, Verdict::Fail),
            (libc::EINVAL, Verdict::Fail),
        ];
        for (code, expected) in cases {
            assert_eq!(
                verdict(&io::Error::from_raw_os_error(code)),
                expected,
                "errno {code}"
            );
        }
        assert_eq!(
            verdict(&io::Error::other("not the system's")),
            Verdict::Fail
        );
    }
}
