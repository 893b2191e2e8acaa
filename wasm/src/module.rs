//! What can be started: which function a module starts with, what it imports, how much memory it
//! begins with.

use std::sync::Arc;

use wasmtime::{ExternType, FuncType, ValType};

use crate::cache::Code;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::guest::Prepared;
use crate::pool::Kind;

const PAGE_BYTES: u64 = 64 << 10;
/// What a program starts with if nobody says otherwise, in this order.
const ENTRIES: [&str; 3] = ["_start", "main", "run"];

/// Compiled code, not yet linked. Cheap to clone.
#[derive(Clone)]
pub struct Module(Arc<Inner>);

struct Inner {
    engine: Engine,
    code: Code,
    /// The code in the engine that inspects; never instantiated.
    template: wasmtime::Module,
    memory_bytes: u64,
}

/// The exported function a program starts with.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Whether it returns an i32, which is then the program's exit status.
    pub(crate) returns_status: bool,
}

impl Module {
    pub(crate) fn new(
        engine: Engine,
        code: Code,
        template: wasmtime::Module,
    ) -> Result<Self, LoadError> {
        let pages = template
            .resources_required()
            .max_initial_memory_size
            .unwrap_or(0);
        let (needs, max) = (pages.saturating_mul(PAGE_BYTES), engine.memory_bytes_max());
        if needs > max {
            return Err(LoadError::Memory { needs, max });
        }
        Ok(Self(Arc::new(Inner {
            engine,
            code,
            template,
            memory_bytes: needs,
        })))
    }

    /// Links the module and finds the function it starts with: `entry`, or else the first of
    /// `_start`, `main` and `run`.
    ///
    /// It must take no parameters and return nothing or one i32, which becomes the exit status.
    pub fn prepare(&self, entry: Option<&str>) -> Result<Prepared, LoadError> {
        let entry = self.entry(entry)?;
        Prepared::new(self.clone(), entry)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Bytes of memory every instance starts with.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.0.memory_bytes
    }

    pub(crate) fn kind(&self) -> Kind {
        Kind::of(self.0.memory_bytes)
    }

    /// The code in an engine of a pool.
    pub(crate) fn load_into(
        &self,
        engine: &wasmtime::Engine,
    ) -> wasmtime::Result<wasmtime::Module> {
        self.0.code.load(engine)
    }

    fn entry(&self, wanted: Option<&str>) -> Result<Entry, LoadError> {
        let function = |name: &str| match self.0.template.get_export(name) {
            Some(ExternType::Func(ty)) => Some((name.to_string(), ty)),
            _ => None,
        };
        let found = match wanted {
            Some(name) => function(name),
            None => ENTRIES.into_iter().find_map(function),
        };
        let Some((name, ty)) = found else {
            return Err(LoadError::NoEntry {
                wanted: wanted.map(str::to_string),
                exported: self.functions(),
            });
        };
        let results: Vec<ValType> = ty.results().collect();
        match (ty.params().len(), results.as_slice()) {
            (0, []) => Ok(Entry {
                name,
                returns_status: false,
            }),
            (0, [ValType::I32]) => Ok(Entry {
                name,
                returns_status: true,
            }),
            _ => Err(LoadError::EntryType {
                name,
                ty: in_text(&ty),
            }),
        }
    }

    fn functions(&self) -> Vec<String> {
        let functions = self
            .0
            .template
            .exports()
            .filter(|export| export.ty().func().is_some());
        functions.map(|export| export.name().to_string()).collect()
    }
}

/// What the compiler's refusal of `len` bytes means to whoever has the file.
pub(crate) fn refused(error: &wasmtime::Error, len: usize) -> LoadError {
    let why = error.root_cause().to_string();
    // The validator has no kinds of errors, only words; without them the file is invalid, which
    // is true as well.
    if why.contains("unexpected end") {
        return LoadError::Truncated(len);
    }
    LoadError::Invalid(
        why.trim_start_matches("Invalid input WebAssembly code ")
            .into(),
    )
}

/// What the linker's refusal means to whoever has the file.
pub(crate) fn not_linked(error: &wasmtime::Error) -> LoadError {
    match error.downcast_ref::<wasmtime::UnknownImportError>() {
        Some(unknown) => LoadError::Import {
            module: unknown.module().to_string(),
            name: unknown.name().to_string(),
            ty: match unknown.ty() {
                ExternType::Func(ty) => in_text(&ty),
                ExternType::Memory(_) => "(memory)".into(),
                ExternType::Table(_) => "(table)".into(),
                ExternType::Global(_) => "(global)".into(),
                ExternType::Tag(_) => "(tag)".into(),
            },
        },
        None => LoadError::ImportType(format!("{error:#}")),
    }
}

/// `(func (param i32) (result i32))`.
fn in_text(ty: &FuncType) -> String {
    let text = ty.to_string();
    text.strip_prefix("(type ")
        .and_then(|text| text.strip_suffix(')'))
        .unwrap_or(&text)
        .to_string()
}
