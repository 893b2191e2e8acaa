//! `rusm build`: folders of sources become files, with the tools that are there, when something has
//! changed.

use std::os::unix::fs::PermissionsExt;

use super::guests::EXIT_7;
use super::run::{Folder, Run};

/// A compiler that writes what it was called with, and makes an empty module.
const CLANG: &str = r#"#!/bin/sh
if [ "$1" = --version ]; then exit 0; fi
echo "$@" >> calls
for word; do case $word in -MM) echo "x: main.c ../lib.h"; exit 0;; esac; done
while [ "$1" != -o ]; do shift; done
printf '\0asm\1\0\0\0' > "$2"
"#;

fn tool(folder: &Folder, name: &str, text: &str) -> String {
    folder.write(name, text);
    let path = folder.path(name);
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("it was just written");
    path.display().to_string()
}

fn app() -> Folder {
    let folder = Folder::new();
    folder.write("rusm.toml", "[components.a]\n");
    folder
}

#[test]
fn a_lone_file_is_taken_once_and_again_when_it_has_changed() {
    let folder = app();
    folder.write("components/a/x.wat", EXIT_7);
    let ended = Run::inside(folder)
        .args("build")
        .status(0)
        .stdout("")
        .stderr("rusm: built `a`\n");
    assert_eq!(ended.folder.read("build/a.wasm"), EXIT_7);
    let again = Run::inside(ended.folder).args("build").status(0);
    let again = again.stderr("rusm: `a` is built already\n");
    again
        .folder
        .write("components/a/x.wat", format!("{EXIT_7} ;; more"));
    let third = Run::inside(again.folder)
        .args("build")
        .status(0)
        .stderr_has("built `a`");
    assert!(third.folder.read("build/a.wasm").ends_with(";; more"));
}

#[test]
fn c_files_go_to_clang_and_every_file_that_it_read_is_watched() {
    let folder = app();
    folder.write("components/a/main.c", "int main;");
    folder.write("components/lib.h", "");
    folder.write("lib.h", "");
    let clang = tool(&folder, "clang", CLANG);
    let build = |folder| {
        Run::inside(folder)
            .variable("CLANG", &clang)
            .args("build .")
    };
    let first = build(folder).status(0).stderr_has("built `a`");
    let calls = first.folder.read("calls");
    assert!(calls.starts_with("--target=wasm32-wasi -O2"), "{calls}");
    assert!(calls.contains("main.c -o build/a.draft\n"), "{calls}");
    let second = build(first.folder).status(0).stderr_has("is built already");
    assert_eq!(second.folder.read("calls"), calls);
    // Outside of its folder, and known from what the compiler read; `..` is from where we are.
    std::fs::create_dir_all(second.folder.path("components")).expect("it is there");
    second
        .folder
        .write("components/a/main.c", "int main; int more;");
    build(second.folder).status(0).stderr_has("rusm: built `a`");
}

#[test]
fn a_missing_tool_is_named_with_the_way_to_get_it() {
    let without = |folder: Folder| {
        let empty = folder.path("empty").display().to_string();
        Run::inside(folder)
            .variable("PATH", &empty)
            .args("build")
            .status(1)
    };
    let folder = app();
    folder.write("components/a/main.c", "int main;");
    without(folder).stderr_is_one_line().stderr_has(
        "cannot build `a`: `clang` is not on this machine. Install clang with a WASI library",
    );
    let folder = app();
    folder.write("components/a/Cargo.toml", "");
    without(folder)
        .stderr_is_one_line()
        .stderr_has("cannot build `a`: `rustc` is not on this machine. Install Rust");
}

#[test]
fn a_rust_target_that_is_not_there_is_named() {
    let folder = app();
    folder.write("components/a/Cargo.toml", "");
    tool(&folder, "tools/rustc", "#!/bin/sh\necho /no/such/folder\n");
    let tools = folder.path("tools").display().to_string();
    let run = Run::inside(folder).variable("PATH", &format!("{tools}:/bin:/usr/bin"));
    run.args("build")
        .status(1)
        .stderr_is_one_line()
        .stderr_has("Install it: `rustup target add wasm32-wasip1`");
}

#[test]
fn cargo_says_what_it_made() {
    let folder = app();
    folder.write("components/a/Cargo.toml", "");
    folder.write("made.wasm", "made");
    let made = folder.path("made.wasm").display().to_string();
    tool(&folder, "tools/rustc", "#!/bin/sh\necho /\n");
    let line = format!(r#"{{"reason":"compiler-artifact","executable":"{made}"}}"#);
    tool(
        &folder,
        "tools/cargo",
        &format!("#!/bin/sh\necho '{line}'\n"),
    );
    let tools = folder.path("tools").display().to_string();
    let run = Run::inside(folder).variable("PATH", &format!("{tools}:/bin:/usr/bin"));
    let ended = run.args("build").status(0).stderr_has("built `a`");
    assert_eq!(ended.folder.read("build/a.wasm"), "made");
}

#[test]
fn one_component_that_fails_does_not_keep_the_others_from_being_built() {
    let folder = Folder::new();
    folder.write(
        "rusm.toml",
        "[components.a]\n[components.b]\n[components.c]\n[components.d]\n",
    );
    folder.write("components/a/x.wat", "(modul)");
    folder.write("components/b/notes.txt", "");
    folder.write("components/d/x.wat", EXIT_7);
    folder.write("components/e/x.wat", EXIT_7);
    let ended = Run::inside(folder).args("build").status(1);
    ended
        .stderr_has("cannot build `a`: its WebAssembly text does not parse")
        .stderr_has("cannot build `b`: its folder has neither a Cargo.toml, nor C files")
        .stderr_has("cannot build `c`: there is no `components/c`. Create it")
        .stderr_has("built `d`")
        .stderr_has("`components/e` is no component of rusm.toml, and left out");
}

#[test]
fn a_folder_without_a_manifest_is_no_app() {
    let run = Run::new().args("build").status(1);
    run.stderr_is_one_line()
        .stderr_has("there is no app in `.`: it has no rusm.toml");
}

#[test]
fn a_manifest_that_makes_no_sense_is_told_with_every_place() {
    let run = Run::new().file("rusm.toml", "[component.a]\n[node]\nworkers = 0\n");
    run.args("build")
        .status(1)
        .stderr_has("rusm.toml:1:2: there is no key `component`")
        .stderr_has("rusm.toml:3:11: `workers` in [node]");
}
