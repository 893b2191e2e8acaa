//! Decides what the crate embeds: the built page if there is one, and otherwise a page that says how to build it.
//!
//! Cargo must be able to build the workspace where there is no Node, so a missing bundle is no error.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The files of the page and their types. The bundler gives them these names.
const FILES: [(&str, &str); 4] = [
    ("index.html", "text/html; charset=utf-8"),
    ("app.js", "text/javascript; charset=utf-8"),
    ("app.css", "text/css; charset=utf-8"),
    ("favicon.svg", "image/svg+xml"),
];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let dist = root.join("dist");
    println!("cargo::rerun-if-changed=build.rs");
    println!(
        "cargo::rerun-if-changed={}",
        root.join("unbuilt.html").display()
    );
    // A folder that is not there counts as changed, and so this runs again until it is.
    println!("cargo::rerun-if-changed={}", dist.display());
    let paths = FILES.map(|(name, _)| dist.join(name));
    let table = if paths.iter().all(|path| path.is_file()) {
        let entries = FILES.iter().zip(&paths);
        entries
            .map(|((name, kind), path)| entry(name, kind, path))
            .collect()
    } else {
        entry(FILES[0].0, FILES[0].1, &root.join("unbuilt.html"))
    };
    fs::write(out.join("files.rs"), format!("&[{table}]")).expect("cargo's folder is writable");
}

/// One line of the table, as `src/lib.rs` includes it.
fn entry(name: &str, kind: &str, path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    let bytes = fs::read(path).unwrap_or_else(|why| panic!("`{}`: {why}", path.display()));
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let mut line = String::new();
    writeln!(
        line,
        "({name:?}, File {{ content_type: {kind:?}, bytes: include_bytes!({path:?}), etag: \"\\\"{:016x}\\\"\" }}),",
        hasher.finish()
    )
    .expect("a string takes everything");
    line
}
