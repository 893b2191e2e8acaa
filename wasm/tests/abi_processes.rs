//! Links, monitors, exits and waits of core modules and native processes, and names.

mod support;

use std::time::{Duration, Instant};

use rusm_actor::{Context, ExitReason, Pid, exit, kill};
use support::actor::{MOMENT, actor, beside, ended, give, shown, start, told};

/// Does what the tag of each message says to the pid in it, and tells the result.
const OBEDIENT: &str = "(loop $on (call $next)
    (local.set $a (i64.load (i32.const 256)))
    (if (i64.eq (call $tag) (i64.const 1)) (then (call $tell32 (call $link (local.get $a)))))
    (if (i64.eq (call $tag) (i64.const 2)) (then (call $unlink (local.get $a)) (call $tell32 (i32.const 0))))
    (if (i64.eq (call $tag) (i64.const 3)) (then (call $tell32 (call $trap_exit (i32.wrap_i64 (local.get $a))))))
    (if (i64.eq (call $tag) (i64.const 4)) (then (call $tell32 (call $monitor (local.get $a) (i32.const 512))) (call $tell (i64.load (i32.const 512)))))
    (if (i64.eq (call $tag) (i64.const 5)) (then (call $tell32 (call $demonitor (local.get $a) (i32.const 0)))))
    (if (i64.eq (call $tag) (i64.const 6)) (then (call $tell32 (call $demonitor (local.get $a) (i32.const 1)))))
    (if (i64.eq (call $tag) (i64.const 7)) (then (call $tell32 (call $is_alive (local.get $a)))))
    (if (i64.eqz (call $tag)) (then (call $show)))
    (br $on))";

/// Has the obedient guest do something; what it tells.
async fn order(ctx: &mut Context, guest: Pid, what: u64, argument: u64) -> i64 {
    give(ctx, guest, what, &argument.to_le_bytes());
    told(ctx).await
}

fn idle(ctx: &mut Context) -> Pid {
    ctx.spawn(|mut ctx| async move {
        loop {
            drop(ctx.receive().await);
        }
    })
}

#[test]
fn a_guest_ends_with_what_it_says_and_those_who_watch_it_hear_that() {
    let ends = [
        (
            "(drop (call $exit (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
            ExitReason::Normal,
        ),
        (
            "(drop (call $exit (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))",
            ExitReason::Shutdown,
        ),
        (
            "(drop (call $exit (i32.const 2) (i32.const 3) (i32.const 700) (i32.const 5)))",
            ExitReason::shutdown_with("why", "up"),
        ),
        (
            "(drop (call $exit (i32.const 8) (i32.const 0) (i32.const 700) (i32.const 5)))",
            ExitReason::error("whyup"),
        ),
        (
            "(drop (call $exit (i32.const 9) (i32.const 3) (i32.const 700) (i32.const 5)))",
            ExitReason::term("why", "up"),
        ),
        (
            "(drop (call $exit (i32.const 10) (i32.const -3) (i32.const 0) (i32.const 0)))",
            ExitReason::Status(-3),
        ),
        (
            "(drop (call $exit (i32.const 11) (i32.const 0) (i32.const 0) (i32.const 0)))",
            ExitReason::Normal,
        ),
        ("", ExitReason::Normal),
    ];
    let guests: Vec<_> = ends
        .iter()
        .map(|(code, _)| actor(r#"(data (i32.const 700) "whyup")"#, code))
        .collect();
    beside(&guests, |mut ctx, guests| async move {
        for (guest, (code, reason)) in guests.iter().zip(ends) {
            let (_, monitor) = start(&mut ctx, guest);
            assert_eq!(ended(&mut ctx, monitor).await, reason, "{code}");
        }
    });
}

#[test]
fn a_trap_is_the_reason_that_a_linked_process_hears() {
    let traps = actor("", "(call $next) unreachable");
    beside(&[traps], |mut ctx, guests| async move {
        ctx.trap_exit(true);
        let (guest, _) = start(&mut ctx, &guests[0]);
        ctx.link(guest).unwrap();
        give(&ctx, guest, 0, b"");
        let message = ctx.receive_match(|m| m.exit().is_some()).await;
        let (from, reason) = message.exit().unwrap();
        assert_eq!(from, Some(guest));
        assert!(matches!(reason, ExitReason::Trap(fault) if fault.text.contains("unreachable")));
    });
}

#[test]
fn a_linked_guest_dies_with_its_peer_and_for_its_reason() {
    beside(&[actor("", OBEDIENT)], |mut ctx, guests| async move {
        let (guest, monitor) = start(&mut ctx, &guests[0]);
        let peer = idle(&mut ctx);
        assert_eq!(order(&mut ctx, guest, 1, peer.to_bits()).await, 0);
        exit(peer, ExitReason::error("foo"));
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::error("foo"));
    });
}

#[test]
fn a_guest_that_traps_exits_reads_who_ended_and_why() {
    beside(&[actor("", OBEDIENT)], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        assert_eq!(order(&mut ctx, guest, 3, 1).await, 0);
        assert_eq!(order(&mut ctx, guest, 3, 1).await, 1, "what was so before");
        for (reason, code, detail, body) in [
            (ExitReason::term("tag", "content"), 9, 3, &b"tagcontent"[..]),
            (ExitReason::Status(4), 10, 4, b""),
            (ExitReason::error("foo"), 8, 3, b"foo"),
            (ExitReason::Shutdown, 1, 0, b""),
            (ExitReason::Kill, 3, 0, b""),
        ] {
            let peer = idle(&mut ctx);
            assert_eq!(order(&mut ctx, guest, 1, peer.to_bits()).await, 0);
            exit(peer, reason);
            let seen = shown(&mut ctx).await;
            assert_eq!((seen.kind, seen.pid), (2, peer.to_bits()));
            assert_eq!((seen.code, seen.detail, &*seen.body), (code, detail, body));
        }
    });
}

