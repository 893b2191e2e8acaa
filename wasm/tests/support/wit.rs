//! Components of core modules in text, against the interfaces of WASI 0.2 as the adapter for
//! preview 1 carries them.

use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as ADAPTER;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{Resolve, TypeDefKind, WorldId, WorldItem};

/// The world of a command.
pub struct Command {
    resolve: Resolve,
    world: WorldId,
}

/// One function to import: its interface in full, its name there, and how core modules see it.
pub struct Import {
    pub interface: String,
    pub name: String,
    pub params: Vec<WasmType>,
    pub results: Vec<WasmType>,
    /// Whether the last parameter is where its result is to be written.
    pub into_memory: bool,
}

impl Import {
    /// `cli/exit#exit`: the interface without `wasi:` and version, and the name.
    pub fn short(&self) -> String {
        let interface = self.interface.strip_prefix("wasi:").expect("it is WASI's");
        let (interface, _version) = interface.split_once('@').expect("it has a version");
        format!("{interface}#{}", self.name)
    }

    /// What a core module in text says to import it under its short name.
    pub fn declared(&self) -> String {
        let in_text = |types: &[WasmType]| -> String {
            let name = |ty: &WasmType| match ty {
                WasmType::I64 => " i64",
                WasmType::F32 => " f32",
                WasmType::F64 => " f64",
                _ => " i32",
            };
            types.iter().map(name).collect()
        };
        format!(
            "(import \"{}\" \"{}\" (func $\"{}\" (param{}) (result{})))\n",
            self.interface,
            self.name,
            self.short(),
            in_text(&self.params),
            in_text(&self.results)
        )
    }
}

impl Command {
    pub fn new() -> Self {
        let (_, adapter) = wit_component::metadata::decode(ADAPTER).unwrap();
        Self {
            resolve: adapter.resolve,
            world: adapter.world,
        }
    }

    /// Everything the world imports, also what drops a handle.
    pub fn imports(&self) -> Vec<Import> {
        let mut imports = Vec::new();
        for (key, item) in &self.resolve.worlds[self.world].imports {
            let WorldItem::Interface { id, .. } = item else {
                continue;
            };
            let interface = self.resolve.name_world_key(key);
            for (name, function) in &self.resolve.interfaces[*id].functions {
                let core = self
                    .resolve
                    .wasm_signature(AbiVariant::GuestImport, function);
                let WasmSignature {
                    params,
                    results,
                    retptr,
                    ..
                } = core;
                imports.push(Import {
                    interface: interface.clone(),
                    name: name.clone(),
                    params,
                    results,
                    into_memory: retptr,
                });
            }
            for (name, ty) in &self.resolve.interfaces[*id].types {
                if matches!(self.resolve.types[*ty].kind, TypeDefKind::Resource) {
                    imports.push(Import {
                        interface: interface.clone(),
                        name: format!("[resource-drop]{name}"),
                        params: vec![WasmType::I32],
                        results: vec![],
                        into_memory: false,
                    });
                }
            }
        }
        imports
    }

    /// What the core module must export as the command's `run`.
    pub fn entry(&self) -> String {
        let exports = &self.resolve.worlds[self.world].exports;
        let (key, _) = exports.iter().next().expect("a command exports `run`");
        format!("{}#run", self.resolve.name_world_key(key))
    }

    /// The component around a core module in text.
    pub fn encode(&self, wat: &str) -> Vec<u8> {
        let mut module = wat::parse_str(wat).unwrap();
        embed_component_metadata(&mut module, &self.resolve, self.world, StringEncoding::UTF8)
            .unwrap();
        let mut encoder = ComponentEncoder::default().module(&module).unwrap();
        encoder.encode().unwrap()
    }
}

/// The component around a program for WASI preview 1.
pub fn adapted(module: &[u8]) -> Vec<u8> {
    let encoder = ComponentEncoder::default().module(module).unwrap();
    let mut encoder = encoder.adapter("wasi_snapshot_preview1", ADAPTER).unwrap();
    encoder.encode().unwrap()
}
