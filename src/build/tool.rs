//! The tools that build components: what they are called with, and what to do when one is missing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The target that Cargo builds for: WASI preview 1, which needs nothing but its standard library.
pub(crate) const CARGO_TARGET: &str = "wasm32-wasip1";
/// What clang builds for.
const CLANG_TARGET: &str = "--target=wasm32-wasi";
/// Tried in this order, unless `CLANG` names one.
const CLANGS: [&str; 8] = [
    "clang", "clang-22", "clang-21", "clang-20", "clang-19", "clang-18", "clang-17", "clang-16",
];

/// Why a tool did not do its work.
#[derive(Debug)]
pub(crate) enum ToolError {
    /// It is not on this machine.
    Missing { tool: String, how: &'static str },
    /// The Rust target is not.
    NoTarget(&'static str),
    /// It could not be started, or read.
    Start { tool: String, why: io::Error },
    /// It said no, and why, on stderr.
    Failed { tool: String, status: String },
    /// It left nothing to run.
    NoOutput(&'static str),
    /// It left several things that could be run.
    Outputs(Vec<String>),
}

/// Has Cargo build the package in `folder`; it knows best what has changed. The answer is the
/// file it made.
pub(crate) fn cargo(folder: &Path) -> Result<PathBuf, ToolError> {
    let missing = "Install Rust (https://rustup.rs)";
    let libraries = output(
        Command::new("rustc").current_dir(folder).args([
            "--print",
            "target-libdir",
            "--target",
            CARGO_TARGET,
        ]),
        missing,
    )?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&libraries).trim());
    if !libraries.is_dir() {
        return Err(ToolError::NoTarget(CARGO_TARGET));
    }
    let told = output(
        Command::new("cargo").current_dir(folder).args([
            "build",
            "--release",
            "--target",
            CARGO_TARGET,
            "--message-format=json-render-diagnostics",
        ]),
        missing,
    )?;
    let mut made = artifacts(&String::from_utf8_lossy(&told));
    match made.len() {
        0 => Err(ToolError::NoOutput(
            "the package has no program: give it a src/main.rs",
        )),
        1 => Ok(made.remove(0)),
        _ => Err(ToolError::Outputs(
            made.iter().map(|path| path.display().to_string()).collect(),
        )),
    }
}

/// The `.wasm` programs that Cargo tells of, a line of JSON for each thing it made. Those of
/// dependencies are not told as programs.
fn artifacts(told: &str) -> Vec<PathBuf> {
    let mut made = Vec::new();
    for line in told.lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else {
            continue;
        };
        let executable = message["executable"].as_str();
        if message["reason"] == "compiler-artifact"
            && let Some(path) = executable.filter(|path| path.ends_with(".wasm"))
        {
            made.push(PathBuf::from(path));
        }
    }
    made
}

/// Has clang build C files into `built`; the answer is all files it has read.
pub(crate) fn clang(files: &[PathBuf], built: &Path) -> Result<Vec<PathBuf>, ToolError> {
    let named = std::env::var_os("CLANG").map(|name| name.to_string_lossy().into_owned());
    let known = || {
        CLANGS
            .into_iter()
            .find(|name| is_there(name))
            .map(str::to_owned)
    };
    let tool = named.or_else(known).ok_or(ToolError::Missing {
        tool: "clang".to_owned(),
        how: "Install clang with a WASI library (Debian: `apt-get install clang-19 lld-19 \
              wasi-libc libclang-rt-19-dev-wasm32`), or set CLANG",
    })?;
    let how = "Install it, or set CLANG to one that is there";
    let mut command = Command::new(&tool);
    command.args([CLANG_TARGET, "-O2", "-g1", "-Wall"]);
    output(command.args(files).arg("-o").arg(built), how)?;
    // While it builds several files into one it would tell of the last one only.
    let mut command = Command::new(&tool);
    let rules = output(command.args([CLANG_TARGET, "-MM"]).args(files), how)?;
    Ok(rule_files(&String::from_utf8_lossy(&rules)))
}

/// The files behind the colon of a rule for make; a `\` at the end of a line goes on, one before a
/// space is of the name.
fn rule_files(rule: &str) -> Vec<PathBuf> {
    let rule = rule.replace("\\\n", " ");
    let mut files = Vec::new();
    for line in rule.lines() {
        let Some((_, behind)) = line.split_once(": ") else {
            continue;
        };
        let names = behind.replace("\\ ", "\0");
        let names = names.split_whitespace().map(|name| name.replace('\0', " "));
        files.extend(names.map(PathBuf::from));
    }
    files
}

fn is_there(tool: &str) -> bool {
    let mut command = Command::new(tool);
    command.arg("--version").stdin(Stdio::null());
    let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok()
}

/// Runs a tool to its end; it talks to the user on stderr.
fn output(command: &mut Command, how: &'static str) -> Result<Vec<u8>, ToolError> {
    let tool = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    match command.output() {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => Err(ToolError::Failed {
            tool,
            status: output.status.to_string(),
        }),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Err(ToolError::Missing { tool, how }),
        Err(why) => Err(ToolError::Start { tool, why }),
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { tool, how } => write!(f, "`{tool}` is not on this machine. {how}"),
            Self::NoTarget(target) => write!(
                f,
                "the Rust target `{target}` is not on this machine. Install it: \
                 `rustup target add {target}`"
            ),
            Self::Start { tool, why } => write!(f, "`{tool}` cannot be run: {why}"),
            Self::Failed { tool, status } => {
                write!(f, "`{tool}` gave up, {status}. It says above why")
            }
            Self::NoOutput(why) => f.write_str(why),
            Self::Outputs(made) => write!(
                f,
                "the package has several programs: `{}`. Make it one",
                made.join("`, `")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_in_what_cargo_tells() {
        let told = r#"{"reason":"compiler-artifact","executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"x"},"executable":"/t/wasm32-wasip1/release/x.wasm"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(
            artifacts(told),
            [PathBuf::from("/t/wasm32-wasip1/release/x.wasm")]
        );
    }

    #[test]
    fn the_files_of_a_rule_may_have_spaces_and_lines() {
        let rule = "a.wasm: a.c \\\n  b\\ c.h\nb.wasm: b.c\n";
        assert_eq!(rule_files(rule), ["a.c", "b c.h", "b.c"].map(PathBuf::from));
    }
}
