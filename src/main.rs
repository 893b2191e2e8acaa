//! The command `rusm`: reads what was typed, runs it, and ends with the status it came to.
//!
//! Results go to stdout, everything about them to stderr. Only this file writes our own errors.

#![forbid(unsafe_code)]

mod build;
mod cache;
mod client;
mod command;
mod door;
mod error;
mod flags;
mod host;
mod looks;
mod nodes;
mod observe;
mod options;
mod report;
mod signal;
mod store;
mod suggest;
mod text;
mod token;

use std::process::ExitCode;

fn main() -> ExitCode {
    let typed = flags::parse(std::env::args_os().skip(1)).map_err(Into::into);
    let status = typed.and_then(command::execute).unwrap_or_else(|error| {
        report::to_stderr(&error.to_string());
        error.status()
    });
    ExitCode::from(status)
}
