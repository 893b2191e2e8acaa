//! What can go wrong before a guest runs, one enum per family of calls, each message saying what,
//! why and what to do.
//!
//! What goes wrong while a guest runs is an exit reason (`trap.rs`), not an error.

use std::fmt;
use std::path::PathBuf;

/// Why [`Engine::new`](crate::Engine::new) failed.
#[derive(Debug)]
pub enum EngineError {
    /// `memory_bytes_max` is zero or more than a 32-bit guest can address.
    MemoryMax(u64),
    /// wasmtime refuses the settings on this machine.
    Settings(String),
    /// The cache directory cannot be used, or others could write to it.
    CacheDir {
        /// The directory asked for.
        dir: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MemoryMax(bytes) => write!(
                f,
                "a memory limit of {bytes} bytes per process is not possible: it must be between \
                 64 KiB and 4 GiB. Choose another limit."
            ),
            Self::Settings(why) => write!(
                f,
                "WebAssembly code cannot be compiled on this machine: {why}. Use a machine with \
                 a supported processor."
            ),
            Self::CacheDir { dir, why } => write!(
                f,
                "cannot keep compiled code in `{}`: {why}. Make it a directory that only you can \
                 write to, or choose another.",
                dir.display()
            ),
        }
    }
}

impl std::error::Error for EngineError {}

/// Why bytes are not a program that can be started. The sentence starts with "it", the file: put
/// its name before.
#[derive(Debug)]
pub enum LoadError {
    /// Neither WebAssembly nor its text form; how the bytes begin.
    NotWasm(String),
    /// WebAssembly text that does not parse; the parser's words.
    Text(String),
    /// The module ends too early; its length in bytes.
    Truncated(usize),
    /// The module breaks a rule of WebAssembly; which, and where.
    Invalid(String),
    /// The module is valid but needs more than a process may have.
    TooLarge(String),
    /// The memory the module starts with is above the limit of a process; both in bytes.
    Memory {
        /// What the module asks for.
        needs: u64,
        /// What a process may have.
        max: u64,
    },
    /// An import nobody provides.
    Import {
        /// Its module, for example `env`.
        module: String,
        /// Its field, for example `print`.
        name: String,
        /// Its type in WebAssembly's text form.
        ty: String,
    },
    /// An import of Lunatic's that the layer does not provide.
    LunaticImport {
        /// Its module, for example `lunatic::sqlite`.
        module: String,
        /// Its field, for example `open`.
        name: String,
    },
    /// It was to run as a Lunatic program, and is a component.
    LunaticComponent,
    /// An import is provided, but with another type.
    ImportType(String),
    /// An import of a component nobody provides.
    ComponentImport {
        /// Its interface and name there, for example `wasi:sockets/tcp@0.2.0#[method]tcp-socket.bind`.
        name: String,
        /// What it is, in WIT's text form.
        ty: String,
    },
    /// The function to start with is not exported.
    NoEntry {
        /// The name asked for, if one was.
        wanted: Option<String>,
        /// What was looked for otherwise.
        usual: &'static str,
        /// The functions that are exported, those in an interface as `interface#function`.
        exported: Vec<String>,
    },
    /// The function to start with takes parameters, or returns something that does not say how the program went.
    EntryType {
        /// Its name.
        name: String,
        /// Its type in WebAssembly's text form, or WIT's.
        ty: String,
        /// What it may return.
        returns: &'static str,
    },
    /// No room for instances can be set aside in this machine's address space.
    Reserve(String),
    /// Code of the flavour asked for cannot be made on this machine.
    Flavour(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWasm(start) => write!(
                f,
                "it is not WebAssembly: it begins with {start}. Give a `.wasm` module, for \
                 example one built for `wasm32-wasip1`, or a `.wat` text."
            ),
            Self::Text(why) => write!(
                f,
                "its WebAssembly text does not parse: {why}. Correct the text."
            ),
            Self::Truncated(len) => write!(
                f,
                "it ends too early, after {len} bytes: a part of the module is missing. Copy or \
                 build it again."
            ),
            Self::Invalid(why) => write!(f, "it is not a valid module: {why}. Build it again."),
            Self::TooLarge(why) => write!(
                f,
                "it needs more than a process may have: {why}. Build it smaller."
            ),
            Self::Memory { needs, max } => write!(
                f,
                "its memory starts with {needs} bytes, but a process may have {max}. Raise the \
                 limit (`--max-memory`), or build it with a smaller memory."
            ),
            Self::Import { .. }
            | Self::ImportType(_)
            | Self::ComponentImport { .. }
            | Self::LunaticImport { .. }
            | Self::LunaticComponent => self.fmt_import(f),
            Self::NoEntry {
                wanted,
                usual,
                exported,
            } => no_entry(f, wanted.as_deref(), usual, exported),
            Self::EntryType { name, ty, returns } => write!(
                f,
                "its function `{name}` is {ty}, but a program starts with a function without \
                 parameters that returns {returns}. Name another one (`--invoke`)."
            ),
            Self::Reserve(why) => no_room(f, why),
            Self::Flavour(why) => write!(
                f,
                "it cannot be compiled for computing on this machine: {why}. Leave `--compute` out."
            ),
        }
    }
}

