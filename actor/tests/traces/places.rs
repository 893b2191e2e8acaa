//! Turns on other threads and processes of other nodes: they are traced like all others.

use std::time::Duration;

use rusm_actor::send;

use super::TraceKind::{Receive, Send as Sent, Spawn as Spawned};
use super::everywhere::{everywhere, on_threads};
use super::{GO, NORMAL, after_go, all, ended, of, tracer};

#[test]
fn who_starts_a_process_on_another_node_says_so() {
    on_threads(1, |mut ctx| async move {
        let other = rusm_actor::Node::start(rusm_actor::Config::default()).expect("it starts");
        let mut tracer = tracer(&ctx);
        let started = other.clone();
        let pid = after_go(&ctx, move |mut ctx| async move {
            let me = ctx.pid();
            let child = started.spawn(move |_| async move { send(me, b"there") });
            ctx.receive().await;
            ctx.send(child, b"");
        });
        tracer.trace(pid).expect("it lives");
        send(pid, b"go");
        ended(&mut ctx, pid).await;
        let events = all(&mut tracer);
        let told = of(&events, pid);
        assert_eq!(told.len(), 5, "{told:?}");
        let child = told[1].1;
        assert_eq!(told[1].0, Spawned);
        assert_eq!(told[2], (Receive, None, r#"5 bytes "there""#));
        assert_eq!(told[3], (Sent, child, "0 bytes"));
        rusm_sched::blocking::run(move || other.shutdown(Duration::from_secs(10)))
            .await
            .expect("there is room")
            .expect("it stops");
    });
}

#[test]
fn what_is_done_on_a_thread_for_blocking_work_is_told_as_well() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let mut tracer = tracer(&ctx);
        let pid = after_go(&ctx, move |ctx| async move {
            rusm_sched::blocking::enter().await.expect("there is room");
            ctx.send(me, b"there");
            rusm_sched::yield_now().await;
            ctx.send(me, b"back");
        });
        tracer.trace(pid).expect("it lives");
        send(pid, b"go");
        ended(&mut ctx, pid).await;
        let expected = [
            GO,
            (Sent, Some(me), r#"5 bytes "there""#),
            (Sent, Some(me), r#"4 bytes "back""#),
            NORMAL,
        ];
        assert_eq!(of(&all(&mut tracer), pid), expected);
    });
}