#[test]
fn an_unlinked_guest_lives_on_and_a_link_to_the_dead_is_an_error() {
    beside(&[actor("", OBEDIENT)], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        let peer = idle(&mut ctx);
        assert_eq!(order(&mut ctx, guest, 1, peer.to_bits()).await, 0);
        assert_eq!(order(&mut ctx, guest, 2, peer.to_bits()).await, 0);
        let monitor = ctx.monitor(peer);
        kill(peer);
        ended(&mut ctx, monitor).await;
        assert_eq!(order(&mut ctx, guest, 7, peer.to_bits()).await, 0);
        assert_eq!(order(&mut ctx, guest, 7, guest.to_bits()).await, 1);
        assert_eq!(order(&mut ctx, guest, 1, peer.to_bits()).await, -1);
        // Who traps exits reads it instead.
        order(&mut ctx, guest, 3, 1).await;
        assert_eq!(order(&mut ctx, guest, 1, peer.to_bits()).await, 0);
        let seen = shown(&mut ctx).await;
        assert_eq!((seen.kind, seen.pid, seen.code), (2, peer.to_bits(), 5));
    });
}

#[test]
fn links_to_the_dead_do_not_fill_the_mailbox_of_who_does_not_read() {
    let linking = actor(
        "",
        "(drop (call $trap_exit (i32.const 1))) (local.set $a (call $given))
         (loop $on (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (local.set $a (i64.add (local.get $a) (i64.const 0x100000000)))
           (br_if $on (i32.eqz (call $link (local.get $a)))))
         (call $tell32 (local.get $i)) (call $next)
         (call $tell32 (call $link (local.get $a)))",
    );
    beside(&[linking], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        give(&ctx, guest, 1, &u64::from(u32::MAX >> 8).to_le_bytes());
        assert_eq!(told(&mut ctx).await, 1_025);
        assert_eq!(
            told(&mut ctx).await,
            0,
            "each that is read gives room for one"
        );
    });
}

