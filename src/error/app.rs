//! What can go wrong with the files of an app: its manifest and its components.

use std::fmt;
use std::path::PathBuf;

use rusm::manifest::{MANIFEST_FILE, Mistakes};
use rusm_wasm::LoadError;

/// Why an app cannot be run or built, or a file not be looked into.
#[derive(Debug)]
pub(crate) enum AppFailure {
    Inspect {
        file: PathBuf,
        why: LoadError,
    },
    NoManifest(PathBuf),
    ReadManifest {
        file: PathBuf,
        why: String,
    },
    Manifest {
        file: PathBuf,
        mistakes: Mistakes,
    },
    /// Nothing is started with the app.
    NoResidents,
    /// A component is a folder that nobody has built.
    NotBuilt(String),
    /// A file is not what its component says.
    Kind {
        component: String,
        file: PathBuf,
        is_component: bool,
    },
    /// The residents did not start.
    Residents(String),
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
            Self::NoResidents => f.write_str(
                "nothing of the app is started with it: no component has a `resident`. Write \
                 `resident = 1` to one of [components].",
            ),
            Self::NotBuilt(name) => write!(f, "`{name}` is not built. Run `rusm build`."),
            Self::Kind {
                component,
                file,
                is_component,
            } => {
                let (says, is) = match is_component {
                    true => ("module", "component"),
                    false => ("component", "core module"),
                };
                let file = file.display();
                write!(
                    f,
                    "`kind` in [components.{component}] says {says}, but `{file}` is a {is}. \
                     Correct one of them."
                )
            }
            Self::Residents(why) => write!(f, "the residents cannot be started: {why}."),
        }
    }
}
