//! Configurations: what a child may do and is given, never more than its parent has.

use rusm_actor::ExitReason;
use rusm_wasm::Program;

use crate::guest::{fails, holds, run, run_with};
use crate::support::mounted;

#[test]
fn a_configuration_reads_back_what_was_written() {
    holds(
        r#"(func (export "_start") (local $id i64)
             (local.set $id (call $create_config))
             (call $check (i64.eq (call $get_max_memory (local.get $id)) (i64.const 4294967295)) (i32.const 1))
             (call $check (i64.eqz (call $get_max_fuel (local.get $id))) (i32.const 2))
             (call $check (i32.eqz (i32.or (call $get_compiles (local.get $id))
               (i32.or (call $get_configures (local.get $id)) (call $get_spawns (local.get $id))))) (i32.const 3))
             (call $set_max_memory (local.get $id) (i64.const 70000))
             (call $set_max_fuel (local.get $id) (i64.const 9))
             (call $set_compiles (local.get $id) (i32.const 1))
             (call $set_configures (local.get $id) (i32.const 2))
             (call $set_spawns (local.get $id) (i32.const 3))
             (call $check (i64.eq (call $get_max_memory (local.get $id)) (i64.const 70000)) (i32.const 4))
             (call $check (i64.eq (call $get_max_fuel (local.get $id)) (i64.const 9)) (i32.const 5))
             (call $check (i32.and (call $get_compiles (local.get $id))
               (i32.and (call $get_configures (local.get $id)) (call $get_spawns (local.get $id)))) (i32.const 6))
             (call $drop_config (local.get $id))
             (call $check (i64.eq (call $create_config) (i64.const 1)) (i32.const 7)))"#,
    );
}

#[test]
fn a_child_with_a_new_configuration_may_do_nothing() {
    holds(
        r#"(func (export "child") (param $parent i64)
             (call $check (i64.eq (call $create_config) (i64.const -1)) (i32.const 1))
             (call $check (i32.eq (call $compile_module (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const -1)) (i32.const 2))
             (call $tell (local.get $parent) (i64.const 0) (i64.const 1))
             (drop (call $start (i32.const 1) (i64.const 0) (i64.const 0))))
           (func (export "other") (param i64))
           (func (export "_start")
             (call $die_when_link_dies (i32.const 0))
             (drop (call $start_with (i32.const 0) (i64.const 2) (call $create_config) (i64.const -1) (call $process_id)))
             (call $check (i64.eq (call $number) (i64.const 1)) (i32.const 1))
             ;; The spawn has ended it.
             (call $check (i32.eq (call $hear (i64.const 2) (i64.const -1)) (i32.const 1)) (i32.const 2)))"#,
    );
}

#[test]
fn a_childs_memory_and_fuel_end_where_its_configuration_says() {
    holds(
        r#"(func (export "child") (param $parent i64)
             ;; Two pages are there, a third is too much.
             (call $tell (local.get $parent) (i64.const 0) (i64.extend_i32_s (memory.grow (i32.const 1))))
             (loop $again (br $again)))
           (func (export "_start") (local $id i64)
             (call $die_when_link_dies (i32.const 0))
             (local.set $id (call $create_config))
             (call $set_max_memory (local.get $id) (i64.const 150000))
             (call $set_max_fuel (local.get $id) (i64.const 20))
             (drop (call $start_with (i32.const 0) (i64.const 2) (local.get $id) (i64.const -1) (call $process_id)))
             (call $check (i64.eq (call $number) (i64.const -1)) (i32.const 1))
             (call $check (i32.eq (call $hear (i64.const 2) (i64.const -1)) (i32.const 1)) (i32.const 2))
             ;; Less than the module begins with: an error, with words.
             (call $set_max_memory (local.get $id) (i64.const 65536))
             (call $check (i32.eq (i32.const 1)
               (call $start_with (i32.const 0) (i64.const 0) (local.get $id) (i64.const -1) (i64.const 0))) (i32.const 3))
             (call $check (i32.ne (call $error_size (i64.load (i32.const 1048))) (i32.const 0)) (i32.const 4)))"#,
    );
}

/// Longer than a tenth of a millisecond, and shorter than most ticks.
const BURN: &str = "(local.set $i (i32.const 1000000)) (loop $on
    (br_if $on (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))";

/// Starts a child with one unit of fuel; the first process ends with status 1 if it cannot.
const START_WITH_LITTLE: &str = r#"
    (local.set $id (call $create_config))
    (call $set_max_fuel (local.get $id) (i64.const 1))
    (call $check (i32.eqz
      (call $start_with (i32.const 0) (i64.const 2) (local.get $id) (i64.const -1) (call $process_id))) (i32.const 1))"#;

#[test]
fn a_child_that_has_burnt_its_fuel_between_two_ticks_tells_nobody_anything() {
    holds(&format!(
        r#"(func (export "child") (param $parent i64) (local $i i32)
             {BURN} (call $tell (local.get $parent) (i64.const 7) (i64.const 8)))
           (func (export "_start") (local $id i64)
             (call $die_when_link_dies (i32.const 0))
             {START_WITH_LITTLE}
             (call $check (i32.eq (call $hear (i64.const 2) (i64.const -1)) (i32.const 1)) (i32.const 2))
             (call $check (i32.eq (call $hear (i64.const 7) (i64.const 0)) (i32.const 9027)) (i32.const 3)))"#
    ));
}

#[test]
fn a_child_that_has_burnt_its_fuel_does_not_end_well() {
    let (reason, _) = run(&format!(
        r#"(func (export "child") (param i64) (local $i i32) {BURN})
           (func (export "_start") (local $id i64)
             {START_WITH_LITTLE}
             ;; It dies with the link, before that.
             (drop (call $hear (i64.const 9) (i64.const 10000))))"#
    ));
    assert_ne!(reason, ExitReason::Normal);
    assert_ne!(reason, ExitReason::Status(1));
}

