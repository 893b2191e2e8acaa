//! Who waits for whose answer, seen from outside.

use std::time::Duration;

use rusm_actor::{Context, Pid, awaited, kill, pending_calls};

#[path = "semantics/everywhere.rs"]
mod everywhere;

use everywhere::everywhere;

/// One that hears calls and answers them when it is told to.
fn slow(ctx: &Context) -> Pid {
    ctx.spawn(|mut ctx: Context| async move {
        loop {
            let call = ctx
                .receive_match(|message| message.bytes().is_empty())
                .await;
            let (caller, _) = call.into_call().expect("calls only");
            ctx.receive_match(|message| message.bytes() == b"now").await;
            ctx.reply(caller, b"");
        }
    })
}

/// One that calls, and says so when the call is over.
fn caller(ctx: &Context, to: Pid, patience: Duration) -> Pid {
    let me = ctx.pid();
    ctx.spawn(move |mut ctx: Context| async move {
        drop(ctx.call_within(patience, to, b"?").await);
        ctx.send(me, b"over");
        ctx.receive().await;
    })
}

/// Lets others run, and time pass, until `pid` waits for `asked`.
async fn until_waiting(ctx: &Context, pid: Pid, asked: Pid) {
    while awaited(pid) != Some(asked) {
        ctx.sleep(Duration::from_micros(100)).await;
    }
}

#[test]
fn who_waits_for_an_answer_shows_it_until_it_has_one() {
    everywhere(|mut ctx| async move {
        let server = slow(&ctx);
        assert_eq!(awaited(server), None);
        let patient = caller(&ctx, server, Duration::MAX);
        until_waiting(&ctx, patient, server).await;
        assert!(pending_calls(usize::MAX).contains(&(patient, server)));
        assert_eq!(pending_calls(0), []);
        ctx.send(server, b"now");
        assert_eq!(ctx.receive().await.bytes(), b"over");
        assert_eq!(awaited(patient), None);
        assert!(
            !pending_calls(usize::MAX)
                .iter()
                .any(|(pid, _)| *pid == patient)
        );
        kill(patient);
        kill(server);
    });
}

#[test]
fn a_call_that_ends_without_an_answer_is_not_shown_any_more() {
    everywhere(|mut ctx| async move {
        let server = slow(&ctx);
        let hasty = caller(&ctx, server, Duration::from_millis(1));
        assert_eq!(ctx.receive().await.bytes(), b"over");
        assert_eq!(awaited(hasty), None);
        let killed = caller(&ctx, server, Duration::MAX);
        until_waiting(&ctx, killed, server).await;
        ctx.monitor(killed);
        kill(killed);
        ctx.receive().await;
        assert_eq!(awaited(killed), None);
        let nobody = Pid::from_bits(u64::MAX);
        assert_eq!(awaited(nobody), None);
        kill(hasty);
        kill(server);
    });
}
