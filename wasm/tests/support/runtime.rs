//! Components of core modules in text, against the world `rusm:runtime/actor` in `wasm/wit/`.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Resolve, TypeDefKind, WorldId, WorldItem};

fn world() -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("wit");
    let (package, _) = resolve.push_dir(&wit).unwrap();
    let world = resolve.select_world(&[package], Some("actor")).unwrap();
    (resolve, world)
}

/// Every function of the world, under its interface and name: `process#send`, and the drops of
/// handles: `stream#drop reader`.
fn imports(resolve: &Resolve, world: WorldId) -> String {
    let mut imports = String::new();
    for (key, item) in &resolve.worlds[world].imports {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let interface = resolve.name_world_key(key);
        let short = interface.split(['/', '@']).nth(1).unwrap();
        for (name, function) in &resolve.interfaces[*id].functions {
            let core = resolve.wasm_signature(AbiVariant::GuestImport, function);
            let in_text = |types: &[WasmType]| -> String {
                let name = |ty: &WasmType| match ty {
                    WasmType::I64 | WasmType::PointerOrI64 => " i64",
                    _ => " i32",
                };
                types.iter().map(name).collect()
            };
            imports.push_str(&format!(
                "(import \"{interface}\" \"{name}\" (func $\"{short}#{name}\" (param{}) (result{})))\n",
                in_text(&core.params),
                in_text(&core.results)
            ));
        }
        for (name, ty) in &resolve.interfaces[*id].types {
            if resolve.types[*ty].kind == TypeDefKind::Resource {
                imports.push_str(&format!(
                    "(import \"{interface}\" \"[resource-drop]{name}\" (func $\"{short}#drop {name}\" (param i32)))\n"
                ));
            }
        }
    }
    imports
}

/// Where things lie: what was received at 0, other results at 512 and above, what nobody reads at 2048,
/// the result of `run` at 2000, what the host writes from 16,384 on, again from there at each receive.
const PRELUDE: &str = r#"
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 16384))
  (global $parent (mut i64) (i64.const 0))
  (global $arguments (mut i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $want (param i32 i64 i64)
    (call $"process#receive" (local.get 0) (local.get 1) (local.get 2) (i32.const 0)))
  (func $next (call $want (i32.const 0) (i64.const 0) (i64.const -1)))
  (func $event (result i32) (i32.load8_u (i32.const 8)))
  (func $has_sender (result i32) (i32.load8_u (i32.const 16)))
  (func $sender (result i64) (i64.load (i32.const 24)))
  (func $tag (result i64) (i64.load (i32.const 32)))
  (func $body (result i32) (i32.load (i32.const 56)))
  (func $send_back (call $"process#send" (global.get $parent) (call $tag) (call $body) (i32.load (i32.const 60)) (i32.const 2048)))
  (func $give (param i32 i32) (call $"process#send" (global.get $parent) (i64.const 0) (local.get 0) (local.get 1) (i32.const 2048)))
  ;; The pid that the parent sends under the tag 1.
  (func $given (result i64) (call $want (i32.const 1) (i64.const 1) (i64.const -1)) (i64.load (call $body)))
  ;; The handle in the event that was received.
  (func $came (result i32) (i32.load (i32.const 36)))
  ;; Gives the words of a result that is an error.
  (func $why (param i32) (call $give (i32.load offset=16 (local.get 0)) (i32.load offset=20 (local.get 0))))
  (func $send_to (param i64) (call $"process#send" (local.get 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 2048)))
  (func $tell (param i64) (call $"process#send" (global.get $parent) (local.get 0) (i32.const 0) (i32.const 0) (i32.const 2048)))
  (func $tell32 (param i32) (call $tell (i64.extend_i32_s (local.get 0))))
  ;; Tells whether a result is one: 0, or the number of its error, less than zero.
  (func $tell_result (param i32)
    (call $tell32 (if (result i32) (i32.load8_u (local.get 0))
      (then (i32.sub (i32.const -1) (i32.load8_u offset=8 (local.get 0)))) (else (i32.const 0)))))"#;

/// A component that is told its parent by a first message, and then runs `code`.
pub fn actor(data: &str, code: &str) -> Vec<u8> {
    let (resolve, world) = world();
    let wat = format!(
        r#"(module {} {PRELUDE} {data}
        (func (export "run") (param i32 i32) (result i32) (local $a i64) (local $i i32) (local $s i32) (local $t i32) (local $n i32)
          (global.set $arguments (local.get 0))
          (call $next) (global.set $parent (call $sender)) {code} (i32.const 2000)))"#,
        imports(&resolve, world)
    );
    let mut module = wat::parse_str(&wat).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let encoder = ComponentEncoder::default().module(&module).unwrap();
    encoder.validate(true).encode().unwrap()
}
