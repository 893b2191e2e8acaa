//! Is everything that guests of this node may import called by a guest in the tests? Looked up in
//! their text, since guests are text there.

use std::fs;
use std::path::{Path, PathBuf};

use rusm_actor::Node;
use wasmtime::Store;
use wit_parser::{Resolve, TypeDefKind};

use crate::abi::MODULE;
use crate::guest::State;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The tests whose file or folder begins like this.
fn tests_of(beginning: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(here("tests")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        match name.starts_with(beginning) {
            true if path.is_dir() => {
                let files = fs::read_dir(&path).unwrap();
                texts.extend(files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()));
            }
            true => texts.push(fs::read_to_string(&path).unwrap()),
            false => {}
        }
    }
    assert!(
        !texts.is_empty(),
        "there are tests that begin with {beginning}"
    );
    texts
}

/// Does a guest in this text call the function? As it is (`call $name`, `call $"name"`), as the
/// beginning of a text that is put behind a `call` (`"name `), or as a name of which a part is put
/// into a call (`call $"begin{}"`, and `"end"` elsewhere).
fn calls(text: &str, name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || "_-.#".contains(c));
    let exact = |call: &str| {
        let mut found = text.match_indices(call);
        found.any(|(at, _)| ends(&text[at + call.len()..]))
    };
    let made = |(at, _): (usize, &str)| {
        let begin = &text[at + 7..];
        let begin = &begin[..begin.find(['{', '"']).unwrap_or(0)];
        let rest = name.strip_prefix(begin).filter(|_| !begin.is_empty());
        rest.is_some_and(|end| text.contains(&format!("\"{end}\"")))
    };
    exact(&format!("call ${name}"))
        || text.contains(&format!("call $\"{name}\""))
        || text.contains(&format!("\"{name} "))
        || text.match_indices("call $\"").any(made)
}

fn assert_called(names: &[String], texts: &[String]) {
    let called = |name: &&String| !texts.iter().any(|text| calls(text, name));
    let missing: Vec<_> = names.iter().filter(called).collect();
    assert!(
        missing.is_empty(),
        "no guest of the tests calls {missing:?}"
    );
}

#[test]
fn every_flat_function_is_called_by_a_core_module_of_the_tests() {
    let node = Node::start(rusm_sched::Config::default()).unwrap();
    let ran = node.block_on(|context| async move {
        let engine = wasmtime::Engine::default();
        let mut store = Store::new(&engine, State::new(context, 0));
        let linker = super::core(&engine).unwrap();
        let flat = linker.iter(&mut store).filter(|item| item.0 == MODULE);
        let names: Vec<_> = flat.map(|(_, name, _)| name.to_owned()).collect();
        assert!(names.iter().any(|name| name == "kv_compare_and_set"));
        let texts = [tests_of("abi_"), tests_of("support")].concat();
        assert_called(&names, &texts);
    });
    ran.unwrap();
}

#[test]
fn every_function_of_the_package_is_called_by_a_component_of_the_tests() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(here("wit")).unwrap();
    let mut names = Vec::new();
    for (interface, id) in &resolve.packages[package].interfaces {
        let interface_of = &resolve.interfaces[*id];
        names.extend(
            interface_of
                .functions
                .keys()
                .map(|name| format!("{interface}#{name}")),
        );
        let resource = |id| resolve.types[id].kind == TypeDefKind::Resource;
        let resources = interface_of.types.iter().filter(|(_, id)| resource(**id));
        names.extend(resources.map(|(name, _)| format!("{interface}#drop {name}")));
    }
    assert!(
        names
            .iter()
            .any(|name| name == "stream#[method]reader.read")
    );
    let texts = [tests_of("world"), tests_of("support")].concat();
    assert_called(&names, &texts);
}

#[test]
fn a_function_that_no_text_calls_is_found_missing() {
    let text = r#"(call $kv_get) (call $"kv#drop-all") "kv_set (i32.const 1)" (call $"crypto#{function}") "hash" "kv_list""#;
    for called in ["kv_get", "kv#drop-all", "kv_set", "crypto#hash"] {
        assert!(calls(text, called), "{called}");
    }
    for missing in [
        "kv_ge",
        "get",
        "kv#drop",
        "kv_list",
        "crypto#hmac",
        "kv#hash",
    ] {
        assert!(!calls(text, missing), "{missing}");
    }
}
