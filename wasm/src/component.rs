//! Components as guests: which function one starts with, what its imports are linked to, and the
//! life of one instance.

use rusm_actor::ExitReason;
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{Component, ComponentExportIndex, Func, Instance, InstancePre};
use wasmtime::{GuestProfiler, PoolConcurrencyLimitError, Store};

use crate::core::ENTRIES;
use crate::error::LoadError;
use crate::guest::State;
use crate::limit::{COMPONENT_CALL_BYTES_MAX, COMPONENT_HANDLES_MAX};
use crate::pool::Pool;
use crate::{probe, trap, wit};

/// How the interface of a command's entry may be named; what follows is its patch version.
/// A program may have several; the first one here counts.
const COMMANDS: [&str; 2] = ["wasi:cli/run@0.3.", "wasi:cli/run@0.2."];
/// Bytes of a guest's own words that become part of its exit reason; the rest is cut off.
const WORDS_BYTES_MAX: usize = 4096;

/// The exported function a component starts with.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// `interface#function`, or only the function if it is the component's own.
    name: String,
    returns: Returns,
    /// Whether it wants to be given the program's arguments.
    arguments: bool,
}

/// What its end says about the program.
#[derive(Clone, Copy, Debug)]
enum Returns {
    Nothing,
    /// An `s32`, the exit status.
    Status,
    /// A `result`: an error is status 1.
    Result,
    /// A `result<_, string>`: an error in words.
    Words,
}

impl Entry {
    /// `wanted`; or else that of a command of WASI; or else the first of [`ENTRIES`] that is there.
    pub(crate) fn find(component: &Component, wanted: Option<&str>) -> Result<Self, LoadError> {
        let exported = functions(component);
        let named = |name: &str| exported.iter().find(|(known, _)| known == name);
        let command = |interface: &str| {
            exported
                .iter()
                .find(|(name, _)| name.starts_with(interface) && name.ends_with("#run"))
        };
        let found = match wanted {
            Some(name) => named(name),
            None => COMMANDS
                .into_iter()
                .find_map(command)
                .or_else(|| ENTRIES.into_iter().find_map(named)),
        };
        let Some((name, ty)) = found else {
            return Err(LoadError::NoEntry {
                wanted: wanted.map(str::to_string),
                usual: "neither `wasi:cli/run` nor an exported function `main` or `run`",
                exported: exported.into_iter().map(|(name, _)| name).collect(),
            });
        };
        match Returns::of(ty) {
            Some(returns) => Ok(Self {
                name: name.clone(),
                returns,
                arguments: ty.params().len() > 0,
            }),
            None => Err(LoadError::EntryType {
                name: name.clone(),
                ty: wit::function(ty),
                returns: "nothing, an `s32`, a `result` or a `result<_, string>`",
            }),
        }
    }

    fn index(&self, component: &Component) -> Option<ComponentExportIndex> {
        match self.name.split_once('#') {
            Some((interface, function)) => {
                let interface = component.get_export_index(None, interface)?;
                component.get_export_index(Some(&interface), function)
            }
            None => component.get_export_index(None, &*self.name),
        }
    }
}

impl Returns {
    /// `None` if a program cannot start with a function of this type.
    fn of(function: &ComponentFunc) -> Option<Self> {
        let mut params = function.params();
        match (params.next(), params.next()) {
            (None, _) => {}
            // Those of the program.
            (Some((_, Type::List(list))), None) if list.ty() == Type::String => {}
            _ => return None,
        }
        let mut results = function.results();
        match (results.next(), results.next()) {
            (None, _) => Some(Self::Nothing),
            (Some(Type::S32), None) => Some(Self::Status),
            (Some(Type::Result(result)), None) => match (result.ok(), result.err()) {
                (None, None) => Some(Self::Result),
                (None, Some(Type::String)) => Some(Self::Words),
                _ => None,
            },
            _ => None,
        }
    }
}

/// All exported functions, also those in interfaces.
fn functions(component: &Component) -> Vec<(String, ComponentFunc)> {
    let (engine, ty) = (component.engine(), component.component_type());
    let mut functions = Vec::new();
    for (name, export) in ty.exports(engine) {
        match export.ty {
            ComponentItem::ComponentFunc(ty) => functions.push((name.to_string(), ty)),
            ComponentItem::ComponentInstance(interface) => {
                for (inner, export) in interface.exports(engine) {
                    if let ComponentItem::ComponentFunc(ty) = export.ty {
                        functions.push((format!("{name}#{inner}"), ty));
                    }
                }
            }
            _ => {}
        }
    }
    functions
}

/// A component in the engine of one pool, its imports resolved.
pub(crate) struct Linked {
    pre: InstancePre<State>,
    entry: ComponentExportIndex,
    returns: Returns,
    arguments: bool,
    /// Whether a guest may want more stacks while it runs.
    concurrent: bool,
}

impl Linked {
    /// `component` is the code in the engine of `pool`.
    pub(crate) fn new(
        pool: &Pool,
        component: &Component,
        entry: &Entry,
    ) -> Result<Self, LoadError> {
        let pre = pool.component().instantiate_pre(component);
        let pre = pre.map_err(|error| not_linked(&error, component))?;
        let index = entry.index(component);
        Ok(Self {
            pre,
            entry: index.expect("the template of this code exports it"),
            returns: entry.returns,
            arguments: entry.arguments,
            concurrent: pool.is_concurrent(),
        })
    }

