//! `rusm run` of an app: residents under supervisors, from the start to the last end.

use std::path::Path;
use std::time::Duration;

use super::guests::SPIN;
use super::run::{Ended, Folder, Run};

/// A resident that runs `code` with a log, a sleep in nanoseconds and a memory.
fn resident(code: &str) -> String {
    format!(
        r#"(module
             (import "rusm" "sleep" (func $sleep (param i64)))
             (import "rusm" "log" (func $log (param i32 i32 i32) (result i32)))
             (import "rusm" "register" (func $register (param i32 i32) (result i32)))
             (import "rusm" "refusal" (func $refusal (param i32 i32) (result i32)))
             (memory (export "memory") 1)
             (data (i32.const 0) "here")
             (func $here (drop (call $log (i32.const 2) (i32.const 0) (i32.const 4))))
             (func (export "run") {code}))"#
    )
}

/// An app with this manifest, and these residents as NAME.wat.
fn app(manifest: &str, residents: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    folder.write("rusm.toml", manifest);
    for (name, code) in residents {
        folder.write(&format!("{name}.wat"), resident(code));
    }
    folder
}

fn run(manifest: &str, residents: &[(&str, &str)]) -> Ended {
    Run::inside(app(manifest, residents)).args("run").ends()
}

#[test]
fn the_bakery_bakes_sells_and_closes() {
    let bakery = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bakery");
    let ended = Run::new().arg("run").arg(bakery).status(0).stdout("");
    ended
        .stderr_has("baked: loaf 1")
        .stderr_has("baked: loaf 3")
        .stderr_has("sold: 3 loaves\n");
}

#[test]
fn an_app_ends_well_when_its_residents_have() {
    let manifest = "[components.a]\nsource = \"a.wat\"\nresident = 2\nrestart = \"transient\"\n\
                    [components.b]\nsource = \"b.wat\"\nresident = 1\nrestart = \"temporary\"\n";
    let ended = run(manifest, &[("a", "(call $here)"), ("b", "")]);
    ended.status(0).stdout("");
}

#[test]
fn residents_may_be_components_and_made_for_fast_loops() {
    let component = r#"(component
        (core module $m (func (export "run")))
        (core instance $i (instantiate $m))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    let manifest = "[components.a]\nsource = \"a.wat\"\nkind = \"component\"\nresident = 1\nrestart = \"transient\"\n\
                    [components.b]\nsource = \"b.wat\"\nflavour = \"compute\"\nresident = 2\nrestart = \"transient\"\n";
    let folder = app(manifest, &[("b", "(call $here)")]);
    folder.write("a.wat", component);
    let ended = Run::inside(folder).args("run").status(0);
    assert_eq!(
        ended.errors().matches("here").count(),
        2,
        "{}",
        ended.errors()
    );
}

#[test]
fn a_resident_that_fails_too_often_ends_the_app_with_a_report() {
    let manifest = "[components.a]\nsource = \"a.wat\"\nresident = 1\n\
                    [supervisors.main]\nrestarts = 2\nwithin = \"1m\"\n";
    let ended = run(manifest, &[("a", "(call $here) unreachable")]).status(1);
    let told = ended.errors();
    assert_eq!(told.matches("here").count(), 3, "{told}");
    assert_eq!(told.matches("warn a restarted").count(), 2, "{told}");
    assert!(
        told.contains("error main gave-up child=a") && told.contains("unreachable"),
        "{told}"
    );
}

#[test]
fn a_temporary_resident_that_fails_is_not_started_again_and_is_the_apps_failure() {
    let manifest = "[components.a]\nsource = \"a.wat\"\nresident = 1\nrestart = \"temporary\"\n";
    let ended = run(manifest, &[("a", "(call $here) unreachable")]);
    ended
        .status(1)
        .stderr_has("here")
        .stderr_has("error a ended reason=");
}

#[test]
fn a_signal_stops_the_residents_in_order_and_in_time() {
    let folder = app(
        "[node]\nstop = \"3s\"\n[components.a]\nsource = \"a.wat\"\nprofile = \"trusted\"\nresident = 2\n\
         [components.b]\nsource = \"b.wat\"\nresident = 1\n",
        &[("b", "(call $sleep (i64.const -1))")],
    );
    folder.write("a.wat", SPIN);
    let running = Run::inside(folder).args("run").starts().says("ready");
    let ended = running.signal("TERM").ends().status(143).stderr("");
    ended.took_at_most(Duration::from_secs(20));
}

