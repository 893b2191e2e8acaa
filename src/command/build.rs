//! `rusm build`: each component of an app that has a folder of sources becomes a file in `build/`,
//! if anything of it has changed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use rusm::manifest::{Component, Manifest};

use super::app;
use crate::build::{self, BUILD_DIR, BuildError, Source, SourceError, Stamp};
use crate::error::Failure;
use crate::report;

/// Builds an app; the answer is the status of our process.
pub(crate) fn run(folder: &OsStr) -> Result<u8, Failure> {
    let manifest = app::read(folder.as_ref())?;
    let mut failed = 0;
    for component in &manifest.components {
        // What is named as a file needs no building, and a file that is not there is found out by
        // whoever runs it.
        if component.source.extension().is_some() && !component.source.is_dir() {
            continue;
        }
        match build(&manifest, component) {
            Ok(true) => report::to_stderr(&format!("built `{}`", component.name)),
            Ok(false) => report::to_stderr(&format!("`{}` is built already", component.name)),
            Err(why) => {
                failed += 1;
                report::to_stderr(&format!("cannot build `{}`: {why}.", component.name));
            }
        }
    }
    tell_of_others(&manifest);
    Ok(u8::from(failed > 0))
}

/// Builds one component; false if there was nothing to do.
fn build(manifest: &Manifest, component: &Component) -> Result<bool, BuildError> {
    let folder = &component.source;
    let built = build::file_of(&manifest.dir, &component.name, folder);
    if !folder.is_dir() {
        return Err(BuildError::NoSource(folder.clone()));
    }
    let source = build::source_of(folder)?;
    fs::create_dir_all(manifest.dir.join(BUILD_DIR)).map_err(BuildError::Write)?;
    // A build that was cut off must not look like one that is done.
    let draft = built.with_extension("draft");
    match source {
        Source::Cargo => {
            let made = build::cargo(folder)?;
            let stamp = Stamp::new("cargo", [made.clone()]);
            if stamp.is_of(&built) {
                return Ok(false);
            }
            fs::copy(&made, &draft).map_err(BuildError::Write)?;
            finish(&draft, &built, &stamp)
        }
        Source::C(files) => {
            let read_then = Stamp::files_of(&built);
            let all = |more: Vec<PathBuf>| -> Result<Stamp, SourceError> {
                Ok(Stamp::new(
                    "clang",
                    build::files(folder)?.into_iter().chain(more),
                ))
            };
            if all(read_then)?.is_of(&built) {
                return Ok(false);
            }
            let read = build::clang(&files, &draft)?;
            finish(&draft, &built, &all(read)?)
        }
        Source::Wasm(file) => {
            let stamp = Stamp::new("copy", [file.clone()]);
            if stamp.is_of(&built) {
                return Ok(false);
            }
            let bytes = fs::read(&file).map_err(BuildError::Write)?;
            rusm::wasm::inspect::inspect(&bytes).map_err(BuildError::Wasm)?;
            fs::write(&draft, bytes).map_err(BuildError::Write)?;
            finish(&draft, &built, &stamp)
        }
    }
}

fn finish(draft: &Path, built: &Path, stamp: &Stamp) -> Result<bool, BuildError> {
    fs::rename(draft, built).map_err(BuildError::Write)?;
    stamp.keep(built);
    Ok(true)
}

/// A folder beside the others that no component names is easily forgotten.
fn tell_of_others(manifest: &Manifest) {
    let Ok(folders) = fs::read_dir(manifest.dir.join("components")) else {
        return;
    };
    let mut others: Vec<PathBuf> = folders
        .filter_map(|entry| entry.map(|entry| entry.path()).ok())
        .filter(|path| path.is_dir())
        .filter(|path| {
            manifest
                .components
                .iter()
                .all(|one| !one.source.starts_with(path))
        })
        .collect();
    others.sort();
    for folder in others {
        let folder = folder.display();
        report::to_stderr(&format!(
            "`{folder}` is no component of rusm.toml, and left out"
        ));
    }
}
