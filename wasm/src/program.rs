//! What a WASI program is started with: its arguments, environment, directories and stdio.

use std::path::PathBuf;

use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};

use crate::grant::Grants;

/// How one process of a prepared module is started.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// All arguments; the first is by convention the program's own name.
    pub args: Vec<String>,
    /// The whole environment; nothing is inherited.
    pub env: Vec<(String, String)>,
    /// The directories it may use; it sees nothing else of the file system.
    pub dirs: Vec<Mount>,
    /// Where its stdin comes from, and stdout and stderr go to.
    pub stdio: Stdio,
    /// Bytes of memory it may have, at most the engine's limit; `None` is that limit.
    pub memory_bytes_max: Option<u64>,
    /// What it may do beyond that, and its limits. Its directories are opened besides `dirs`, and
    /// of `stdio` it gets the streams that it was granted. `None`: all streams, nothing else, and
    /// no limit but the engine's.
    pub grants: Option<Grants>,
}

impl Program {
    /// The same with other arguments behind the program's name, and other grants.
    pub(crate) fn with(&self, args: &[String], grants: &Grants) -> Self {
        let name = self.args.first().into_iter();
        Self {
            args: name.chain(args).cloned().collect(),
            grants: Some(grants.clone()),
            ..self.clone()
        }
    }
}

/// A directory of this machine under the name the guest knows it by. The guest may read and write
/// everything in it, and links do not lead out of it.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The directory here.
    pub host: PathBuf,
    /// Its name there, for example `/data` or `.`.
    pub guest: String,
}

/// The three standard streams of a guest.
#[derive(Clone, Debug, Default)]
pub enum Stdio {
    /// Those of this program. Once a guest reads stdin, a thread that waits for it stays until
    /// the program ends.
    #[default]
    Inherit,
    /// Buffers.
    Captured(Capture),
}

/// Stdio in memory. Clones share the buffers, so keep one to read what a guest wrote.
#[derive(Clone, Debug)]
pub struct Capture {
    pub(crate) stdin: MemoryInputPipe,
    pub(crate) stdout: MemoryOutputPipe,
    pub(crate) stderr: MemoryOutputPipe,
}

impl Capture {
    /// A guest will read `stdin` and then its end, and may write `bytes_max` bytes to each of
    /// stdout and stderr; a write beyond fails inside the guest.
    pub fn new(stdin: impl Into<Vec<u8>>, bytes_max: usize) -> Self {
        Self {
            stdin: MemoryInputPipe::new(stdin.into()),
            stdout: MemoryOutputPipe::new(bytes_max),
            stderr: MemoryOutputPipe::new(bytes_max),
        }
    }

    /// What was written to stdout so far.
    pub fn stdout(&self) -> Vec<u8> {
        self.stdout.contents().to_vec()
    }

    /// What was written to stderr so far.
    pub fn stderr(&self) -> Vec<u8> {
        self.stderr.contents().to_vec()
    }
}
