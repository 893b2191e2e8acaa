//! A program that runs workloads: `PROGRAM WORKLOAD key=value...` prints one line of JSON with at least `value` and
//! `unit`, and exits with 0.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::failure::Failure;

/// Bytes that a program may print.
const OUTPUT_BYTES_MAX: u64 = 1 << 20;
/// Between two looks at whether a program that has closed its output has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A program, and how it is called before the workload.
pub(super) struct Peer {
    pub(super) name: String,
    program: PathBuf,
    words: Vec<String>,
}

/// What it said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) value: f64,
    pub(super) unit: String,
    pub(super) p99_us: Option<f64>,
}

impl Peer {
    pub(super) fn ourselves() -> Result<Self, Failure> {
        Ok(Peer {
            name: "rusm".into(),
            program: std::env::current_exe()?,
            words: vec!["peer".into()],
        })
    }

    /// `name` or `peer-name` in `dir`, or else on the PATH; a word behind a colon comes before the workload, for
    /// programs that are several peers.
    ///
    /// # Errors
    /// A sentence: there is none.
    pub(super) fn find(name: &str, dir: Option<&Path>) -> Result<Self, String> {
        let (file, word) = match name.split_once(':') {
            Some((file, word)) => (file, Some(word.to_string())),
            None => (name, None),
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places: Vec<PathBuf> = match dir {
            Some(dir) => vec![dir.to_owned()],
            None => std::env::split_paths(&path).collect(),
        };
        // The longer name first: `go` on the PATH is something else.
        let names = [format!("peer-{file}"), file.to_string()];
        let files = names
            .iter()
            .flat_map(|file| places.iter().map(move |dir| dir.join(file)));
        let program = files
            .into_iter()
            .find(|file| file.is_file())
            .ok_or_else(|| {
                let place = dir.map_or("on the PATH".into(), |dir| format!("in {}", dir.display()));
                format!(
                    "`{name}` is left out: there is no program `{file}` or `peer-{file}` {place}"
                )
            })?;
        Ok(Peer {
            name: word.clone().unwrap_or_else(|| file.to_string()),
            program,
            words: word.into_iter().collect(),
        })
    }

    /// # Errors
    /// A sentence: it failed, hung or printed something else.
    pub(super) fn run(&self, words: &[String], limit: Duration) -> Result<Said, String> {
        let mut child = Command::new(&self.program)
            .args(&self.words)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|why| format!("`{}` does not start: {why}", self.program.display()))?;
        let outcome = listen(&mut child, limit);
        if outcome.is_err() {
            // It may have ended meanwhile.
            let _ = child.kill();
            let _ = child.wait();
        }
        let (status, text) = outcome?;
        match status.success() {
            true => parse(&text),
            false => Err(format!("it ended with {status}")),
        }
    }
}

/// What the program printed until it ended.
fn listen(child: &mut Child, limit: Duration) -> Result<(ExitStatus, String), String> {
    let start = Instant::now();
    let stdout = child.stdout.take().ok_or("it has no output")?;
    let (said, hear) = mpsc::channel();
    // Reading cannot be given up, so it is done elsewhere; it ends with the program.
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(OUTPUT_BYTES_MAX + 1).read_to_end(&mut bytes);
        // Nobody hears it once the time is over.
        let _ = said.send(read.map(|_| bytes));
    });
    let bytes = match hear.recv_timeout(limit) {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(why)) => return Err(format!("its output cannot be read: {why}")),
        Err(RecvTimeoutError::Timeout) => return Err(format!("it has not ended after {limit:?}")),
        Err(RecvTimeoutError::Disconnected) => return Err("its output cannot be read".into()),
    };
    if bytes.len() as u64 > OUTPUT_BYTES_MAX {
        return Err(format!("it printed more than {OUTPUT_BYTES_MAX} bytes"));
    }
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok((status, String::from_utf8_lossy(&bytes).into_owned())),
            Ok(None) if start.elapsed() > limit => {
                return Err(format!("it has not ended after {limit:?}"));
            }
            Ok(None) => std::thread::sleep(LOOK_EVERY),
            Err(why) => return Err(why.to_string()),
        }
    }
}

/// The last line that is an object with a value and a unit.
fn parse(text: &str) -> Result<Said, String> {
    let said = text.lines().rev().find_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        Some(Said {
            value: line["value"].as_f64()?,
            unit: line["unit"].as_str()?.to_string(),
            p99_us: line["p99_us"].as_f64(),
        })
    });
    said.ok_or_else(|| {
        let start: String = text.chars().take(80).collect();
        format!("it printed no line of JSON with `value` and `unit`, but {start:?}")
    })
}
