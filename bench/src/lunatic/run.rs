//! One run of one module in an operating-system process of its own, whichever runtime it is: what the guest
//! printed, and how much memory the process had when it did.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rusm_actor::{ExitReason, Node};
use rusm_io::Reactor;
use rusm_wasm::{Engine, EngineConfig, Program};

use crate::failure::Failure;

/// Processes that start fast, as with `rusm run --lunatic`; the others go to the dense tier.
const INSTANCES_MAX: u32 = 4_096;
/// What a node may take to stop.
const STOP_MAX: Duration = Duration::from_secs(10);

/// A program that runs a module.
pub(super) struct Runtime {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
}

/// What came of a run.
pub(crate) struct Outcome {
    pub(super) lines: Vec<u64>,
    /// Resident when the first line came, and when the last one did; 0 where the system has no `/proc`.
    pub(super) rss_kb: [u64; 2],
}

impl Runtime {
    pub(super) fn lunatic(program: &Path) -> Self {
        Runtime {
            name: "lunatic",
            program: program.to_owned(),
            arguments: vec!["run".into()],
        }
    }

    /// This program, as [`guest`].
    pub(super) fn rusm() -> Result<Self, Failure> {
        Ok(Runtime {
            name: "rusm",
            program: std::env::current_exe()?,
            arguments: vec!["lunatic-guest".into()],
        })
    }

    /// Runs `module` until it has printed `lines` numbers and ended.
    pub(super) fn run(
        &self,
        module: &Path,
        lines: usize,
        limit: Duration,
    ) -> Result<Outcome, Failure> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(module)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let heard = self.listen(&mut child, lines, limit);
        // After its lines it ends by itself; if it has not said them it never will.
        if heard.is_err() {
            let _ = child.kill();
        }
        let status = child.wait()?;
        match heard {
            Ok(outcome) if status.success() => Ok(outcome),
            Ok(_) => Err(self.failed(&format!("it ended with {status}"))),
            Err(why) => Err(self.failed(&why)),
        }
    }

    fn listen(&self, child: &mut Child, lines: usize, limit: Duration) -> Result<Outcome, String> {
        let pid = child.id();
        let stdout = child.stdout.take().ok_or("it has no output")?;
        let (said, hear) = mpsc::channel();
        // Reading cannot be given up, so it is done elsewhere; it ends with the child.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    break;
                }
            }
        });
        let mut outcome = Outcome {
            lines: Vec::new(),
            rss_kb: [0; 2],
        };
        while outcome.lines.len() < lines {
            let line = hear.recv_timeout(limit).map_err(|error| match error {
                mpsc::RecvTimeoutError::Timeout => format!("it said nothing for {limit:?}"),
                mpsc::RecvTimeoutError::Disconnected => "it ended too early".to_string(),
            })?;
            let number = line
                .trim()
                .parse()
                .map_err(|_| format!("it said `{line}`"))?;
            let rss = rss_kb(pid);
            if outcome.lines.is_empty() {
                outcome.rss_kb[0] = rss;
            }
            outcome.rss_kb[1] = rss;
            outcome.lines.push(number);
        }
        Ok(outcome)
    }

    fn failed(&self, why: &str) -> Failure {
        Failure::Guest(format!(
            "`{}` under {}: {why}",
            self.program.display(),
            self.name
        ))
    }
}

/// Resident memory of another process.
fn rss_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Runs a module of Lunatic's in this process, as `rusm run --lunatic` does.
pub(crate) fn guest(module: &str) -> Result<(), Failure> {
    let code = std::fs::read(module)?;
    let wrong = |error: &dyn std::fmt::Display| Failure::Guest(error.to_string());
    let node =
        Node::start_with(rusm_sched::Config::default(), Reactor::new()?).map_err(Failure::Start)?;
    let config = EngineConfig {
        instances_max: INSTANCES_MAX,
        ..EngineConfig::default()
    };
    let engine = Engine::new(config, &node.handle()).map_err(|error| wrong(&error))?;
    let module = engine.load(&code).map_err(|error| wrong(&error))?;
    let lunatic = module
        .prepare_lunatic(None)
        .map_err(|error| wrong(&error))?;
    let started = lunatic.spawn(&node, Program::default());
    let process = started.map_err(|error| wrong(&error))?;
    let reason = process.wait();
    node.shutdown(STOP_MAX).map_err(Failure::Stop)?;
    match reason {
        ExitReason::Normal => Ok(()),
        reason => Err(Failure::Ended(reason)),
    }
}
