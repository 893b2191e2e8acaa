//! What can go wrong with the files of an app: its manifest and its components.

use std::fmt;
use std::path::PathBuf;

use rusm::manifest::{MANIFEST_FILE, Mistakes};
use rusm_wasm::LoadError;

/// Why an app cannot be run or built, or a file not be looked into.
#[derive(Debug)]
pub(crate) enum AppFailure {
    Inspect { file: PathBuf, why: LoadError },
    NoManifest(PathBuf),
    ReadManifest { file: PathBuf, why: String },
    Manifest { file: PathBuf, mistakes: Mistakes },
}

impl fmt::Display for AppFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inspect { file, why } => {
                write!(f, "cannot look into `{}`: {why}", file.display())
            }
            Self::NoManifest(folder) => write!(
                f,
                "there is no app in `{}`: it has no {MANIFEST_FILE}. Go to the folder of an app, \
                 or name one.",
                folder.display()
            ),
            Self::ReadManifest { file, why } => {
                write!(f, "cannot read `{}`: {why}.", file.display())
            }
            Self::Manifest { file, mistakes } => {
                let file = file.display().to_string();
                let mistakes = mistakes.with_file(&file);
                write!(f, "the manifest makes no sense:\n{mistakes}")
            }
        }
    }
}
