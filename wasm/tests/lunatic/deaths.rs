//! Deaths: who dies with whom, and who hears of it.

use rusm_actor::ExitReason;

use crate::guest::{fails, holds, run};

#[test]
fn a_linked_child_takes_its_parent_with_it_when_it_fails() {
    let (reason, _) = run(r#"(func (export "child") (param i64) unreachable)
           (func (export "_start")
             (drop (call $start (i32.const 0) (i64.const 5) (i64.const 0)))
             (drop (call $hear (i64.const 0) (i64.const -1))))"#);
    assert!(matches!(reason, ExitReason::Trap(_)), "{reason}");
}

#[test]
fn a_parent_that_survives_its_links_hears_of_a_failure_with_the_tag() {
    holds(
        r#"(func (export "child") (param $fails i64)
             (if (i64.eqz (local.get $fails)) (then (return)))
             (call $proc_exit (i32.const 3)))
           (func (export "_start")
             (call $die_when_link_dies (i32.const 0))
             ;; One ends as it should: nobody hears of it.
             (drop (call $start (i32.const 0) (i64.const 5) (i64.const 0)))
             (drop (call $start (i32.const 0) (i64.const 6) (i64.const 1)))
             (call $check (i32.eq (call $hear (i64.const 6) (i64.const -1)) (i32.const 1)) (i32.const 1))
             (call $check (i64.eq (call $get_tag) (i64.const 6)) (i32.const 2))
             ;; Also found by a receive that takes everything.
             (drop (call $start (i32.const 0) (i64.const 7) (i64.const 1)))
             (call $check (i32.eq (call $hear (i64.const 0) (i64.const -1)) (i32.const 1)) (i32.const 3))
             (call $check (i64.eq (call $get_tag) (i64.const 7)) (i32.const 4))
             (call $check (i32.eq (call $hear (i64.const 5) (i64.const 20)) (i32.const 9027)) (i32.const 5)))"#,
    );
}

#[test]
fn both_ends_of_a_link_hear_of_a_death_with_its_tag() {
    holds(
        r#"(func (export "child") (param $parent i64)
             (call $die_when_link_dies (i32.const 0))
             (call $tell (local.get $parent) (i64.const 0) (i64.const 0))
             ;; The one that links to this one fails.
             (call $check (i32.eq (call $hear (i64.const 9) (i64.const -1)) (i32.const 1)) (i32.const 1))
             (call $tell (local.get $parent) (i64.const 0) (call $get_tag)))
           (func (export "other") (param $child i64)
             (call $link (i64.const 9) (local.get $child))
             (call $proc_exit (i32.const 1)))
           (func (export "_start") (local $child i64)
             (local.set $child (call $start (i32.const 0) (i64.const 0) (call $process_id)))
             (drop (call $number))
             (drop (call $start (i32.const 1) (i64.const 0) (local.get $child)))
             (call $check (i64.eq (call $number) (i64.const 9)) (i32.const 2)))"#,
    );
}

#[test]
fn a_link_that_was_undone_tells_nothing() {
    holds(
        r#"(func (export "child") (param i64)
             (drop (call $number))
             (call $proc_exit (i32.const 1)))
           (func (export "_start") (local $child i64)
             (local.set $child (call $start (i32.const 0) (i64.const 3) (i64.const 0)))
             (call $monitor (local.get $child))
             (call $unlink (local.get $child))
             (call $unlink (i64.const 1000))
             (call $tell (local.get $child) (i64.const 0) (i64.const 0))
             (call $check (i32.eq (call $hear (i64.const 0) (i64.const -1)) (i32.const 2)) (i32.const 1)))"#,
    );
}

#[test]
fn a_link_to_nobody_counts_as_one_that_failed() {
    holds(
        r#"(func (export "_start")
             (call $die_when_link_dies (i32.const 0))
             (call $link (i64.const 4) (i64.const 1000))
             (call $check (i32.eq (call $hear (i64.const 4) (i64.const -1)) (i32.const 1)) (i32.const 1))
             (call $check (i64.eq (call $get_tag) (i64.const 4)) (i32.const 2)))"#,
    );
    let (reason, _) =
        run(r#"(func (export "_start") (call $link (i64.const 4) (i64.const 1000)))"#);
    assert_eq!(reason, ExitReason::NoProcess);
}

