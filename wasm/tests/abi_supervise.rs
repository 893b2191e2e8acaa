//! Supervisors that core modules start over components, through the flat functions.

mod support;

use rusm_actor::{Context, ExitReason, Pid, kill};
use rusm_wasm::grant::{Pattern, Profile};
use support::actor::{MOMENT, beside, beside_granted, ended, give, start, told};
use support::services::{data, guest, told_bytes, words};

/// A child: id, component, how it is restarted, flags.
struct Child(&'static str, &'static str, u32, u32);

/// Ids and names are at 1000 and on, the supervisor's record at 2000, those of its children at 2100, and
/// one of another child, `late`, at 2900.
fn described(strategy: u32, restarts_max: u32, children: &[Child]) -> String {
    let (mut more, mut at) = (String::new(), 1000);
    let mut text = |text: &str| {
        let place = (at, text.len() as u32);
        more += &data(at as usize, text.as_bytes());
        at += 20;
        place
    };
    let mut record = |Child(id, component, restart, flags): &Child| {
        let (id, component) = (text(id), text(component));
        [
            [id.0, id.1, component.0, component.1],
            [0, 0, 0, 0],
            [*restart, *flags, 0, 0],
        ]
        .concat()
    };
    let records: Vec<u32> = children.iter().flat_map(&mut record).collect();
    let late = record(&Child("late", "1", 0, 0));
    let plan = [
        strategy,
        restarts_max,
        1_000_000_000,
        1,
        0,
        2100,
        children.len() as u32,
        0,
    ];
    let bytes = |words: &[u32]| {
        words
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    for (at, words) in [(2000, &plan[..]), (2100, &records), (2900, &late)] {
        more += &data(at, &bytes(words));
    }
    more + r#"(data (i32.const 1500) "one") (data (i32.const 1510) "none")"#
}

/// Starts the supervisor, tells its number, and does what messages with these tags ask for, of the
/// child `one`: 2 list, 3 count, 4 terminate, 5 restart, 6 delete, 7 start another, 8 stop, 9 something of
/// a child that does not exist.
const BOSS: &str = r#"
  (local.set $s (call $supervise_start (i32.const 2000) (i32.const 3000)))
  (call $tell (local.get $s))
  (if (i32.lt_s (local.get $s) (i32.const 0)) (then (call $why) (return)))
  (loop $on
    (call $next)
    (local.set $n (i32.load (i32.const 16)))
    (if (i32.eq (local.get $n) (i32.const 2)) (then
      (call $give (i32.const 8192) (call $supervise_which (local.get $s) (i32.const 8192) (i32.const 4096)))))
    (if (i32.eq (local.get $n) (i32.const 3)) (then
      (call $tell (call $supervise_count (local.get $s) (i32.const 3100)))
      (call $give (i32.const 3100) (i32.const 16))))
    (if (i32.eq (local.get $n) (i32.const 4)) (then
      (call $tell (call $supervise_terminate_child (local.get $s) (i32.const 1500) (i32.const 3)))))
    (if (i32.eq (local.get $n) (i32.const 5)) (then
      (call $tell (call $supervise_restart_child (local.get $s) (i32.const 1500) (i32.const 3) (i32.const 3000)))
      (call $give (i32.const 3000) (i32.const 8))))
    (if (i32.eq (local.get $n) (i32.const 6)) (then
      (call $tell (call $supervise_delete_child (local.get $s) (i32.const 1500) (i32.const 3)))))
    (if (i32.eq (local.get $n) (i32.const 7)) (then
      (call $tell (call $supervise_start_child (local.get $s) (i32.const 2900) (i32.const 3000)))
      (call $give (i32.const 3000) (i32.const 8))))
    (if (i32.eq (local.get $n) (i32.const 8)) (then
      (call $tell (call $supervise_stop (local.get $s)))))
    (if (i32.eq (local.get $n) (i32.const 9)) (then
      (call $tell (call $supervise_terminate_child (local.get $s) (i32.const 1510) (i32.const 4)))))
    (br $on))"#;

/// Waits for ever.
fn idle() -> String {
    guest("", "(loop (call $next) (br 0))")
}

fn boss(strategy: u32, restarts_max: u32, children: &[Child]) -> String {
    guest(&described(strategy, restarts_max, children), BOSS)
}

/// The children as the boss lists them: id, state, pid.
async fn which(ctx: &mut Context, boss: Pid) -> Vec<(String, u32, u64)> {
    give(ctx, boss, 2, b"");
    let list = told_bytes(ctx, boss).await;
    let mut rest = list.bytes();
    let mut children = Vec::new();
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let pid = u64::from(word(8)) | u64::from(word(12)) << 32;
        let end = 16 + word(0) as usize;
        let id = str::from_utf8(&rest[16..end]).unwrap().to_string();
        children.push((id, word(4), pid));
        rest = &rest[end..];
    }
    children
}