#[test]
fn a_monitor_tells_once_who_ended_and_why() {
    beside(&[actor("", OBEDIENT)], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        let peer = idle(&mut ctx);
        assert_eq!(order(&mut ctx, guest, 4, peer.to_bits()).await, 0);
        let first = told(&mut ctx).await;
        assert_eq!(order(&mut ctx, guest, 4, peer.to_bits()).await, 0);
        let second = told(&mut ctx).await;
        assert_eq!(order(&mut ctx, guest, 5, second as u64).await, 1);
        assert_eq!(order(&mut ctx, guest, 5, second as u64).await, 0);
        exit(peer, ExitReason::error("foo"));
        let seen = shown(&mut ctx).await;
        assert_eq!((seen.kind, seen.reference), (3, first as u64));
        assert_eq!(
            (seen.pid, seen.code, &*seen.body),
            (peer.to_bits(), 8, &b"foo"[..])
        );
        assert_eq!(seen.name_len, 0);
        assert_eq!(order(&mut ctx, guest, 5, first as u64).await, 0, "used up");
        // Of one that is dead already, at once.
        assert_eq!(order(&mut ctx, guest, 4, peer.to_bits()).await, 0);
        told(&mut ctx).await;
        assert_eq!(shown(&mut ctx).await.code, 5);
    });
}

#[test]
fn demonitor_with_flush_takes_the_message_back() {
    let flushing = actor(
        "",
        "(drop (call $monitor (i64.const 0x7fffffff) (i32.const 512)))
         (drop (call $monitor (i64.const 0x7fffffff) (i32.const 520)))
         (call $tell32 (call $demonitor (i64.load (i32.const 512)) (i32.const 1)))
         (call $by (i64.load (i32.const 520))) (call $tell32 (call $kind))
         (call $tell32 (call $try_receive (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 256) (i32.const 0)))",
    );
    beside(&[flushing], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        told(&mut ctx).await;
        assert_eq!(told(&mut ctx).await, 3);
        assert_eq!(told(&mut ctx).await, 1, "nothing is left");
    });
}

#[test]
fn a_guest_cannot_use_the_references_of_others() {
    beside(
        &[actor("", OBEDIENT), actor("", OBEDIENT)],
        |mut ctx, guests| async move {
            let (one, _) = start(&mut ctx, &guests[0]);
            let (other, _) = start(&mut ctx, &guests[1]);
            let peer = idle(&mut ctx);
            assert_eq!(order(&mut ctx, one, 4, peer.to_bits()).await, 0);
            let monitor = told(&mut ctx).await;
            for flush in [5, 6] {
                assert_eq!(order(&mut ctx, other, flush, monitor as u64).await, 0);
            }
            kill(peer);
            let seen = shown(&mut ctx).await;
            assert_eq!((seen.reference, seen.code), (monitor as u64, 3));
        },
    );
}

#[test]
fn monitors_that_are_kept_have_a_limit_and_each_that_is_given_back_makes_room() {
    let hoarding = actor(
        "",
        "(loop $on (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $on (i32.eqz (call $monitor (call $sender) (i32.const 512)))))
         (call $tell32 (local.get $i))
         (drop (call $demonitor (i64.load (i32.const 512)) (i32.const 0)))
         (call $tell32 (call $alias (i32.const 0) (i32.const 512)))
         (call $tell32 (call $alias (i32.const 0) (i32.const 512)))",
    );
    beside(&[hoarding], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 65_537);
        assert_eq!(told(&mut ctx).await, 0);
        assert_eq!(told(&mut ctx).await, -3);
    });
}

#[test]
fn a_guest_sleeps_no_shorter_than_it_asks_and_others_run_meanwhile() {
    let sleeping = actor(
        "",
        "(local.set $a (call $now)) (call $sleep (i64.const 3000000)) (call $sleep (i64.const 0)) (call $yield)
         (call $tell (i64.sub (call $now) (local.get $a)))
         (call $sleep (i64.const -1)) (call $tell32 (i32.const -1))",
    );
    beside(&[sleeping], |mut ctx, guests| async move {
        let begun = Instant::now();
        let (pid, monitor) = start(&mut ctx, &guests[0]);
        let slept = Duration::from_nanos(told(&mut ctx).await as u64);
        assert!(slept >= Duration::from_millis(3) && slept <= begun.elapsed());
        // The last sleep is for ever.
        ctx.sleep(MOMENT).await;
        kill(pid);
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Killed);
    });
}
