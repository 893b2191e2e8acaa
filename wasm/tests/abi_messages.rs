//! Messages between core modules and native processes, through the flat functions.

mod support;

use rusm_actor::{Alias, ExitReason, Message, Reference, kill, send};
use support::actor::{actor, bare, beside, ended, give, next, shown, start, told, told_by};

/// Shows everything it gets.
const MIRROR: &str = "(loop $on (call $next) (call $show) (br $on))";

#[test]
fn a_message_comes_with_its_sender_its_tag_and_its_bytes() {
    beside(&[actor("", MIRROR)], |mut ctx, guests| async move {
        let (mirror, _) = start(&mut ctx, &guests[0]);
        for len in [0_usize, 1, 8, 30, 31, 64, 256] {
            let content = vec![len as u8; len];
            give(&ctx, mirror, u64::MAX - len as u64, &content);
            let seen = shown(&mut ctx).await;
            assert_eq!((seen.kind, seen.pid), (1, ctx.pid().to_bits()));
            assert_eq!((seen.tag, seen.body), (u64::MAX - len as u64, content));
        }
    });
}

#[test]
fn plain_bytes_of_a_native_process_come_without_sender_and_tag() {
    beside(&[actor("", MIRROR)], |mut ctx, guests| async move {
        let (mirror, _) = start(&mut ctx, &guests[0]);
        ctx.send(mirror, b"plain");
        let seen = shown(&mut ctx).await;
        assert_eq!((seen.kind, seen.pid, seen.tag), (1, 0, 0));
        assert_eq!(seen.body, b"plain");
        // A value that no guest can read is not dropped silently.
        ctx.send(mirror, Message::native(7_u32));
        assert_eq!(shown(&mut ctx).await.kind, 7);
    });
}

#[test]
fn messages_of_one_guest_keep_their_order() {
    let counting = actor(
        "",
        "(loop $on (call $tell (local.get $a)) (local.set $a (i64.add (local.get $a) (i64.const 1)))
           (br_if $on (i64.lt_u (local.get $a) (i64.const 10000))))",
    );
    beside(&[counting], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        for expected in 0..10_000 {
            assert_eq!(told(&mut ctx).await, expected);
        }
    });
}

#[test]
fn a_receive_by_tag_takes_the_oldest_match_and_leaves_the_rest_in_order() {
    let choosy = actor(
        "",
        "(call $tagged (i64.const 5)) (call $show) (call $tagged (i64.const 0)) (call $show)
         (loop $on (call $next) (call $show) (br $on))",
    );
    beside(&[choosy], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        give(&ctx, guest, 1, b"first");
        give(&ctx, guest, 2, b"second");
        send(guest, b"untagged");
        give(&ctx, guest, 5, b"wanted");
        for expected in [&b"wanted"[..], b"untagged", b"first", b"second"] {
            assert_eq!(shown(&mut ctx).await.body, expected);
        }
    });
}

#[test]
fn a_receive_gives_up_when_its_time_is_over_and_takes_what_is_there_even_without_time() {
    let patient = actor(
        "",
        "(call $tell32 (call $receive (i32.const 1) (i64.const 9) (i64.const 1000000) (i32.const 0) (i32.const 256) (i32.const 8)))
         (call $tell32 (call $receive (i32.const 0) (i64.const 0) (i64.const 1000000) (i32.const 0) (i32.const 256) (i32.const 8)))
         (call $next)
         (call $tell32 (call $receive (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 256) (i32.const 8)))
         (call $tell32 (call $try_receive (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 256) (i32.const 8)))
         (call $tell32 (call $try_receive (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 256) (i32.const 8)))
         (call $tell32 (call $receive (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 256) (i32.const 8)))",
    );
    beside(&[patient], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 1, "nothing with that tag");
        assert_eq!(told(&mut ctx).await, 1, "nothing at all");
        // In one turn, so that all three are there when the guest runs.
        for tag in 1..4 {
            give(&ctx, guest, tag, b"");
        }
        for expected in [0, 0, 1, 1] {
            assert_eq!(told(&mut ctx).await, expected);
        }
    });
}

