//! How the components of an app come from their sources: which tool builds a folder, whether
//! anything has changed since, and what the tool is told. Running it is the shell's part
//! (`command/build.rs`).

mod folder;
mod stamp;
mod tool;

pub(crate) use folder::{Source, SourceError, files, source_of};
pub(crate) use stamp::Stamp;
pub(crate) use tool::{ToolError, cargo, clang};

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rusm_wasm::LoadError;

/// Where built components lie in an app's folder.
pub(crate) const BUILD_DIR: &str = "build";

/// The file that a component is run from: its source if that is a file, else what was built of it.
pub(crate) fn file_of(app: &Path, name: &str, source: &Path) -> PathBuf {
    if source.is_dir() {
        return app.join(BUILD_DIR).join(format!("{name}.wasm"));
    }
    source.to_owned()
}

/// Why a component was not built.
#[derive(Debug)]
pub(crate) enum BuildError {
    /// Its folder is not there.
    NoSource(PathBuf),
    Source(SourceError),
    Tool(ToolError),
    /// Its file is no WebAssembly.
    Wasm(LoadError),
    Write(io::Error),
}

impl From<SourceError> for BuildError {
    fn from(why: SourceError) -> Self {
        Self::Source(why)
    }
}

impl From<ToolError> for BuildError {
    fn from(why: ToolError) -> Self {
        Self::Tool(why)
    }
}

/// To be read behind "cannot build x: ", with a full stop behind it.
impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSource(folder) => write!(
                f,
                "there is no `{}`. Create it, or name the `source` in rusm.toml",
                folder.display()
            ),
            Self::Source(why) => why.fmt(f),
            Self::Tool(why) => why.fmt(f),
            Self::Wasm(why) => {
                let why = why.to_string();
                f.write_str(why.trim_end_matches('.'))
            }
            Self::Write(why) => write!(f, "its file cannot be written: {why}"),
        }
    }
}
