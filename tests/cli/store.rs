//! The durable store of a node: what guests keep in one run they find in the next one, and what is
//! said of files that cannot be one.

use std::fs;
use std::path::Path;

use super::guests::SPIN;
use super::run::{Folder, Run};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Prints what it finds under a key; or keeps something there and prints `new`; or prints why it cannot.
const KEEPER: &str = r#"(module
  (import "rusm" "kv_create" (func $create (param i32 i32) (result i32)))
  (import "rusm" "kv_get" (func $get (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "kv_set" (func $set (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "refusal" (func $refusal (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "bucket") (data (i32.const 80) "key") (data (i32.const 96) "kept\n") (data (i32.const 112) "new\n")
  (func $print (param i32 i32)
    (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $why (call $print (i32.const 1024) (call $refusal (i32.const 1024) (i32.const 1000))))
  (func (export "_start") (local $len i32)
    (if (i32.lt_s (call $create (i32.const 64) (i32.const 6)) (i32.const 0)) (then (call $why) (return)))
    (local.set $len (call $get (i32.const 64) (i32.const 6) (i32.const 80) (i32.const 3) (i32.const 1024) (i32.const 64)))
    (if (i32.ge_s (local.get $len) (i32.const 0)) (then (call $print (i32.const 1024) (local.get $len)) (return)))
    (if (i32.lt_s (call $set (i32.const 64) (i32.const 6) (i32.const 80) (i32.const 3) (i32.const 96) (i32.const 5)) (i32.const 0))
      (then (call $why) (return)))
    (call $print (i32.const 112) (i32.const 4))))"#;

/// The same of a component: it ends with what it finds as its error, and with none when it has kept it.
const COMPONENT_KEEPER: &str = r#"(module
  (import "rusm:runtime/kv@0.1.0" "create" (func $create (param i32 i32 i32)))
  (import "rusm:runtime/kv@0.1.0" "get" (func $get (param i32 i32 i32 i32 i32)))
  (import "rusm:runtime/kv@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))
  (data (i32.const 64) "bucket") (data (i32.const 80) "key") (data (i32.const 96) "kept")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $done (if (i32.load8_u (i32.const 512)) (then unreachable)))
  (func (export "run") (param i32 i32) (result i32)
    (call $create (i32.const 64) (i32.const 6) (i32.const 512)) (call $done)
    (call $get (i32.const 64) (i32.const 6) (i32.const 80) (i32.const 3) (i32.const 512)) (call $done)
    (if (i32.load8_u (i32.const 520)) (then
      (i32.store8 (i32.const 1024) (i32.const 1))
      (i32.store (i32.const 1028) (i32.load (i32.const 524)))
      (i32.store (i32.const 1032) (i32.load (i32.const 528)))
      (return (i32.const 1024))))
    (call $set (i32.const 64) (i32.const 6) (i32.const 80) (i32.const 3) (i32.const 96) (i32.const 4) (i32.const 512)) (call $done)
    (i32.const 1024)))"#;

fn component() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("wasm/wit");
    let (package, _) = resolve.push_dir(&wit).expect("it is our own");
    let world = resolve.select_world(&[package], Some("actor"));
    let world = world.expect("it is there");
    let mut module = wat::parse_str(COMPONENT_KEEPER).expect("the text is good");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("it is a module");
    let encoder = ComponentEncoder::default().module(&module);
    let encoded = encoder.and_then(|mut encoder| encoder.encode());
    encoded.expect("it is for that world")
}

/// redb notes in the second bit of this byte that a file is open, or was not closed.
fn was_closed(store: &Path) -> bool {
    fs::read(store).expect("it was made")[9] & 2 == 0
}

#[test]
fn what_one_run_keeps_the_next_one_finds() {
    let mut folder = Folder::new();
    folder.write("k.wat", KEEPER);
    for said in ["new\n", "kept\n", "kept\n"] {
        let run = Run::inside(folder).args("run --store a.redb k.wat");
        folder = run.status(0).stdout(said).stderr("").folder;
        assert!(was_closed(&folder.path("a.redb")));
    }
    // Another file is another store.
    let run = Run::inside(folder).args("run k.wat --store b.redb");
    run.status(0).stdout("new\n");
}

#[test]
fn what_a_component_keeps_it_finds_again() {
    let run = Run::new().file("c.wasm", component());
    let first = run.args("run --store a.redb c.wasm").status(0);
    let folder = first.stdout("").stderr("").folder;
    let run = Run::inside(folder).args("run --store a.redb c.wasm");
    run.status(1).stderr_has("kept");
}

/// An app with that [node] and a component that keeps something.
fn app(node: &str, kv: &str) -> Folder {
    let folder = Folder::new();
    folder.write("k.wat", KEEPER);
    folder.write(
        "rusm.toml",
        format!(
            "[node]\n{node}\n[components.k]\nsource = \"k.wat\"\nprofile = \"p\"\nresident = 1\n\
             restart = \"temporary\"\n[capabilities.p]\nstdio = [\"stdout\"]\nkv = [{kv}]\n"
        ),
    );
    folder
}

const BUCKET: &str = r#"{ bucket = "bucket", access = "read-write" }"#;
const NODE: &str = r#"store = "data/app.redb""#;

#[test]
fn the_store_of_an_app_is_the_file_that_its_manifest_names() {
    let mut folder = app(NODE, BUCKET);
    folder.write("data/.keep", "");
    for said in ["new\n", "kept\n"] {
        // From elsewhere, too: the path begins at the manifest.
        let named = folder.path("");
        let run = Run::new().arg("run").arg(&named);
        run.status(0).stdout(said).stderr("");
        assert!(was_closed(&folder.path("data/app.redb")));
    }
    folder = Run::inside(folder)
        .args("run")
        .status(0)
        .stdout("kept\n")
        .folder;
    // Who was not granted the bucket does not get it.
    let manifest = folder.read("rusm.toml").replace(BUCKET, "");
    folder.write("rusm.toml", manifest);
    let ended = Run::inside(folder).args("run").status(0);
    ended.stdout_has("write `kv = [{ bucket = \"bucket\", access = \"read-write\" }]`");
}

#[test]
fn without_a_store_a_guest_is_told_the_line_that_would_give_it_one() {
    let ended = Run::inside(app("", BUCKET)).args("run").status(0);
    ended.stdout_has("write `store = \"data/app.redb\"` under [node] in rusm.toml");
    let run = Run::new().file("k.wat", KEEPER).args("run k.wat");
    run.status(0).stdout_has("`--store FILE`");
}

#[test]
fn a_file_that_is_no_store_or_damaged_is_refused_and_left_alone() {
    let kept = Run::new()
        .file("k.wat", KEEPER)
        .args("run k.wat --store a.redb")
        .status(0);
    let mut folder = kept.folder;
    let sound = fs::read(folder.path("a.redb")).expect("it was made");
    let mut damaged = sound.clone();
    damaged[64..320].fill(0x5a);
    // On this one redb panics.
    let mut broken = sound.clone();
    broken[4096..4100].fill(0xa5);
    for content in [b"no store at all".to_vec(), vec![0; 9000], damaged, broken] {
        folder.write("a.redb", &content);
        let run = Run::inside(folder).args("run k.wat --store a.redb");
        let ended = run.status(1).stdout("");
        let ended = ended.stderr_has("`a.redb` is no store, or is damaged");
        assert_eq!(ended.errors().lines().count(), 1, "{}", ended.errors());
        folder = ended.stderr_has("Restore it from a backup").folder;
        assert_eq!(
            fs::read(folder.path("a.redb")).expect("it is there"),
            content
        );
    }
    folder.write("a.redb", sound);
    let run = Run::inside(folder).args("run k.wat --store a.redb");
    run.status(0).stdout("kept\n");
}

#[test]
fn a_store_that_cannot_be_opened_is_told_with_what_to_do() {
    let run = |flags: &str| {
        let run = Run::new().file("k.wat", KEEPER).file("folder/x", "");
        run.args(&format!("run k.wat --store {flags}")).status(1)
    };
    run("data/a.redb").stderr_has("there is no folder `data`. Make it, or name another file.");
    run("k.wat/a.redb").stderr_has("there is no folder `k.wat`");
    run("folder").stderr_has("cannot use the store `folder`: Is a directory");
    let ended = Run::inside(app(NODE, BUCKET)).args("run").status(1);
    ended.stderr_has("cannot open the store `data/app.redb`: there is no folder `data`");
    let run = Run::inside(app(NODE, BUCKET)).args("run . --store a.redb");
    run.status(2).stderr_has("`--store` is for one program");
}

#[test]
fn one_node_at_a_time_has_a_store_open() {
    let place = Folder::new();
    let file = place.path("a.redb");
    let run = |name: &str, guest: &str| {
        let run = Run::new().file(name, guest).args("run --store").arg(&file);
        run.arg(name)
    };
    let first = run("s.wat", SPIN).starts().says("ready");
    let second = run("k.wat", KEEPER).status(1).stdout("");
    second
        .stderr_has("somebody else has it open")
        .stderr_has("Stop the other program, or name another file.");
    first.signal("TERM").ends().status(143);
    assert!(was_closed(&file), "also after a signal");
    run("k.wat", KEEPER).status(0).stdout("new\n");
}
