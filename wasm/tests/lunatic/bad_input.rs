//! What a hostile or broken guest tries: each is ended alone, with the name of what it called.

use rusm_actor::ExitReason;
use rusm_wasm::grant::{Grants, Profile};
use rusm_wasm::{LoadError, Program};

use crate::guest::{engine, fails, holds, node, run, run_with, text};
use crate::support::PATIENCE;

#[test]
fn pointers_that_leave_the_memory_end_the_guest() {
    let far = "(i32.const 131070) (i32.const 9)";
    let beyond = "(i32.const -1) (i32.const -1)";
    for range in [far, beyond] {
        let calls = [
            (format!("(drop (call $write_data {range}))"), "message::write_data"),
            (format!("(drop (call $read_data {range}))"), "message::read_data"),
            (format!("(drop (call $receive {range} (i64.const 0)))"), "message::receive"),
            (format!("(call $put {range} (i64.const 0) (i64.const 0))"), "registry::put"),
            (format!("(call $remove {range})"), "registry::remove"),
            (format!("(drop (call $get {range} (i32.const 0) (i32.const 0)))"), "registry::get"),
            (format!("(drop (call $compile_module {range} (i32.const 0)))"), "process::compile_module"),
            (format!("(drop (call $resolve {range} (i64.const 0) (i32.const 0)))"), "networking::resolve"),
            (format!("(call $add_arg (call $create_config) {range})"), "wasi::config_add_command_line_argument"),
            (format!("(call $add_env (call $create_config) {range} (i32.const 0) (i32.const 0))"),
             "wasi::config_add_environment_variable"),
            (format!("(call $preopen_dir (call $create_config) {range})"), "wasi::config_preopen_dir"),
            (format!("(call $increment_counter {range})"), "metrics"),
            (format!("(drop (call $spawn (i64.const 0) (i64.const -1) (i64.const -1) {range} (i32.const 0)
               (i32.const 0) (i32.const 0)))"), "process::spawn"),
            (format!("(drop (call $spawn (i64.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 0) {range}
               (i32.const 0)))"), "process::spawn"),
        ];
        for (call, name) in calls {
            let start = format!(
                r#"(func (export "_start") (call $create_data (i64.const 1) (i64.const 0)) {call})"#
            );
            let (reason, _) = run(&start);
            let said = reason.to_string();
            assert!(
                said.contains(&format!("`lunatic::{name}`")),
                "{call}: {said}"
            );
            assert!(
                said.contains("are not inside the guest's memory"),
                "{call}: {said}"
            );
        }
    }
}

#[test]
fn numbers_of_nothing_end_the_guest() {
    let calls = [
        "(call $drop_module (i64.const 0))",
        "(call $drop_config (i64.const 0))",
        "(call $set_spawns (i64.const 0) (i32.const 1))",
        "(drop (call $get_max_fuel (i64.const -1)))",
        "(call $error_drop (i64.const 0))",
        "(call $error_text (i64.const 0) (i32.const 0))",
        "(call $drop_tcp_listener (i64.const 0))",
        "(drop (call $tcp_local_addr (i64.const 0) (i32.const 0)))",
        "(drop (call $tcp_accept (i64.const 0) (i32.const 0) (i32.const 0)))",
        "(call $drop_tcp_stream (i64.const 0))",
        "(drop (call $clone_tcp_stream (i64.const 0)))",
        "(drop (call $tcp_read (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(drop (call $tcp_write (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(drop (call $tcp_flush (i64.const 0) (i32.const 0)))",
        "(call $set_read_timeout (i64.const 0) (i64.const 0))",
        "(call $drop_udp_socket (i64.const 0))",
        "(drop (call $udp_send (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(drop (call $get_ttl (i64.const 0)))",
        "(call $drop_dns_iterator (i64.const 0))",
        "(drop (call $push_tcp_stream (i64.const 0)))",
        "(drop (call $push_module (i64.const 0)))",
        "(drop (call $start_with (i32.const 0) (i64.const 0) (i64.const 5) (i64.const -1) (i64.const 0)))",
        "(drop (call $start_with (i32.const 0) (i64.const 0) (i64.const -1) (i64.const 5) (i64.const 0)))",
    ];
    for call in calls {
        let start = format!(
            r#"(func (export "_start") (call $create_data (i64.const 1) (i64.const 0)) {call})"#
        );
        let (reason, _) = run(&start);
        let said = reason.to_string();
        assert!(
            said.contains("there is nothing with the number"),
            "{call}: {said}"
        );
    }
}

#[test]
fn without_a_message_there_is_nothing_to_work_on() {
    let calls = [
        "(drop (call $send (i64.const 1)))",
        "(drop (call $get_tag))",
        "(drop (call $data_size))",
        "(call $seek_data (i64.const 0))",
        "(drop (call $send_after (i64.const 1) (i64.const 1)))",
        "(drop (call $request (i64.const 1) (i64.const 1) (i64.const 1)))",
        "(drop (call $take_module (i64.const 0)))",
    ];
    for call in calls {
        fails(
            &format!(r#"(func (export "_start") {call})"#),
            "there is no message",
        );
    }
    fails(
        r#"(func (export "_start")
             (call $die_when_link_dies (i32.const 0))
             (call $link (i64.const 4) (i64.const 1000))
             (drop (call $hear (i64.const 4) (i64.const -1)))
             (drop (call $data_size)))"#,
        "`lunatic::message::data_size`: the message tells of a death",
    );
    fails(
        r#"(func (export "_start")
             (call $create_data (i64.const 1) (i64.const 0))
             (call $seek_data (i64.const -1))
             (drop (call $read_data (i32.const 0) (i32.const 1))))"#,
        "reading begins behind the end of the message",
    );
}

