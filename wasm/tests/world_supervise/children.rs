//! Children are started as they are described, and managed.

use std::time::Duration;

use rusm_actor::{Pid, kill};
use rusm_wasm::grant::Profiles;

use super::support::actor::{beside_components, give, start, told};
use super::support::runtime::actor;
use super::support::services::{told_bytes, words};
use super::{CHILD, Child, PLAN, Plan, THREE, boss, idle, settled, trusted, which};

#[test]
fn children_are_started_in_order_and_restarted_as_the_strategy_says() {
    for (strategy, restarted) in [
        (0, [false, true, false]),
        (1, [true, true, true]),
        (2, [false, true, true]),
    ] {
        let guests = trusted([boss(Plan(strategy, 3, 0), &THREE), idle()]);
        beside_components(&guests, move |mut ctx, guests| async move {
            let (boss, _) = start(&mut ctx, &guests[0]);
            assert_eq!(told(&mut ctx).await, 0);
            told(&mut ctx).await;
            let children = which(&mut ctx, boss).await;
            let ids: Vec<_> = children.iter().map(|(id, _, _)| id.as_str()).collect();
            assert_eq!(ids, ["zero", "one", "two"]);
            let before = settled(&mut ctx, boss, |_| true).await;
            kill(Pid::from_bits(before[1]));
            let after = settled(&mut ctx, boss, |pids| pids[1] != before[1]).await;
            let changed: Vec<_> = before.iter().zip(&after).map(|(b, a)| b != a).collect();
            assert_eq!(changed, restarted);
        });
    }
}

#[test]
fn children_are_terminated_restarted_deleted_added_and_stopped() {
    let guests = trusted([boss(PLAN, &THREE), idle()]);
    beside_components(&guests, |mut ctx, guests| async move {
        let (boss, _) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        let supervisor = Pid::from_bits(told(&mut ctx).await.cast_unsigned());
        assert!(rusm_actor::is_alive(supervisor));
        // It runs, so it is neither restarted nor deleted.
        for (tag, result) in [(5, -20), (6, -20), (4, 0)] {
            give(&ctx, boss, tag, b"");
            assert_eq!(told(&mut ctx).await, result, "{tag}");
        }
        let (id, state, pid) = which(&mut ctx, boss).await.swap_remove(1);
        assert_eq!((&*id, state, pid), ("one", 0, 0));
        give(&ctx, boss, 5, b"");
        assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (0, 1));
        let new = told(&mut ctx).await.cast_unsigned();
        let (_, state, pid) = which(&mut ctx, boss).await.swap_remove(1);
        assert_eq!((state, pid), (2, new));
        for (tag, result) in [(4, 0), (6, 0), (6, -21), (4, -21), (9, -21)] {
            give(&ctx, boss, tag, b"");
            assert_eq!(told(&mut ctx).await, result, "{tag}");
        }
        give(&ctx, boss, 7, b"");
        assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (0, 1));
        give(&ctx, boss, 7, b"");
        assert_eq!(told(&mut ctx).await, -20, "there is one of that id");
        give(&ctx, boss, 3, b"");
        assert_eq!(told(&mut ctx).await, 0);
        let counts = told_bytes(&mut ctx, boss).await;
        let expected = [3, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0];
        assert_eq!(counts.bytes(), expected);
        let children = settled(&mut ctx, boss, |_| true).await;
        give(&ctx, boss, 8, b"");
        assert_eq!(told(&mut ctx).await, 0);
        for child in children {
            assert!(!rusm_actor::is_alive(Pid::from_bits(child)));
        }
        assert!(!rusm_actor::is_alive(supervisor));
    });
}

#[test]
fn a_child_gets_its_arguments_and_no_more_than_its_profile() {
    // Gives its first argument and tells whether it may have a name.
    let child = actor(
        r#"(data (i32.const 3000) "x")"#,
        r#"(call $give (i32.load (global.get $arguments)) (i32.load offset=4 (global.get $arguments)))
           (call $"registry#register" (i32.const 3000) (i32.const 1) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $next)"#,
    );
    let own = CHILD;
    let given = Child {
        id: "two",
        argument: "given",
        profile: "sandboxed",
        ..CHILD
    };
    let guests = trusted([boss(PLAN, &[own, given]), child]);
    beside_components(&guests, |mut ctx, guests| async move {
        let profiles = Profiles::new(&Default::default()).unwrap();
        guests[0].catalog.set_profiles(profiles);
        let (boss, _) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        told(&mut ctx).await;
        let children = settled(&mut ctx, boss, |_| true).await;
        for (child, argument, named) in [
            (children[0], "own argument", 0),
            (children[1], "given", -11),
        ] {
            let child = Pid::from_bits(child);
            give(&ctx, child, 0, b"");
            assert_eq!(words(&told_bytes(&mut ctx, child).await), argument);
            assert_eq!(told(&mut ctx).await, named);
        }
    });
}

/// A child that traps exits and listens to nobody is killed, at once or when its time is over.
#[test]
fn a_child_that_does_not_stop_is_killed_when_its_time_is_over() {
    let stubborn = actor(
        "",
        r#"(drop (call $"process#trap-exit" (i32.const 1))) (call $tell (i64.const 5)) (loop (call $next) (br 0))"#,
    );
    let of = |shutdown| {
        let child = Child { shutdown, ..CHILD };
        boss(PLAN, &[child])
    };
    let millisecond = 1_000_000;
    let guests = trusted([of((1, 300 * millisecond)), stubborn, of((3, 0)), of((1, 0))]);
    beside_components(&guests, |mut ctx, guests| async move {
        for (number, at_least) in [(0, 300), (2, 0), (3, 0)] {
            let (boss, _) = start(&mut ctx, &guests[number]);
            assert_eq!(told(&mut ctx).await, 0);
            told(&mut ctx).await;
            let child = Pid::from_bits(settled(&mut ctx, boss, |_| true).await[0]);
            give(&ctx, child, 0, b"");
            assert_eq!(told(&mut ctx).await, 5, "it traps");
            let before = rusm_sched::now();
            give(&ctx, boss, 4, b"");
            assert_eq!(told(&mut ctx).await, 0);
            let took = rusm_sched::now() - before;
            assert!(!rusm_actor::is_alive(child));
            assert!(
                took >= Duration::from_millis(at_least),
                "{number}: {took:?}"
            );
        }
    });
}
