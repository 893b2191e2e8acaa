//! What is told of crashes: each one once, not too many at a time, and none uncounted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use rusm_actor::{
    CRASH_REPORTS_PER_SECOND_MAX, Config, Context, CrashReport, ExitReason, LINKS_SHOWN_MAX,
    Message, Node, Pid, Report, Spawn, exit, kill, send, set_crash_sink,
};

#[path = "semantics/everywhere.rs"]
mod everywhere;

use everywhere::everywhere;

const WAIT_MAX: Duration = Duration::from_secs(20);
/// The sink panics when a process with this label crashes.
const EXPLOSIVE: &str = "explosive";
/// More than may be reported in a second, even if that ends in the middle of them.
const STORM: u64 = 3 * CRASH_REPORTS_PER_SECOND_MAX as u64;

/// Storms are one at a time: a count of dropped reports names no process.
static STORMS: Mutex<()> = Mutex::new(());
/// Whom such a count is sent to.
static STORM_WATCHER: Mutex<Option<Pid>> = Mutex::new(None);
/// Reports of processes that nobody is to be told of, and counts that were told.
static COUNTED: AtomicU64 = AtomicU64::new(0);

/// Has each report sent to the process whose pid is the label of the crashed one.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_crash_sink(sink));
}

fn sink(report: &Report) {
    match report {
        Report::Crash(crash) => match crash.label.as_deref() {
            Some(EXPLOSIVE) => panic!("the sink has a fault of its own"),
            Some("counted") => drop(COUNTED.fetch_add(1, Ordering::Relaxed)),
            Some(label) => {
                if let Ok(pid) = label.parse() {
                    send(pid, Message::native(crash.clone()));
                }
            }
            None => {}
        },
        Report::Dropped(count) => {
            COUNTED.fetch_add(*count, Ordering::Relaxed);
            let watcher = *STORM_WATCHER.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(pid) = watcher {
                send(pid, Message::native(*count));
            }
        }
        _ => {}
    }
}

/// A process whose crash is reported to the calling one.
fn reported(ctx: &Context) -> Spawn {
    Spawn::new().label(ctx.pid().to_string())
}

async fn next_report(ctx: &mut Context) -> CrashReport {
    let message = ctx.receive_match(Message::is::<CrashReport>).await;
    message.downcast().expect("it was looked at above")
}

#[test]
fn a_crash_is_reported_with_all_that_is_known_of_it() {
    listen();
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let me = ctx.pid();
        let how = reported(&ctx).link().monitor();
        let (pid, _) = ctx.spawn_with(how, |mut ctx| async move {
            ctx.register("the unlucky one").expect("the name is free");
            ctx.receive_match(|message| message.bytes() == b"now").await;
            panic!("what bad luck");
        });
        send(pid, b"unread");
        send(pid, b"now");
        let crash = next_report(&mut ctx).await;
        assert_eq!(crash.pid, pid);
        assert_eq!(crash.name.as_deref(), Some("the unlucky one"));
        assert_eq!(crash.label.as_deref(), Some(me.to_string().as_str()));
        assert!(crash.reason.to_string().contains("what bad luck"));
        assert!(
            crash.body.contains("crashes::a_crash_is_reported"),
            "{}",
            crash.body
        );
        assert_eq!(crash.ancestors, [me]);
        assert_eq!(
            (crash.linked.as_slice(), crash.links_told),
            ([me].as_slice(), 1)
        );
        assert_eq!((crash.monitors_told, crash.unread), (1, 1));
        assert!(!crash.joined);
        let line = Report::Crash(crash).to_string();
        assert!(line.contains("name=the unlucky one"), "{line}");
        assert!(line.contains("links=1 monitors=1 unread=1"), "{line}");
    });
}

#[test]
fn the_ancestors_of_the_crashed_are_named_as_far_as_they_live() {
    listen();
    everywhere(|mut ctx| async move {
        let (me, how) = (ctx.pid(), reported(&ctx));
        let parent = ctx.spawn(move |mut ctx| async move {
            let how = Spawn::new().label(me.to_string());
            ctx.spawn_with(how, |_| async { ExitReason::error("young") });
            ctx.receive().await;
        });
        assert_eq!(next_report(&mut ctx).await.ancestors, [parent, me]);
        send(parent, b"end");
        let (parent, _) = ctx.spawn_monitor(move |mut ctx| async move {
            ctx.spawn_with(how, |mut ctx| async move {
                ctx.receive().await;
                ExitReason::error("orphaned")
            });
            let child = ctx.spawn_with(Spawn::new(), |_| async {}).0;
            send(me, child.to_bits().to_le_bytes());
        });
        ctx.receive_match(|message| message.down().is_some()).await;
        // The orphan is among those that live; it was started by `parent`.
        let orphans = ctx.node().processes().into_iter();
        let is_orphan = |pid: &Pid| ctx.node().info(*pid).and_then(|it| it.parent) == Some(parent);
        orphans.filter(is_orphan).for_each(|pid| send(pid, b"end"));
        assert_eq!(next_report(&mut ctx).await.ancestors, [parent]);
    });
}

