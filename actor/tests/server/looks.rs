//! What can be seen and done from outside while a server runs.

use std::time::Duration;

use rusm_actor::server::{self, Start};
use rusm_actor::sys::{self, Trace, TraceEvent};
use rusm_actor::{CallError, Context, ExitReason, exit, send};

use super::probe::{Args, Ask, LONG, Probe, SHORT, Seen, Tell, end_of, seen, start, stop};
use crate::everywhere::everywhere;

#[test]
fn a_suspended_server_hears_nothing_but_the_system_until_it_goes_on() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        assert_eq!(sys::suspend(&mut ctx, probe).await, Ok(()));
        probe.cast(&ctx, Tell::Add(1));
        let held = probe.call_within(&mut ctx, SHORT, Ask::Total).await;
        assert_eq!(held, Err(CallError::Timeout));
        probe.cast(&ctx, Tell::Add(1));
        assert_eq!(
            sys::describe(&mut ctx, probe).await.as_deref(),
            Ok("total 0")
        );
        assert_eq!(sys::suspend(&mut ctx, probe).await, Ok(()));
        assert_eq!(sys::resume(&mut ctx, probe).await, Ok(()));
        assert_eq!(probe.call(&mut ctx, Ask::Total).await, Ok(2));
        assert_eq!(sys::resume(&mut ctx, probe).await, Ok(()));
        stop(&mut ctx, probe).await;
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn a_suspended_server_can_be_stopped() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        sys::suspend(&mut ctx, probe).await.expect("it lives");
        probe.cast(&ctx, Tell::Add(1));
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn a_suspended_server_hears_its_parent() {
    everywhere(|mut ctx| async move {
        let args = Args {
            traps: true,
            ..Args::new(&ctx)
        };
        let how = Start::new().link().monitor();
        let started = server::start_with::<Probe>(&mut ctx, how, args).await;
        let (probe, ended) = started.expect("it starts");
        sys::suspend(&mut ctx, probe).await.expect("it lives");
        let pid = probe.pid(&ctx).expect("a pid");
        let stranger = ctx.spawn(move |_| async move { exit(pid, ExitReason::Timeout) });
        let gone = ctx.monitor(stranger);
        end_of(&mut ctx, gone).await;
        assert_eq!(
            sys::describe(&mut ctx, probe).await.as_deref(),
            Ok("total 0")
        );
        ctx.unlink(pid);
        exit(pid, ExitReason::Shutdown);
        assert_eq!(seen(&mut ctx).await, Seen::Terminated(ExitReason::Shutdown));
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Shutdown);
    });
}

#[test]
fn a_suspended_server_is_not_told_that_nothing_came() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        probe.cast(&ctx, Tell::Wait(SHORT));
        sys::suspend(&mut ctx, probe).await.expect("it lives");
        ctx.sleep(SHORT * 4).await;
        assert_eq!(
            sys::statistics(&mut ctx, probe).await.map(|s| s.timeouts),
            Ok(0)
        );
        sys::resume(&mut ctx, probe).await.expect("it lives");
        assert_eq!(seen(&mut ctx).await, Seen::TimedOut);
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn a_status_counts_what_was_done() {
    everywhere(|mut ctx| async move {
        let args = Args::new(&ctx);
        let probe = server::start_link::<Probe>(&mut ctx, args)
            .await
            .expect("it starts");
        probe.cast(&ctx, Tell::Add(5));
        assert_eq!(probe.call(&mut ctx, Ask::Total).await, Ok(5));
        send(probe.pid(&ctx).expect("a pid"), b"?");
        ctx.sleep(SHORT).await;
        let status = sys::status(&mut ctx, probe).await.expect("it lives");
        assert_eq!((status.suspended, status.parent), (false, Some(ctx.pid())));
        assert_eq!((status.tracer, &*status.state), (None, "total 5"));
        let did = status.statistics;
        assert_eq!((did.calls, did.replies, did.casts), (1, 1, 1));
        assert_eq!((did.infos, did.dropped), (1, 1));
        assert!(did.age >= SHORT && did.age < LONG * 10, "{:?}", did.age);
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn a_tracer_is_told_what_a_server_does() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        let me = ctx.pid();
        sys::trace(&mut ctx, probe, me).await.expect("it lives");
        probe.cast(&ctx, Tell::Add(5));
        probe.call(&mut ctx, Ask::Total).await.expect("it lives");
        for expected in [Trace::Cast, Trace::Call(me), Trace::Reply(me)] {
            assert_eq!(event(&mut ctx).await.what, expected);
        }
        sys::trace_off(&mut ctx, probe).await.expect("it lives");
        probe.call(&mut ctx, Ask::Total).await.expect("it lives");
        assert!(ctx.try_receive().is_none());

        sys::trace(&mut ctx, probe, me).await.expect("it lives");
        stop(&mut ctx, probe).await;
        let last = event(&mut ctx).await;
        assert_eq!(last.what, Trace::Stop(ExitReason::Normal));
        assert_eq!(Some(last.pid), probe.pid(&ctx));
    });
}

async fn event(ctx: &mut Context) -> TraceEvent {
    let is_event = |message: &rusm_actor::Message| message.is::<TraceEvent>();
    let message = ctx.receive_match(is_event).await;
    message.downcast().expect("it was looked at")
}

#[test]
fn a_trace_ends_with_its_tracer() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        let (tracer, ended) = ctx.spawn_monitor(|mut ctx| async move {
            event(&mut ctx).await;
        });
        sys::trace(&mut ctx, probe, tracer).await.expect("it lives");
        probe.cast(&ctx, Tell::Add(1));
        end_of(&mut ctx, ended).await;
        probe.call(&mut ctx, Ask::Total).await.expect("it lives");
        let status = sys::status(&mut ctx, probe).await.expect("it lives");
        assert_eq!(status.tracer, None);
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn a_state_can_be_read_and_replaced() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        probe.cast(&ctx, Tell::Add(5));
        let before = sys::with_state(&mut ctx, probe, |probe: &mut Probe| {
            std::mem::replace(&mut probe.total, 100)
        });
        assert_eq!(before.await, Ok(5));
        assert_eq!(probe.call(&mut ctx, Ask::Total).await, Ok(100));
        let wrong = sys::with_state(&mut ctx, probe, |text: &mut String| text.len()).await;
        assert_eq!(wrong, Err(CallError::UnexpectedReply));
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn looking_at_what_is_no_server_is_an_error() {
    everywhere(|mut ctx| async move {
        let gone = sys::suspend(&mut ctx, "nobody").await;
        assert_eq!(gone, Err(CallError::NoProcess));
        let me = ctx.pid();
        assert_eq!(
            sys::describe(&mut ctx, me).await,
            Err(CallError::CallingSelf)
        );
        let deaf = ctx.spawn(|ctx| async move { ctx.sleep(Duration::from_millis(20)).await });
        let outcome = sys::stop(&mut ctx, deaf, ExitReason::Shutdown, SHORT).await;
        assert_eq!(outcome, Err(CallError::Timeout));
        let outcome = sys::stop(&mut ctx, deaf, ExitReason::Shutdown, LONG).await;
        assert_eq!(outcome, Err(CallError::Ended(ExitReason::Normal)));
    });
}
