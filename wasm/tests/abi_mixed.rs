//! What only shows when things meet: functions of the world right after a call of WASI that has left
//! the worker, floods of a mailbox with a limit, names that nobody has.

mod support;

use rusm_actor::{ExitReason, MailboxLimit, MailboxPolicy, Pid};
use rusm_wasm::grant::{Limits, Profile};
use support::actor::{actor, beside, beside_granted, ended, give, said, shown, start, told};

#[test]
fn a_guest_that_has_just_left_its_worker_for_a_file_is_a_process_like_any_other() {
    // Each call of WASI moves it to a blocking thread, where it goes on until it waits.
    let moved = "(drop (call $stat (i32.const 1) (i32.const 2048)))";
    let guest = actor(
        r#"(data (i32.const 700) "moved") (data (i32.const 710) "0")"#,
        &format!(
            r#"{moved} (call $tell (call $self))
           {moved} (drop (call $monitor (global.get $parent) (i32.const 512)))
           (call $tell32 (call $demonitor (i64.load (i32.const 512)) (i32.const 1)))
           {moved} (call $tell32 (call $try_receive (i32.const 1) (i64.const 99) (i32.const 0) (i32.const 256) (i32.const 8)))
           {moved} (call $tell32 (call $register (i32.const 700) (i32.const 5)))
           {moved} (call $tell32 (call $group_join (i32.const 700) (i32.const 5)))
           {moved} (call $tell32 (call $timer_start (i64.const 1) (i64.const 5) (i32.const 700) (i32.const 5) (i32.const 512)))
           {moved} (call $by (i64.load (i32.const 512))) (call $tell32 (call $kind))
           {moved} (call $tell32 (call $spawn_monitor (i32.const 710) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 512)))
           {moved} (call $tell32 (call $kill (i64.load (i32.const 512))))
           (call $by (i64.load (i32.const 520))) {moved} (call $tell32 (call $code))
           {moved} (call $tell32 (call $info (global.get $parent) (i32.const 1024) (i32.const 0) (i32.const 0)))
           {moved} (call $tagged (i64.const 7)) {moved} (call $tell32 (call $trap_exit (i32.const 1)))
           {moved} (drop (call $exit (i32.const 10) (i32.const 3) (i32.const 0) (i32.const 0)))"#
        ),
    );
    let import = r#"(module (import "wasi_snapshot_preview1" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))"#;
    let guest = guest.replacen("(module", import, 1);
    beside(&[guest], |mut ctx, guests| async move {
        let (guest, monitor) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await as u64, guest.to_bits());
        for expected in [1, 1, 0, 0, 0, 4, 0, 0, 3] {
            assert_eq!(told(&mut ctx).await, expected);
        }
        assert_eq!(told(&mut ctx).await, 0, "it has no name and no links");
        give(&ctx, guest, 7, b"");
        assert_eq!(told(&mut ctx).await, 0);
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Status(3));
    });
}

#[test]
fn a_flood_fills_a_mailbox_to_its_limit_and_hurts_nobody_else() {
    let flooding = actor(
        "",
        "(call $tagged (i64.const 1))
         (loop $on (drop (call $send (i64.load (i32.const 256)) (local.get $a) (i32.const 0) (i32.const 1024)))
           (local.set $a (i64.add (local.get $a) (i64.const 1)))
           (br_if $on (i64.lt_u (local.get $a) (i64.const 100000))))
         (call $tell (local.get $a))",
    );
    let flooded = actor(
        "",
        "(call $tell (i64.const 3)) (call $tagged (i64.const -1)) (call $tell (i64.const 5))",
    );
    let limits = Limits {
        mailbox: Some(MailboxLimit {
            messages_max: 100,
            policy: MailboxPolicy::ShedOldest,
        }),
        ..Limits::none()
    };
    let small = Profile {
        limits,
        ..Profile::sandboxed()
    };
    let guests = [(&*flooding, Profile::sandboxed()), (&*flooded, small)];
    beside_granted(&guests, |mut ctx, guests| async move {
        let (flooding, _) = start(&mut ctx, &guests[0]);
        let (flooded, monitor) = start(&mut ctx, &guests[1]);
        // It has read who its parent is: that message is the oldest, which would be shed first.
        assert_eq!(told(&mut ctx).await, 3);
        give(&ctx, flooding, 1, &flooded.to_bits().to_le_bytes());
        assert_eq!(told(&mut ctx).await, 100_000, "sending never waits");
        let mailbox = ctx.node().mailbox(flooded).expect("it has a limit");
        assert!(
            mailbox.messages <= 100 && mailbox.shed >= 99_000,
            "{mailbox:?}"
        );
        give(&ctx, flooded, u64::MAX, b"");
        assert_eq!(told(&mut ctx).await, 5, "what is new has room");
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Normal);
    });
}

