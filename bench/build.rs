//! Decides two things: which compiler's name a report carries, and which source. It asks the compiler of this very
//! build, and git.

use std::path::Path;
use std::process::Command;

fn main() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = said(Command::new(rustc).arg("--version"));
    println!("cargo:rustc-env=RUSM_BENCH_RUSTC={version}");
    let commit = said(Command::new("git").args(["rev-parse", "--short", "HEAD"]));
    println!("cargo:rustc-env=RUSM_BENCH_COMMIT={commit}");
    println!("cargo:rerun-if-changed=build.rs");
    // It grows with every commit and every checkout.
    let log = said(Command::new("git").args(["rev-parse", "--git-path", "logs/HEAD"]));
    if Path::new(&log).is_file() {
        println!("cargo:rerun-if-changed={log}");
    }
}

/// The first line that a program prints, if it is there and succeeds.
fn said(program: &mut Command) -> String {
    let output = program.output().ok().filter(|it| it.status.success());
    let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
    let line = text.as_deref().and_then(|text| text.lines().next());
    line.map_or("unknown", str::trim).to_string()
}