impl LoadError {
    /// What is wrong with an import.
    fn fmt_import(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Import { module, name, .. } if module.starts_with("lunatic::") => write!(
                f,
                "it imports `{module}`.`{name}`: it was built for the Lunatic runtime. Run it with \
                 `--lunatic`."
            ),
            Self::LunaticImport { module, name } => write!(
                f,
                "it imports `{module}`.`{name}`, which the Lunatic layer does not provide. Build \
                 it without that, or see docs/from-lunatic.md for what to use instead."
            ),
            Self::LunaticComponent => f.write_str(
                "it is a component, and Lunatic programs are core modules. Run it without \
                 `--lunatic`.",
            ),
            Self::Import { module, name, ty } => write!(
                f,
                "it imports `{module}`.`{name}` {ty}, which nobody provides: only \
                 `wasi_snapshot_preview1` is there. Build it for `wasm32-wasip1` without that \
                 import."
            ),
            Self::ComponentImport { name, ty } => write!(
                f,
                "it imports `{name}`, a {ty}, which nobody provides. Build it for \
                 `wasm32-wasip2` without that import."
            ),
            Self::ImportType(why) => write!(
                f,
                "an import has the wrong type: {why}. Build it against the interface as it was \
                 published."
            ),
            _ => Ok(()),
        }
    }
}

fn no_room(f: &mut fmt::Formatter<'_>, why: &str) -> fmt::Result {
    write!(
        f,
        "no address space can be set aside for its instances: {why}. Lower the number of \
         instances or the memory limit, or lift the limit on address space (`ulimit -v`)."
    )
}

/// Exported functions that a message lists; a library may have thousands.
const EXPORTS_SHOWN_MAX: usize = 20;

fn no_entry(
    f: &mut fmt::Formatter<'_>,
    wanted: Option<&str>,
    usual: &str,
    exported: &[String],
) -> fmt::Result {
    match wanted {
        Some(name) => write!(f, "it exports no function `{name}`")?,
        None => write!(f, "it has nothing to start with: {usual}")?,
    }
    if exported.is_empty() {
        return f.write_str(", in fact none at all. Build it as a program, not as a library.");
    }
    let shown = &exported[..exported.len().min(EXPORTS_SHOWN_MAX)];
    let names = shown.join("`, `");
    write!(f, ". Name one of its functions (`--invoke`): `{names}`")?;
    match exported.len() - shown.len() {
        0 => f.write_str("."),
        more => write!(f, " and {more} more."),
    }
}

impl std::error::Error for LoadError {}

/// Why a prepared module cannot start with the arguments, directories and limits of a
/// [`Program`](crate::Program).
#[derive(Debug)]
pub enum ProgramError {
    /// The catalogue has no component of that name.
    NoComponent(String),
    /// The component of that name may have no process at all.
    NoProcesses(String),
    /// Its arguments are too many or too long; a sentence says which.
    Args(String),
    /// A directory to be mounted cannot be opened.
    Dir {
        /// The directory on this machine.
        host: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The memory limit asked for is above the engine's; both in bytes.
    AboveEngine {
        /// The program's limit.
        asked: u64,
        /// The engine's.
        max: u64,
    },
    /// The memory the module starts with is above the program's limit; both in bytes.
    Memory {
        /// What the module asks for.
        needs: u64,
        /// What the program allows.
        max: u64,
    },
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoComponent(name) => write!(
                f,
                "there is no component `{name}`. Add it to [components] in rusm.toml, or correct \
                 the name."
            ),
            Self::NoProcesses(name) => write!(
                f,
                "the profile of `{name}` allows no process (`max-processes = 0`). Raise that."
            ),
            Self::Args(why) => f.write_str(why),
            Self::Dir { host, why } => write!(
                f,
                "cannot give the program the directory `{}`: {why}. Create it, or name another \
                 one.",
                host.display()
            ),
            Self::AboveEngine { asked, max } => write!(
                f,
                "a memory limit of {asked} bytes is above the {max} bytes every process of this \
                 node may have. Lower it, or start the node with a higher one."
            ),
            Self::Memory { needs, max } => write!(
                f,
                "the program's memory starts with {needs} bytes, but it may have {max}. Raise \
                 the limit (`--max-memory`), or build it with a smaller memory."
            ),
        }
    }
}

impl std::error::Error for ProgramError {}
