//! Core modules as guests: which function one starts with, what its imports are linked to, and
//! the life of one instance.

use rusm_actor::ExitReason;
use wasmtime::{
    ExternType, FuncType, GuestProfiler, Instance, InstancePre, Module, ModuleExport,
    PoolConcurrencyLimitError, Store, UnknownImportError, ValType,
};

use crate::error::LoadError;
use crate::guest::State;
use crate::pool::Pool;
use crate::{probe, trap};

/// What a program starts with if nobody says otherwise, in this order.
pub(crate) const ENTRIES: [&str; 3] = ["_start", "main", "run"];
/// What a toolchain exports from a library that wants to be set up before it is called.
const INITIALIZE: &str = "_initialize";

/// The exported function a program starts with.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    name: String,
    /// Whether it returns an i32, which is then the program's exit status.
    returns_status: bool,
}

impl Entry {
    /// `wanted`, or else the first of [`ENTRIES`] that is there.
    pub(crate) fn find(module: &Module, wanted: Option<&str>) -> Result<Self, LoadError> {
        let function = |name: &str| match module.get_export(name) {
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
                usual: "no exported function `_start`, `main` or `run`",
                exported: functions(module),
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
                returns: "nothing or one i32",
            }),
        }
    }
}

fn functions(module: &Module) -> Vec<String> {
    let functions = module
        .exports()
        .filter(|export| export.ty().func().is_some());
    functions.map(|export| export.name().to_string()).collect()
}

/// A module in the engine of one pool, its imports resolved.
pub(crate) struct Linked {
    pre: InstancePre<State>,
    initialize: Option<ModuleExport>,
    entry: ModuleExport,
    returns_status: bool,
}

impl Linked {
    /// `module` is the code in the engine of `pool`.
    pub(crate) fn new(pool: &Pool, module: &Module, entry: &Entry) -> Result<Self, LoadError> {
        let pre = pool.core().instantiate_pre(module);
        let pre = pre.map_err(|error| not_linked(&error))?;
        // Whoever names it as the entry wants it called once.
        let initialize = module.get_export_index(INITIALIZE);
        let initialize = initialize.filter(|_| entry.name != INITIALIZE);
        let start = module
            .get_export_index(&entry.name)
            .expect("the template of this code exports it");
        Ok(Self {
            pre,
            initialize,
            entry: start,
            returns_status: entry.returns_status,
        })
    }

    pub(crate) fn engine(&self) -> &wasmtime::Engine {
        self.pre.module().engine()
    }

    /// For a profile of one instance.
    pub(crate) fn profiler(&self) -> wasmtime::Result<GuestProfiler> {
        probe::of_module(self.pre.module())
    }

    /// Runs one instance to its end; fails if the pool has no room for it.
    pub(crate) async fn run(
        &self,
        store: &mut Store<State>,
    ) -> Result<ExitReason, PoolConcurrencyLimitError> {
        let ended = match self.pre.instantiate_async(&mut *store).await {
            Ok(instance) => self.call(store, instance).await,
            Err(error) => Err(error),
        };
        ended
            .inspect_err(|error| probe::keep_dump(store, error))
            .map(trap::exit)
            .or_else(trap::reason_or_full)
    }

    async fn call(&self, store: &mut Store<State>, instance: Instance) -> wasmtime::Result<i32> {
        if let Some(initialize) = &self.initialize {
            let initialize = function(store, instance, initialize);
            initialize
                .typed::<(), ()>(&*store)?
                .call_async(&mut *store, ())
                .await?;
        }
        let entry = function(store, instance, &self.entry);
        if self.returns_status {
            return entry.typed::<(), i32>(&*store)?.call_async(store, ()).await;
        }
        entry
            .typed::<(), ()>(&*store)?
            .call_async(store, ())
            .await?;
        Ok(0)
    }
}

fn function(store: &mut Store<State>, instance: Instance, export: &ModuleExport) -> wasmtime::Func {
    let found = instance.get_module_export(store, export);
    found
        .and_then(wasmtime::Extern::into_func)
        .expect("the module was asked for this export, and it is a function")
}

/// What the linker's refusal means to whoever has the file.
pub(crate) fn not_linked(error: &wasmtime::Error) -> LoadError {
    match error.downcast_ref::<UnknownImportError>() {
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