    pub(crate) fn engine(&self) -> &wasmtime::Engine {
        self.pre.engine()
    }

    /// For a profile of one instance.
    pub(crate) fn profiler(&self) -> wasmtime::Result<GuestProfiler> {
        let component = self.pre.component().clone();
        GuestProfiler::new_component(self.engine(), "guest", probe::INTERVAL, component, [])
    }

    /// Runs one instance to its end; fails if the pool has no room for it.
    pub(crate) async fn run(
        &self,
        store: &mut Store<State>,
    ) -> Result<ExitReason, PoolConcurrencyLimitError> {
        store.set_max_component_handles(COMPONENT_HANDLES_MAX);
        store.set_hostcall_fuel(COMPONENT_CALL_BYTES_MAX);
        let instance = match self.pre.instantiate_async(&mut *store).await {
            Ok(instance) => instance,
            Err(error) => return trap::reason_or_full(error),
        };
        let ended = self.call(store, instance).await;
        match ended.inspect_err(|error| probe::keep_dump(store, error)) {
            Ok(reason) => Ok(reason),
            // It may find no stack for a task while it runs, and must not begin again elsewhere.
            Err(error) if self.concurrent => Ok(trap::reason(&error)),
            Err(error) => trap::reason_or_full(error),
        }
    }

    async fn call(
        &self,
        store: &mut Store<State>,
        instance: Instance,
    ) -> wasmtime::Result<ExitReason> {
        let entry = instance
            .get_func(&mut *store, self.entry)
            .expect("the component was asked for this export, and it is a function");
        let given = self.arguments.then(|| store.data().arguments().to_vec());
        Ok(match self.returns {
            Returns::Nothing => {
                call::<()>(store, entry, given).await?;
                ExitReason::Normal
            }
            Returns::Status => trap::exit(call::<(i32,)>(store, entry, given).await?.0),
            Returns::Result => {
                let (result,) = call::<(Result<(), ()>,)>(store, entry, given).await?;
                trap::exit(i32::from(result.is_err()))
            }
            Returns::Words => match call::<(Result<(), String>,)>(store, entry, given).await? {
                (Ok(()),) => ExitReason::Normal,
                (Err(words),) => ExitReason::error(cut(words)),
            },
        })
    }
}

async fn call<R>(
    store: &mut Store<State>,
    entry: Func,
    arguments: Option<Vec<String>>,
) -> wasmtime::Result<R>
where
    R: wasmtime::component::ComponentNamedList + wasmtime::component::Lift + Send + Sync + 'static,
{
    match arguments {
        None => entry.typed::<(), R>(&*store)?.call_async(store, ()).await,
        Some(given) => {
            let entry = entry.typed::<(Vec<String>,), R>(&*store)?;
            entry.call_async(store, (given,)).await
        }
    }
}

fn cut(mut words: String) -> String {
    words.truncate(words.floor_char_boundary(WORDS_BYTES_MAX));
    words
}

/// What the linker's refusal means to whoever has the file. The linker has no kinds of errors,
/// only words, from the outermost to the innermost; the names in them are looked up again.
fn not_linked(error: &wasmtime::Error, component: &Component) -> LoadError {
    let root = error.root_cause().to_string();
    let names: Vec<String> = error
        .chain()
        .map(ToString::to_string)
        .filter(|words| words.starts_with("component imports ") || words.starts_with("instance "))
        .filter_map(|words| words.split('`').nth(1).map(str::to_string))
        .collect();
    let [import, inner @ ..] = names.as_slice() else {
        return LoadError::ImportType(format!("{error:#}"));
    };
    let name = match inner {
        [] => import.clone(),
        inner => format!("{import}#{}", inner.join("#")),
    };
    if !root.ends_with("implementation is missing") {
        return LoadError::ImportType(format!("`{name}`: {root}"));
    }
    LoadError::ComponentImport {
        ty: imported(component, import, inner.first()),
        name,
    }
}

/// What a component says about one of its imports.
fn imported(component: &Component, import: &str, inner: Option<&String>) -> String {
    let (engine, ty) = (component.engine(), component.component_type());
    let outer = ty.get_import(engine, import).map(|import| import.ty);
    let item = match (outer, inner) {
        (Some(ComponentItem::ComponentInstance(interface)), Some(name)) => {
            interface.get_export(engine, name).map(|export| export.ty)
        }
        (item, _) => item,
    };
    match item {
        Some(ComponentItem::ComponentFunc(ty)) => wit::function(&ty),
        Some(ComponentItem::Resource(_)) => "resource".into(),
        Some(ComponentItem::Module(_)) => "core module".into(),
        Some(ComponentItem::Component(_)) => "component".into(),
        Some(ComponentItem::ComponentInstance(_)) => "interface".into(),
        Some(ComponentItem::CoreFunc(_) | ComponentItem::Type(_)) | None => "type".into(),
    }
}
