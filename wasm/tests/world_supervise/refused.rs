//! What is refused: components that were not granted, too many of them, handles of nobody.

use rusm_actor::ExitReason;
use rusm_wasm::grant::{Pattern, Profile};

use super::support::actor::{beside_components, ended, start, told};
use super::support::runtime::actor;
use super::support::services::{told_bytes, words};
use super::{CHILD, Child, PLAN, Plan, THREE, begin, boss, described, idle, trusted};

#[test]
fn only_components_that_were_granted_are_started_and_unknown_ones_are_told() {
    let may = |spawn: &[&str]| {
        let pattern = |name: &&str| Pattern::new(name).unwrap();
        let mut profile = Profile {
            spawn: spawn.iter().map(pattern).collect(),
            ..Profile::sandboxed()
        };
        profile.limits.processes_max = 5;
        profile
    };
    let of = |child: Child| boss(PLAN, &[child]);
    let unknown = of(Child {
        component: "nobody",
        ..CHILD
    });
    let profile = of(Child {
        profile: "nothing",
        ..CHILD
    });
    let (known, twice) = (boss(PLAN, &THREE), boss(PLAN, &[CHILD, CHILD]));
    let many = actor(&described(&[]), &begin(PLAN, 1001).replace("4096", "40000"));
    for (code, profile, result, says) in [
        (&known, may(&["1"]), 0, ""),
        (&known, may(&["2"]), -11, "spawn = ["),
        (&known, Profile::sandboxed(), -11, "processes = 2"),
        (&unknown, may(&["*"]), -2, ""),
        (&profile, may(&["*"]), -6, "no profile `nothing`"),
        (&twice, may(&["1"]), -20, "one"),
        (&many, may(&["*"]), -3, "1000 children"),
    ] {
        let guests = [(code.clone(), profile), (idle(), Profile::sandboxed())];
        beside_components(&guests, move |mut ctx, guests| async move {
            let (boss, _) = start(&mut ctx, &guests[0]);
            assert_eq!(told(&mut ctx).await, result, "{says}");
            if result < 0 {
                let why = told_bytes(&mut ctx, boss).await;
                assert!(words(&why).contains(says), "{}", words(&why));
            }
        });
    }
}

#[test]
fn children_count_for_the_processes_that_their_component_may_have() {
    let mut profile = Profile {
        spawn: vec![Pattern::new("*").unwrap()],
        ..Profile::sandboxed()
    };
    // Itself, the supervisor, two children; the third one fails and is restarted until that is too much.
    profile.limits.processes_max = 4;
    let boss = boss(Plan(0, 2, 0), &THREE);
    let guests = [(boss, profile), (idle(), Profile::sandboxed())];
    beside_components(&guests, |mut ctx, guests| async move {
        let (_, monitor) = start(&mut ctx, &guests[0]);
        // It may say that it has started one, or be gone before it can.
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Shutdown);
    });
}

#[test]
fn handles_that_a_component_does_not_hold_end_it() {
    let count = r#"(call $"supervise#[method]supervisor.count" (local.get $s) (i32.const 512))"#;
    let stop = r#"(call $"supervise#[static]supervisor.stop" (local.get $s) (i32.const 512))"#;
    let begin = begin(PLAN, 0);
    let wrong = [
        count.to_string(),
        format!("{begin} {stop} {count}"),
        format!("{begin} {stop} {stop}"),
        format!(r#"{begin} (call $"stream#drop reader" (local.get $s))"#),
    ];
    let guests = trusted(wrong.map(|code| actor("", &code)));
    beside_components(&guests, |mut ctx, guests| async move {
        for (number, guest) in guests.iter().enumerate() {
            let (_, monitor) = start(&mut ctx, guest);
            let reason = ended(&mut ctx, monitor).await.to_string();
            assert!(reason.contains("handle"), "{number}: {reason}");
        }
    });
}
