//! How supervisors end, and what is left of them.

use rusm_actor::{ExitReason, Pid, kill};

use super::support::actor::{beside_components, ended, give, start, told};
use super::support::runtime::actor;
use super::{CHILD, Child, PLAN, Plan, THREE, begin, boss, described, idle, settled, trusted};

#[test]
fn a_supervisor_ends_with_its_component_and_takes_its_children_along() {
    let guests = trusted([boss(PLAN, &THREE), idle()]);
    beside_components(&guests, |mut ctx, guests| async move {
        let (boss, _) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        told(&mut ctx).await;
        let children = settled(&mut ctx, boss, |_| true).await;
        let watched = children
            .iter()
            .map(|child| ctx.monitor(Pid::from_bits(*child)));
        let monitors: Vec<_> = watched.collect();
        kill(boss);
        for monitor in monitors {
            assert_ne!(ended(&mut ctx, monitor).await, ExitReason::Normal);
        }
    });
}

/// A child's process that fails at once: nobody tells it its parent, so it cannot wait for that.
fn fails() -> Vec<u8> {
    wat::parse_str(r#"(module (memory (export "memory") 1) (func (export "run") (unreachable)))"#)
        .unwrap()
}

#[test]
fn children_that_fail_too_often_end_the_supervisor_and_the_component_that_is_linked_to_it() {
    let guests = trusted([boss(Plan(0, 2, 0), &[CHILD]), fails()]);
    beside_components(&guests, |mut ctx, guests| async move {
        let (_, monitor) = start(&mut ctx, &guests[0]);
        // It may say that it has started one, or be gone before it can.
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Shutdown);
    });
}

/// Starts a supervisor over one child and tells of its end: the event, whether it is the
/// supervisor's, and the reason. `before` is done when it has been started.
fn hears(plan: Plan, child: Child, before: &str) -> Vec<u8> {
    let begin = begin(plan, 1);
    let code = format!(
        r#"(drop (call $"process#trap-exit" (i32.const 1))) {begin} {before}
        (call $next) (call $tell32 (call $event))
        (call $tell (i64.sub (i64.load (i32.const 24)) (call $"supervise#[method]supervisor.pid" (local.get $s))))
        (call $tell32 (i32.load8_u (i32.const 32)))
        ;; It cannot be asked any more, and to stop it is what it has done already.
        (call $"supervise#[method]supervisor.count" (local.get $s) (i32.const 512)) (call $tell_result (i32.const 512))
        (call $"supervise#[static]supervisor.stop" (local.get $s) (i32.const 512)) (call $tell_result (i32.const 512))"#
    );
    actor(&described(&[child]), &code)
}

#[test]
fn a_component_that_traps_exits_is_told_of_the_supervisors_end_and_why() {
    let significant = Child {
        significant: true,
        restart: 2,
        ..CHILD
    };
    let guests = trusted([
        hears(Plan(0, 2, 0), CHILD, ""),
        fails(),
        hears(Plan(0, 2, 1), significant, ""),
        hears(Plan(0, 2, 2), significant, ""),
    ]);
    beside_components(&guests, |mut ctx, guests| async move {
        for number in [0, 2, 3] {
            let (_, monitor) = start(&mut ctx, &guests[number]);
            assert_eq!(told(&mut ctx).await, 0);
            told(&mut ctx).await;
            // An exit, of that one, `shutdown`.
            for expected in [1, 0, 1, -20, 0] {
                assert_eq!(told(&mut ctx).await, expected, "{number}");
            }
            assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Normal);
        }
    });
}

#[test]
fn a_supervisor_whose_handle_is_dropped_runs_on() {
    let guests = trusted([boss(PLAN, &[CHILD]), idle()]);
    beside_components(&guests, |mut ctx, guests| async move {
        let (boss, monitor) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 0);
        let supervisor = Pid::from_bits(told(&mut ctx).await.cast_unsigned());
        let child = Pid::from_bits(settled(&mut ctx, boss, |_| true).await[0]);
        give(&ctx, boss, 10, b"");
        assert_eq!(told(&mut ctx).await, 0, "dropped");
        assert!(rusm_actor::is_alive(supervisor) && rusm_actor::is_alive(child));
        // The handle itself is gone.
        give(&ctx, boss, 4, b"");
        let reason = ended(&mut ctx, monitor).await.to_string();
        assert!(reason.contains("handle"), "{reason}");
    });
}

/// 1,024 of them may be held at a time: more than that one after the other only if none is left.
#[test]
fn a_supervisor_that_has_ended_leaves_nothing_behind_once_its_handle_is_dropped() {
    let code = r#"
      (drop (call $"process#trap-exit" (i32.const 1)))
      (loop $on
        (call $"supervise#start" (i32.const 0) (i32.const 1) (i64.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 512))
        (if (i32.load8_u (i32.const 512)) (then (call $tell_result (i32.const 512)) (return (i32.const 2000))))
        (local.set $s (i32.load (i32.const 520)))
        (call $"process#kill" (call $"supervise#[method]supervisor.pid" (local.get $s)) (i32.const 560))
        (call $next)
        (call $"supervise#drop supervisor" (local.get $s))
        (br_if $on (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1100))))
      (call $tell32 (local.get $i))"#;
    let guests = trusted([actor("", code)]);
    beside_components(&guests, |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 1100);
    });
}