#[test]
fn a_bomb_of_processes_ends_where_the_instances_end() {
    // The engine of these tests has 256.
    holds(&bomb(255));
    let mut profile = Profile::trusted();
    profile.limits.processes_max = 10;
    let program = Program {
        grants: Some(Grants::new(profile)),
        ..Program::default()
    };
    let (reason, _) = run_with(&bomb(9), program);
    assert!(matches!(reason, ExitReason::Normal), "{reason}");
}

/// Starts so many, and expects that one more is refused.
fn bomb(processes: u32) -> String {
    format!(
        r#"(func (export "child") (param i64) (drop (call $number)))
           (func (export "_start") (local $left i32)
             (local.set $left (i32.const {processes}))
             (loop $more
               (drop (call $start (i32.const 0) (i64.const 0) (i64.const 0)))
               (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
             (call $check (i32.eq (i32.const 1) (call $start_with (i32.const 0) (i64.const 0) (i64.const -1)
               (i64.const -1) (i64.const 0))) (i32.const 1))
             (call $check (i32.ne (call $error_size (i64.load (i32.const 1048))) (i32.const 0)) (i32.const 2)))"#,
    )
}

#[test]
fn a_flood_of_messages_ends_whoever_does_not_read_them() {
    // Of a page each, until 256 MiB wait.
    holds(
        r#"(func (export "child") (param i64) (call $sleep_ms (i64.const 1000000)))
           (func (export "_start") (local $child i64) (local $left i32)
             (call $die_when_link_dies (i32.const 0))
             (local.set $child (call $start (i32.const 0) (i64.const 3) (i64.const 0)))
             (local.set $left (i32.const 5000))
             (loop $more
               (call $create_data (i64.const 1) (i64.const 0))
               (drop (call $write_data (i32.const 0) (i32.const 65536)))
               (drop (call $send (local.get $child)))
               (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
             (call $check (i32.eq (call $hear (i64.const 3) (i64.const -1)) (i32.const 1)) (i32.const 1)))"#,
    );
}

#[test]
fn a_message_has_an_end() {
    fails(
        r#"(func (export "_start")
             (call $create_data (i64.const 1) (i64.const 0))
             (loop $more (drop (call $write_data (i32.const 0) (i32.const 131072))) (br $more)))"#,
        "`lunatic::message::write_data`: a message has at most 67108864 bytes",
    );
}

#[test]
fn a_function_that_is_not_there_or_wants_something_else_ends_the_child() {
    holds(
        r#"(func (export "child") (param i32))
           (func (export "other") (param i64) (result i32) (i32.const 1))
           (func $expect (param $which i32) (param $line i32)
             (drop (call $start (local.get $which) (i64.const 7) (i64.const 0)))
             (call $check (i32.eq (call $hear (i64.const 7) (i64.const -1)) (i32.const 1)) (local.get $line)))
           (func (export "_start")
             (call $die_when_link_dies (i32.const 0))
             (call $expect (i32.const 0) (i32.const 1))
             (call $expect (i32.const 1) (i32.const 2))
             (call $expect (i32.const 2) (i32.const 3)))"#,
    );
}

#[test]
fn nothing_is_spawned_while_the_module_is_being_set_up() {
    fails(
        r#"(func $begin (drop (call $start (i32.const 0) (i64.const 0) (i64.const 0))))
           (start $begin)
           (func (export "_start"))"#,
        "`lunatic::process::spawn`: not while the module is being set up",
    );
}

#[test]
fn imports_are_there_for_those_who_ask_for_lunatic_only() {
    let node = node();
    let engine = engine(&node);
    let load = |text: &str| engine.load(text.as_bytes()).unwrap();
    let guest = load(&text(r#"(func (export "_start"))"#));
    let error = guest.prepare(None).map(drop).unwrap_err().to_string();
    assert!(error.contains("Run it with `--lunatic`."), "{error}");
    let module = load(
        r#"(module (import "lunatic::sqlite" "open" (func (param i32 i32 i32) (result i64)))
             (func (export "_start")))"#,
    );
    let error = module.prepare_lunatic(None).map(drop).unwrap_err();
    assert!(matches!(error, LoadError::LunaticImport { .. }), "{error}");
    let component = load("(component)");
    let error = component.prepare_lunatic(None).map(drop).unwrap_err();
    assert!(matches!(error, LoadError::LunaticComponent), "{error}");
    let no_entry = load("(module)").prepare_lunatic(None).map(drop);
    assert!(matches!(no_entry, Err(LoadError::NoEntry { .. })));
    node.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_status_is_the_programs_own() {
    let (reason, _) = run(r#"(func (export "_start") (call $proc_exit (i32.const 7)))"#);
    assert_eq!(reason, ExitReason::Status(7));
}
