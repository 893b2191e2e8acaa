//! Components that cannot be run: each gets one sentence that says what, why and what to do.

mod support;

use support::{command, engine, node};

fn said(wat: &str, entry: Option<&str>) -> String {
    let node = node(1);
    let loaded = engine(&node).load(wat.as_bytes());
    let prepared = loaded.and_then(|module| module.prepare(entry));
    prepared.err().expect("it cannot be run").to_string()
}

/// A command with this import, which it does not use.
fn importing(import: &str) -> String {
    command(
        import,
        "",
        r#"(func (export "run") (result i32) (i32.const 0))"#,
    )
}

#[test]
fn a_component_without_an_entry() {
    assert_eq!(
        said("(component)", None),
        "it has nothing to start with: neither `wasi:cli/run` nor an exported function `main` or \
         `run`, in fact none at all. Build it as a program, not as a library."
    );
    let library = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (export "help" (func $f))
        (instance $tools (export "fix" (func $f)))
        (export "a:b/tools@1.0.0" (instance $tools)))"#;
    assert_eq!(
        said(library, None),
        "it has nothing to start with: neither `wasi:cli/run` nor an exported function `main` or \
         `run`. Name one of its functions (`--invoke`): `help`, `a:b/tools@1.0.0#fix`."
    );
    assert_eq!(
        said(library, Some("fix")),
        "it exports no function `fix`. Name one of its functions (`--invoke`): `help`, \
         `a:b/tools@1.0.0#fix`."
    );
}

#[test]
fn an_entry_that_wants_arguments_or_returns_something_else() {
    let wat = r#"(component
        (core module $m (memory (export "memory") 1)
          (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
          (func (export "f") (param i32 i32) (result i32) (i32.const 0)))
        (core instance $i (instantiate $m))
        (func (export "greet") (param "name" string) (result (tuple u8 (option (list char))))
          (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"#;
    assert_eq!(
        said(wat, Some("greet")),
        "its function `greet` is func(name: string) -> tuple<u8, option<list<char>>>, but a \
         program starts with a function without parameters that returns nothing, an `s32`, a \
         `result` or a `result<_, string>`. Name another one (`--invoke`)."
    );
}

#[test]
fn an_import_nobody_provides() {
    assert_eq!(
        said(
            &importing(
                r#"(import "acme:shop/till@1.2.0" (instance
                     (export "open" (func (param "code" u32) (result (result string (error u8)))))))"#
            ),
            None
        ),
        "it imports `acme:shop/till@1.2.0#open`, a func(code: u32) -> result<string, u8>, which \
         nobody provides. Build it for `wasm32-wasip2` without that import."
    );
    assert_eq!(
        said(&importing(r#"(import "beep" (func))"#), None),
        "it imports `beep`, a func(), which nobody provides. Build it for `wasm32-wasip2` without \
         that import."
    );
    // The interface is there, but not this function of it.
    assert_eq!(
        said(
            &importing(
                r#"(import "wasi:random/random@0.2.0" (instance (export "roll" (func (result u8)))))"#
            ),
            None
        ),
        "it imports `wasi:random/random@0.2.0#roll`, a func() -> u8, which nobody provides. Build \
         it for `wasm32-wasip2` without that import."
    );
}

#[test]
fn an_import_of_another_type() {
    let said = said(
        &importing(
            r#"(import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u8)))))"#,
        ),
        None,
    );
    assert!(
        said.starts_with(
            "an import has the wrong type: `wasi:random/random@0.2.0#get-random-u64`: "
        ) && !said.contains('\n'),
        "{said}"
    );
}

#[test]
fn a_component_that_breaks_a_rule() {
    let said = said(
        "(component (core module (func (drop (i64.eqz (i32.const 1))))))",
        None,
    );
    assert!(
        said.starts_with("it is not a valid module: ") && said.contains("expected i64, found i32"),
        "{said}"
    );
}

#[test]
fn a_component_cut_at_any_byte() {
    let whole = wat::parse_str(command(
        "",
        "",
        r#"(memory 1) (data (i32.const 0) "abc") (func (export "run") (result i32) (i32.const 0))"#,
    ))
    .unwrap();
    let node = node(1);
    let engine = engine(&node);
    let prepare = |bytes: &[u8]| engine.load(bytes).and_then(|module| module.prepare(None));
    for end in 0..whole.len() {
        let Err(error) = prepare(&whole[..end]) else {
            continue;
        };
        let said = error.to_string();
        let words = [
            "it ends too early, after",
            "it is not WebAssembly",
            "it has nothing to start with",
            "it is not a valid module",
        ];
        assert!(
            words.iter().any(|words| said.starts_with(words)),
            "{end}: {said}"
        );
    }
    assert!(prepare(&whole).is_ok());
}

#[test]
fn a_memory_larger_than_the_limit() {
    let wat = command(
        "",
        "",
        r#"(memory 257) (func (export "run") (result i32) (i32.const 0))"#,
    );
    assert_eq!(
        said(&wat, None),
        "its memory starts with 16842752 bytes, but a process may have 16777216. Raise the limit \
         (`--max-memory`), or build it with a smaller memory."
    );
}

#[test]
fn more_instances_memories_or_tables_than_a_process_may_have() {
    let of = |what: &str, count: usize| {
        let instances = "(core instance (instantiate $part))".repeat(count);
        format!(
            r#"(component (core module $part {what}) {instances}
                 (core module $m (func (export "f"))) (core instance $i (instantiate $m))
                 (func (export "run") (canon lift (core func $i "f"))))"#
        )
    };
    for (what, most) in [("", 63), ("(memory 1)", 4), ("(table 1 funcref)", 32)] {
        let node = node(1);
        let prepared = engine(&node)
            .load(of(what, most).as_bytes())
            .unwrap()
            .prepare(None);
        assert!(prepared.is_ok(), "{what}: {:?}", prepared.err());
        let said = said(&of(what, most + 1), None);
        assert!(
            said.starts_with("it needs more than a process may have: "),
            "{said}"
        );
    }
}