#[test]
fn what_was_not_granted_is_refused_with_the_line_that_would_grant_it() {
    let manifest = "[components.a]\nsource = \"a.wat\"\nprofile = \"p\"\nresident = 1\n\
                    restart = \"temporary\"\n[capabilities.p]\nregister = [\"other\"]\n";
    let code = "(drop (call $register (i32.const 0) (i32.const 4)))
                (drop (call $log (i32.const 2) (i32.const 64) (call $refusal (i32.const 64) (i32.const 400))))";
    let line = "write `register = [\"other\", \"here\"]` under [capabilities.p] in rusm.toml";
    run(manifest, &[("a", code)]).status(0).stderr_has(line);
    let granted = manifest.replace("[\"other\"]", "[\"other\", \"here\"]");
    let ended = run(&granted, &[("a", code)]).status(0);
    assert!(!ended.errors().contains("register"), "{}", ended.errors());
}

#[test]
fn a_supervisor_under_another_one_is_restarted_by_it() {
    let manifest = "[supervisors.top]\nrestarts = 1\nwithin = \"1m\"\n\
                    [supervisors.low]\nrestarts = 0\nunder = \"top\"\n\
                    [components.a]\nsource = \"a.wat\"\nresident = 1\nsupervisor = \"low\"\n";
    let ended = run(manifest, &[("a", "(call $here) unreachable")]).status(1);
    assert_eq!(
        ended.errors().matches("here").count(),
        2,
        "{}",
        ended.errors()
    );
}

#[test]
fn the_log_shows_what_is_loud_enough() {
    let manifest = "[log]\nlevel = \"warn\"\n[components.a]\nsource = \"a.wat\"\nresident = 1\nrestart = \"temporary\"\n";
    run(manifest, &[("a", "(call $here)")]).status(0).stderr("");
}

#[test]
fn a_guest_over_its_budget_is_restarted_and_named() {
    let manifest = "[components.a]\nsource = \"a.wat\"\nprofile = \"p\"\nresident = 1\n\
                    [capabilities.p]\ncpu-total = \"20ms\"\n[supervisors.main]\nrestarts = 1\n";
    let ended = run(manifest, &[("a", "(loop $l (br $l))")]).status(1);
    let told = ended.errors();
    assert!(
        told.contains("warn a restarted") && told.contains("20ms in all (`cpu-total`"),
        "{told}"
    );
}

#[test]
fn what_cannot_run_is_found_out_before_anything_runs() {
    let one = "[components.a]\nsource = \"a.wat\"\nresident = 1\n";
    for (manifest, code, part) in [
        ("", "", "nothing of the app is started with it"),
        (
            "[components.a]\nsource = \"a.wat\"\n",
            "",
            "nothing of the app is started with it",
        ),
        (
            "[components.a]\nsource = \"gone.wat\"\nresident = 1\n",
            "",
            "cannot run `gone.wat`: there is no such file",
        ),
        (one, "(i32.add)", "cannot run `a.wat`: "),
        (
            "[components.a]\nsource = \"a.wat\"\nkind = \"component\"\nresident = 1\n",
            "",
            "`kind` in [components.a] says component, but `a.wat` is a core module",
        ),
        (
            "[components.a]\nsource = \"a.wat\"\nresident = 1\nprofile = \"p\"\n[capabilities.p]\ndirs = [{ path = \"gone\" }]\n",
            "",
            "`gone`",
        ),
        (
            "[components.a]\nresident = 1\n",
            "",
            "cannot run `components/a`: there is no such file",
        ),
        (
            "[component.a]\n",
            "",
            "rusm.toml:1:2: there is no key `component`",
        ),
    ] {
        let ended = run(manifest, &[("a", code)]).status(1).stdout("");
        assert!(
            ended.errors().contains(part),
            "{manifest}: {}",
            ended.errors()
        );
    }
}

#[test]
fn a_folder_to_be_built_is_run_from_what_was_built() {
    let folder = app(
        "[components.a]\nresident = 1\nrestart = \"temporary\"\n",
        &[],
    );
    folder.write("components/a/a.wat", resident("(call $here)"));
    let ended = Run::inside(folder).args("run").status(1);
    let ended = ended
        .stderr_is_one_line()
        .stderr_has("`a` is not built. Run `rusm build`");
    let ended = Run::inside(ended.folder).args("build").status(0);
    Run::inside(ended.folder)
        .args("run .")
        .status(0)
        .stderr_has("here");
}

#[test]
fn flags_of_a_program_are_not_those_of_an_app() {
    for flag in ["--dir .::/", "--env A=B", "--invoke x", "--max-memory 1M"] {
        let run = Run::inside(app("", &[])).args("run").args(flag).arg(".");
        run.status(2)
            .stderr_is_one_line()
            .stderr_has("rusm.toml says what");
    }
}

#[test]
fn a_folder_without_a_manifest_is_no_app() {
    Run::new()
        .args("run")
        .status(1)
        .stderr_is_one_line()
        .stderr_has("there is no app in `.`");
}
