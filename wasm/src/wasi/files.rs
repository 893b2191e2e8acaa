//! Calls that may block in the operating system: the process leaves its worker for a blocking
//! thread first, makes the stock call there, and comes back at its next suspension, so a row of
//! file calls moves once.
//!
//! Not in the list: calls that only look at tables of ours or at the flags of an open descriptor.

use std::time::Duration;

use rusm_sched::blocking::{self, Refused};
use wasmtime::{Caller, Linker, Result};

use super::{Errno, MODULE, State, opaque, stock, view};
use crate::link::waits;

/// `errno` for a call that cannot be made because the scheduler is stopping.
const CANCELED: Errno = 11;
/// How long a process waits before it asks again for a thread of a pool that has none left.
const RETRY: Duration = Duration::from_millis(1);
/// Random bytes up to this number are made on the worker; more take longer than the way to
/// another thread.
const RANDOM_BYTES_INLINE_MAX: u32 = 4 << 10;

/// Redefines each function so that it leaves the worker before it does what it did.
macro_rules! leave_worker_for {
    ($linker:ident: $($name:ident($($arg:ident: $ty:ty),*);)*) => {$(
        waits($linker, MODULE, stringify!($name), |mut caller: Caller<'_, State>, ($($arg,)*): ($($ty,)*)| {
            opaque(async move {
                if let Err(errno) = leave_worker().await {
                    return Ok(errno);
                }
                let (mut memory, ctx) = view(&mut caller)?;
                stock::$name(ctx, &mut memory, $($arg),*).await
            })
        })?;
    )*};
}

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    leave_worker_for! { linker:
        fd_advise(fd: i32, offset: i64, len: i64, advice: i32);
        fd_close(fd: i32);
        fd_datasync(fd: i32);
        fd_filestat_get(fd: i32, out: i32);
        fd_filestat_set_size(fd: i32, size: i64);
        fd_filestat_set_times(fd: i32, accessed: i64, modified: i64, flags: i32);
        fd_pread(fd: i32, buffers: i32, count: i32, offset: i64, out: i32);
        fd_pwrite(fd: i32, buffers: i32, count: i32, offset: i64, out: i32);
        fd_read(fd: i32, buffers: i32, count: i32, out: i32);
        fd_readdir(fd: i32, buffer: i32, len: i32, cookie: i64, out: i32);
        fd_renumber(fd: i32, to: i32);
        fd_seek(fd: i32, offset: i64, whence: i32, out: i32);
        fd_sync(fd: i32);
        fd_write(fd: i32, buffers: i32, count: i32, out: i32);
        path_create_directory(fd: i32, path: i32, len: i32);
        path_filestat_get(fd: i32, flags: i32, path: i32, len: i32, out: i32);
        path_filestat_set_times(fd: i32, flags: i32, path: i32, len: i32, accessed: i64, modified: i64, set: i32);
        path_link(fd: i32, flags: i32, old: i32, old_len: i32, new_fd: i32, new: i32, new_len: i32);
        path_open(fd: i32, dir_flags: i32, path: i32, len: i32, flags: i32, rights: i64, inherited: i64, fd_flags: i32, out: i32);
        path_readlink(fd: i32, path: i32, len: i32, buffer: i32, buffer_len: i32, out: i32);
        path_remove_directory(fd: i32, path: i32, len: i32);
        path_rename(fd: i32, old: i32, old_len: i32, new_fd: i32, new: i32, new_len: i32);
        path_symlink(old: i32, old_len: i32, fd: i32, new: i32, new_len: i32);
        path_unlink_file(fd: i32, path: i32, len: i32);
    }
    waits(
        linker,
        MODULE,
        "random_get",
        |mut caller: Caller<'_, State>, (buffer, len): (i32, i32)| {
            opaque(async move {
                if len.cast_unsigned() > RANDOM_BYTES_INLINE_MAX
                    && let Err(errno) = leave_worker().await
                {
                    return Ok(errno);
                }
                let (mut memory, ctx) = view(&mut caller)?;
                stock::random_get(ctx, &mut memory, buffer, len)
            })
        },
    )?;
    Ok(())
}

/// Goes on on a thread that may block. A full pool is waited for: the guest asked for a file, not
/// for an error.
pub(crate) async fn leave_worker() -> Result<(), Errno> {
    loop {
        match blocking::enter().await {
            Ok(()) => return Ok(()),
            Err(Refused::Full) => rusm_sched::sleep(RETRY).await,
            Err(_) => return Err(CANCELED),
        }
    }
}
