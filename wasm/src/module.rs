//! What can be started: the code of a core module or of a component, and how much memory it
//! begins with.

use std::sync::Arc;

use wasmtime::component::Component;

use crate::cache::Code;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::flavour::Make;
use crate::guest::Prepared;
use crate::limit::COMPONENT_MEMORIES_MAX;
use crate::pool::{Kind, Pool};
use crate::source::Form;
use crate::{component, core, lunatic};

const PAGE_BYTES: u64 = 64 << 10;

/// Compiled code of a core module or a component, not yet linked. Cheap to clone.
#[derive(Clone)]
pub struct Module(Arc<Inner>);

struct Inner {
    engine: Engine,
    code: Code,
    template: Template,
    make: Make,
    memories: u32,
    memory_bytes: u64,
}

/// The code in the engine that inspects; never instantiated.
enum Template {
    Core(wasmtime::Module),
    Component(Component),
}

/// The exported function a program starts with.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Core(core::Entry),
    Component(component::Entry),
    /// Each process names its own.
    Lunatic,
}

/// The code in the engine of one pool, its imports resolved.
pub(crate) enum Linked {
    Core(core::Linked),
    Component(component::Linked),
    Lunatic(lunatic::Linked),
}

impl Module {
    /// Loads the code into the engine that inspects.
    pub(crate) fn new(
        engine: Engine,
        template: &wasmtime::Engine,
        make: Make,
        code: Code,
    ) -> wasmtime::Result<Self> {
        let template = match code.form() {
            Form::Core => Template::Core(code.module(template)?),
            Form::Component => Template::Component(code.component(template)?),
        };
        let needs = match &template {
            Template::Core(module) => Some(module.resources_required()),
            // A component that is given its modules says nothing about them.
            Template::Component(component) => component.resources_required(),
        };
        let memories = needs.as_ref().map(|needs| needs.num_memories);
        let pages = needs.and_then(|needs| needs.max_initial_memory_size);
        Ok(Self(Arc::new(Inner {
            engine,
            code,
            template,
            make,
            memories: memories.unwrap_or(COMPONENT_MEMORIES_MAX),
            memory_bytes: pages.unwrap_or(0).saturating_mul(PAGE_BYTES),
        })))
    }

    /// This module, if a process may have the memory it starts with.
    pub(crate) fn within_limits(self) -> Result<Self, LoadError> {
        let (needs, max) = (self.0.memory_bytes, self.0.engine.memory_bytes_max());
        if needs > max {
            return Err(LoadError::Memory { needs, max });
        }
        Ok(self)
    }

    /// Links the code and finds the function it starts with: `entry`, or else that of a
    /// `wasi:cli` command, or else the first of `_start`, `main` and `run`. A function in an
    /// interface of a component is `interface#function`.
    ///
    /// It must take no parameters. A core module's may return one i32, which becomes the exit
    /// status; a component's an `s32`, which is that as well, or a `result` without a value, whose
    /// error is status 1, or, if it is a `string`, an [`ExitReason::Error`](rusm_actor::ExitReason)
    /// with it.
    pub fn prepare(&self, entry: Option<&str>) -> Result<Prepared, LoadError> {
        let entry = match &self.0.template {
            Template::Core(module) => Entry::Core(core::Entry::find(module, entry)?),
            Template::Component(component) => {
                Entry::Component(component::Entry::find(component, entry)?)
            }
        };
        Prepared::new(self.clone(), entry)
    }

    /// Links it as one that Lunatic processes are spawned from, if it is a core module.
    pub(crate) fn prepare_for_lunatic(&self) -> Result<Prepared, LoadError> {
        match &self.0.template {
            Template::Core(_) => Prepared::new(self.clone(), Entry::Lunatic),
            Template::Component(_) => Err(LoadError::LunaticComponent),
        }
    }

    /// Whether a program may start with this function, if it is a core module.
    pub(crate) fn check_core_entry(&self, name: &str) -> Result<(), LoadError> {
        match &self.0.template {
            Template::Core(module) => core::Entry::find(module, Some(name)).map(drop),
            Template::Component(_) => Err(LoadError::LunaticComponent),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Bytes that the largest memory of every instance starts with.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.0.memory_bytes
    }

    /// Memories that every instance has, at most.
    pub(crate) fn memories(&self) -> u32 {
        self.0.memories
    }

    pub(crate) fn kind(&self) -> Kind {
        Kind::of(self.0.make, self.0.memory_bytes)
    }

    /// Loads the code into a pool's engine and links it; `entry` is one of this module's.
    pub(crate) fn link(&self, pool: &Pool, entry: &Entry) -> Result<Linked, LoadError> {
        let code = &self.0.code;
        match entry {
            Entry::Core(entry) => {
                let module = code
                    .module(&pool.engine)
                    .map_err(|error| too_large(&error))?;
                core::Linked::new(pool, &module, entry).map(Linked::Core)
            }
            Entry::Lunatic => {
                let module = code
                    .module(&pool.engine)
                    .map_err(|error| too_large(&error))?;
                lunatic::Linked::new(pool, &module).map(Linked::Lunatic)
            }
            Entry::Component(entry) => {
                let component = code
                    .component(&pool.engine)
                    .map_err(|error| too_large(&error))?;
                component::Linked::new(pool, &component, entry).map(Linked::Component)
            }
        }
    }
}

/// What a pool's refusal means to whoever has the file.
fn too_large(error: &wasmtime::Error) -> LoadError {
    LoadError::TooLarge(error.root_cause().to_string())
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

/// As `refused`, of a refusal that was not the compiler's.
pub(crate) fn refused_by(why: &str, offset: usize, len: usize) -> LoadError {
    if why.contains("unexpected end") {
        return LoadError::Truncated(len);
    }
    LoadError::Invalid(format!("{why} (at offset {offset:#x})"))
}
