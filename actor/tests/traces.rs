//! What a tracer is told of processes, and what it is not.

use std::time::Duration;

use rusm_actor::{
    Alias, Context, ExitReason, Message, Pid, TraceError, TraceEvent, TraceKind, TraceLimits,
    Traced, Tracer, exit, kill, send,
};

#[path = "traces/bounds.rs"]
mod bounds;
#[path = "semantics/everywhere.rs"]
mod everywhere;
#[path = "traces/places.rs"]
mod places;

use everywhere::everywhere;

/// More than any test tells, so that no clock decides.
const ALL: TraceLimits = TraceLimits {
    processes_max: 100,
    events_max: 100_000,
    events_per_second_max: 100_000,
};

fn tracer(ctx: &Context) -> Tracer {
    ctx.node().tracer(ALL)
}

/// Ends when `pid` has ended.
async fn ended(ctx: &mut Context, pid: Pid) {
    let reference = ctx.monitor(pid);
    ctx.receive_match(|message| message.reference() == Some(reference))
        .await;
}

/// What one process did: kind, with whom, and the text.
fn of(events: &[TraceEvent], pid: Pid) -> Vec<(TraceKind, Option<Pid>, &str)> {
    let own = events.iter().filter(|event| event.pid == pid);
    own.map(|event| (event.kind, event.other, event.text.as_str()))
        .collect()
}

fn all(tracer: &mut Tracer) -> Vec<TraceEvent> {
    let Traced { events, dropped } = tracer.take();
    assert_eq!(dropped, 0);
    assert!(events.is_sorted_by_key(|event| event.at));
    events
}

/// A process that waits for `go`, and then does something.
fn after_go<F, Fut>(ctx: &Context, body: F) -> Pid
where
    F: FnOnce(Context) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    ctx.spawn(|mut ctx| async move {
        ctx.receive_match(|message| message.bytes() == b"go").await;
        body(ctx).await;
    })
}

use TraceKind::{Exit, Receive, Send as Sent, Spawn as Spawned};

