//! Timers of guests, and what guests log.

mod support;

use std::sync::{Arc, Mutex};

use rusm_wasm::Catalog;
use rusm_wasm::grant::{LogLevel, Profile};
use support::actor::{actor, beside, beside_granted, component, give, said, shown, start, told};
use support::{PATIENCE, engine, node};

#[test]
fn a_started_timer_comes_as_a_timer_with_its_reference_tag_and_bytes() {
    let timing = actor(
        r#"(data (i32.const 700) "tick")"#,
        "(local.set $a (call $now))
         (call $tell32 (call $timer_start (i64.const 2000000) (i64.const 5) (i32.const 700) (i32.const 4) (i32.const 512)))
         (call $by (i64.load (i32.const 512)))
         (call $tell (i64.sub (call $now) (local.get $a)))
         (call $show) (call $tell (i64.load (i32.const 512)))
         (call $tell (call $timer_cancel (i64.load (i32.const 512))))",
    );
    beside(&[timing], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        assert!(told(&mut ctx).await >= 2_000_000, "not before its time");
        let seen = shown(&mut ctx).await;
        assert_eq!((seen.kind, seen.tag, &*seen.body), (4, 5, &b"tick"[..]));
        assert_eq!(told(&mut ctx).await as u64, seen.reference);
        assert_eq!(told(&mut ctx).await, -1, "it was sent already");
    });
}

#[test]
fn a_message_is_sent_later_unless_it_is_taken_back() {
    let sending = actor(
        r#"(data (i32.const 700) "later")"#,
        "(call $tell32 (call $timer_send_after (i64.const 3600000000000) (global.get $parent) (i64.const 8) (i32.const 700) (i32.const 5) (i32.const 512)))
         (call $tell (call $timer_read (i64.load (i32.const 512))))
         (call $tell (call $timer_cancel (i64.load (i32.const 512))))
         (call $tell (call $timer_cancel (i64.load (i32.const 512))))
         (call $tell (call $timer_read (i64.load (i32.const 512))))
         (call $tell32 (call $timer_send_after (i64.const 0) (global.get $parent) (i64.const 9) (i32.const 700) (i32.const 5) (i32.const 512)))",
    );
    beside(&[sending], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        let (left, canceled) = (told(&mut ctx).await, told(&mut ctx).await);
        let hour = 3_600_000_000_000;
        assert!(0 < canceled && canceled <= left && left <= hour);
        assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (-1, -1));
        assert_eq!(told(&mut ctx).await, 0);
        // The guest may have ended by now: the timer fires all the same.
        let message = said(&mut ctx).await;
        assert_eq!(message.bytes(), b"later");
        let envelope = message.envelope().unwrap();
        assert_eq!((envelope.from, envelope.tag), (guest, 9));
    });
}

#[test]
fn timers_have_a_limit_and_those_that_have_fired_do_not_count_for_it() {
    let flooding = actor(
        "",
        "(loop $on (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $on (i32.eqz (call $timer_send_after (i64.const 3600000000000) (global.get $parent) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 512)))))
         (call $tell32 (local.get $i))
         (call $tell (call $timer_cancel (i64.load (i32.const 512))))
         (local.set $i (i32.const 0))
         (loop $on (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (drop (call $timer_send_after (i64.const 0) (global.get $parent) (i64.const 7) (i32.const 0) (i32.const 0) (i32.const 512)))
           (call $tagged (i64.const 1))
           (br_if $on (i32.lt_u (local.get $i) (i32.const 3))))
         (call $tell32 (i32.const 99))",
    );
    beside(&[flooding], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 16_385);
        assert!(told(&mut ctx).await > 0);
        for _ in 0..3 {
            assert_eq!(told(&mut ctx).await, 7, "there is room again");
            give(&ctx, guest, 1, b"");
        }
        assert_eq!(told(&mut ctx).await, 99);
    });
}

#[test]
fn the_messages_of_timers_have_a_limit_in_bytes() {
    let flooding = actor(
        "",
        "(drop (memory.grow (i32.const 16)))
         (loop $on (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $on (i32.eqz (call $timer_start (i64.const 3600000000000) (i64.const 0) (i32.const 0) (i32.const 1048576) (i32.const 512)))))
         (call $tell32 (local.get $i))
         (call $tell32 (call $timer_start (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 512)))",
    );
    beside(&[flooding], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 17);
        assert_eq!(told(&mut ctx).await, 0, "an empty one has room");
    });
}

#[test]
fn a_guest_logs_lines_that_no_terminal_obeys_and_too_many_are_dropped() {
    let logging = actor(
        r#"(data (i32.const 700) "\1b[2Jhello\nthere") (data (i32.const 720) "\ff")"#,
        "(call $tell32 (call $log (i32.const 1) (i32.const 700) (i32.const 15)))
         (call $tell32 (call $log (i32.const 0) (i32.const 720) (i32.const 1)))
         (call $tell32 (call $log (i32.const 2) (i32.const 0) (i32.const 65536)))
         (call $tell32 (call $log (i32.const 5) (i32.const 720) (i32.const 1)))
         (loop $on (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (drop (call $log (i32.const 4) (i32.const 700) (i32.const 1)))
           (br_if $on (i32.lt_u (local.get $i) (i32.const 100000))))
         (call $tell32 (i32.const 99))",
    );
    let node = node(1);
    let (engine, catalog) = (engine(&node), Catalog::new());
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = lines.clone();
    catalog.on_log(move |line| {
        let line = (
            line.level,
            line.component.to_string(),
            line.text.to_string(),
        );
        sink.lock().unwrap().push(line);
    });
    catalog
        .put("shop", component(&engine, &logging, Profile::trusted()))
        .unwrap();
    let shop = catalog.clone();
    node.block_on(move |mut ctx| async move {
        let logger = ctx.spawn(move |ctx| shop.ready("shop").unwrap().run(ctx));
        give(&ctx, logger, 0, b"");
        for expected in [0, 0, 0, -7, 99] {
            assert_eq!(told(&mut ctx).await, expected);
        }
    })
    .unwrap();
    let lines = lines.lock().unwrap();
    assert_eq!(lines[0].0, LogLevel::Warn);
    assert_eq!(
        (&*lines[0].1, &*lines[0].2),
        ("shop", "\\u{1b}[2Jhello\\nthere")
    );
    assert_eq!((lines[1].0, &*lines[1].2), (LogLevel::Error, "\u{fffd}"));
    assert!(lines[2].2.len() < 32_000 && lines[2].2.ends_with('…'));
    assert!(lines.len() <= 1_000, "{} lines", lines.len());
    node.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_level_that_is_not_granted_is_refused() {
    let logging = actor(
        "",
        "(call $tell32 (call $log (i32.const 2) (i32.const 0) (i32.const 0)))
         (call $tell32 (call $log (i32.const 3) (i32.const 0) (i32.const 0)))",
    );
    beside_granted(
        &[(&logging, Profile::sandboxed())],
        |mut ctx, guests| async move {
            start(&mut ctx, &guests[0]);
            assert_eq!(told(&mut ctx).await, 0);
            assert_eq!(told(&mut ctx).await, -12);
        },
    );
}
