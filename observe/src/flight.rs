//! The flight recorder: the last moments of a node, written to a file when its program crashes.
//!
//! What workers decide goes to rings in memory all the time (see [`rusm_sched::Recording`]); the file is
//! written only at the end, by a thread that waits for it: the one that crashed can do nothing itself. It has been
//! open since the start, under another name: a crash finds no descriptors and no permissions any more.

#[allow(unsafe_code)] // See there.
mod fault;
mod log;
mod panics;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use rusm_actor::Node;

use crate::overview::Looker;
use crate::recording::{Crash, CrashEnd, Recorded};
use crate::shared::Target;
use crate::system::System;
use fault::{Fault, Watch};
pub(crate) use log::Log;

/// Events that are kept of each worker: 128 KiB, and a few milliseconds of one that is busy with
/// short turns.
pub const FLIGHT_EVENTS: usize = 4_096;

/// Keeps the latest of what a node does, and writes it to a file if the program crashes: by `abort`, by a fault such as a
/// stack overflow, by a panic that drops this, or because its owner says so. An orderly end writes nothing.
///
/// Costs some 35 ns a turn, and as much a spawn. Guests' traps are no faults, and neither are panics of
/// processes. There is no file when the system kills the program.
#[derive(Debug)]
pub struct FlightRecorder {
    recorder: Arc<Recorder>,
    /// Until it is dropped; then its thread ends.
    _watch: Watch,
}

/// Why there is no flight recorder.
#[derive(Debug)]
pub enum FlightError {
    /// The file cannot be made.
    File {
        /// As it was asked for.
        file: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// The program has one already: its signals are heard once.
    Taken,
    /// The system gave no thread, no pipe or no signals.
    System(io::Error),
}

impl fmt::Display for FlightError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlightError::File { file, why } => {
                write!(
                    f,
                    "cannot keep a flight recording in `{}`: {why}",
                    file.display()
                )
            }
            FlightError::Taken => f.write_str("this program has a flight recorder already"),
            FlightError::System(why) => write!(f, "cannot hear of crashes: {why}"),
        }
    }
}

impl std::error::Error for FlightError {}

impl FlightRecorder {
    /// Records `node`, which others call `name`, from now on. `told` is called after a file was written, or could not be: on
    /// a thread of a program that is about to end.
    ///
    /// To be called before anything else handles faults; an engine for WebAssembly does, and hands on
    /// what is not a guest's.
    ///
    /// # Errors
    /// See [`FlightError`].
    pub fn start(
        node: &Node,
        name: &str,
        file: &Path,
        told: impl Fn(&Path, &io::Result<()>) + Send + Sync + 'static,
    ) -> Result<Self, FlightError> {
        let (watch, faults) = Watch::start()?;
        let recorder = Arc::new(Recorder {
            node: Node::over(node.handle()),
            name: name.into(),
            draft: Mutex::new(Some(Draft::new(file)?)),
            log: Arc::default(),
            told: Box::new(told),
        });
        panics::remember();
        let writer = recorder.clone();
        let body = move || {
            let mut faults = faults;
            // None: the watch is over.
            if let Some(fault) = faults.next() {
                writer.write(|| fault.to_string());
            }
            // Dropped now, which lets the thread go on that waits.
            drop(faults);
        };
        let thread = thread::Builder::new().name("rusm-flight".into());
        thread.spawn(body).map_err(FlightError::System)?;
        let recorded = node.handle().record(FLIGHT_EVENTS);
        recorded.expect("so many may be kept");
        Ok(FlightRecorder {
            recorder,
            _watch: watch,
        })
    }

    /// Writes the file now, as the node is about to end for this reason: a sentence without its full stop. Only the first
    /// one is kept.
    pub fn crashed(&self, reason: &str) {
        self.recorder.write(|| reason.into());
    }

    pub(crate) fn log(&self) -> Arc<Log> {
        self.recorder.log.clone()
    }
}

