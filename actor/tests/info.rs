//! What is known of processes, and that it is true when it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusm_actor::supervisor::{Child, Strategy, Supervisor};
use rusm_actor::{
    By, Context, Pid, Priority, ProcessState, ProcessSummary, Spawn, WaitsFor, Watched, info, kill,
    send,
};

#[path = "semantics/everywhere.rs"]
mod everywhere;

use everywhere::{everywhere, on_threads};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

/// A process that waits for a message, and ends with it.
fn waiter(ctx: &Context) -> Pid {
    ctx.spawn(|mut ctx| async move { drop(ctx.receive().await) })
}

/// Lets others run, and time pass, until `pid` looks as `wanted` says.
async fn until(
    ctx: &Context,
    pid: Pid,
    wanted: impl Fn(&ProcessSummary) -> bool,
) -> ProcessSummary {
    loop {
        let summary = info(pid).expect("it lives");
        if wanted(&summary) {
            return summary;
        }
        // Not a yield: the simulation's time would stand still.
        ctx.sleep(Duration::from_micros(100)).await;
    }
}

async fn until_waiting(ctx: &Context, pid: Pid, what: WaitsFor) -> ProcessSummary {
    let state = ProcessState::Waiting(what);
    until(ctx, pid, |summary| summary.state == state).await
}

#[test]
fn p8_nothing_is_known_of_the_dead() {
    everywhere(|mut ctx| async move {
        let (pid, _) = ctx.spawn_monitor(|_| async {});
        ctx.receive().await;
        assert_eq!(info(pid), None);
        assert_eq!(ctx.process_info(pid).await, None);
        let nobody = Pid::from_bits(u64::MAX);
        assert_eq!(info(nobody), None);
        assert_eq!(ctx.process_info(nobody).await, None);
        assert!(!ctx.node().processes().contains(&pid));
    });
}

#[test]
fn p8_who_was_killed_before_the_question_does_not_answer_it() {
    everywhere(|ctx| async move {
        for _ in 0..20 {
            let pid = waiter(&ctx);
            rusm_sched::yield_now().await;
            kill(pid);
            assert_eq!(ctx.process_info(pid).await, None);
        }
    });
}

#[test]
fn a_process_tells_of_its_links_monitors_and_settings() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (left, right) = (waiter(&ctx), waiter(&ctx));
        ctx.register("the asker").expect("the name is free");
        let how = Spawn::new()
            .link()
            .monitor()
            .label("of many ties")
            .priority(Priority::High);
        let (pid, _) = ctx.spawn_with(how, move |mut ctx| async move {
            ctx.trap_exit(true);
            ctx.link(left).expect("it lives");
            ctx.monitor(right);
            ctx.monitor_name("the asker");
            ctx.alias();
            ctx.node().join("ties", ctx.pid()).expect("it lives");
            ctx.node()
                .watch_group("others", ctx.pid())
                .expect("it lives");
            ctx.register("tied").expect("the name is free");
            send(me, b"ready");
            ctx.receive_match(|message| message.bytes() == b"end").await;
        });
        ctx.receive().await;
        let known = ctx.process_info(pid).await.expect("it lives");
        let inside = known.inside.expect("it answers");
        assert_eq!(inside.label.as_deref(), Some("of many ties"));
        assert!(inside.traps_exits);
        let mut links = vec![me, left];
        links.sort_unstable();
        assert_eq!(inside.links, links);
        assert_eq!(inside.monitors.len(), 2);
        assert!(inside.monitors.contains(&Watched::Pid(right)));
        assert!(inside.monitors.contains(&Watched::Name("the asker".into())));
        assert_eq!(inside.monitored_by, [me]);
        assert_eq!((inside.aliases, inside.messages), (1, 0));
        assert!(inside.side_bytes > 0);
        let summary = known.summary;
        assert_eq!(summary.name.as_deref(), Some("tied"));
        assert_eq!(summary.groups, [Arc::from("ties")]);
        assert_eq!(summary.priority, Priority::High);
        assert_eq!(summary.parent, Some(me));
        assert!(
            summary.body.contains("a_process_tells_of_its_links"),
            "{}",
            summary.body
        );
        send(pid, b"end");
        [left, right].into_iter().for_each(kill);
        ctx.trap_exit(true);
    });
}

