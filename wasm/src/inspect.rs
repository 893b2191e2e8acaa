//! What a file of WebAssembly is, wants and offers, told without compiling it: some milliseconds per
//! megabyte, for validating.

mod needs;

use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;
use wasmparser::{Parser, Payload, Validator};

use crate::error::LoadError;
use crate::module;
use crate::source::{self, Form};

pub use needs::Need;

const PAGE_BYTES: u64 = 64 << 10;

/// What a file is, wants and offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Whether it is a component; a core module if not.
    pub is_component: bool,
    /// What it was made for.
    pub world: World,
    /// Bytes of the binary form.
    pub bytes: u64,
    /// Core modules in it; 1 if it is one.
    pub modules: usize,
    /// What it imports, in its order.
    pub imports: Vec<Interface>,
    /// What it exports, in its order.
    pub exports: Vec<Interface>,
    /// Its memories, those of inner modules included.
    pub memories: Vec<MemorySize>,
    /// Elements its tables begin with, those of inner modules included.
    pub tables: Vec<u64>,
    /// Whether it carries names of functions or lines of source, which traps then show.
    pub has_debug_info: bool,
    /// What it may ask for at run time that `sandboxed` does not grant.
    pub needs: Vec<Need>,
    /// What the node must have for these grants to be of use.
    pub node_needs: Vec<Need>,
}

/// What a program was made for: who calls it, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// A command of WASI preview 1: `_start`.
    CommandPreview1,
    /// A command of WASI 0.2: `wasi:cli/run`.
    Command02,
    /// A command of WASI 0.3.
    Command03,
    /// A process of `rusm:runtime`, or of its flat functions.
    Actor,
    /// Something else that can be started: it exports `main` or `run`.
    Plain,
    /// Nothing that is started by itself.
    Library,
}

/// Functions, memories and so on under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Of the module or the interface; empty for what stands alone.
    pub name: String,
    /// What is in it.
    pub items: Vec<String>,
}

/// A memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySize {
    /// Bytes it begins with.
    pub initial_bytes: u64,
    /// Bytes it may grow to, if it says so itself.
    pub max_bytes: Option<u64>,
}

/// Looks at the bytes of a `.wasm` file, or of a `.wat` text.
///
/// # Errors
/// If they are not valid WebAssembly.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, LoadError> {
    let (wasm, form) = source::wasm(bytes)?;
    let invalid = |error: wasmparser::BinaryReaderError| {
        module::refused_by(error.message(), error.offset(), wasm.len())
    };
    let types = Validator::new().validate_all(&wasm).map_err(invalid)?;
    let mut found = Inspection {
        is_component: form == Form::Component,
        world: World::Library,
        bytes: wasm.len() as u64,
        modules: 0,
        imports: Vec::new(),
        exports: Vec::new(),
        memories: Vec::new(),
        tables: Vec::new(),
        has_debug_info: false,
        needs: Vec::new(),
        node_needs: Vec::new(),
    };
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&wasm) {
        found
            .see(&payload.map_err(invalid)?, &mut depth, &types)
            .map_err(invalid)?;
    }
    found.world = found.find_world();
    found.needs = needs::find(&found);
    found.node_needs = needs::of_node(&found.needs);
    Ok(found)
}