const GO: (TraceKind, Option<Pid>, &str) = (Receive, None, r#"2 bytes "go""#);
const NORMAL: (TraceKind, Option<Pid>, &str) = (Exit, None, "normal");

#[test]
fn what_a_process_sends_receives_and_starts_is_told_in_its_order() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let mut tracer = tracer(&ctx);
        let pid = after_go(&ctx, move |mut ctx| async move {
            let child = ctx.spawn(|mut ctx: Context| async move {
                drop(ctx.receive().await);
            });
            ctx.send(child, b"hi");
            ctx.send(me, child.to_bits().to_le_bytes());
            ctx.receive().await;
            ctx.receive_within(Duration::from_secs(3600)).await;
            ctx.send(me, vec![b'x'; 100]);
            ctx.try_receive().expect("it came before what was received");
            ctx.try_receive_match(|_| true).expect("as above");
            ctx.send(me, Message::native(1_u8));
        });
        tracer.trace(pid).expect("it lives");
        send(pid, b"go");
        let child = ctx.receive().await;
        let child = u64::from_le_bytes(child.bytes().try_into().expect("eight bytes"));
        let child = Pid::from_bits(child);
        for text in [&b"c"[..], b"d", b"a"] {
            send(pid, text);
        }
        send(pid, Message::tagged(me, 7, b"b"));
        ended(&mut ctx, pid).await;
        let events = all(&mut tracer);
        let told = of(&events, pid);
        let started = told[1];
        assert_eq!((started.0, started.1), (Spawned, Some(child)));
        assert!(started.2.contains("traces::"), "{}", started.2);
        let number = format!(
            "8 bytes \"{}\"",
            child.to_bits().to_le_bytes().escape_ascii()
        );
        let long = format!("100 bytes \"{}\"...", "x".repeat(32));
        let expected = [
            GO,
            started,
            (Sent, Some(child), r#"2 bytes "hi""#),
            (Sent, Some(me), &number),
            (Receive, None, r#"1 byte "c""#),
            (Receive, None, r#"1 byte "d""#),
            (Sent, Some(me), &long),
            (Receive, None, r#"1 byte "a""#),
            (Receive, Some(me), r#"tag 7, 1 byte "b""#),
            (Sent, Some(me), "native value"),
            NORMAL,
        ];
        assert_eq!(told, expected);
        assert_eq!(events.len(), told.len(), "nothing is told of others");
    });
}

#[test]
fn calls_and_answers_are_told_by_both_sides() {
    everywhere(|mut ctx| async move {
        let mut tracer = tracer(&ctx);
        let server = ctx.spawn(|mut ctx: Context| async move {
            let (caller, question) = ctx.receive().await.into_call().expect("a call");
            ctx.reply(caller, question);
        });
        let client = after_go(&ctx, move |mut ctx| async move {
            let answer = ctx.call(server, b"?").await;
            assert_eq!(answer.expect("it answers").bytes(), b"?");
        });
        tracer.trace(server).expect("it lives");
        tracer.trace(client).expect("it lives");
        send(client, b"go");
        ended(&mut ctx, client).await;
        ended(&mut ctx, server).await;
        let events = all(&mut tracer);
        let (call, reply) = (r#"call, 1 byte "?""#, r#"reply, 1 byte "?""#);
        assert_eq!(
            of(&events, client),
            [
                GO,
                (Sent, Some(server), call),
                (Receive, None, reply),
                NORMAL
            ]
        );
        let expected = [
            (Receive, Some(client), call),
            (Sent, Some(client), reply),
            NORMAL,
        ];
        assert_eq!(of(&events, server), expected);
        // A call is sent before it is received, and so told.
        let at = |kind, text| {
            let is = |event: &TraceEvent| event.kind == kind && event.text == text;
            events.iter().position(is)
        };
        assert!(at(Sent, call) < at(Receive, call));
        assert!(at(Sent, reply) < at(Receive, reply));
    });
}

#[test]
fn what_lies_in_the_mailbox_already_is_told_when_it_is_received() {
    everywhere(|mut ctx| async move {
        let mut tracer = tracer(&ctx);
        let pid = after_go(&ctx, |mut ctx| async move {
            ctx.receive_match(|message| message.bytes() == b"2").await;
            ctx.receive().await;
            ctx.receive().await;
        });
        for text in [b"1", b"2", b"3"] {
            send(pid, text);
        }
        // It has looked at them once it waits; what it says then is as good.
        ctx.process_info(pid).await.expect("it waits");
        tracer.trace(pid).expect("it lives");
        assert_eq!(all(&mut tracer), []);
        send(pid, b"go");
        ended(&mut ctx, pid).await;
        let received = |text| (Receive, None, text);
        let expected = [
            GO,
            received(r#"1 byte "2""#),
            received(r#"1 byte "1""#),
            received(r#"1 byte "3""#),
            NORMAL,
        ];
        assert_eq!(of(&all(&mut tracer), pid), expected);
    });
}

#[test]
fn trapped_exits_aliases_and_sends_to_the_dead_are_told() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (dead, _) = ctx.spawn_monitor(|_| async {});
        ctx.receive().await;
        let mut tracer = tracer(&ctx);
        let alias = ctx.alias();
        let pid = after_go(&ctx, move |mut ctx| async move {
            ctx.trap_exit(true);
            ctx.send(dead, b"1");
            alias.send(b"2");
            Alias::from_parts(dead, alias.reference()).send(b"3");
            exit(ctx.pid(), ExitReason::Shutdown);
            assert!(ctx.receive().await.exit().is_some());
            ctx.monitor(dead);
            ctx.receive().await;
        });
        tracer.trace(pid).expect("it lives");
        send(pid, b"go");
        ended(&mut ctx, pid).await;
        let expected = [
            GO,
            (Sent, Some(dead), r#"1 byte "1""#),
            (Sent, Some(me), r#"1 byte "2""#),
            (Sent, Some(dead), r#"1 byte "3""#),
            (Receive, Some(pid), "exit: shutdown"),
            (Receive, Some(dead), "down: no such process"),
            NORMAL,
        ];
        assert_eq!(of(&all(&mut tracer), pid), expected);
    });
}

#[test]
fn an_end_is_told_with_its_reason_once_however_it_comes() {
    everywhere(|mut ctx| async move {
        let mut tracer = tracer(&ctx);
        let waits = || |_: Context| std::future::pending::<()>();
        let (killed, stopped) = (ctx.spawn(waits()), ctx.spawn(waits()));
        let says = ctx.spawn(|mut ctx: Context| async move {
            ctx.receive().await;
            Err::<(), _>(ExitReason::error("enough"))
        });
        for pid in [killed, stopped, says] {
            tracer.trace(pid).expect("it lives");
        }
        kill(killed);
        exit(stopped, ExitReason::Shutdown);
        send(says, b"");
        for pid in [killed, stopped, says] {
            ended(&mut ctx, pid).await;
        }
        let events = all(&mut tracer);
        for (pid, reason) in [(killed, "killed"), (stopped, "shutdown"), (says, "enough")] {
            let exits = events.iter().filter(|it| it.pid == pid && it.kind == Exit);
            let told: Vec<&str> = exits.map(|it| it.text.as_str()).collect();
            assert_eq!(told, [reason]);
        }
        assert_eq!(tracer.traced(), []);
        assert_eq!(tracer.trace(killed), Err(TraceError::NoProcess(killed)));
    });
}

/// It may end before it hears that it is traced: its end is told all the same.
#[test]
fn who_is_traced_tells_its_end_even_if_it_comes_first() {
    everywhere(|mut ctx| async move {
        let mut tracer = tracer(&ctx);
        for _ in 0..5 {
            let (pid, _) = ctx.spawn_monitor(|_| std::future::pending::<()>());
            let (racer, _) = ctx.spawn_monitor(|_| async {});
            kill(pid);
            let traced = tracer.trace(pid).is_ok();
            let raced = tracer.trace(racer).is_ok();
            ctx.receive().await;
            ctx.receive().await;
            let events = all(&mut tracer);
            let exits = |pid| {
                events
                    .iter()
                    .filter(|it| it.pid == pid && it.kind == Exit)
                    .count()
            };
            assert_eq!((exits(pid), exits(racer)), (traced.into(), raced.into()));
        }
    });
}

#[test]
fn several_tracers_hear_the_same_and_each_ends_for_itself() {
    everywhere(|mut ctx| async move {
        let mut tracers = [tracer(&ctx), tracer(&ctx), tracer(&ctx)];
        let pid =
            ctx.spawn(
                |mut ctx: Context| async move { while ctx.receive().await.bytes() != b"end" {} },
            );
        for tracer in &mut tracers {
            tracer.trace(pid).expect("it lives");
            // Once more is no more.
            tracer.trace(pid).expect("it lives");
            assert_eq!(tracer.traced(), [pid]);
        }
        send(pid, b"1");
        ctx.process_info(pid).await.expect("it lives");
        until_told(&ctx, &mut tracers[2]).await;
        assert!(tracers[1].untrace(pid));
        assert!(!tracers[1].untrace(pid));
        let [first, second, third] = &mut tracers;
        all(second);
        *third = tracer(&ctx);
        send(pid, b"end");
        ended(&mut ctx, pid).await;
        assert_eq!(all(second), []);
        assert_eq!(all(third), []);
        let events = all(first);
        let received = |text| (Receive, None, text);
        let expected = [
            received(r#"1 byte "1""#),
            received(r#"3 bytes "end""#),
            NORMAL,
        ];
        assert_eq!(of(&events, pid), expected);
    });
}

/// Waits until something was told, and takes it.
async fn until_told(ctx: &Context, tracer: &mut Tracer) -> Vec<TraceEvent> {
    loop {
        let events = all(tracer);
        if !events.is_empty() {
            return events;
        }
        ctx.sleep(Duration::from_micros(100)).await;
    }
}

#[test]
fn who_was_traced_may_be_traced_again() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let mut tracer = tracer(&ctx);
        let pid = ctx.spawn(move |mut ctx: Context| async move {
            loop {
                let message = ctx.receive().await;
                ctx.send(me, message);
            }
        });
        for _ in 0..3 {
            tracer.trace(pid).expect("it lives");
            send(pid, b"1");
            ctx.receive().await;
            assert_eq!(all(&mut tracer).len(), 2);
            tracer.untrace(pid);
            send(pid, b"2");
            ctx.receive().await;
        }
        assert_eq!(all(&mut tracer), []);
        kill(pid);
    });
}

#[test]
fn what_waits_for_a_reader_is_seen_by_others_and_stays() {
    everywhere(|mut ctx| async move {
        let mut tracer = tracer(&ctx);
        let view = tracer.view();
        let pid = after_go(&ctx, |_| async {});
        tracer.trace(pid).expect("it lives");
        send(pid, b"go");
        ended(&mut ctx, pid).await;
        let seen = view.events().expect("the tracer is there");
        assert_eq!(of(&seen, pid), [GO, NORMAL]);
        assert_eq!(all(&mut tracer), seen);
        assert_eq!(view.events(), Some(vec![]));
        drop(tracer);
        assert_eq!(view.events(), None);
    });
}
