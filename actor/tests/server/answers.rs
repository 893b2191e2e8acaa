//! What becomes of a request.

use rusm_actor::server::Service;
use rusm_actor::{CallError, ExitReason, Message, Pid, exit, kill, send};

use super::probe::{Ask, BUSY, LONG, Probe, SHORT, Tell, end_of, nothing_came, start, stop};
use crate::everywhere::everywhere;

#[test]
fn casts_and_calls_of_one_process_are_heard_in_their_order() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        for n in 1..=10 {
            probe.cast(&ctx, Tell::Add(n));
            let total = probe.call(&mut ctx, Ask::Total).await;
            assert_eq!(total, Ok(n * (n + 1) / 2));
        }
        stop(&mut ctx, probe).await;
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn an_answer_may_be_given_later_or_by_another_process() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        let releaser = ctx.spawn(move |mut ctx| async move {
            ctx.receive().await;
            probe.cast(&ctx, Tell::Add(7));
            probe.cast(&ctx, Tell::Release);
        });
        // On its way before the request is, perhaps: then the next release answers.
        send(releaser, [1]);
        let later = probe.call_within(&mut ctx, SHORT, Ask::Later).await;
        assert!(
            matches!(later, Ok(7) | Err(CallError::Timeout)),
            "{later:?}"
        );
        while probe.call(&mut ctx, Ask::Total).await != Ok(7) {
            ctx.sleep(SHORT).await;
        }
        assert_eq!(probe.call(&mut ctx, Ask::Elsewhere).await, Ok(7));
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn a_call_to_nobody_and_to_oneself_is_an_error() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        assert_eq!(probe.call(&mut ctx, Ask::MySelf(probe)).await, Ok(0));
        stop(&mut ctx, probe).await;
        let dead = probe.call(&mut ctx, Ask::Total).await;
        assert_eq!(dead, Err(CallError::NoProcess));
        let nobody = Service::<Ask, u64, Tell>::named("nobody");
        assert_eq!(nobody.pid(&ctx), None);
        assert_eq!(
            nobody.call(&mut ctx, Ask::Total).await,
            Err(CallError::NoProcess)
        );
        nobody.cast(&ctx, Tell::Add(1));
        probe.cast(&ctx, Tell::Add(1));
        let garbage = Service::<Ask, u64, Tell>::of(Pid::from_bits(u64::MAX - 7));
        assert_eq!(
            garbage.call(&mut ctx, Ask::Total).await,
            Err(CallError::NoProcess)
        );
        let ended = nobody.stop(&mut ctx, ExitReason::Normal, LONG).await;
        assert_eq!(ended, Err(CallError::NoProcess));
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn a_late_answer_leaves_nothing_in_the_mailbox() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        let never = probe.call_within(&mut ctx, SHORT, Ask::Later).await;
        assert_eq!(never, Err(CallError::Timeout));
        probe.cast(&ctx, Tell::Release);
        nothing_came(&mut ctx, probe).await;
        let slow = probe
            .call_within(&mut ctx, SHORT, Ask::SleepFor(BUSY))
            .await;
        assert_eq!(slow, Err(CallError::Timeout));
        nothing_came(&mut ctx, probe).await;
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn the_first_of_two_answers_counts() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        assert_eq!(probe.call(&mut ctx, Ask::Twice).await, Ok(0));
        nothing_came(&mut ctx, probe).await;
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn an_answer_to_a_caller_that_has_ended_goes_nowhere() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        let (caller, ended) = ctx.spawn_monitor(move |mut ctx| async move {
            drop(probe.call_within(&mut ctx, LONG, Ask::Later).await);
        });
        ctx.sleep(SHORT).await;
        kill(caller);
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Killed);
        probe.cast(&ctx, Tell::Release);
        nothing_came(&mut ctx, probe).await;
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn who_waits_for_a_server_that_panics_is_told_so() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        let me = ctx.pid();
        for _ in 0..3 {
            ctx.spawn(move |mut ctx| async move {
                let answer = probe.call_within(&mut ctx, LONG, Ask::Later).await;
                send(me, Message::native(answer));
            });
        }
        // All of them have asked: the last call is behind theirs on one worker only, so wait
        // for the server to say it.
        while rusm_actor::sys::statistics(&mut ctx, probe)
            .await
            .map(|s| s.calls)
            != Ok(3)
        {
            ctx.sleep(SHORT).await;
        }
        let panicked = probe.call(&mut ctx, Ask::Panic).await;
        for answer in [
            panicked,
            next(&mut ctx).await,
            next(&mut ctx).await,
            next(&mut ctx).await,
        ] {
            let Err(CallError::Ended(ExitReason::Panic(fault))) = &answer else {
                unreachable!("{answer:?}");
            };
            assert!(
                fault.text.starts_with("the handler has a fault"),
                "{}",
                fault.text
            );
        }
    });
}