#[test]
fn a_child_that_waits_burns_no_fuel() {
    holds(
        r#"(func (export "child") (param $parent i64)
             (call $sleep_ms (i64.const 200))
             (call $tell (local.get $parent) (i64.const 7) (i64.const 8)))
           (func (export "_start") (local $id i64)
             (local.set $id (call $create_config))
             (call $set_max_fuel (local.get $id) (i64.const 1000))
             (drop (call $start_with (i32.const 0) (i64.const 2) (local.get $id) (i64.const -1) (call $process_id)))
             (call $check (i64.eq (call $number) (i64.const 8)) (i32.const 1)))"#,
    );
}

#[test]
fn a_child_finds_the_arguments_and_variables_of_its_configuration() {
    let program = Program {
        args: vec!["own".into(), "more".into()],
        env: vec![("A".into(), "B".into())],
        ..Program::default()
    };
    let (reason, output) = run_with(
        r#"(data (i32.const 3000) "KEYVALUEfirst")
           (func (export "child") (param $parent i64)
             (call $check (i32.eqz (call $args_sizes (i32.const 3100) (i32.const 3104))) (i32.const 1))
             (call $check (i32.eqz (call $environ_sizes (i32.const 3108) (i32.const 3112))) (i32.const 2))
             (call $print (i32.load (i32.const 3100)))
             (call $print (i32.load (i32.const 3104)))
             (call $print (i32.load (i32.const 3108)))
             (call $print (i32.load (i32.const 3112)))
             (call $tell (local.get $parent) (i64.const 0) (i64.const 0)))
           (func (export "_start") (local $id i64)
             ;; With the parent's own, then with another one.
             (drop (call $start (i32.const 0) (i64.const 1) (call $process_id)))
             (drop (call $number))
             (local.set $id (call $create_config))
             (call $add_env (local.get $id) (i32.const 3000) (i32.const 3) (i32.const 3003) (i32.const 2))
             (call $add_arg (local.get $id) (i32.const 3008) (i32.const 5))
             (drop (call $start_with (i32.const 0) (i64.const 1) (local.get $id) (i64.const -1) (call $process_id)))
             (drop (call $number)))"#,
        program,
    );
    assert!(matches!(reason, ExitReason::Normal), "{reason}");
    // Two arguments in 9 bytes, one variable in 4; then one in 6, and one in 7.
    assert_eq!(output, "29141617");
}

#[test]
fn a_directory_is_given_to_a_child_by_name() {
    let dir = std::env::temp_dir();
    let (reason, output) = run_with(
        r#"(data (i32.const 3000) "/nowhere")
           (func (export "child") (param $parent i64)
             ;; Descriptor 3 is the first directory; 8 says that there is none.
             (call $print (call $prestat (i32.const 3) (i32.const 3100)))
             (call $tell (local.get $parent) (i64.const 0) (i64.const 0)))
           (func (export "_start") (local $id i64)
             (local.set $id (call $create_config))
             (drop (call $start_with (i32.const 0) (i64.const 1) (local.get $id) (i64.const -1) (call $process_id)))
             (drop (call $number))
             (call $preopen_dir (local.get $id) (i32.const 3000) (i32.const 1))
             (drop (call $start_with (i32.const 0) (i64.const 1) (local.get $id) (i64.const -1) (call $process_id)))
             (drop (call $number))
             (call $preopen_dir (local.get $id) (i32.const 3000) (i32.const 8)))"#,
        mounted(&dir),
    );
    assert_eq!(output, "80");
    let words = "`lunatic::wasi::config_preopen_dir`: cannot open the directory `/nowhere`";
    assert!(reason.to_string().contains(words), "{reason}");
}

#[test]
fn a_directory_that_the_parent_has_not_cannot_be_given() {
    fails(
        r#"(data (i32.const 3000) "/etc")
           (func (export "_start")
             (call $preopen_dir (call $create_config) (i32.const 3000) (i32.const 4)))"#,
        "the process has no directory `/etc` to give away",
    );
}

#[test]
fn the_release_and_the_lonely_node_are_what_lunatic_says_they_are() {
    holds(
        r#"(func (export "_start")
             (call $check (i32.eqz (call $major)) (i32.const 1))
             (call $check (i32.eq (call $minor) (i32.const 13)) (i32.const 2))
             (call $check (i32.eq (call $patch) (i32.const 2)) (i32.const 3))
             (call $check (i64.eqz (i64.or (call $node_id) (call $module_id))) (i32.const 4))
             (call $check (i32.eqz (i32.or (call $nodes_count) (call $get_nodes (i32.const 0) (i32.const 9)))) (i32.const 5))
             (call $counter (i32.const 0) (i32.const 5) (i64.const 1))
             (call $increment_counter (i32.const 0) (i32.const 5))
             (call $gauge (i32.const 0) (i32.const 5) (f64.const 1))
             (call $increment_gauge (i32.const 0) (i32.const 5) (f64.const 1))
             (call $decrement_gauge (i32.const 0) (i32.const 5) (f64.const 1))
             (call $histogram (i32.const 0) (i32.const 5) (f64.const 1)))"#,
    );
    let calls = [
        "(call $remote_spawn (i64.const 1) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 0) (i32.const 0))",
        "(call $remote_send (i64.const 1) (i64.const 1))",
        "(call $remote_request (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1))",
        "(call $lookup_nodes (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
        "(call $lookup_results (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
    ];
    for call in calls {
        let start = format!(r#"(func (export "_start") (drop {call}))"#);
        fails(&start, "this node stands alone");
    }
}
