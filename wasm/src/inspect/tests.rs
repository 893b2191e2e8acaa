//! What is told of small files of each kind.

use super::*;

fn needs(found: &Inspection) -> Vec<&str> {
    found.needs.iter().map(|need| need.line.as_str()).collect()
}

#[test]
fn a_command_of_preview_1_is_told_with_its_memory_and_its_needs() {
    let found = inspect(
        br#"(module
              (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_read" (func (param i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "path_open" (func))
              (memory (export "memory") 2 5) (table 3 funcref)
              (func $f (export "_start")))"#,
    )
    .unwrap();
    assert_eq!(found.world, World::CommandPreview1);
    assert_eq!(
        (found.is_component, found.modules, found.tables.as_slice()),
        (false, 1, &[3][..])
    );
    let memory = MemorySize {
        initial_bytes: 2 << 16,
        max_bytes: Some(5 << 16),
    };
    assert_eq!(found.memories, [memory]);
    assert_eq!(found.imports[0].items, ["fd_write", "fd_read", "path_open"]);
    assert_eq!(found.exports[0].items, ["memory", "_start"]);
    assert!(found.has_debug_info);
    assert_eq!(
        needs(&found),
        [
            r#"stdio = ["stdin", "stdout", "stderr"]"#,
            r#"dirs = [{ path = "data", as = "/", access = "read-write" }]"#,
        ]
    );
}

#[test]
fn an_actor_is_told_by_its_imports() {
    let found = inspect(
        br#"(module (import "rusm" "spawn_link" (func)) (import "rusm" "kill" (func))
              (import "rusm" "send" (func)) (memory 300) (func (export "run")))"#,
    )
    .unwrap();
    assert_eq!(found.world, World::Actor);
    assert_eq!(
        needs(&found),
        [
            r#"memory = "19M""#,
            r#"spawn = ["COMPONENT"]"#,
            r#"kill = ["children"]"#
        ]
    );
}

#[test]
fn a_component_is_told_with_the_functions_of_its_interfaces() {
    let found = inspect(
        br#"(component
              (import "wasi:sockets/tcp@0.2.3" (instance (export "start-listen" (func))))
              (import "rusm:runtime/registry@0.1.0" (instance (export "register" (func))))
              (core module $m (memory 1) (func (export "run")))
              (core instance $i (instantiate $m))
              (func $run (canon lift (core func $i "run")))
              (instance $c (export "run" (func $run)))
              (export "wasi:cli/run@0.2.3" (instance $c)))"#,
    )
    .unwrap();
    assert_eq!(
        (found.is_component, found.world, found.modules),
        (true, World::Command02, 1)
    );
    assert_eq!(found.imports[0].name, "wasi:sockets/tcp@0.2.3");
    assert_eq!(found.imports[0].items, ["start-listen"]);
    assert_eq!(found.exports[0].name, "wasi:cli/run@0.2.3");
    assert_eq!(found.memories.len(), 1);
    assert_eq!(
        needs(&found),
        [
            r#"connect = ["example.com:443"]"#,
            r#"listen = ["127.0.0.1:8080"]"#,
            r#"register = ["NAME"]"#
        ]
    );
}

#[test]
fn what_is_not_valid_is_refused() {
    for bytes in [
        &b""[..],
        b"#!/bin/sh",
        b"\0asm\x01\0\0\0\x01",
        b"(module (func (result i32)))",
    ] {
        assert!(inspect(bytes).is_err(), "{bytes:?}");
    }
    assert_eq!(inspect(b"(module)").unwrap().world, World::Library);
}

#[test]
fn every_line_that_may_be_needed_is_one_that_a_manifest_understands() {
    // The keys are looked at by the manifest's own tests; here, that they are lines.
    let of_profiles = needs::RULES.iter().map(|(_, _, line)| line);
    for line in of_profiles.chain(needs::NODE_RULES.iter().map(|(_, line)| line)) {
        let (key, value) = line.split_once(" = ").expect("a key and a value");
        assert!(!key.contains(' ') && !value.is_empty(), "{line}");
    }
}

#[test]
fn what_uses_the_store_is_told_that_the_node_needs_one() {
    let flat = r#"(module (import "rusm" "kv_get" (func)) (func (export "run")))"#;
    let component = r#"(component
        (import "rusm:runtime/kv@0.1.0" (instance (export "get" (func)))))"#;
    for (text, import) in [
        (flat, "rusm.kv_get"),
        (component, "rusm:runtime/kv@0.1.0.get"),
    ] {
        let found = inspect(text.as_bytes()).unwrap();
        let store = Need {
            line: r#"store = "data/app.redb""#.to_owned(),
            imports: vec![import.to_owned()],
        };
        assert_eq!(found.node_needs, [store]);
    }
    let without = inspect(br#"(module (import "rusm" "kill" (func)))"#).unwrap();
    assert_eq!((without.needs.len(), without.node_needs.len()), (1, 0));
}
