//! What goes over TCP connections: reads, looks ahead, and writes of several buffers.

use std::io;

use rusm_io::TcpReadHalf;
use wasmtime::{Linker, Result, ensure};

use super::super::TIMED_OUT;
use super::super::memory::{bytes, bytes_mut, parts, put_u64};
use super::tcp::connection;
use super::{Call, MODULE, OK, answer, within};
use crate::guest::State;
use crate::link::{opaque, waits};

const READ: &str = "lunatic::networking::tcp_read";
const PEEK: &str = "lunatic::networking::tcp_peek";
const WRITE: &str = "lunatic::networking::tcp_write_vectored";
const FLUSH: &str = "lunatic::networking::tcp_flush";

/// Buffers one write may name, as POSIX has it.
const BUFFERS_MAX: u32 = 1024;
/// An address and a length of 32 bits each.
const BUFFER_BYTES: usize = 8;
/// Bytes of several buffers that one call writes; the guest writes the rest with the next.
const GATHERED_BYTES_MAX: usize = 256 << 10;
/// Bytes that are looked at ahead of reading them.
const PEEKED_BYTES_MAX: usize = 64 << 10;

/// The reading half, and what was looked at but not read yet.
pub(super) struct Reader {
    half: TcpReadHalf,
    peeked: Vec<u8>,
}

impl Reader {
    pub(super) fn new(half: TcpReadHalf) -> Self {
        Self {
            half,
            peeked: Vec::new(),
        }
    }

    async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.peeked.is_empty() {
            return self.half.read(into).await;
        }
        let count = self.copy(into);
        self.peeked.drain(..count);
        Ok(count)
    }

    /// As `read`, and the next read gives the same again.
    async fn peek(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.peeked.is_empty() {
            let mut ahead = vec![0; into.len().min(PEEKED_BYTES_MAX)];
            let count = self.half.read(&mut ahead).await?;
            ahead.truncate(count);
            self.peeked = ahead;
        }
        Ok(self.copy(into))
    }

    fn copy(&self, into: &mut [u8]) -> usize {
        let count = self.peeked.len().min(into.len());
        into[..count].copy_from_slice(&self.peeked[..count]);
        count
    }
}

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    type Buffer = (u64, u32, u32, u32);
    waits(
        linker,
        MODULE,
        "tcp_read",
        |mut caller: Call<'_>, (id, at, len, out): Buffer| {
            opaque(async move { read(&mut caller, id, at, len, out).await })
        },
    )?;
    waits(
        linker,
        MODULE,
        "tcp_peek",
        |mut caller: Call<'_>, (id, at, len, out): Buffer| {
            opaque(async move { peek(&mut caller, id, at, len, out).await })
        },
    )?;
    waits(
        linker,
        MODULE,
        "tcp_write_vectored",
        |mut caller: Call<'_>, (id, at, count, out): Buffer| {
            opaque(async move { write(&mut caller, id, at, count, out).await })
        },
    )?;
    linker.func_wrap(MODULE, "tcp_flush", flush)?;
    Ok(())
}

async fn read(caller: &mut Call<'_>, id: u64, at: u32, len: u32, out: u32) -> Result<u32> {
    let connection = connection(caller.data_mut(), READ, id)?;
    let into = bytes_mut(READ, parts(caller)?.0, at, len)?;
    let work = async { connection.reader.lock().await.read(into).await };
    let done = within(connection.times(|times| times.read), work).await;
    count(READ, caller, done, out)
}

async fn peek(caller: &mut Call<'_>, id: u64, at: u32, len: u32, out: u32) -> Result<u32> {
    let connection = connection(caller.data_mut(), PEEK, id)?;
    let into = bytes_mut(PEEK, parts(caller)?.0, at, len)?;
    let work = async { connection.reader.lock().await.peek(into).await };
    let done = within(connection.times(|times| times.peek), work).await;
    count(PEEK, caller, done, out)
}