#[test]
fn a_monitor_by_name_says_the_name_also_if_nobody_has_it() {
    let watching = actor(
        r#"(data (i32.const 700) "nobody") (data (i32.const 710) "somebody")"#,
        "(call $tell32 (call $monitor_name (i32.const 700) (i32.const 6) (i32.const 512)))
         (call $by (i64.load (i32.const 512))) (call $show)
         (call $tell32 (call $monitor_name (i32.const 710) (i32.const 8) (i32.const 512)))
         (call $by (i64.load (i32.const 512))) (call $show)",
    );
    beside(&[watching], |mut ctx, guests| async move {
        let somebody = ctx.spawn(|mut ctx| async move {
            drop(ctx.receive().await);
            ExitReason::error("why")
        });
        ctx.node().register("somebody", somebody).unwrap();
        start(&mut ctx, &guests[0]);
        for (name, code, body) in [("nobody", 5, "nobody"), ("somebody", 8, "whysomebody")] {
            assert_eq!(told(&mut ctx).await, 0);
            ctx.send(somebody, b"end");
            let seen = shown(&mut ctx).await;
            assert_eq!((seen.kind, seen.pid, seen.code), (3, 0, code));
            assert_eq!(seen.name_len as usize, name.len());
            assert_eq!(seen.body, body.as_bytes());
        }
    });
}

#[test]
fn two_guests_that_are_linked_end_together_whoever_traps() {
    let linking = actor(
        "",
        "(call $tell32 (call $link (call $given))) (call $tagged (i64.const 2))
         (drop (i32.load (i32.const -1)))",
    );
    beside(&[linking], |mut ctx, guests| async move {
        let (one, first) = start(&mut ctx, &guests[0]);
        let (other, second) = start(&mut ctx, &guests[0]);
        give(&ctx, one, 1, &other.to_bits().to_le_bytes());
        give(&ctx, other, 1, &Pid::to_bits(one).to_le_bytes());
        assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (0, 0));
        give(&ctx, one, 2, b"");
        let reasons = [ended(&mut ctx, first).await, ended(&mut ctx, second).await];
        let [ExitReason::Trap(fault), same] = &reasons else {
            panic!("{reasons:?}");
        };
        assert!(fault.text.contains("out of bounds"), "{fault:?}");
        assert_eq!(*same, reasons[0]);
        drop(ctx.try_receive_match(|_| true));
    });
}

#[test]
fn a_guest_that_answers_itself_keeps_its_own_order() {
    let talking = actor(
        "",
        "(loop $on (drop (call $send (call $self) (local.get $a) (i32.const 0) (i32.const 0)))
           (local.set $a (i64.add (local.get $a) (i64.const 1)))
           (br_if $on (i64.lt_u (local.get $a) (i64.const 1000))))
         (local.set $a (i64.const 0))
         (loop $on (call $next) (if (i64.ne (call $tag) (local.get $a)) (then unreachable))
           (local.set $a (i64.add (local.get $a) (i64.const 1)))
           (br_if $on (i64.lt_u (local.get $a) (i64.const 1000))))
         (call $tell (local.get $a))",
    );
    beside(&[talking], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        let last = said(&mut ctx).await;
        assert_eq!(last.envelope().unwrap().tag, 1_000);
    });
}
