//! Streams of bytes between processes: content, waiting, and every way to end.

#[path = "streams/content.rs"]
mod content;
#[path = "streams/ends.rs"]
mod ends;
#[path = "semantics/everywhere.rs"]
mod everywhere;
#[path = "streams/moving.rs"]
mod moving;
#[path = "streams/views.rs"]
mod views;

use rusm_actor::{StreamAborted, StreamReader};

/// The bytes that tests send: each differs from those near it.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + at / 251) as u8).collect()
}

/// All that comes, in pieces of up to `piece` bytes, and how it ends.
async fn read_all(reader: &mut StreamReader, piece: usize) -> (Vec<u8>, Result<(), StreamAborted>) {
    let (mut all, mut buffer) = (Vec::new(), vec![0; piece]);
    loop {
        match reader.read(&mut buffer).await {
            Ok(0) => return (all, Ok(())),
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(aborted) => return (all, Err(aborted)),
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) as usize % bound
    }
}
