//! Times of processes: how long they have run, and since when they wait.

use std::panic::Location;
use std::time::{Duration, Instant};

use rusm_actor::{
    By, Config, Context, Node, Pid, ProcessState, Spawn, SpawnOptions, WaitsFor, info, kill, send,
};
use rusm_sched::now;

#[path = "semantics/everywhere.rs"]
mod everywhere;

use everywhere::{on_threads, simulate};

const SECOND: Duration = Duration::from_secs(1);

/// A process that keeps its turn for so long after each message.
fn spinner(ctx: &Context, time: Duration) -> Pid {
    ctx.spawn(move |mut ctx| async move {
        loop {
            ctx.receive().await;
            let begun = Instant::now();
            while begun.elapsed() < time {
                std::hint::spin_loop();
            }
        }
    })
}

fn timed<F, Fut>(body: F)
where
    F: Fn(Context) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    for workers in [1, 2] {
        let config = Config {
            workers,
            times: true,
            ..Config::default()
        };
        let node = Node::start(config).expect("a node starts");
        if let Err(reason) = node.block_on(body.clone()) {
            panic!("on {workers} workers: {reason}");
        }
    }
}

#[test]
fn the_top_by_time_are_those_whose_turns_took_longest() {
    timed(|ctx| async move {
        let pids = [20, 80, 50].map(|millis| spinner(&ctx, Duration::from_millis(millis)));
        for pid in pids {
            send(pid, b"spin");
        }
        let waiting = ProcessState::Waiting(WaitsFor::Message);
        for (pid, millis) in pids.into_iter().zip([20, 80, 50]) {
            loop {
                let seen = info(pid).expect("it lives");
                let cpu = seen.cpu.expect("turns are timed");
                if seen.state == waiting && cpu >= Duration::from_millis(millis) {
                    break;
                }
                ctx.sleep(Duration::from_millis(1)).await;
            }
        }
        // Nobody runs but this process: all times of the others stand still. How long a turn took
        // is up to the machine as well, so their order is what they say themselves.
        let mut order: Vec<_> = pids.iter().filter_map(|pid| info(*pid)).collect();
        order.sort_by_key(|it| std::cmp::Reverse(it.cpu));
        assert_eq!(ctx.node().top(3, By::Cpu), order);
        assert_eq!(ctx.node().top(1, By::Cpu), order[..1]);
        pids.into_iter().for_each(kill);
    });
}

#[test]
fn a_process_waits_since_its_turn_ended_and_not_since_it_was_looked_at() {
    simulate(1, |ctx| async move {
        let waiter = ctx.spawn(|mut ctx| async move {
            loop {
                ctx.receive().await;
            }
        });
        let began = now();
        ctx.sleep(SECOND).await;
        let since = |pid| info(pid).expect("it lives").since;
        assert_eq!(since(waiter), Some(began));
        let sent = now();
        assert_eq!(since(ctx.pid()), Some(sent));
        send(waiter, b"a message");
        for _ in 0..2 {
            ctx.sleep(SECOND).await;
            assert_eq!(since(waiter), Some(sent));
        }
        kill(waiter);
    });
}

#[test]
fn who_has_had_no_turn_has_run_no_time_and_waits_since_never() {
    simulate(1, |ctx| async move {
        ctx.sleep(SECOND).await;
        let pid = ctx.spawn(|_| async {});
        let seen = info(pid).expect("it lives");
        assert_eq!((seen.cpu, seen.since), (Some(Duration::ZERO), None));
    });
}

#[test]
fn the_place_of_a_start_is_where_its_caller_wrote_it() {
    let config = Config {
        times: true,
        ..Config::default()
    };
    let node = Node::start(config).expect("a node starts");
    let place = |pid| info(pid).expect("it lives").place.expect("it is noted");
    let here = |line| {
        move |place: &Location<'_>| {
            assert!(place.file().ends_with("actor/tests/times.rs"), "{place}");
            assert_eq!(place.line(), line, "{place}");
        }
    };
    let waits = |ctx: Context| async move { ctx.sleep(3600 * SECOND).await };
    // From outside, where no worker is at hand.
    here(line!())(place(node.spawn(waits)));
    here(line!())(place(node.spawn_with(SpawnOptions::default(), waits)));
    here(line!())(place(node.spawn_join(waits).pid()));
    let body = move |mut ctx: Context| async move {
        here(line!())(place(ctx.spawn(waits)));
        here(line!())(place(rusm_actor::spawn(waits)));
        here(line!())(place(ctx.spawn_monitor(waits).0));
        here(line!())(place(ctx.spawn_with(Spawn::new(), waits).0));
        let (linked, line) = (ctx.spawn_link(waits), line!());
        here(line)(place(linked));
        ctx.unlink(linked);
        here(line!())(place(ctx.node().spawn(waits)));
        // Turns do not change it.
        ctx.sleep(SECOND / 1000).await;
        here(line)(place(linked));
        place(ctx.pid())
    };
    let (own, line) = (node.block_on(body), line!());
    here(line)(own.expect("it ends"));
}

#[test]
fn nobody_is_timed_unless_that_is_asked_for() {
    on_threads(1, |ctx| async move {
        let seen = info(ctx.pid()).expect("it lives");
        assert_eq!((seen.cpu, seen.since, seen.place), (None, None, None));
        assert_eq!(ctx.node().top(1, By::Cpu).len(), 1);
    });
}