async fn write(caller: &mut Call<'_>, id: u64, at: u32, buffers: u32, out: u32) -> Result<u32> {
    let connection = connection(caller.data_mut(), WRITE, id)?;
    let memory = &*parts(caller)?.0;
    let buffers = buffers_of(memory, at, buffers)?;
    let gathered;
    let bytes = match buffers[..] {
        [one] => one,
        _ => {
            gathered = gather(&buffers);
            &gathered
        }
    };
    let work = async { connection.writer.lock().await.write(bytes).await };
    let done = within(connection.times(|times| times.write), work).await;
    count(WRITE, caller, done, out)
}

/// The buffers that have any bytes; all are looked at before anything is done.
fn buffers_of(memory: &[u8], at: u32, count: u32) -> Result<Vec<&[u8]>> {
    ensure!(
        count <= BUFFERS_MAX,
        "`{WRITE}`: {count} buffers in one call, and there may be {BUFFERS_MAX}"
    );
    let table = bytes(WRITE, memory, at, count * BUFFER_BYTES as u32)?;
    let mut buffers = Vec::with_capacity(count as usize);
    for [a, b, c, d, e, f, g, h] in table.as_chunks::<BUFFER_BYTES>().0.iter().copied() {
        let (at, len) = (
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, g, h]),
        );
        let buffer = bytes(WRITE, memory, at, len)?;
        if !buffer.is_empty() {
            buffers.push(buffer);
        }
    }
    Ok(buffers)
}

fn gather(buffers: &[&[u8]]) -> Vec<u8> {
    let len = buffers.iter().map(|buffer| buffer.len()).sum::<usize>();
    let mut gathered = Vec::with_capacity(len.min(GATHERED_BYTES_MAX));
    for buffer in buffers {
        let room = GATHERED_BYTES_MAX - gathered.len();
        gathered.extend_from_slice(&buffer[..buffer.len().min(room)]);
    }
    gathered
}

/// 0 and how many bytes, 1 and the number of an error, or that the time was up.
pub(super) fn count(
    call: &str,
    caller: &mut Call<'_>,
    done: Option<io::Result<usize>>,
    out: u32,
) -> Result<u32> {
    let Some(done) = done else {
        return Ok(TIMED_OUT);
    };
    let (code, value) = answer(caller.data_mut(), done, |_, count| Ok(count as u64))?;
    put_u64(call, parts(caller)?.0, out, value)?;
    Ok(code)
}

/// Nothing waits in the host: what was written is the system's.
fn flush(mut caller: Call<'_>, id: u64, error_at: u32) -> Result<u32> {
    connection(caller.data_mut(), FLUSH, id)?;
    put_u64(FLUSH, parts(&mut caller)?.0, error_at, 0)?;
    Ok(OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_checked_before_anything_is_written() {
        let mut memory = [0; 64];
        let table = [[32, 4], [0, 0], [40, 24]];
        for (at, [address, len]) in [0, 8, 16].into_iter().zip(table) {
            memory[at] = address;
            memory[at + 4] = len;
        }
        memory[32..36].copy_from_slice(b"abcd");
        let buffers = buffers_of(&memory, 0, 3).unwrap();
        assert_eq!(buffers, [b"abcd".as_slice(), &[0; 24]]);
        assert_eq!(gather(&buffers)[..5], *b"abcd\0");
        memory[20] = 25;
        for (at, count) in [(0, 3), (60, 1), (u32::MAX, 1), (0, BUFFERS_MAX + 1)] {
            assert!(buffers_of(&memory, at, count).is_err(), "{at} {count}");
        }
    }

    #[test]
    fn what_is_gathered_has_a_limit() {
        let buffer = vec![1; GATHERED_BYTES_MAX - 1];
        assert_eq!(gather(&[&buffer, &buffer]).len(), GATHERED_BYTES_MAX);
    }
}
