//! Every import of WASI preview 1 is called by a real guest, and no Tokio runtime comes to life:
//! acceptance of the whole idea.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write;

use rusm_actor::ExitReason;
use rusm_wasm::Program;
use support::{TempDir, captured, mounted, node, prepared};
use wasmtime::{Engine, ExternType, Linker, Store};

const SUCCESS: u32 = 0;
const NOTSOCK: u32 = 57;
const NOTSUP: u32 = 58;

/// One call: the import, its arguments in WebAssembly text, and the `errno` it must return.
/// `$name` is the place of a string, `#name` its length; 3 is the mounted directory, 4 and 5 are
/// files opened in it.
const CALLS: &[(&str, &str, u32)] = &[
    ("args_sizes_get", "$out $out", SUCCESS),
    ("args_get", "$buffer $buffer", SUCCESS),
    ("environ_sizes_get", "$out $out", SUCCESS),
    ("environ_get", "$buffer $buffer", SUCCESS),
    ("clock_res_get", "1 $out", SUCCESS),
    ("clock_time_get", "0 0 $out", SUCCESS),
    ("clock_time_get", "1 0 $out", SUCCESS),
    ("random_get", "$buffer 8", SUCCESS),
    ("random_get", "$buffer 8192", SUCCESS),
    ("sched_yield", "", SUCCESS),
    ("fd_prestat_get", "3 $out", SUCCESS),
    ("fd_prestat_dir_name", "3 $buffer 1", SUCCESS),
    ("path_create_directory", "3 $sub #sub", SUCCESS),
    ("path_open", "3 0 $file #file 1 66 0 0 $out", SUCCESS),
    ("fd_write", "4 $iovec 1 $out", SUCCESS),
    ("fd_pwrite", "4 $iovec 1 0 $out", SUCCESS),
    ("fd_seek", "4 0 0 $out", SUCCESS),
    ("fd_seek", "4 0 2 $out", SUCCESS),
    ("fd_read", "4 $iovec 1 $out", SUCCESS),
    ("fd_read", "0 $iovec 1 $out", SUCCESS),
    ("fd_pread", "4 $iovec 1 0 $out", SUCCESS),
    ("fd_tell", "4 $out", SUCCESS),
    ("fd_advise", "4 0 0 0", SUCCESS),
    ("fd_allocate", "4 0 10", NOTSUP),
    ("fd_datasync", "4", SUCCESS),
    ("fd_sync", "4", SUCCESS),
    ("fd_fdstat_get", "4 $out", SUCCESS),
    ("fd_fdstat_set_flags", "4 4", SUCCESS),
    ("fd_pread", "4 $iovec 1 0 $out", SUCCESS), // Not blocking, by the flag just set.
    ("fd_fdstat_set_rights", "4 2 2", NOTSUP),
    ("fd_filestat_get", "4 $out", SUCCESS),
    ("fd_filestat_set_size", "4 3", SUCCESS),
    ("fd_filestat_set_times", "4 0 0 10", SUCCESS),
    ("fd_readdir", "3 $buffer 256 0 $out", SUCCESS),
    ("path_filestat_get", "3 1 $file #file $out", SUCCESS),
    ("path_filestat_set_times", "3 1 $file #file 0 0 10", SUCCESS),
    ("path_link", "3 0 $file #file 3 $hard #hard", SUCCESS),
    ("path_symlink", "$file #file 3 $soft #soft", SUCCESS),
    ("path_readlink", "3 $soft #soft $buffer 64 $out", SUCCESS),
    ("path_rename", "3 $hard #hard 3 $moved #moved", SUCCESS),
    ("path_unlink_file", "3 $moved #moved", SUCCESS),
    ("path_remove_directory", "3 $sub #sub", SUCCESS),
    ("poll_oneoff", "$sleep_and_files $buffer 4 $out", SUCCESS),
    ("poll_oneoff", "$sleep_and_files $buffer 1 $out", SUCCESS),
    ("path_open", "3 0 $file #file 0 2 0 0 $out", SUCCESS),
    ("fd_renumber", "5 4", SUCCESS),
    ("fd_close", "4", SUCCESS),
    ("sock_accept", "3 0 $out", NOTSOCK),
    ("sock_recv", "3 $iovec 1 0 $out $out", NOTSOCK),
    ("sock_send", "3 $iovec 1 0 $out", NOTSOCK),
    ("sock_shutdown", "3 1", NOTSOCK),
    ("proc_raise", "0", NOTSUP),
];

/// What the calls point at: name, place, bytes in WebAssembly text. The iovec is 8 bytes of the
/// buffer; the subscriptions are a clock of 1 ms, reading 4, writing 1 and reading 0.
const MEMORY: &[(&str, u32, &str)] = &[
    ("out", 0x100, ""),
    ("iovec", 0x200, r"\00\10\00\00\08\00\00\00"),
    ("file", 0x300, "file"),
    ("sub", 0x310, "sub"),
    ("hard", 0x320, "hard"),
    ("soft", 0x330, "soft"),
    ("moved", 0x340, "moved"),
    ("sleep_and_files", 0x400, ""),
    ("", 0x410, r"\01\00\00\00"),
    ("", 0x418, r"\40\42\0f"),
    ("", 0x438, r"\01"),
    ("", 0x440, r"\04"),
    ("", 0x468, r"\02"),
    ("", 0x470, r"\01"),
    ("", 0x498, r"\01"),
    ("buffer", 0x1000, ""),
];
const ERRNOS_AT: u32 = 0x8000;

