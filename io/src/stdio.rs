//! Decides how the standard streams are read and written without blocking a worker.
//!
//! They cannot be made non-blocking: that flag belongs to the open file, which the parent shell and
//! other programs share, and which would then fail in their hands. So two means are combined. Where
//! the stream can be polled (pipes, terminals, sockets) the task waits for readiness on the
//! reactor, which leaves the flag alone. The read or write itself, which then finds bytes or room,
//! runs on the blocking pool all the same, because another program on the same stream may have been
//! quicker. Files and `/dev/null` cannot be polled and go to the pool at once.
//!
//! So a task that waits for input holds no thread, and killing it leaves none behind. Nothing is
//! buffered here, and the buffers of `std::io` are not used: mixing both on one stream mixes up the
//! order of its bytes.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use mio::Interest;
use rusm_sched::blocking;

use crate::reactor::Reactor;
use crate::source::Source;

/// Bytes moved by one job of the blocking pool.
const CHUNK_BYTES_MAX: usize = 64 * 1024;

/// Bytes of one write where room was waited for: a pipe that reports room has at least this
/// (`PIPE_BUF` on Linux, where a terminal has as much; 512 elsewhere).
const ROOM_BYTES_MAX: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// The standard input, to be opened inside a task.
pub fn stdin() -> io::Result<Input> {
    Input::new(io::stdin().as_fd())
}

/// The standard output, to be opened inside a task.
pub fn stdout() -> io::Result<Output> {
    Output::new(io::stdout().as_fd())
}

/// The standard error stream, to be opened inside a task.
pub fn stderr() -> io::Result<Output> {
    Output::new(io::stderr().as_fd())
}

/// A stream to read from. Holds one descriptor.
pub struct Input(Channel);

impl Input {
    /// Any open file, pipe or terminal, which stays open in the caller's hands too and keeps its
    /// flags.
    pub fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self(Channel::new(fd, Interest::READABLE)?))
    }

    /// Reads what is there, at least one byte and at most 64 KiB, into the front of `into`; 0 is
    /// the end.
    ///
    /// A read that is dropped after input has arrived may lose that input.
    pub async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.ready().await?;
        let (file, count) = (self.0.file.clone(), into.len().min(CHUNK_BYTES_MAX));
        let read = move || {
            let mut bytes = vec![0; count];
            let count = (&*file).read(&mut bytes)?;
            bytes.truncate(count);
            io::Result::Ok(bytes)
        };
        let bytes = blocking::run(read).await.map_err(io::Error::other)??;
        into[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

/// A stream to write to. Holds one descriptor.
pub struct Output(Channel);

impl Output {
    /// Any open file, pipe or terminal, which stays open in the caller's hands too and keeps its
    /// flags.
    pub fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self(Channel::new(fd, Interest::WRITABLE)?))
    }

    /// Writes all of `from`. Waits as long as the reader of a pipe does not read.
    pub async fn write_all(&mut self, from: &[u8]) -> io::Result<()> {
        let size = match self.0.source {
            Some(_) => ROOM_BYTES_MAX,
            None => CHUNK_BYTES_MAX,
        };
        for chunk in from.chunks(size) {
            self.0.ready().await?;
            let (file, chunk) = (self.0.file.clone(), chunk.to_vec());
            let write = move || (&*file).write_all(&chunk);
            blocking::run(write).await.map_err(io::Error::other)??;
        }
        Ok(())
    }
}

/// One direction of a shared open file.
struct Channel {
    file: Arc<File>,
    interest: Interest,
    /// None if the system cannot poll such a file.
    source: Option<Source<Arc<File>>>,
}

impl Channel {
    fn new(fd: BorrowedFd<'_>, interest: Interest) -> io::Result<Self> {
        // A second descriptor of the same open file can be registered although the first one is
        // already.
        let file = Arc::new(File::from(fd.try_clone_to_owned()?));
        let poller = Reactor::here()?;
        let source = match Source::with_interest(&poller, file.clone(), interest) {
            Ok(source) => Some(source),
            Err(error) if cannot_be_polled(&error) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            file,
            interest,
            source,
        })
    }

    /// Waits until a read or write would not block, if the system can tell.
    async fn ready(&self) -> io::Result<()> {
        let Some(source) = &self.source else {
            return Ok(());
        };
        // Nobody has read until "would block", so there may be no further edge: ask for the present
        // state anew.
        let mut seen = source.rearm(self.interest)?;
        poll_fn(|cx| match self.interest.is_readable() {
            true => source.poll_read(&mut seen, cx, |_| Ok(())),
            false => source.poll_write(&mut seen, cx, |_| Ok(())),
        })
        .await
    }
}

/// epoll says `EPERM` of a file, kqueue `EINVAL` or `ENODEV` of some devices.
fn cannot_be_polled(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EPERM | libc::EINVAL | libc::ENODEV)
    )
}