impl Inspection {
    fn see(
        &mut self,
        payload: &Payload<'_>,
        depth: &mut usize,
        types: &Types,
    ) -> Result<(), wasmparser::BinaryReaderError> {
        let outermost = *depth == 1;
        match payload {
            Payload::Version { encoding, .. } => {
                *depth += 1;
                self.modules += usize::from(*encoding == wasmparser::Encoding::Module);
            }
            Payload::End(_) => *depth -= 1,
            Payload::ImportSection(section) if outermost => {
                for import in section.clone().into_imports() {
                    let import = import?;
                    add(&mut self.imports, import.module, import.name);
                }
            }
            Payload::ExportSection(section) if outermost => {
                for export in section.clone() {
                    add(&mut self.exports, "", export?.name);
                }
            }
            Payload::ComponentImportSection(section) if outermost => {
                for import in section.clone() {
                    let name = import?.name.name;
                    let item = types.as_ref().component_item_for_import(name);
                    self.imports
                        .push(interface(name, item.map(|item| item.ty), types));
                }
            }
            Payload::ComponentExportSection(section) if outermost => {
                for export in section.clone() {
                    let name = export?.name.name;
                    let item = types.as_ref().component_item_for_export(name);
                    self.exports
                        .push(interface(name, item.map(|item| item.ty), types));
                }
            }
            Payload::CustomSection(section) => {
                let name = section.name();
                self.has_debug_info |= name == "name" || name.starts_with(".debug_");
            }
            _ => return self.see_sizes(payload),
        }
        Ok(())
    }

    fn see_sizes(&mut self, payload: &Payload<'_>) -> Result<(), wasmparser::BinaryReaderError> {
        match payload {
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    let memory = memory?;
                    let page = memory
                        .page_size_log2
                        .map_or(PAGE_BYTES, |log| 1 << log.min(16));
                    self.memories.push(MemorySize {
                        initial_bytes: memory.initial.saturating_mul(page),
                        max_bytes: memory.maximum.map(|pages| pages.saturating_mul(page)),
                    });
                }
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    self.tables.push(table?.ty.initial);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn find_world(&self) -> World {
        let exports = |name: &str| {
            self.exports.iter().any(|export| {
                export.name.starts_with(name) && !export.name.is_empty()
                    || export.name.is_empty() && export.items.iter().any(|item| item == name)
            })
        };
        let imports = |name: &str| {
            self.imports
                .iter()
                .any(|import| import.name.starts_with(name))
        };
        match () {
            () if exports("wasi:cli/run@0.2.") => World::Command02,
            () if exports("wasi:cli/run@0.3.") => World::Command03,
            () if imports("rusm:runtime/") || !self.is_component && imports("rusm") => World::Actor,
            () if exports("_start") => World::CommandPreview1,
            () if exports("main") || exports("run") => World::Plain,
            () => World::Library,
        }
    }
}

impl World {
    /// One word for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::CommandPreview1 => "wasi-preview-1",
            Self::Command02 => "wasi-0.2",
            Self::Command03 => "wasi-0.3",
            Self::Actor => "rusm-runtime",
            Self::Plain => "plain",
            Self::Library => "library",
        }
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CommandPreview1 => "a command of WASI preview 1",
            Self::Command02 => "a command of WASI 0.2",
            Self::Command03 => "a command of WASI 0.3",
            Self::Actor => "a process of rusm:runtime",
            Self::Plain => "a program without WASI",
            Self::Library => "a library: nothing starts it",
        }
    }
}

fn add(interfaces: &mut Vec<Interface>, name: &str, item: &str) {
    let known = interfaces
        .iter_mut()
        .find(|interface| interface.name == name);
    match known {
        Some(interface) => interface.items.push(item.to_owned()),
        None => interfaces.push(Interface {
            name: name.to_owned(),
            items: vec![item.to_owned()],
        }),
    }
}

/// An instance with its functions; anything else stands alone.
fn interface(name: &str, ty: Option<ComponentEntityType>, types: &Types) -> Interface {
    let Some(ComponentEntityType::Instance(id)) = ty else {
        return Interface {
            name: String::new(),
            items: vec![name.to_owned()],
        };
    };
    let is_function = |ty: &ComponentEntityType| matches!(ty, ComponentEntityType::Func(_));
    let types = types.as_ref();
    let items = types[id].exports.iter();
    let functions = items.filter(|(_, item)| is_function(&item.ty));
    Interface {
        name: name.to_owned(),
        items: functions.map(|(name, _)| name.clone()).collect(),
    }
}

#[cfg(test)]
mod tests;