#[test]
fn the_answer_counts_all_that_the_asker_sent_before_and_nothing_after() {
    everywhere(|ctx| async move {
        let pid = ctx.spawn(|ctx| async move { ctx.sleep(LONG).await });
        send(pid, b"the first");
        let oldest_text = r#"9 bytes "the first""#;
        for sent in 2..=20_usize {
            send(pid, b"one more");
            let known = ctx.process_info(pid).await.expect("it lives");
            assert_eq!(known.messages(), sent);
            let inside = known.inside.expect("it answers");
            assert_eq!(inside.messages, sent);
            let oldest = inside.oldest.expect("one waits");
            assert_eq!((oldest.from, oldest.text.as_str()), (None, oldest_text));
        }
        kill(pid);
    });
}

#[test]
fn a_supervised_process_has_the_name_of_its_own_body() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let worker = Child::worker("worker", move |ctx| async move {
            send(me, ctx.pid().to_bits().to_le_bytes());
            std::future::pending::<()>().await;
        });
        let starting = Child::starting("starting", move |ctx, starter| async move {
            send(me, ctx.pid().to_bits().to_le_bytes());
            starter.started();
            std::future::pending::<()>().await;
        });
        let top = Supervisor::new(Strategy::OneForOne);
        let top = top.child(worker).child(starting).start(&mut ctx).await;
        for _ in 0..2 {
            let message = ctx.receive().await;
            let bits = message.bytes().try_into().expect("eight bytes");
            let pid = Pid::from_bits(u64::from_le_bytes(bits));
            let body = info(pid).expect("it lives").body;
            assert!(
                body.starts_with("info::a_supervised_process_has_the_name"),
                "{body}"
            );
        }
        kill(top.expect("it starts").pid());
    });
}

#[test]
fn a_summary_says_what_a_process_waits_for() {
    everywhere(|mut ctx| async move {
        let receiver = waiter(&ctx);
        until_waiting(&ctx, receiver, WaitsFor::Message).await;
        let sleeper = ctx.spawn(|ctx| async move { ctx.sleep(LONG).await });
        until_waiting(&ctx, sleeper, WaitsFor::Timer).await;
        let other = ctx.spawn(|_| std::future::pending::<()>());
        until_waiting(&ctx, other, WaitsFor::Other).await;
        let patient = ctx.spawn(|mut ctx| async move { drop(ctx.receive_within(LONG).await) });
        until_waiting(&ctx, patient, WaitsFor::Message).await;
        let awake = ctx.spawn(|mut ctx| async move {
            ctx.sleep(Duration::from_millis(1)).await;
            ctx.receive_match(|message| message.bytes() == b"end").await;
            std::future::pending::<()>().await;
        });
        until_waiting(&ctx, awake, WaitsFor::Message).await;
        send(awake, b"end");
        until_waiting(&ctx, awake, WaitsFor::Other).await;
        assert_eq!(
            info(ctx.pid()).map(|it| it.state),
            Some(ProcessState::Running)
        );
        [receiver, sleeper, other, patient, awake]
            .into_iter()
            .for_each(kill);
        ctx.receive_within(Duration::ZERO).await;
    });
}

#[test]
fn who_was_not_given_a_turn_yet_is_runnable() {
    everywhere(|ctx| async move {
        if ctx.node().handle().workers() > 1 {
            return;
        }
        let pid = waiter(&ctx);
        assert_eq!(info(pid).map(|it| it.state), Some(ProcessState::Runnable));
        until_waiting(&ctx, pid, WaitsFor::Message).await;
        send(pid, b"end");
    });
}

#[test]
fn a_process_may_ask_for_itself_and_two_may_ask_for_each_other() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let known = ctx.process_info(me).await.expect("it lives");
        assert_eq!(known.summary.state, ProcessState::Running);
        assert!(known.inside.is_some());
        let other = ctx.spawn(move |mut ctx| async move {
            let known = ctx.process_info(me).await.expect("it lives");
            assert!(known.inside.is_some());
            send(me, b"asked");
            ctx.receive().await;
        });
        let known = ctx.process_info(other).await.expect("it lives");
        assert!(known.inside.is_some());
        ctx.receive().await;
        send(other, b"end");
    });
}

#[test]
fn asking_disturbs_no_receive() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let echo = ctx.spawn(move |mut ctx| async move {
            loop {
                let message = ctx.receive().await;
                send(me, message);
            }
        });
        for number in 0..20_u8 {
            assert!(ctx.process_info(echo).await.is_some());
            send(echo, [number]);
            assert!(ctx.process_info(echo).await.is_some());
            assert_eq!(ctx.receive().await.bytes(), [number]);
        }
        kill(echo);
    });
}

