//! How programs end by themselves: well, with a status, late, or with a trap.

use std::time::Duration;

use super::guests::{EXIT_7, SLEEP, SPIN, component, program};
use super::run::Run;

#[test]
fn a_program_that_returns_ends_with_0_and_says_nothing() {
    Run::new()
        .file("a.wat", program("", 1))
        .args("run a.wat")
        .status(0)
        .stdout("")
        .stderr("");
}

#[test]
fn a_binary_module_runs_like_its_text() {
    let module = wat::parse_str(EXIT_7).expect("the text is good");
    Run::new()
        .file("a.wasm", module)
        .args("run a.wasm")
        .status(7)
        .stdout("")
        .stderr("");
}

#[test]
fn a_component_ends_like_a_module() {
    for (body, status) in [("(i32.const 0)", 0), ("(i32.const 1)", 1)] {
        Run::new()
            .file("a.wat", component(body))
            .args("run a.wat")
            .status(status)
            .stdout("")
            .stderr("");
    }
    Run::new()
        .file(
            "a.wasm",
            wat::parse_str(component("unreachable")).expect("the text is good"),
        )
        .args("run a.wasm")
        .status(134)
        .stdout("")
        .stderr_has("`a.wasm` trapped")
        .stderr_has("inner");
}

#[test]
fn a_function_in_an_interface_of_a_component_can_be_called() {
    Run::new()
        .file("a.wat", component("(i32.const 1)"))
        .args("run --invoke wasi:cli/run@0.2.0#run a.wat")
        .status(1)
        .stderr("");
}

#[test]
fn the_status_is_the_programs_own() {
    Run::new()
        .file("a.wat", EXIT_7)
        .args("run a.wat")
        .status(7)
        .stdout("")
        .stderr("");
}

#[test]
fn a_sleep_of_100_ms_takes_at_least_that() {
    Run::new()
        .file("a.wat", SLEEP)
        .args("run a.wat")
        .status(0)
        .stderr("")
        .took_at_least(Duration::from_millis(100));
}

#[test]
fn a_trap_is_134_and_one_report_with_the_functions_names() {
    let ended = Run::new()
        .file("a.wat", program("unreachable", 1))
        .args("run a.wat")
        .status(134)
        .stdout("");
    ended
        .stderr_has("`a.wat` trapped")
        .stderr_has("unreachable")
        .stderr_has("inner")
        .stderr_has("start");
}

#[test]
fn a_division_by_zero_and_an_address_out_of_bounds_are_traps() {
    for (body, why) in [
        (
            "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
            "divide by zero",
        ),
        ("(drop (i32.load (i32.const 65536)))", "out of bounds"),
    ] {
        Run::new()
            .file("a.wat", program(body, 1))
            .args("run a.wat")
            .status(134)
            .stderr_has(why);
    }
}

#[test]
fn a_recursion_without_end_is_a_trap() {
    let ended = Run::new()
        .file("a.wat", program("(call $inner)", 1))
        .args("run a.wat")
        .status(134)
        .stdout("");
    ended
        .stderr_has("`a.wat` trapped")
        .stderr_has("call stack exhausted");
}

#[test]
fn memory_beyond_the_limit_is_refused_to_the_program_not_to_us() {
    let grow = "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))";
    Run::new()
        .file("a.wat", program(grow, 1))
        .args("run a.wat --max-memory 8M")
        .status(0)
        .stderr("");
    Run::new()
        .file("a.wat", program(grow, 1))
        .args("run a.wat --max-memory 1M")
        .status(134);
}

#[test]
fn another_export_is_called_on_demand() {
    let two = r#"(module (func (export "_start") unreachable) (func (export "other")))"#;
    Run::new()
        .file("a.wat", two)
        .args("run --invoke other a.wat")
        .status(0)
        .stderr("");
}

#[test]
fn one_worker_is_enough_and_more_than_cpus_is_fine() {
    for workers in ["1", "5"] {
        Run::new()
            .file("a.wat", EXIT_7)
            .args("run --workers")
            .arg(workers)
            .arg("a.wat")
            .status(7);
    }
}

#[test]
fn no_thread_of_another_runtime_runs() {
    let running = Run::new()
        .file("a.wat", SPIN)
        .args("run --workers 3 a.wat")
        .starts()
        .says("ready");
    let names = running.threads();
    assert!(
        names.iter().all(|name| !name.contains("tokio")),
        "{names:?}"
    );
    running.signal("TERM").ends().status(143);
}