/// The pids of the children once all of them run and `done` says so.
async fn settled(ctx: &mut Context, boss: Pid, done: impl Fn(&[u64]) -> bool) -> Vec<u64> {
    let deadline = rusm_sched::now() + support::PATIENCE;
    loop {
        let children = which(ctx, boss).await;
        let pids: Vec<_> = children.iter().map(|(_, _, pid)| *pid).collect();
        if children.iter().all(|(_, state, _)| *state == 2) && done(&pids) {
            return pids;
        }
        assert!(rusm_sched::now() < deadline, "{children:?}");
        ctx.sleep(MOMENT).await;
    }
}

const THREE: [Child; 3] = [
    Child("zero", "1", 0, 0),
    Child("one", "1", 0, 1),
    Child("two", "1", 1, 0),
];

#[test]
fn children_are_started_in_order_and_restarted_as_the_strategy_says() {
    for (strategy, restarted) in [
        (0, [false, true, false]),
        (1, [true, true, true]),
        (2, [false, true, true]),
    ] {
        beside(
            &[boss(strategy, 3, &THREE), idle()],
            move |mut ctx, guests| async move {
                let (boss, _) = start(&mut ctx, &guests[0]);
                assert_eq!(told(&mut ctx).await, 1);
                let children = which(&mut ctx, boss).await;
                let ids: Vec<_> = children.iter().map(|(id, _, _)| id.as_str()).collect();
                assert_eq!(ids, ["zero", "one", "two"]);
                let before = settled(&mut ctx, boss, |_| true).await;
                kill(Pid::from_bits(before[1]));
                let after = settled(&mut ctx, boss, |pids| pids[1] != before[1]).await;
                let changed: Vec<_> = before.iter().zip(&after).map(|(b, a)| b != a).collect();
                assert_eq!(changed, restarted);
            },
        );
    }
}

#[test]
fn children_are_terminated_restarted_deleted_and_added() {
    beside(
        &[boss(0, 3, &THREE), idle()],
        |mut ctx, guests| async move {
            let (boss, _) = start(&mut ctx, &guests[0]);
            assert_eq!(told(&mut ctx).await, 1);
            // It runs, so it is neither restarted nor deleted.
            for (tag, result) in [(5, -29), (6, -29), (4, 0)] {
                give(&ctx, boss, tag, b"");
                assert_eq!(told(&mut ctx).await, result, "{tag}");
                if tag == 5 {
                    told_bytes(&mut ctx, boss).await;
                }
            }
            let (id, state, pid) = which(&mut ctx, boss).await.swap_remove(1);
            assert_eq!((&*id, state, pid), ("one", 0, 0));
            give(&ctx, boss, 5, b"");
            assert_eq!(told(&mut ctx).await, 0);
            let new = told_bytes(&mut ctx, boss).await;
            let (_, state, pid) = which(&mut ctx, boss).await.swap_remove(1);
            assert_eq!((state, &pid.to_le_bytes()[..]), (2, new.bytes()));
            for (tag, result) in [(4, 0), (6, 0), (6, -30), (4, -30), (9, -30)] {
                give(&ctx, boss, tag, b"");
                assert_eq!(told(&mut ctx).await, result, "{tag}");
            }
            for result in [0, -29] {
                give(&ctx, boss, 7, b"");
                assert_eq!(told(&mut ctx).await, result);
                told_bytes(&mut ctx, boss).await;
            }
            give(&ctx, boss, 3, b"");
            assert_eq!(told(&mut ctx).await, 0);
            let counts = told_bytes(&mut ctx, boss).await;
            assert_eq!(
                counts.bytes(),
                [3, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]
            );
            let children = settled(&mut ctx, boss, |_| true).await;
            give(&ctx, boss, 8, b"");
            assert_eq!(told(&mut ctx).await, 0);
            for child in children {
                assert!(!rusm_actor::is_alive(Pid::from_bits(child)));
            }
            for (tag, result) in [(8, -5), (4, -5)] {
                give(&ctx, boss, tag, b"");
                assert_eq!(told(&mut ctx).await, result);
            }
        },
    );
}

