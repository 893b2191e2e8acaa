//! Modules compiled at run time, and processes that are spawned once only.

use crate::guest::{fails, holds, run};

/// Compiles the text at 4000, whose number is at 3000.
const COMPILE: &str = r#"
  (func $compile (param $len i32) (result i32)
    (call $compile_module (i32.const 4000) (local.get $len) (i32.const 3000)))"#;

/// A module whose `child` adds one to the argument and tells process 1.
const PLUGIN: &str = r#"(module
  (import \"lunatic::message\" \"create_data\" (func $create (param i64 i64)))
  (import \"lunatic::message\" \"write_data\" (func $write (param i32 i32) (result i32)))
  (import \"lunatic::message\" \"send\" (func $send (param i64) (result i32)))
  (memory (export \"memory\") 1)
  (func (export \"child\") (param i64)
    (i64.store (i32.const 0) (i64.add (local.get 0) (i64.const 1)))
    (call $create (i64.const 0) (i64.const 8))
    (drop (call $write (i32.const 0) (i32.const 8)))
    (drop (call $send (i64.const 1)))))"#;

fn plugin(functions: &str) -> String {
    let len = PLUGIN.replace('\\', "").len();
    format!(
        r#"(data (i32.const 4000) "{}") {COMPILE} {}"#,
        PLUGIN.replace('\n', "\\n"),
        functions.replace("PLUGIN", &format!("(i32.const {len})"))
    )
}

#[test]
fn a_process_is_spawned_from_a_module_compiled_at_run_time() {
    holds(&plugin(
        r#"(func (export "_start")
             (call $check (i32.eqz (call $compile PLUGIN)) (i32.const 1))
             (call $check (i32.eqz (call $start_with (i32.const 0) (i64.const 1) (i64.const -1)
               (i64.load (i32.const 3000)) (i64.const 41))) (i32.const 2))
             (call $check (i64.eq (call $number) (i64.const 42)) (i32.const 3))
             (call $drop_module (i64.load (i32.const 3000))))"#,
    ));
}

#[test]
fn a_module_goes_to_another_process_in_a_message() {
    holds(&plugin(
        r#"(func (export "other") (param i64)
             (drop (call $number))
             (call $check (i32.eqz (call $start_with (i32.const 0) (i64.const 1) (i64.const -1)
               (call $take_module (i64.const 0)) (i64.const 1))) (i32.const 1)))
           (func (export "_start") (local $other i64)
             (call $check (i32.eqz (call $compile PLUGIN)) (i32.const 2))
             (local.set $other (call $start (i32.const 1) (i64.const 1) (i64.const 0)))
             (call $prepare (i64.const 0) (i64.const 0))
             (call $check (i64.eqz (call $push_module (i64.load (i32.const 3000)))) (i32.const 3))
             (drop (call $send (local.get $other)))
             (call $check (i64.eq (call $number) (i64.const 2)) (i32.const 4))
             ;; It stays with its owner, too.
             (call $drop_module (i64.load (i32.const 3000))))"#,
    ));
    fails(
        r#"(func (export "_start")
             (call $prepare (i64.const 0) (i64.const 0))
             (drop (call $take_module (i64.const 0))))"#,
        "`lunatic::message::take_module`: the message has nothing such at 0",
    );
}

#[test]
fn what_is_wrong_with_a_module_is_told_in_words() {
    let (reason, output) = run(&format!(
        r#"(data (i32.const 4000) "(module (import \"a\" \"b\" (func)))")
           {COMPILE}
           (func (export "_start") (local $size i32)
             (call $check (i32.eq (call $compile (i32.const 32)) (i32.const 1)) (i32.const 1))
             (local.set $size (call $error_size (i64.load (i32.const 3000))))
             (call $error_text (i64.load (i32.const 3000)) (i32.const 5000))
             (i32.store (i32.const 1124) (i32.const 5000))
             (i32.store (i32.const 1128) (local.get $size))
             (drop (call $fd_write (i32.const 1) (i32.const 1124) (i32.const 1) (i32.const 1132)))
             (call $error_drop (i64.load (i32.const 3000)))
             (drop (call $error_size (i64.load (i32.const 3000)))))"#
    ));
    assert!(
        output.starts_with("it imports `a`.`b` (func), which nobody provides"),
        "{output}"
    );
    let words = "`lunatic::error::string_size`: there is nothing with the number 0";
    assert!(reason.to_string().contains(words), "{reason}");
}

#[test]
fn a_named_process_is_spawned_once_and_found_after() {
    holds(
        r#"(data (i32.const 3000) "service")
           (func $service (result i32)
             (i32.store8 (i32.const 1024) (i32.const 0x7e))
             (i64.store (i32.const 1025) (call $process_id))
             (i64.store (i32.const 3016) (i64.const -1))
             (call $get_or_spawn (i32.const 3000) (i32.const 7) (i64.const 0) (i64.const -1) (i64.const -1)
               (i32.const 0) (i32.const 5) (i32.const 1024) (i32.const 17) (i32.const 3016) (i32.const 3024)))
           (func (export "child") (param $parent i64)
             (call $tell (local.get $parent) (i64.const 0) (call $process_id))
             (drop (call $number)))
           (func (export "_start") (local $service i64)
             (call $check (i32.eqz (call $service)) (i32.const 1))
             (local.set $service (i64.load (i32.const 3024)))
             (call $check (i64.eqz (i64.load (i32.const 3016))) (i32.const 2))
             (call $check (i64.eq (call $number) (local.get $service)) (i32.const 3))
             (call $check (i32.eq (call $service) (i32.const 2)) (i32.const 4))
             (call $check (i64.eq (i64.load (i32.const 3024)) (local.get $service)) (i32.const 5))
             (call $check (i32.eq (call $hear (i64.const 0) (i64.const 20)) (i32.const 9027)) (i32.const 6)))"#,
    );
}
