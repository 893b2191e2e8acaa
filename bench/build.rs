//! Decides one thing: which compiler's name a report carries. It asks the compiler of this very build.

use std::process::Command;

fn main() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_string(), |text| text.trim().to_string());
    println!("cargo:rustc-env=RUSM_BENCH_RUSTC={version}");
    println!("cargo:rerun-if-changed=build.rs");
}