#[test]
fn every_abnormal_end_is_reported_once_and_no_orderly_one() {
    listen();
    everywhere(|mut ctx| async move {
        let bodies = [
            (ExitReason::Normal, false),
            (ExitReason::Shutdown, false),
            (ExitReason::shutdown_with("done", *b""), false),
            (ExitReason::error("torn"), true),
            (ExitReason::Status(3), true),
        ];
        for (reason, reported_too) in bodies {
            let how = reported(&ctx).monitor();
            let ends_with = reason.clone();
            let (pid, _) = ctx.spawn_with(how, move |_| async move { ends_with });
            ctx.receive_match(|message| message.down().is_some()).await;
            if reported_too {
                let crash = next_report(&mut ctx).await;
                assert_eq!((crash.pid, &crash.reason), (pid, &reason));
            }
        }
        // Whatever was reported of the others would be here before the report of the last one.
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn the_killed_and_those_who_die_with_them_are_reported_each() {
    listen();
    everywhere(|mut ctx| async move {
        let how = reported(&ctx);
        let peers = how.clone();
        let first = ctx.spawn_with(how, move |mut ctx| async move {
            for _ in 0..2 * LINKS_SHOWN_MAX {
                ctx.spawn_with(peers.clone().link(), |mut ctx| async move {
                    drop(ctx.receive().await);
                });
            }
            ctx.receive().await;
        });
        let (first, links) = (first.0, 2 * LINKS_SHOWN_MAX);
        // It answers after it has started them all.
        while ctx
            .process_info(first)
            .await
            .and_then(|it| it.inside)
            .map(|it| it.links.len())
            != Some(links)
        {
            rusm_sched::yield_now().await;
        }
        kill(first);
        for _ in 0..=links {
            let crash = next_report(&mut ctx).await;
            assert_eq!(crash.reason, ExitReason::Killed);
            if crash.pid == first {
                assert_eq!(
                    (crash.linked.len(), crash.links_told),
                    (LINKS_SHOWN_MAX, links)
                );
            } else {
                // The exit that killed it has ended its only link.
                assert_eq!(crash.links_told, 0);
            }
        }
    });
}

#[test]
fn a_storm_of_crashes_gives_few_reports_and_the_number_of_the_others() {
    listen();
    let _alone = STORMS.lock().unwrap_or_else(PoisonError::into_inner);
    everywhere(|mut ctx| async move {
        *STORM_WATCHER.lock().unwrap_or_else(PoisonError::into_inner) = Some(ctx.pid());
        for _ in 0..STORM {
            let how = reported(&ctx);
            ctx.spawn_with(how, |_| async { ExitReason::error("one of many") });
        }
        let (mut given, mut dropped) = (0, 0);
        while given + dropped < STORM {
            match ctx.receive().await.downcast::<u64>() {
                Ok(count) => dropped += count,
                Err(_) => given += 1,
            }
        }
        assert!(
            given >= u64::from(CRASH_REPORTS_PER_SECOND_MAX),
            "{given} given"
        );
        assert!(dropped > 0, "{given} given");
        // The limit is one of a second, and not for ever.
        ctx.sleep(Duration::from_secs(1)).await;
        let how = reported(&ctx);
        ctx.spawn_with(how, |_| async { ExitReason::error("alone") });
        assert_eq!(
            next_report(&mut ctx).await.reason,
            ExitReason::error("alone")
        );
        assert!(ctx.try_receive().is_none());
    });
    *STORM_WATCHER.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

#[test]
fn a_node_that_stops_still_tells_how_many_reports_it_dropped() {
    listen();
    let _alone = STORMS.lock().unwrap_or_else(PoisonError::into_inner);
    COUNTED.store(0, Ordering::Relaxed);
    let node = Node::start(Config::default()).expect("a node starts");
    let outcome = node.block_on(|mut ctx| async move {
        for _ in 0..STORM {
            let how = Spawn::new().label("counted").monitor();
            ctx.spawn_with(how, |_| async { ExitReason::error("one of many") });
        }
        for _ in 0..STORM {
            ctx.receive().await;
        }
    });
    assert_eq!(outcome, Ok(()));
    assert_eq!(node.shutdown(WAIT_MAX), Ok(()));
    assert_eq!(COUNTED.load(Ordering::Relaxed), STORM);
}

#[test]
fn a_sink_that_panics_hurts_nobody_and_hears_of_the_next_crash() {
    listen();
    everywhere(|mut ctx| async move {
        for _ in 0..3 {
            let how = Spawn::new().label(EXPLOSIVE).monitor();
            ctx.spawn_with(how, |_| async { ExitReason::error("lit") });
            let down = ctx.receive().await.down().expect("its end is told");
            assert_eq!(down.reason, ExitReason::error("lit"));
        }
        let how = reported(&ctx);
        let (pid, _) = ctx.spawn_with(how, |mut ctx| async move { drop(ctx.receive().await) });
        exit(pid, ExitReason::error("out"));
        assert_eq!(next_report(&mut ctx).await.reason, ExitReason::error("out"));
    });
}
