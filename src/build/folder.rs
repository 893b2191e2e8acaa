//! What is in the folder of a component, and so what builds it.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files a folder may have, those below it included; more are no sources of one component.
const FILES_MAX: usize = 20_000;
/// Folders in each other.
const DEPTH_MAX: usize = 32;

/// What a folder is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A Rust package.
    Cargo,
    /// C files, in order.
    C(Vec<PathBuf>),
    /// WebAssembly already, or its text.
    Wasm(PathBuf),
}

/// Why a folder cannot be built.
#[derive(Debug)]
pub(crate) enum SourceError {
    Unreadable(io::Error),
    Nothing,
    /// Several files of WebAssembly.
    Several(Vec<PathBuf>),
    TooMany,
}

/// What builds `folder`: a `Cargo.toml`, else its C files, else its only file of WebAssembly.
pub(crate) fn source_of(folder: &Path) -> Result<Source, SourceError> {
    if folder.join("Cargo.toml").is_file() {
        return Ok(Source::Cargo);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(SourceError::Unreadable)? {
        let path = entry.map_err(SourceError::Unreadable)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let with = |endings: &[&str]| -> Vec<PathBuf> {
        let ends = |path: &&PathBuf| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| endings.contains(&ending))
        };
        files.iter().filter(ends).cloned().collect()
    };
    let c = with(&["c"]);
    if !c.is_empty() {
        return Ok(Source::C(c));
    }
    let mut wasm = with(&["wasm", "wat"]);
    match wasm.len() {
        0 => Err(SourceError::Nothing),
        1 => Ok(Source::Wasm(wasm.remove(0))),
        _ => Err(SourceError::Several(wasm)),
    }
}

/// All files of a folder and below, in order; without what tools put there.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(SourceError::Unreadable)? {
            let entry = entry.map_err(SourceError::Unreadable)?;
            let kind = entry.file_type().map_err(SourceError::Unreadable)?;
            let name = entry.file_name();
            // Links are not followed: they may lead around in a circle.
            if kind.is_dir() && name != "target" && name != ".git" && depth < DEPTH_MAX {
                open.push((entry.path(), depth + 1));
            } else if kind.is_file() {
                found.push(entry.path());
            }
            if found.len() > FILES_MAX {
                return Err(SourceError::TooMany);
            }
        }
    }
    found.sort();
    Ok(found)
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "its folder cannot be read: {why}"),
            Self::Nothing => f.write_str(
                "its folder has neither a Cargo.toml, nor C files, nor a .wasm or .wat file. Put \
                 one there, or name another `source`",
            ),
            Self::Several(files) => {
                let names = files.iter().filter_map(|path| path.file_name());
                let names: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
                write!(
                    f,
                    "its folder has several files that it could be: `{}`. Name one as `source`",
                    names.join("`, `")
                )
            }
            Self::TooMany => write!(
                f,
                "its folder has more than {FILES_MAX} files. Name the folder of one component"
            ),
        }
    }
}