impl Drop for FlightRecorder {
    fn drop(&mut self) {
        if thread::panicking() {
            let thread = thread::current();
            let panic = panics::last_in(thread.name().unwrap_or("?"));
            self.recorder
                .write(|| panic.unwrap_or_else(|| "a panic".into()));
        }
        // Its thread may hold the recorder until the program is gone.
        drop(self.recorder.take_draft());
        self.recorder.node.handle().stop_recording();
    }
}

/// What is called when the file is written, or could not be.
type Told = Box<dyn Fn(&Path, &io::Result<()>) + Send + Sync>;

/// What a crash is told with.
struct Recorder {
    node: Node,
    name: String,
    /// Gone once it was written.
    draft: Mutex<Option<Draft>>,
    log: Arc<Log>,
    told: Told,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("name", &self.name)
            .finish()
    }
}

impl Recorder {
    fn write(&self, reason: impl FnOnce() -> String) {
        if let Some(draft) = self.take_draft() {
            let gone = || io::Error::other("the recording was stopped");
            let recorded = self.recorded(reason).ok_or_else(gone);
            let written = recorded.and_then(|it| draft.write(&it));
            (self.told)(&draft.file, &written);
        }
    }

    fn take_draft(&self) -> Option<Draft> {
        let mut draft = self.draft.lock().unwrap_or_else(PoisonError::into_inner);
        draft.take()
    }

    /// `None` if nothing is recorded any more.
    fn recorded(&self, reason: impl FnOnce() -> String) -> Option<Recorded> {
        let handle = self.node.handle();
        // First of all: a worker that waits for this is taken from its thread soon.
        let recording = handle.recording()?;
        let target = Target {
            name: "node".into(),
            node: Node::over(handle),
            reactor: None,
        };
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since_1970.unwrap_or_default().as_millis();
        Some(Recorded {
            crash: Some(Crash {
                end: CrashEnd {
                    reason: reason(),
                    at_unix_ms: u64::try_from(millis).unwrap_or(u64::MAX),
                    os_pid: std::process::id(),
                },
                overview: Looker::default().look(&target, System::read()),
                warnings: self.log.warnings(),
                traced: self.log.traced(),
            }),
            ..Recorded::new(recording, &self.name)
        })
    }
}

/// A file that is there under another name until it is whole.
struct Draft {
    open: File,
    path: PathBuf,
    file: PathBuf,
}

impl Draft {
    fn new(file: &Path) -> Result<Self, FlightError> {
        let mut path = file.to_owned().into_os_string();
        // Two programs with the same file: the last to crash has it.
        path.push(format!(".{}", std::process::id()));
        let path = PathBuf::from(path);
        let failed = |why| FlightError::File {
            file: file.to_owned(),
            why,
        };
        let mut options = OpenOptions::new();
        // Pieces of messages may be in it: it is made anew, for us alone. There may be one of an earlier program
        // with our number that was killed.
        let _ = fs::remove_file(&path);
        let options = options.write(true).create_new(true).mode(0o600);
        let open = options.open(&path).map_err(failed)?;
        Ok(Draft {
            open,
            path,
            file: file.to_owned(),
        })
    }

    fn write(&self, recorded: &Recorded) -> io::Result<()> {
        let mut out = BufWriter::new(&self.open);
        recorded.write(&mut out)?;
        // Not to the disk: the system lives on, and a busy disk would take longer than the crash waits.
        out.flush()?;
        fs::rename(&self.path, &self.file)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is gone if it was renamed.
        let _ = fs::remove_file(&self.path);
    }
}

/// Says which fault comes.
struct Faults {
    asked: io::PipeReader,
    /// Closed when the answer is there.
    _answer: io::PipeWriter,
}

impl Faults {
    /// Waits for the first one; `None` when nobody is to be heard any more.
    fn next(&mut self) -> Option<Fault> {
        let mut bytes = [0; Fault::BYTES];
        self.asked.read_exact(&mut bytes).ok()?;
        Some(Fault::from_bytes(bytes)).filter(Fault::is_one)
    }
}
