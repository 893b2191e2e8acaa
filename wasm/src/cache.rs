//! Compiled code and the directory that keeps it: what may be loaded into this process as machine
//! code, and what may not.
//!
//! Loading compiled code is trusting it, so an entry must be ours twice over: it lies in a
//! directory only this user can write to, and it carries a checksum over its key and its content,
//! which finds whatever was cut short, damaged or renamed. All else counts as absent: it is
//! compiled again and overwritten. A cache that fails only costs time, hence counters, not
//! errors.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use wasmtime::component::Component;
use wasmtime::{Module, Precompiled};

use crate::error::EngineError;
use crate::source::Form;

/// Where compiled code is kept between runs, and how much of it.
#[derive(Clone, Debug)]
pub struct CacheConfig {
    /// A directory of this user's own; made, with its parents, if it is not there.
    pub dir: PathBuf,
    /// Bytes of all entries together; the ones unused for longest go first.
    pub bytes_max: u64,
}

/// What the cache has done since the engine was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Modules that needed no compiler.
    pub hits: u64,
    /// Modules that were compiled because no entry was there.
    pub misses: u64,
    /// Entries that were cut short, damaged or not ours, and hence compiled again.
    pub rejected: u64,
    /// Entries removed to stay below `bytes_max`.
    pub evicted: u64,
    /// Entries that could not be written.
    pub failed: u64,
}

/// Names a module's code: its bytes and every setting of the engine that changes what they
/// compile to.
#[derive(Clone, Copy)]
pub(crate) struct Key([u8; SHA256_OUTPUT_LEN]);

impl Key {
    pub(crate) fn of(content: &[u8], engine: &wasmtime::Engine) -> Self {
        let mut hasher = Sha(Context::new(&SHA256));
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.0.update(content);
        Self(output(hasher.0))
    }

    fn file_name(&self) -> String {
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        hex + SUFFIX
    }
}

/// Lets wasmtime hash its settings into the key's own digest; 64 bits of the standard hasher
/// would be too few to trust.
struct Sha(Context);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0 // Nobody asks: the digest is taken from the context itself.
    }
}

/// Compiled code that this process may run: made by its own compiler, or read from an entry that
/// proved to be ours.
pub(crate) struct Code {
    /// A whole entry: [`HEADER_BYTES`], then what wasmtime serialised.
    entry: Vec<u8>,
}

const MAGIC: &[u8; 16] = b"rusm compiled 1\n";
const LENGTH_AT: usize = MAGIC.len();
const CHECKSUM_AT: usize = LENGTH_AT + size_of::<u64>();
const HEADER_BYTES: usize = CHECKSUM_AT + SHA256_OUTPUT_LEN;

impl Code {
    /// Compiles WebAssembly, in threads of the compiler's own while this one waits.
    pub(crate) fn compile(
        key: &Key,
        engine: &wasmtime::Engine,
        wasm: &[u8],
        form: Form,
    ) -> wasmtime::Result<Self> {
        let compiled = match form {
            Form::Core => engine.precompile_module(wasm)?,
            Form::Component => engine.precompile_component(wasm)?,
        };
        let mut entry = Vec::with_capacity(HEADER_BYTES + compiled.len());
        entry.extend_from_slice(MAGIC);
        entry.extend_from_slice(&(compiled.len() as u64).to_le_bytes());
        entry.extend_from_slice(&checksum(key, &compiled));
        entry.extend_from_slice(&compiled);
        Ok(Self { entry })
    }

    /// The code of an entry, if it is whole and was written for `key`.
    fn verify(key: &Key, entry: Vec<u8>) -> Option<Self> {
        let (header, compiled) = entry.split_at_checked(HEADER_BYTES)?;
        let ours = header.starts_with(MAGIC)
            && header[LENGTH_AT..CHECKSUM_AT] == (compiled.len() as u64).to_le_bytes()
            && header[CHECKSUM_AT..] == checksum(key, compiled);
        ours.then_some(Self { entry })
    }

    /// What the code was compiled from.
    pub(crate) fn form(&self) -> Form {
        match wasmtime::Engine::detect_precompiled(self.compiled()) {
            Some(Precompiled::Component) => Form::Component,
            _ => Form::Core,
        }
    }

    /// The module, ready to be instantiated in `engine`. Fails if it is a component.
    pub(crate) fn module(&self, engine: &wasmtime::Engine) -> wasmtime::Result<Module> {
        // JUSTIFICATION: loading takes 0.1 ms where compiling a small program takes 50 to 100 ms,
        // and one compile has to serve the engines of all workers.
        // SAFETY: the bytes come from `Engine::precompile_module` unchanged. `Code` is made by `compile`,
        // from that call itself, and by `verify`, which has compared a checksum over key and
        // content, of a file in a directory nobody else can write to. What `precompile_component`
        // made is refused by its own header.
        #[allow(unsafe_code)]
        unsafe {
            Module::deserialize(engine, self.compiled())
        }
    }