/// The stock set of imports with their types: nothing may be forgotten here when `wasmtime-wasi`
/// gets another one.
fn imports() -> Vec<(String, wasmtime::FuncType)> {
    let engine = Engine::default();
    let mut linker = Linker::<wasmtime_wasi::p1::WasiP1Ctx>::new(&engine);
    wasmtime_wasi::p1::add_to_linker_async(&mut linker, |ctx| ctx).unwrap();
    let mut store = Store::new(&engine, wasmtime_wasi::WasiCtxBuilder::new().build_p1());
    let found: Vec<_> = linker
        .iter(&mut store)
        .map(|(_, name, item)| (name.to_string(), item))
        .collect();
    let types = found.into_iter().map(|(name, item)| match item.ty(&store) {
        ExternType::Func(ty) => (name, ty),
        other => panic!("{name} is {other:?}"),
    });
    types.collect()
}

fn argument(word: &str) -> String {
    let find = |name: &str| {
        MEMORY
            .iter()
            .find(|(known, ..)| *known == name)
            .expect("a known name")
    };
    match word.split_at(1) {
        ("$", name) => find(name).1.to_string(),
        ("#", name) => find(name).2.len().to_string(),
        _ => word.to_string(),
    }
}

/// A guest that makes all calls, writes `len` bytes of what they returned to stdout and exits
/// with 7.
fn guest(len: usize) -> String {
    let imports = imports();
    let mut wat = String::from("(module\n");
    for (name, ty) in &imports {
        let [params, results] = [ty.params().collect(), ty.results().collect()]
            .map(|types: Vec<_>| types.iter().map(|ty| format!(" {ty}")).collect::<String>());
        writeln!(wat, r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} (param{params}) (result{results})))"#).unwrap();
    }
    wat += "(memory (export \"memory\") 1)\n";
    for (_, at, bytes) in MEMORY {
        writeln!(wat, r#"(data (i32.const {at}) "{bytes}")"#).unwrap();
    }
    writeln!(wat, r#"(func (export "_start")"#).unwrap();
    for (number, (name, arguments, _)) in CALLS.iter().enumerate() {
        let (_, ty) = imports
            .iter()
            .find(|(known, _)| known == name)
            .expect("an import of the stock set");
        let arguments: String = arguments
            .split_whitespace()
            .zip(ty.params())
            .map(|(word, ty)| format!(" ({ty}.const {})", argument(word)))
            .collect();
        writeln!(
            wat,
            "(i32.store (i32.const {}) (call ${name}{arguments}))",
            ERRNOS_AT + 4 * number as u32
        )
        .unwrap();
    }
    write!(
        wat,
        "(i32.store (i32.const 0) (i32.const {ERRNOS_AT})) (i32.store (i32.const 4) (i32.const {len}))
         (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
         (call $proc_exit (i32.const 7))))"
    )
    .unwrap();
    wat
}

#[test]
fn every_import_works_and_no_tokio_runtime_exists() {
    let called: BTreeSet<_> = CALLS
        .iter()
        .map(|(name, ..)| *name)
        .chain(["proc_exit"])
        .collect();
    let all = imports();
    assert_eq!(
        called,
        all.iter().map(|(name, _)| name.as_str()).collect(),
        "each import is called"
    );
    calls_return_what_they_should();
    calls_work_with_the_stdio_of_this_program();
    no_thread_is_tokios();
}

fn calls_return_what_they_should() {
    let (dir, node) = (TempDir::new(), node(2));
    let (stdio, buffers) = captured("input");
    let program = Program {
        args: vec!["guest".into()],
        env: vec![("A".into(), "1".into())],
        stdio: stdio.stdio,
        ..mounted(dir.path())
    };
    let reason = prepared(&node, &guest(4 * CALLS.len()))
        .spawn(&node, program)
        .unwrap()
        .wait();
    assert!(matches!(reason, ExitReason::Status(7)), "{reason:?}");
    let out = buffers.stdout();
    assert_eq!(out.len(), 4 * CALLS.len());
    for ((name, arguments, expected), errno) in CALLS.iter().zip(out.chunks(4)) {
        let errno = u32::from_le_bytes(errno.try_into().unwrap());
        assert_eq!(errno, *expected, "{name}({arguments})");
    }
}

/// There are other streams behind it than behind buffers. Only stdin is left alone.
fn calls_work_with_the_stdio_of_this_program() {
    let (dir, node) = (TempDir::new(), node(2));
    let read = "(call $fd_read (i32.const 0)";
    let silent = guest(0);
    assert!(silent.contains(read));
    let silent = silent.replace(read, "(call $fd_read (i32.const 9)");
    let reason = prepared(&node, &silent)
        .spawn(&node, mounted(dir.path()))
        .unwrap()
        .wait();
    assert!(matches!(reason, ExitReason::Status(7)), "{reason:?}");
}

fn no_thread_is_tokios() {
    #[cfg(target_os = "linux")]
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        let name = std::fs::read_to_string(thread.unwrap().path().join("comm")).unwrap();
        assert!(
            !name.starts_with("tokio"),
            "a Tokio runtime was started: `{}`",
            name.trim()
        );
    }
}