#[test]
fn a_body_that_does_not_fit_is_read_piece_by_piece_until_the_next_receive() {
    let reading = actor(
        "",
        r#"(drop (call $receive (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 0) (i32.const 256) (i32.const 4)))
           (call $tell32 (call $len))
           (call $tell32 (call $body_read (i32.const 4) (i32.const 260) (i32.const 10)))
           (call $tell32 (call $body_read (i32.const 14) (i32.const 270) (i32.const 1000)))
           (call $tell32 (call $body_read (i32.const -1) (i32.const 0) (i32.const 1000)))
           (drop (call $send (global.get $parent) (i64.const 0) (i32.const 256) (i32.const 40)))
           (call $next)
           (call $tell32 (call $body_read (i32.const 0) (i32.const 0) (i32.const 1000)))"#,
    );
    beside(&[reading], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        let content: Vec<u8> = (0..40).collect();
        give(&ctx, guest, 0, &content);
        for expected in [40, 10, 26, 0] {
            assert_eq!(told(&mut ctx).await, expected);
        }
        assert_eq!(next(&mut ctx).await.bytes(), content);
        give(&ctx, guest, 0, b"");
        assert_eq!(told(&mut ctx).await, 0);
    });
}

#[test]
fn a_call_of_a_native_process_is_a_request_that_is_answered_once() {
    let server = bare(
        "",
        "(call $next)
         (drop (call $reply (i64.const 12345) (i64.const 0) (i32.const 0) (i32.const 0)))
         (i32.store (i32.const 600) (call $kind))
         (i32.store (i32.const 604) (call $reply (i64.const 12345) (i64.const 0) (i32.const 0) (i32.const 0)))
         (i32.store (i32.const 608) (call $reply (call $reference) (i64.const 7) (i32.const 600) (i32.const 8)))
         (global.set $parent (call $sender))
         (call $tell32 (call $reply (call $reference) (i64.const 7) (i32.const 600) (i32.const 8)))",
    );
    beside(&[server], |mut ctx, guests| async move {
        let (catalog, name) = (guests[0].catalog.clone(), guests[0].name.clone());
        let server = ctx.spawn(move |ctx| catalog.ready(&name).unwrap().run(ctx));
        let answer = ctx.call(server, b"?").await.unwrap();
        assert_eq!(answer.bytes()[..4], 6_u32.to_le_bytes(), "it is a request");
        assert_eq!(answer.bytes()[4..], (-5_i32).to_le_bytes(), "not its own");
        assert_eq!(answer.envelope().unwrap().tag, 7);
        assert_eq!(told(&mut ctx).await, -5, "answered already");
    });
}