    /// The component, ready to be instantiated in `engine`. Fails if it is a module.
    pub(crate) fn component(&self, engine: &wasmtime::Engine) -> wasmtime::Result<Component> {
        // JUSTIFICATION: as for modules; compiling a component of 12 MB takes 11 s, loading it 1 ms.
        // SAFETY: as for modules, with `Engine::precompile_component`.
        #[allow(unsafe_code)]
        unsafe {
            Component::deserialize(engine, self.compiled())
        }
    }

    fn compiled(&self) -> &[u8] {
        &self.entry[HEADER_BYTES..]
    }
}

/// Over the key too, so that an entry under another's name is found out.
fn checksum(key: &Key, compiled: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut context = Context::new(&SHA256);
    context.update(&key.0);
    context.update(compiled);
    output(context)
}

fn output(context: Context) -> [u8; SHA256_OUTPUT_LEN] {
    let digest = context.finish();
    digest.as_ref().try_into().expect("SHA-256 has this length")
}

/// Ends the names of entries, and of nothing else in the directory that is ours to remove.
const SUFFIX: &str = ".rusm-code";
/// Entries still being written. One whose writer died is removed like any other, as the oldest.
const SUFFIX_NEW: &str = ".rusm-code-new";

/// The directory of entries. Any number of processes may share one: entries appear by `rename`,
/// whole or not at all.
pub(crate) struct Cache {
    config: CacheConfig,
    hits: AtomicU64,
    misses: AtomicU64,
    rejected: AtomicU64,
    evicted: AtomicU64,
    failed: AtomicU64,
}

impl Cache {
    pub(crate) fn open(config: CacheConfig) -> Result<Self, EngineError> {
        if let Err(why) = own_directory(&config.dir) {
            return Err(EngineError::CacheDir {
                dir: config.dir,
                why,
            });
        }
        let [hits, misses, rejected, evicted, failed] = Default::default();
        Ok(Self {
            config,
            hits,
            misses,
            rejected,
            evicted,
            failed,
        })
    }

    /// The code kept for `key`, marked as used now.
    pub(crate) fn get(&self, key: &Key) -> Option<Code> {
        let path = self.config.dir.join(key.file_name());
        let Ok(entry) = fs::read(&path) else {
            self.misses.fetch_add(1, Relaxed);
            return None;
        };
        let code = Code::verify(key, entry);
        match &code {
            Some(_) => {
                self.hits.fetch_add(1, Relaxed);
                // An entry that cannot be marked is only evicted sooner.
                let _ = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
            }
            None => {
                self.rejected.fetch_add(1, Relaxed);
            }
        }
        code
    }

    /// Keeps `code`, then makes room.
    pub(crate) fn put(&self, key: &Key, code: &Code) {
        let kept = code.entry.len() as u64 <= self.config.bytes_max
            && self
                .write(&key.file_name(), &code.entry)
                .and_then(|()| self.make_room())
                .is_ok();
        if !kept {
            self.failed.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            evicted: self.evicted.load(Relaxed),
            failed: self.failed.load(Relaxed),
        }
    }

    fn write(&self, name: &str, entry: &[u8]) -> io::Result<()> {
        static WRITES: AtomicU64 = AtomicU64::new(0);
        let unique = format!(
            "{name}.{}.{}{SUFFIX_NEW}",
            std::process::id(),
            WRITES.fetch_add(1, Relaxed)
        );
        let path = self.config.dir.join(unique);
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(entry))
            .and_then(|()| fs::rename(&path, self.config.dir.join(name)));
        if written.is_err() {
            let _ = fs::remove_file(&path);
        }
        written
    }

    /// Removes the entries unused for longest until the rest fits.
    fn make_room(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        for file in fs::read_dir(&self.config.dir)? {
            let file = file?;
            let name = file.file_name();
            let ours = name
                .to_str()
                .is_some_and(|name| name.ends_with(SUFFIX) || name.ends_with(SUFFIX_NEW));
            // Another process may have removed it meanwhile.
            if let (true, Ok(about)) = (ours, file.metadata()) {
                entries.push((about.modified()?, about.len(), file.path()));
            }
        }
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, len, _)| len).sum();
        for (_, len, path) in entries {
            if total <= self.config.bytes_max {
                break;
            }
            if fs::remove_file(path).is_ok() {
                self.evicted.fetch_add(1, Relaxed);
            }
            total -= len;
        }
        Ok(())
    }
}

/// Makes the directory if need be, and sees to it that only this user can put code there.
fn own_directory(dir: &Path) -> Result<(), String> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    let about = made
        .and_then(|()| fs::metadata(dir))
        .map_err(|error| error.to_string())?;
    // JUSTIFICATION: std has no way to ask for the user of this process.
    // SAFETY: `geteuid` takes nothing, touches no memory and cannot fail.
    #[allow(unsafe_code)]
    let me = unsafe { libc::geteuid() };
    if about.uid() != me {
        return Err("it belongs to another user".into());
    }
    if about.permissions().mode() & 0o022 != 0 {
        return Err("others may write to it".into());
    }
    Ok(())
}
