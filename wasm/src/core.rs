//! Core modules as guests: which function one starts with, what its imports are linked to, and
//! the life of one instance.

use rusm_actor::ExitReason;
use wasmtime::{
    ExternType, FuncType, GuestProfiler, Instance, InstancePre, Module, ModuleExport,
    PoolConcurrencyLimitError, Store, TypedFunc, UnknownImportError, ValType, WasmResults,
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
        match Returns::of(&ty) {
            Some(_) => Ok(Entry { name }),
            None => Err(LoadError::EntryType {
                name,
                ty: in_text(&ty),
                returns: "nothing or one i32",
            }),
        }
    }
}

/// What a function that takes nothing returns.
#[derive(Clone, Copy, Debug)]
enum Returns {
    Nothing,
    /// An i32, which is the program's exit status.
    Status,
}

impl Returns {
    /// None for a function that cannot be an entry.
    fn of(ty: &FuncType) -> Option<Self> {
        let results: Vec<ValType> = ty.results().collect();
        match (ty.params().len(), results.as_slice()) {
            (0, []) => Some(Self::Nothing),
            (0, [ValType::I32]) => Some(Self::Status),
            _ => None,
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
    /// What `entry` returns, by its type in this very module.
    returns: Returns,
}

impl Linked {
    /// `module` is the code in the engine of `pool`.
    pub(crate) fn new(pool: &Pool, module: &Module, entry: &Entry) -> Result<Self, LoadError> {
        let pre = pool.core().instantiate_pre(module);
        let pre = pre.map_err(|error| not_linked(&error))?;
        // Whoever names it as the entry wants it called once.
        let initialize = module.get_export_index(INITIALIZE);
        let initialize = initialize.filter(|_| entry.name != INITIALIZE);
        let start = module.get_export_index(&entry.name);
        let returns = match module.get_export(&entry.name) {
            Some(ExternType::Func(ty)) => Returns::of(&ty),
            _ => None,
        };
        let start = start.zip(returns);
        let (start, returns) = start.expect("the template of this code has this entry");
        Ok(Self {
            pre,
            initialize,
            entry: start,
            returns,
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
        match self.returns {
            Returns::Nothing => {
                let entry = typed::<()>(store, entry);
                entry.call_async(store, ()).await.map(|()| 0)
            }
            Returns::Status => typed::<i32>(store, entry).call_async(store, ()).await,
        }
    }
}

fn function(store: &mut Store<State>, instance: Instance, export: &ModuleExport) -> wasmtime::Func {
    let found = instance.get_module_export(store, export);
    found
        .and_then(wasmtime::Extern::into_func)
        .expect("the module was asked for this export, and it is a function")
}

/// An entry that returns a `T`, as its [`Returns`] says.
fn typed<T: WasmResults>(store: &Store<State>, entry: wasmtime::Func) -> TypedFunc<(), T> {
    debug_assert!(entry.typed::<(), T>(store).is_ok());
    // JUSTIFICATION: to look at its type once more takes 3 % of the time a process lives that does
    // next to nothing (850 to 876 thousand a second).
    // SAFETY: `Returns` was made of the type that this export has in its module: no parameters,
    // and these results. The function is that export of an instance of the module.
    #[allow(unsafe_code)]
    unsafe {
        TypedFunc::new_unchecked(store, entry)
    }
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
