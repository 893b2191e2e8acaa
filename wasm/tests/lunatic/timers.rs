//! Timers and sleeps.

use std::time::{Duration, Instant};

use crate::guest::holds;

#[test]
fn messages_come_when_they_are_due_unless_they_were_cancelled() {
    holds(
        r#"(func (export "_start") (local $me i64) (local $second i64)
             (local.set $me (call $process_id))
             (call $prepare (i64.const 0) (i64.const 2))
             (drop (call $send_after (local.get $me) (i64.const 40)))
             (call $prepare (i64.const 0) (i64.const 1))
             (drop (call $send_after (local.get $me) (i64.const 5)))
             (call $prepare (i64.const 0) (i64.const 3))
             (local.set $second (call $send_after (local.get $me) (i64.const -1)))
             (call $check (i64.eq (call $number) (i64.const 1)) (i32.const 1))
             (call $check (i64.eq (call $number) (i64.const 2)) (i32.const 2))
             (call $check (i32.eq (call $cancel_timer (local.get $second)) (i32.const 1)) (i32.const 3))
             (call $check (i32.eqz (call $cancel_timer (local.get $second))) (i32.const 4))
             (call $check (i32.eqz (call $cancel_timer (i64.const 0))) (i32.const 5))
             (call $check (i32.eqz (call $cancel_timer (i64.const 77))) (i32.const 6))
             ;; To nobody: there is a number, and nothing happens.
             (call $prepare (i64.const 0) (i64.const 4))
             (drop (call $send_after (i64.const 1000) (i64.const 0)))
             (call $check (i32.eq (call $hear (i64.const 0) (i64.const 10)) (i32.const 9027)) (i32.const 7)))"#,
    );
}

#[test]
fn a_timer_outlives_the_process_that_set_it() {
    holds(
        r#"(func (export "child") (param $parent i64)
             (call $prepare (i64.const 0) (i64.const 1))
             (drop (call $send_after (local.get $parent) (i64.const 20))))
           (func (export "_start")
             (drop (call $start (i32.const 0) (i64.const 0) (call $process_id)))
             (call $check (i64.eq (call $number) (i64.const 1)) (i32.const 1)))"#,
    );
}

#[test]
fn a_sleep_takes_its_time() {
    let start = Instant::now();
    holds(r#"(func (export "_start") (call $sleep_ms (i64.const 30)))"#);
    assert!(start.elapsed() >= Duration::from_millis(30));
}