#[test]
fn what_comes_by_an_alias_says_so_and_nothing_else_can_pretend_to() {
    let asking = actor(
        "",
        "(drop (call $alias (i32.const 0) (i32.const 1024)))
         (drop (call $send (global.get $parent) (i64.const 0) (i32.const 1024) (i32.const 24)))
         (call $by (i64.load (i32.const 1032))) (call $show)
         (call $tell32 (call $unalias (i64.load (i32.const 1032))))
         (call $tell32 (call $unalias (i64.load (i32.const 1032))))
         (loop $on (call $next) (call $show) (br $on))",
    );
    // Sends by the alias that it is given, and by one with another seal.
    let answering = actor(
        "",
        r#"(call $tagged (i64.const 1))
           (call $tell32 (call $send_alias (i32.const 256) (i64.const 3) (i32.const 0) (i32.const 0)))
           (i64.store (i32.const 272) (i64.add (i64.load (i32.const 272)) (i64.const 1)))
           (call $tell32 (call $send_alias (i32.const 256) (i64.const 4) (i32.const 0) (i32.const 0)))"#,
    );
    beside(&[asking, answering], |mut ctx, guests| async move {
        let (asking, _) = start(&mut ctx, &guests[0]);
        let alias = next(&mut ctx).await.bytes().to_vec();
        give(&ctx, asking, 3, b"a forged answer");
        let (answering, _) = start(&mut ctx, &guests[1]);
        give(&ctx, answering, 1, &alias);
        assert_eq!(told_by(&mut ctx, answering).await, 0);
        assert_eq!(
            told_by(&mut ctx, answering).await,
            -5,
            "a seal is not made up"
        );
        let answer = shown(&mut ctx).await;
        assert_eq!((answer.pid, answer.tag), (answering.to_bits(), 3));
        assert_eq!(answer.reference.to_le_bytes(), alias[8..16]);
        assert_eq!(told(&mut ctx).await, 1, "it was on");
        assert_eq!(told(&mut ctx).await, 0, "it is off");
        let forged = shown(&mut ctx).await;
        assert_eq!((forged.reference, forged.pid), (0, ctx.pid().to_bits()));
    });
}

#[test]
fn an_alias_that_takes_one_message_takes_one() {
    let asking = actor(
        "",
        "(drop (call $alias (i32.const 1) (i32.const 1024)))
         (drop (call $send (global.get $parent) (i64.const 0) (i32.const 1024) (i32.const 24)))
         (call $by (i64.load (i32.const 1032))) (call $show)
         (call $tell32 (call $unalias (i64.load (i32.const 1032))))
         (loop $on (call $next) (call $show) (br $on))",
    );
    beside(&[asking], |mut ctx, guests| async move {
        let (asking, _) = start(&mut ctx, &guests[0]);
        let bytes = next(&mut ctx).await.bytes().to_vec();
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        assert_eq!(word(0), asking.to_bits());
        let alias = Alias::from_parts(asking, Reference::from_bits(word(8)));
        for tag in 1..3 {
            alias.send_tagged(ctx.pid(), tag, b"answer");
        }
        let seen = shown(&mut ctx).await;
        assert_eq!((seen.tag, seen.reference), (1, word(8)));
        assert_eq!(told(&mut ctx).await, 0, "it is off already");
        give(&ctx, asking, 9, b"");
        assert_eq!(shown(&mut ctx).await.tag, 9);
    });
}

#[test]
fn a_message_that_is_too_long_is_refused_with_a_sentence() {
    let long = actor(
        "",
        "(drop (memory.grow (i32.const 20)))
         (call $tell32 (call $send (global.get $parent) (i64.const 0) (i32.const 0) (i32.const 1048577)))
         (drop (call $send (global.get $parent) (i64.const 0) (i32.const 256) (call $refusal (i32.const 256) (i32.const 200))))
         (drop (call $send (global.get $parent) (i64.const 0) (i32.const 0) (i32.const 1048576)))",
    );
    beside(&[long], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, -4);
        let sentence = next(&mut ctx).await;
        assert_eq!(
            str::from_utf8(sentence.bytes()).unwrap(),
            "a message of 1048577 bytes; 1048576 is the most. Send less."
        );
        assert_eq!(next(&mut ctx).await.bytes().len(), 1 << 20);
    });
}

#[test]
fn a_killed_guest_dies_while_it_waits_and_while_it_spins_over_its_mailbox() {
    let waits = actor("", "(call $tell32 (i32.const 1)) (call $next)");
    let spins = actor(
        "",
        "(call $tell32 (i32.const 1))
         (loop $on (drop (call $try_receive (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0))) (br $on))",
    );
    beside(&[waits, spins], |mut ctx, guests| async move {
        for guest in &guests {
            let (pid, monitor) = start(&mut ctx, guest);
            assert_eq!(told(&mut ctx).await, 1);
            kill(pid);
            assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Killed);
        }
    });
}
