//! Calls: an answer, or the one reason why there is none.

use std::time::Duration;

use rusm_actor::{CallError, Caller, ExitReason, Message, exit, kill, send};

use super::everywhere::{everywhere, races};
use super::tools::{MOMENT, answering, answers, dead, end, foo, idle, nothing_comes, stop};

type Answer = Result<Message, CallError>;

fn error(answer: Answer) -> CallError {
    answer.expect_err("there is no answer")
}

#[test]
fn g1_g6_a_call_to_nobody_says_no_process() {
    everywhere(|mut ctx| async move {
        let gone = dead(&mut ctx).await;
        assert_eq!(error(ctx.call(gone, b"?").await), CallError::NoProcess);
        assert_eq!(error(ctx.call("nobody", b"?").await), CallError::NoProcess);
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn g_a_call_by_pid_or_name_is_answered_among_other_messages() {
    everywhere(|mut ctx| async move {
        let (me, pid) = (ctx.pid(), ctx.spawn(answering));
        assert_eq!(ctx.node().register("server", pid), Ok(()));
        send(me, b"before");
        let answer = ctx.call(pid, b"by pid").await.expect("an answer");
        assert_eq!(answer.bytes(), b"by pid");
        let answer = ctx.call("server", b"by name").await.expect("an answer");
        assert_eq!(answer.bytes(), b"by name");
        assert_eq!(ctx.receive().await.bytes(), b"before");
        stop(&mut ctx, pid).await;
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn g2_a_call_without_an_answer_times_out_and_a_late_answer_is_dropped() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let slow = ctx.spawn(move |mut ctx| async move {
            let (caller, _) = ctx.receive().await.into_call().expect("a call");
            ctx.sleep(3 * MOMENT).await;
            caller.reply(b"late");
            send(me, b"answered");
        });
        let begun = rusm_sched::now();
        let answer = ctx.call_within(MOMENT, slow, b"?").await;
        assert_eq!(error(answer), CallError::Timeout);
        assert!(rusm_sched::now() - begun >= MOMENT);
        assert_eq!(ctx.receive().await.bytes(), b"answered");
        end(&mut ctx, slow).await;
        let silent = ctx.spawn(idle);
        let answer = ctx.call_within(Duration::ZERO, silent, b"?").await;
        assert_eq!(error(answer), CallError::Timeout);
        stop(&mut ctx, silent).await;
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn g3_a_server_that_ends_in_a_call_gives_its_reason() {
    everywhere(|mut ctx| async move {
        for reason in [ExitReason::Normal, foo(), ExitReason::Shutdown] {
            let given = reason.clone();
            let server = ctx.spawn(|mut ctx| async move {
                ctx.receive().await;
                given
            });
            let answer = ctx.call(server, b"?").await;
            assert_eq!(error(answer), CallError::Ended(reason));
        }
        let (me, server) = (ctx.pid(), ctx.spawn(idle));
        ctx.spawn(move |ctx| async move {
            ctx.sleep(MOMENT).await;
            kill(server);
            send(me, b"killed");
        });
        let answer = ctx.call(server, b"?").await;
        assert_eq!(error(answer), CallError::Ended(ExitReason::Killed));
        assert_eq!(ctx.receive().await.bytes(), b"killed");
        nothing_comes(&mut ctx).await;
    });
}

/// An answer, then the end: the answer counts, and nothing of the end is left over.
#[test]
fn g3_a_server_that_answers_and_ends_has_answered() {
    races(500, |mut ctx| async move {
        let server = ctx.spawn(|mut ctx| async move {
            let (caller, _) = ctx.receive().await.into_call().expect("a call");
            match caller.pid().to_bits() % 2 {
                0 => ctx.reply(caller, b"yes"),
                _ => caller.reply(b"yes"),
            }
            foo()
        });
        let answer = ctx.call(server, b"?").await.expect("an answer");
        assert_eq!(answer.bytes(), b"yes");
        end(&mut ctx, server).await;
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn g5_a_process_that_calls_itself_is_told_so() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        assert_eq!(ctx.register("me"), Ok(()));
        assert_eq!(error(ctx.call(me, b"?").await), CallError::CallingSelf);
        assert_eq!(error(ctx.call("me", b"?").await), CallError::CallingSelf);
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn g7_a_cast_to_nobody_is_fine() {
    everywhere(|mut ctx| async move {
        let gone = dead(&mut ctx).await;
        ctx.cast(gone, b"hello");
        ctx.cast("nobody", b"hello");
        assert_eq!(ctx.register("me"), Ok(()));
        ctx.cast("me", b"hello");
        assert_eq!(ctx.receive().await.bytes(), b"hello");
    });
}

#[test]
fn g_only_the_first_answer_counts_whoever_gives_it() {
    everywhere(|mut ctx| async move {
        // The server hands the question on, and answers itself as well.
        let server = ctx.spawn(|mut ctx| async move {
            let (caller, _) = ctx.receive().await.into_call().expect("a call");
            ctx.spawn(move |_| async move { caller.reply(b"helper") });
            caller.reply(b"server");
            ctx.reply(caller, b"again");
            idle(ctx).await;
        });
        let answer = ctx.call(server, b"?").await.expect("an answer");
        assert!([b"helper".as_slice(), b"server"].contains(&answer.bytes()));
        nothing_comes(&mut ctx).await;
        stop(&mut ctx, server).await;
    });
}

#[test]
fn g_a_call_that_is_given_up_leaves_nothing() {
    everywhere(|mut ctx| async move {
        let pid = ctx.spawn(answering);
        drop(ctx.call(pid, b"given up"));
        assert!(answers(&mut ctx, pid).await);
        nothing_comes(&mut ctx).await;
        stop(&mut ctx, pid).await;
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn g_an_answer_to_a_caller_that_has_ended_is_dropped() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let caller = ctx.spawn(move |mut ctx| async move {
            drop(ctx.call(me, b"?").await);
        });
        let (who, _) = ctx.receive().await.into_call().expect("a call");
        assert_eq!(Caller::pid(who), caller);
        exit(caller, foo());
        end(&mut ctx, caller).await;
        ctx.reply(who, b"late");
        who.reply(b"later");
        nothing_comes(&mut ctx).await;
    });
}
