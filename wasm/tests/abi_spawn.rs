//! Guests that start guests, by the names of their components.

mod support;

use rusm_actor::{ExitReason, Pid, Priority, info, kill};
use rusm_wasm::grant::{Pattern, Profile};
use support::actor::{actor, bare, beside, beside_granted, ended, give, next, start, told};

const NAMES: &str = r#"(data (i32.const 700) "1") (data (i32.const 701) "none") (data (i32.const 720) "\03\00\00\00abc\00\00\00\00")"#;

#[test]
fn a_guest_starts_a_component_with_arguments_and_hears_of_its_end() {
    let starter = actor(
        NAMES,
        "(call $tell32 (call $spawn_monitor (i32.const 700) (i32.const 1) (i32.const 720) (i32.const 11) (i32.const 512)))
         (call $tell (i64.load (i32.const 512)))
         (drop (call $send (i64.load (i32.const 512)) (i64.const 0) (i32.const 0) (i32.const 0)))
         (call $tagged (i64.const 77)) (call $tell32 (call $len))
         (call $by (i64.load (i32.const 520))) (call $tell32 (call $kind)) (call $tell32 (call $code)) (call $tell32 (call $detail))",
    );
    let started = bare(
        "",
        "(call $next)
         (drop (call $send (call $sender) (i64.const 77) (i32.const 1024) (call $args (i32.const 1024) (i32.const 512))))
         (drop (call $exit (i32.const 10) (i32.const 3) (i32.const 0) (i32.const 0)))",
    );
    beside(&[starter, started], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        assert_ne!(told(&mut ctx).await, 0, "a pid");
        for expected in [11, 3, 10, 3] {
            assert_eq!(told(&mut ctx).await, expected);
        }
    });
}

#[test]
fn a_component_that_is_given_no_arguments_has_its_own() {
    let starter = actor(
        NAMES,
        "(call $tell32 (call $spawn (i32.const 700) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 512)))
         (call $tell (i64.load (i32.const 520)))
         (drop (call $send (i64.load (i32.const 512)) (i64.const 0) (i32.const 0) (i32.const 0)))
         (call $next) (drop (call $send (global.get $parent) (i64.const 0) (i32.const 256) (call $len)))",
    );
    let started = bare(
        "",
        "(call $next) (drop (call $send (call $sender) (i64.const 77) (i32.const 1024) (call $args (i32.const 1024) (i32.const 512))))",
    );
    beside(&[starter, started], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        assert_eq!(told(&mut ctx).await, 0, "no monitor was asked for");
        assert_eq!(next(&mut ctx).await.bytes(), b"\x0c\0\0\0own argument");
    });
}

#[test]
fn a_linked_component_takes_who_started_it_along() {
    let starter = actor(
        NAMES,
        "(call $tell32 (call $spawn_link (i32.const 700) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 512)))
         (call $tell (i64.load (i32.const 512))) (call $next)",
    );
    let traps = bare("", "(call $next) unreachable");
    beside(&[starter, traps], |mut ctx, guests| async move {
        let (_, monitor) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        let child = Pid::from_bits(told(&mut ctx).await as u64);
        give(&ctx, child, 0, b"");
        let reason = ended(&mut ctx, monitor).await;
        assert!(matches!(reason, ExitReason::Trap(_)), "{reason:?}");
    });
}