#[test]
fn who_does_not_give_its_turn_back_is_described_from_outside() {
    for workers in [1, 2] {
        on_threads(workers, |ctx| async move {
            let stop = Arc::new(AtomicBool::new(false));
            let until = stop.clone();
            let hog = ctx.spawn(move |_| async move {
                while !until.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
            self::until(&ctx, hog, |it| it.state == ProcessState::Running).await;
            let patience = Duration::from_millis(20);
            let known = ctx
                .process_info_within(patience, hog)
                .await
                .expect("it lives");
            assert_eq!(known.inside, None);
            assert_eq!(known.summary.state, ProcessState::Running);
            stop.store(true, Ordering::Relaxed);
        });
    }
}

#[test]
fn letters_are_counted_wherever_they_wait() {
    everywhere(|ctx| async move {
        // In the inbox.
        let deaf = ctx.spawn(|ctx| async move { ctx.sleep(LONG).await });
        (0..100).for_each(|_| send(deaf, b"letter"));
        assert_eq!(info(deaf).map(|it| it.messages), Some(100));
        // Taken out of it, and not read.
        let lazy = ctx.spawn(|mut ctx| async move {
            ctx.sleep(Duration::from_millis(1)).await;
            ctx.receive().await;
            ctx.sleep(LONG).await;
        });
        (0..100).for_each(|_| send(lazy, b"letter"));
        let timer = ProcessState::Waiting(WaitsFor::Timer);
        until(&ctx, lazy, |it| it.messages == 99 && it.state == timer).await;
        // Passed over.
        let picky = ctx.spawn(|mut ctx| async move {
            ctx.receive_match(|message| message.bytes() == b"end").await;
            while ctx.receive().await.bytes() == b"letter" {}
        });
        (0..1000).for_each(|_| send(picky, b"letter"));
        until(&ctx, picky, |it| it.messages > 750 && it.messages <= 1000).await;
        until_waiting(&ctx, picky, WaitsFor::Message).await;
        let about = info(picky).expect("it lives").messages;
        assert!((750..=1000).contains(&about), "{about}");
        let known = ctx.process_info(picky).await.expect("it lives");
        assert_eq!(known.messages(), 1000);
        send(picky, b"end");
        until(&ctx, picky, |it| it.messages == 0).await;
        [deaf, lazy, picky].into_iter().for_each(kill);
    });
}

#[test]
fn a_body_too_large_for_a_slot_counts_as_memory_and_keeps_its_name() {
    everywhere(|ctx| async move {
        let small = waiter(&ctx);
        let large = ctx.spawn(|mut ctx| async move {
            let block = [1_u8; 100_000];
            ctx.receive().await;
            assert_eq!(block.len(), 100_000);
        });
        let (small, large) = (
            info(small).expect("it lives"),
            info(large).expect("it lives"),
        );
        assert!(
            (128..1000).contains(&small.memory_bytes),
            "{}",
            small.memory_bytes
        );
        assert!(
            (100_000..110_000).contains(&large.memory_bytes),
            "{}",
            large.memory_bytes
        );
        assert!(
            large.body.starts_with("info::a_body_too_large"),
            "{}",
            large.body
        );
        send(small.pid, b"end");
        send(large.pid, b"end");
    });
}

#[test]
fn the_top_is_what_was_asked_for_and_no_more() {
    everywhere(|ctx| async move {
        let node = ctx.node();
        let letters = |count: usize| {
            let pid = ctx.spawn(|ctx| async move { ctx.sleep(LONG).await });
            (0..count).for_each(|_| send(pid, b"letter"));
            pid
        };
        let all: Vec<Pid> = (0..20).map(|count| letters(count * 3)).collect();
        let top: Vec<Pid> = node.top(3, By::Mailbox).iter().map(|it| it.pid).collect();
        assert_eq!(top, [all[19], all[18], all[17]]);
        assert!(node.top(0, By::Mailbox).is_empty());
        assert_eq!(node.top(1000, By::Memory).len(), node.processes().len());
        let busy = ctx.spawn(|ctx| async move {
            for _ in 0..100 {
                ctx.reductions(1000).await;
            }
            ctx.sleep(LONG).await;
        });
        until_waiting(&ctx, busy, WaitsFor::Timer).await;
        let top = node.top(1, By::Reductions);
        assert_eq!(top.first().map(|it| it.pid), Some(busy));
        assert!(top[0].reductions >= 100_000);
        all.into_iter().chain([busy]).for_each(kill);
    });
}

#[test]
fn a_task_without_an_inbox_is_no_process() {
    everywhere(|ctx| async move {
        let node = ctx.node();
        let before = node.processes().len();
        node.handle()
            .spawn(async { rusm_sched::sleep(Duration::from_millis(1)).await });
        assert_eq!(node.processes().len(), before);
        assert_eq!(node.top(100, By::Memory).len(), before);
    });
}
