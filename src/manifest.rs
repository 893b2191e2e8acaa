//! What an app is, as its rusm.toml says: components, what they may do, and who restarts them.
//!
//! Reading finds all mistakes of a file at once, each with its place. Nothing is looked up on the
//! way, no file and no directory: that is for those who run, build or inspect the app.

mod capability;
mod component;
mod json;
mod mistake;
mod read;
mod schema;
mod units;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusm_actor::supervisor::{Restart, Strategy};
use rusm_wasm::Flavour;
use rusm_wasm::grant::{LogLevel, Profile, Profiles};
use toml::de::DeTable;

pub use json::json_schema;
pub use mistake::{MISTAKES_MAX, Mistake, Mistakes};
pub use units::{size, time};

use read::{Reader, Table};

/// The file that makes a folder an app.
pub const MANIFEST_FILE: &str = "rusm.toml";
/// A larger manifest is none.
pub const MANIFEST_BYTES_MAX: u64 = 1 << 20;
/// The supervisor that is there if the manifest writes none.
pub const DEFAULT_SUPERVISOR: &str = "main";
/// How long a node may take to stop, unless its manifest says otherwise.
pub const STOP_TIME_DEFAULT: Duration = Duration::from_secs(10);
/// Characters of the name of a component, a profile or a supervisor.
pub const NAME_CHARS_MAX: usize = 64;

/// An app.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The folder it is in; all paths begin there.
    pub dir: PathBuf,
    /// The node it runs on.
    pub node: NodeSettings,
    /// The quietest lines that are shown.
    pub log_level: LogLevel,
    /// Its programs, in the order of the file.
    pub components: Vec<Component>,
    /// All profiles, those that are built in included.
    pub profiles: Profiles,
    /// Who restarts residents, in the order of the file; at least one.
    pub supervisors: Vec<SupervisorSettings>,
}

/// The node of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSettings {
    /// Threads that run processes; `None` is one for each CPU.
    pub workers: Option<usize>,
    /// The most memory any guest may have, in bytes; `None` is what the profiles need.
    pub memory_bytes_max: Option<u64>,
    /// Guests that may be alive at a time; `None` is the engine's default.
    pub instances_max: Option<u32>,
    /// How long it may take to stop.
    pub stop_time_max: Duration,
    /// The file of its store of keys and values; `None` is a node without one.
    pub store: Option<PathBuf>,
}

/// A program of an app.
#[derive(Clone, Debug)]
pub struct Component {
    /// What the app knows it by.
    pub name: String,
    /// The file, or the folder that it is built from.
    pub source: PathBuf,
    /// What the file must be, if that matters.
    pub kind: Option<FileKind>,
    /// What it may do.
    pub profile: Arc<Profile>,
    /// The export to call, if not the usual one.
    pub entry: Option<String>,
    /// Its arguments, without its name.
    pub args: Vec<String>,
    /// Its environment, without what it inherits.
    pub env: Vec<(String, String)>,
    /// Processes of it that are started with the node.
    pub residents: u32,
    /// When one of those is started again.
    pub restart: Restart,
    /// How long one of those may take to stop; `None` is the supervisors' default.
    pub stop_time_max: Option<Duration>,
    /// Which of the supervisors restarts them.
    pub supervisor: String,
    /// How it is compiled.
    pub flavour: Flavour,
}

/// What a file of WebAssembly is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A core module.
    Module,
    /// A component.
    Component,
}

/// A supervisor of residents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisorSettings {
    /// What components know it by.
    pub name: String,
    /// Who is restarted with one that failed.
    pub strategy: Strategy,
    /// Restarts it allows in the period.
    pub restarts_max: u32,
    /// The period.
    pub within: Duration,
    /// The supervisor that it is a child of; `None` is the app's own.
    pub under: Option<String>,
}

impl Manifest {
    /// Reads the text of a manifest that stands in `dir`.
    ///
    /// # Errors
    /// All its mistakes.
    pub fn read(text: &str, dir: &Path) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(text, dir);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let why = error.message().replace('\n', ", ");
            let span = error.span().unwrap_or_default();
            reader.mistake(span, format!("it is not TOML: {why}."));
        }
        // A name that a broken line should have brought is no second mistake.
        reader.whole = reader.is_right();
        let span = root.span();
        let name = "rusm.toml".to_owned();
        let root = Table::new(&reader, &schema::ROOT, name, root.get_ref(), span);
        let manifest = component::manifest(&reader, &root);
        match manifest {
            Some(manifest) if reader.is_right() => Ok(manifest),
            _ => Err(reader.into_mistakes()),
        }
    }

    /// The component of that name.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components
            .iter()
            .find(|component| component.name == name)
    }
}

#[cfg(test)]
mod tests;
