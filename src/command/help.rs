//! What `rusm` says about itself. Answers go to stdout.

mod tools;

use std::io::{self, ErrorKind, Write};

use crate::error::Failure;
use crate::flags::{Flag, RUN_FLAGS, SCHEMA_TOPIC, Tool};

const OVERVIEW: &str = "\
Erlang-style processes, native or WebAssembly, on a scheduler of their own

Usage: rusm COMMAND [ARGUMENTS]

Commands:
  run      Run a WebAssembly program, or the app in a folder
  build    Build the components of an app
  inspect  Tell what a WebAssembly file is, wants and offers
  node     Start a node that is observed, with an app on it or with nothing
  ps       List the processes of a node that runs
  top      Show a node at work
  attach   Talk with a node: look at it, and act on it
  observe  Open the dashboard of a node that runs
  help     Explain a command

Flags:
  -h, --help      Print this text
  -V, --version   Print the version

`rusm help run` explains `run` and its flags. `rusm help schema` prints the JSON schema of
rusm.toml, from which editors know its keys.
";

const RUN: &str = "\
Run a WebAssembly program as a process: a core module with WASI preview 1 or a component
with WASI 0.2 or 0.3 (a `wasi:cli` command), as .wasm or .wat text

Usage: rusm run [FLAGS] PROGRAM [FLAGS] [--] [ARGS...]
       rusm run [--workers N] [--observe ADDR:PORT] [--flight-recorder FILE] [FOLDER]

Flags stand before PROGRAM or directly behind it. The first word behind PROGRAM that is
not one of them, and all that follows it, are the program's own, and so is everything
behind `--`, which is dropped. The program finds its file name before its arguments.

FOLDER has a rusm.toml, which says what runs there and what it may do; it is the current
one if nothing is named. The app runs until its residents have ended, or a signal comes.

Flags:
";

const RUN_END: &str = "  -h, --help              Print this text; before PROGRAM only

The program sees no file, no variable and no other part of this machine but what it is
given. Its standard input, output and error are ours.

Exit status: the program's own; 134 when it trapped or was killed; 1 when it could not be
run; 2 when the command line makes no sense; 130 after Ctrl-C and 143 after SIGTERM. The
first of these signals stops the program in good order, the second at once.

Environment:
  RUSM_CACHE_DIR   Folder for compiled programs, instead of `rusm` in the user's cache
                   folder; empty: compile each time
  RUSM_OBSERVE_TOKEN
                   Secret of 16 or more characters that `--observe` asks of who looks, as
                   `Authorization: Bearer SECRET`; needed where other machines can look
  RUSM_CONTROL_TOKEN
                   Secret of who may act on a node that is observed: see `rusm help node`
";

const BUILD: &str = "\
Build the components of an app that are sources into its folder `build`

Usage: rusm build [FOLDER]

FOLDER has the app's rusm.toml; it is the current one if none is named. A component whose
`source` is a folder is built by what is in it: Cargo for a Cargo.toml (wasm32-wasip1,
release), clang for C files, or it is the one .wasm or .wat file there. Only what has
changed is built again.

Flags:
  -h, --help   Print this text

Exit status: 0 when all is built; 1 when something could not be; 2 when the command line
makes no sense.

Environment:
  CLANG   The clang to use, instead of the first of clang, clang-22, clang-21, ...
";

const INSPECT: &str = "\
Tell what a WebAssembly file is, wants and offers, without running it

Usage: rusm inspect [FLAGS] FILE

It tells whether FILE is a core module or a component, what it was made for, its size and
memory, what it imports and exports, and the lines of rusm.toml for the grants that it may
ask for.

Flags:
      --json   As JSON
  -h, --help   Print this text

Exit status: 0; 1 when FILE is not WebAssembly; 2 when the command line makes no sense.
";

/// Columns the flags and their values take in the help.
const FLAG_WIDTH: usize = 22;

/// Columns a line of the help has.
const LINE_WIDTH: usize = 90;

/// Prints the version.
pub(crate) fn version() -> Result<u8, Failure> {
    print(concat!("rusm ", env!("CARGO_PKG_VERSION"), "\n"))
}

/// Prints what there is to know of a command, or of all of them.
pub(crate) fn explain(topic: Option<&str>) -> Result<u8, Failure> {
    match topic {
        Some("run") => print(&run_text()),
        Some("build") => print(BUILD),
        Some("inspect") => print(INSPECT),
        Some(SCHEMA_TOPIC) => print(&schema_text()),
        Some(topic) => match Tool::ALL.into_iter().find(|tool| tool.topic() == topic) {
            Some(tool) => print(&tool_text(tool)),
            None => print(OVERVIEW),
        },
        None => print(OVERVIEW),
    }
}

/// For editors, in the form in which it lies in docs/rusm.schema.json.
fn schema_text() -> String {
    format!("{:#}\n", rusm::manifest::json_schema())
}

fn run_text() -> String {
    RUN.to_owned() + &flag_lines(&RUN_FLAGS) + RUN_END
}

fn tool_text(tool: Tool) -> String {
    let (before, behind) = tools::around(tool);
    let help = format!(
        "  -{:w$}  Print this text\n\n",
        "h, --help",
        w = FLAG_WIDTH - 1
    );
    before + &flag_lines(tool.flags()) + &help + &behind
}

fn flag_lines(flags: &[&Flag]) -> String {
    let mut text = String::new();
    for flag in flags {
        let head = format!("--{} {}", flag.name, flag.value);
        let mut head = head.trim_end().to_owned();
        for line in wrapped(flag.help, LINE_WIDTH - FLAG_WIDTH - 4) {
            text.push_str(format!("  {head:FLAG_WIDTH$}  {line}\n").as_str());
            head.clear();
        }
    }
    text
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.len() + 1 + word.len() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A reader that has seen enough (`rusm --help | head -n 1`) is no failure.
pub(super) fn print(text: &str) -> Result<u8, Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(why) if why.kind() != ErrorKind::BrokenPipe => Err(Failure::Print(why)),
        _ => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::COMMANDS;

    #[test]
    fn every_command_and_flag_is_explained_in_lines_that_fit() {
        for command in COMMANDS {
            assert!(OVERVIEW.contains(&format!("\n  {command}")), "{command}");
        }
        let text = run_text();
        for flag in RUN_FLAGS {
            assert!(
                text.contains(&format!("\n  --{} {} ", flag.name, flag.value)),
                "{}",
                flag.name
            );
        }
        let tools: String = Tool::ALL.into_iter().map(tool_text).collect();
        for line in [&text, OVERVIEW, BUILD, INSPECT, &tools]
            .iter()
            .flat_map(|text| text.lines())
        {
            assert!(line.len() <= LINE_WIDTH, "{line}");
        }
    }
}