#[test]
fn options_set_priority_memory_and_mailbox_and_can_only_take_away() {
    // Linked and watched, low, 128 KiB, 3 messages.
    let options = r#"(data (i32.const 800) "\03\00\00\00\03\00\00\00\00\00\02\00\00\00\00\00\00\00\00\00\00\00\00\00\03\00\00\00")"#;
    let starter = actor(
        &format!("{NAMES} {options}"),
        "(call $tell32 (call $spawn (i32.const 700) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 800) (i32.const 28) (i32.const 512)))
         (call $tell (i64.load (i32.const 512))) (call $next)",
    );
    let grows = bare(
        "",
        "(call $next) (global.set $parent (call $sender))
         (call $tell32 (memory.grow (i32.const 1))) (call $tell32 (memory.grow (i32.const 1)))
         (call $tell32 (call $priority))
         (loop $on (call $sleep (i64.const -1)) (br $on))",
    );
    beside(&[starter, grows], |mut ctx, guests| async move {
        let (starter, _) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        let child = Pid::from_bits(told(&mut ctx).await as u64);
        give(&ctx, child, 0, b"");
        for expected in [1, -1, 2] {
            assert_eq!(told(&mut ctx).await, expected);
        }
        let seen = ctx.process_info(child).await.unwrap();
        assert_eq!(seen.summary.priority, Priority::Low);
        let inside = seen.inside.unwrap();
        assert_eq!(
            (inside.links, inside.monitored_by),
            (vec![starter], vec![starter])
        );
        for _ in 0..10 {
            give(&ctx, child, 0, b"");
        }
        let mailbox = ctx.node().mailbox(child).unwrap();
        assert_eq!((mailbox.messages, mailbox.shed), (3, 7));
        kill(child);
    });
}

#[test]
fn what_is_wrong_with_a_start_is_a_code_and_starts_nothing() {
    let starter = actor(
        &format!(r#"{NAMES} (data (i32.const 800) "\00\00\00\00\09\00\00\00") (data (i32.const 840) "\00\00\00\00\00\00\00\00\01")
          (data (i32.const 900) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\bd\02\00\00\04\00\00\00")"#),
        "(call $tell32 (call $spawn (i32.const 701) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 512)))
         (call $tell32 (call $spawn_link (i32.const 700) (i32.const 1) (i32.const 720) (i32.const 9) (i32.const 512)))
         (call $tell32 (call $spawn (i32.const 700) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 800) (i32.const 8) (i32.const 512)))
         (call $tell32 (call $spawn (i32.const 700) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 800) (i32.const 41) (i32.const 512)))
         (call $tell32 (call $spawn (i32.const 700) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 840) (i32.const 9) (i32.const 512)))
         (call $tell32 (call $spawn (i32.const 700) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 900) (i32.const 40) (i32.const 512)))
         (call $tell (i64.load (i32.const 512)))",
    );
    beside(&[starter, bare("", "")], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        for expected in [-2, -7, -7, -4, -13, -7, 0] {
            assert_eq!(told(&mut ctx).await, expected);
        }
    });
}

#[test]
fn a_start_without_the_grant_is_refused_with_the_line_that_would_give_it() {
    let starter = actor(
        NAMES,
        "(call $tell32 (call $spawn_link (i32.const 700) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 512)))
         (drop (call $send (global.get $parent) (i64.const 0) (i32.const 1024) (call $refusal (i32.const 1024) (i32.const 1024))))",
    );
    let other = Profile {
        spawn: vec![Pattern::new("2").unwrap()],
        ..Profile::sandboxed()
    };
    let guests = [(&*starter, other), (&*bare("", ""), Profile::trusted())];
    beside_granted(&guests, |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, -12);
        let sentence = next(&mut ctx).await;
        let sentence = str::from_utf8(sentence.bytes()).unwrap();
        assert!(sentence.contains(r#"spawn = ["2", "1"]"#), "{sentence}");
    });
}

#[test]
fn a_family_has_as_many_processes_as_its_first_one_was_granted() {
    // Starts itself again until it is refused, and tells the number of the refusal.
    let bomb = actor(
        r#"(data (i32.const 700) "0")"#,
        "(loop $on (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $on (i32.eqz (call $spawn (i32.const 700) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 512)))))
         (call $tell32 (local.get $i))
         (drop (call $send (i64.load (i32.const 512)) (i64.const 0) (i32.const 0) (i32.const 0)))
         (call $next)",
    );
    let ten = Profile {
        limits: rusm_wasm::grant::Limits {
            processes_max: 10,
            ..Profile::trusted().limits
        },
        ..Profile::trusted()
    };
    beside_granted(&[(&bomb, ten)], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 10);
        let parent = |pid: &Pid| info(*pid).is_some_and(|it| it.parent == Some(guest));
        let children = ctx.node().processes().into_iter().filter(parent).count();
        assert_eq!(children, 9);
    });
}