#[test]
fn a_supervisor_ends_with_its_guest_and_takes_its_children_along() {
    beside(
        &[boss(0, 3, &THREE), idle()],
        |mut ctx, guests| async move {
            let (boss, _) = start(&mut ctx, &guests[0]);
            assert_eq!(told(&mut ctx).await, 1);
            let children = settled(&mut ctx, boss, |_| true).await;
            let monitors: Vec<_> = children
                .iter()
                .map(|child| ctx.monitor(Pid::from_bits(*child)))
                .collect();
            kill(boss);
            for monitor in monitors {
                assert_ne!(ended(&mut ctx, monitor).await, ExitReason::Normal);
            }
        },
    );
}

#[test]
fn too_many_restarts_end_the_supervisor_and_the_guest_that_is_linked_to_it() {
    let fails =
        guest("", "(unreachable)").replace("(call $next)\n            (global.set", "(global.set");
    beside(
        &[boss(0, 2, &[Child("one", "1", 0, 0)]), fails],
        |mut ctx, guests| async move {
            let (_, monitor) = start(&mut ctx, &guests[0]);
            // It may say that it has started one, or be gone before it can.
            assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Shutdown);
        },
    );
}

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
    let (known, unknown) = (
        boss(0, 3, &THREE),
        boss(0, 3, &[Child("x", "nobody", 0, 0)]),
    );
    let wrong = boss(3, 3, &THREE);
    let twice = boss(0, 3, &[Child("one", "1", 0, 0), Child("one", "1", 0, 0)]);
    for (code, profile, result, says) in [
        (&known, may(&["1"]), 1, ""),
        (&known, may(&["2"]), -12, "spawn = ["),
        (&known, Profile::sandboxed(), -12, "processes = 2"),
        (&unknown, may(&["*"]), -2, "no component `nobody`"),
        (&wrong, may(&["1"]), -7, "no strategy 3"),
        (&twice, may(&["1"]), -29, "one"),
    ] {
        let idle = idle();
        let guests = [(&**code, profile), (&*idle, Profile::sandboxed())];
        beside_granted(&guests, move |mut ctx, guests| async move {
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
fn children_count_for_the_processes_that_their_guest_may_have() {
    let mut profile = Profile {
        spawn: vec![Pattern::new("*").unwrap()],
        ..Profile::sandboxed()
    };
    // Itself, the supervisor, two children; the third one fails and is restarted until that is too much.
    profile.limits.processes_max = 4;
    let (boss, idle) = (boss(0, 2, &THREE), idle());
    let guests = [(&*boss, profile), (&*idle, Profile::sandboxed())];
    beside_granted(&guests, |mut ctx, guests| async move {
        let (_, monitor) = start(&mut ctx, &guests[0]);
        // It may say that it has started one, or be gone before it can.
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Shutdown);
    });
}

#[test]
fn a_range_outside_of_the_memory_ends_the_guest() {
    let (out, ok) = ("(i32.const 4194300)", "(i32.const 0)");
    let plan = described(0, 1, &[Child("x", "1", 0, 0)]);
    let far = data(2020, &4_194_300_u32.to_le_bytes());
    let calls = [
        format!("supervise_start {out} {ok}"),
        format!("supervise_start (i32.const 2000) {out}"),
        format!("supervise_start_child {ok} {out} {ok}"),
        format!("supervise_start_child {ok} {ok} {out}"),
        format!("supervise_restart_child {ok} {out} (i32.const 5) {ok}"),
        format!("supervise_terminate_child {ok} {out} (i32.const 5)"),
        format!("supervise_delete_child {ok} {out} (i32.const 5)"),
        format!("supervise_count {ok} {out}"),
        format!("supervise_which {ok} {out} (i32.const 5)"),
    ];
    let mut guests: Vec<_> = calls
        .iter()
        .map(|call| guest(&plan, &format!("(drop (call ${call}))")))
        .collect();
    let start_far = "(drop (call $supervise_start (i32.const 2000) (i32.const 0)))";
    guests.push(guest(&format!("{plan} {far}"), start_far));
    beside(&guests, |mut ctx, guests| async move {
        for (index, guest) in guests.iter().enumerate() {
            let (_, monitor) = start(&mut ctx, guest);
            let reason = ended(&mut ctx, monitor).await.to_string();
            assert!(
                reason.contains("not within the guest's memory"),
                "{index}: {reason}"
            );
        }
    });
}