async fn next(ctx: &mut rusm_actor::Context) -> Result<u64, CallError> {
    ctx.receive().await.downcast().expect("an answer")
}

#[test]
fn a_cast_that_panics_ends_the_server() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        let ended = ctx.monitor(probe.pid(&ctx).expect("a pid"));
        probe.cast(&ctx, Tell::Panic);
        assert!(matches!(
            end_of(&mut ctx, ended).await,
            ExitReason::Panic(_)
        ));
        // It does not clean up with what a panic has left.
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn a_server_that_is_killed_in_a_call_tells_the_caller() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        let pid = probe.pid(&ctx).expect("a pid");
        ctx.spawn(move |ctx| async move {
            ctx.sleep(SHORT).await;
            exit(pid, ExitReason::Kill);
        });
        let answer = probe.call_within(&mut ctx, LONG, Ask::Later).await;
        assert_eq!(answer, Err(CallError::Ended(ExitReason::Killed)));
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn an_answer_of_another_type_is_an_error() {
    everywhere(|mut ctx| async move {
        let odd = ctx.spawn(|mut ctx| async move {
            let (caller, _) = ctx.receive().await.into_call().expect("a call");
            ctx.reply(caller, b"forty-two");
        });
        let answer = Service::<Ask, u64, Tell>::of(odd)
            .call(&mut ctx, Ask::Total)
            .await;
        assert_eq!(answer, Err(CallError::UnexpectedReply));
    });
}

#[test]
fn a_request_of_another_type_is_dropped_and_counted() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        let pid = probe.pid(&ctx).expect("a pid");
        let other = Service::<String, String, ()>::of(pid);
        let answer = other.call_within(&mut ctx, SHORT, "what?".into()).await;
        assert_eq!(answer, Err(CallError::Timeout));
        // The same request for another kind of answer is another request.
        let other = Service::<Ask, i8, Tell>::of(pid);
        let answer = other.call_within(&mut ctx, SHORT, Ask::Total).await;
        assert_eq!(answer, Err(CallError::Timeout));
        send(pid, b"bytes");
        send(pid, Message::native(Ask::Total));
        let statistics = rusm_actor::sys::statistics(&mut ctx, probe)
            .await
            .expect("it lives");
        assert_eq!((statistics.infos, statistics.dropped), (4, 4));
        assert_eq!((statistics.calls, statistics.replies), (0, 0));
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn a_reference_by_name_finds_who_has_the_name_now() {
    everywhere(|mut ctx| async move {
        let by_name = rusm_actor::server::ServerRef::<Probe>::named("probe");
        for n in 1..3 {
            let probe = start(&mut ctx).await;
            let pid = probe.pid(&ctx).expect("a pid");
            ctx.node().register("probe", pid).expect("the name is free");
            by_name.cast(&ctx, Tell::Add(n));
            assert_eq!(by_name.call(&mut ctx, Ask::Total).await, Ok(n));
            stop(&mut ctx, by_name).await;
        }
    });
}