#[test]
fn a_monitor_hears_of_an_end_once_and_not_when_it_has_stopped() {
    holds(
        r#"(func (export "child") (param i64) (drop (call $number)))
           (func (export "_start") (local $first i64) (local $second i64)
             (local.set $first (call $start (i32.const 0) (i64.const 0) (i64.const 0)))
             (local.set $second (call $start (i32.const 0) (i64.const 0) (i64.const 0)))
             (call $monitor (local.get $first))
             (call $monitor (local.get $second))
             (call $monitor (local.get $second))
             (call $monitor (i64.const 1000))
             (call $stop_monitoring (local.get $first))
             (call $stop_monitoring (i64.const 1000))
             (call $tell (local.get $first) (i64.const 0) (i64.const 0))
             (call $tell (local.get $second) (i64.const 0) (i64.const 0))
             (call $check (i32.eq (call $hear (i64.const 0) (i64.const -1)) (i32.const 2)) (i32.const 1))
             (call $check (i64.eq (call $get_process_id) (local.get $second)) (i32.const 2))
             (call $check (i64.eqz (call $get_tag)) (i32.const 3))
             (call $check (i32.eq (call $hear (i64.const 0) (i64.const 20)) (i32.const 9027)) (i32.const 4))
             (call $check (i32.eqz (call $exists (local.get $first))) (i32.const 5)))"#,
    );
}

#[test]
fn a_guest_that_spins_is_killed_all_the_same() {
    holds(
        r#"(func (export "child") (param $parent i64)
             (call $tell (local.get $parent) (i64.const 0) (i64.const 0))
             (loop $again (br $again)))
           (func (export "_start") (local $child i64)
             (local.set $child (call $start (i32.const 0) (i64.const 0) (call $process_id)))
             (call $monitor (local.get $child))
             (drop (call $number))
             (call $check (call $exists (local.get $child)) (i32.const 1))
             (call $kill (local.get $child))
             (call $kill (i64.const 1000))
             (call $check (i32.eq (call $hear (i64.const 0) (i64.const -1)) (i32.const 2)) (i32.const 2))
             (call $check (i32.eqz (call $exists (local.get $child))) (i32.const 3)))"#,
    );
}

#[test]
fn a_trap_is_caught_and_the_guest_goes_on() {
    let callback = r#"
           (func (export "_lunatic_catch_trap") (param $deeper i32) (param $answer i32) (result i32)
             (if (local.get $deeper) (then
               (return (i32.add (i32.const 1)
                 (call $catch (i32.sub (local.get $deeper) (i32.const 1)) (local.get $answer))))))
             (if (i32.eqz (local.get $answer)) (then (unreachable)))
             (local.get $answer))"#;
    holds(&format!(
        r#"{callback}
           (func (export "_start")
             (call $check (i32.eq (call $catch (i32.const 0) (i32.const 7)) (i32.const 7)) (i32.const 1))
             (call $check (i32.eqz (call $catch (i32.const 0) (i32.const 0))) (i32.const 2))
             (call $check (i32.eq (call $catch (i32.const 3) (i32.const 7)) (i32.const 10)) (i32.const 3))
             ;; The sixteenth within each other is the last: what it is refused is caught by it.
             (call $check (i32.eq (call $catch (i32.const 100) (i32.const 7)) (i32.const 15)) (i32.const 4)))"#
    ));
    fails(
        r#"(func (export "_start") (drop (call $catch (i32.const 0) (i32.const 7))))"#,
        "`lunatic::trap::catch`: the module exports no function `_lunatic_catch_trap`",
    );
    let (reason, _) = run(
        r#"(func (export "_lunatic_catch_trap") (param i32 i32) (result i32)
             (call $link (i64.const 4) (i64.const 1000)) (i32.const 1))
           (func (export "_start") (drop (call $catch (i32.const 0) (i32.const 7))))"#,
    );
    assert_eq!(reason, ExitReason::NoProcess, "its own end is no trap");
}
