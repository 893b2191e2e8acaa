//! What many of these tests begin or end with.

#![allow(dead_code, reason = "each program of tests uses its part")]

use std::time::Duration;

use rusm_actor::{Context, ExitReason, Message, Pid, Reference};

/// Long enough for what must not come to come, on a machine that has nothing else to do.
pub(crate) const MOMENT: Duration = Duration::from_millis(5);

/// A reason of the tests' own.
pub(crate) fn foo() -> ExitReason {
    ExitReason::error("foo")
}

/// A body that waits until it is ended by others.
pub(crate) async fn idle(mut ctx: Context) {
    loop {
        drop(ctx.receive().await);
    }
}

/// A body that answers each call with what it was asked, until it is ended by others.
pub(crate) async fn answering(mut ctx: Context) {
    loop {
        if let Ok((caller, request)) = ctx.receive().await.into_call() {
            ctx.reply(caller, request);
        }
    }
}

/// Has `pid`, which is `answering`, heard all that was sent to it before, and lived on?
pub(crate) async fn answers(ctx: &mut Context, pid: Pid) -> bool {
    ctx.call(pid, b"are you there?").await.is_ok()
}

/// A process that has ended.
pub(crate) async fn dead(ctx: &mut Context) -> Pid {
    let (pid, reference) = ctx.spawn_monitor(|_| async {});
    down(ctx, reference).await;
    pid
}

/// Waits for the end of what is watched; other messages stay.
pub(crate) async fn down(ctx: &mut Context, reference: Reference) -> ExitReason {
    let wanted = |message: &Message| message.down().is_some_and(|d| d.reference == reference);
    let message = ctx.receive_match(wanted).await;
    message.down().expect("it was looked at").reason
}

/// Waits for the end of a process.
pub(crate) async fn end(ctx: &mut Context, pid: Pid) -> ExitReason {
    let reference = ctx.monitor(pid);
    down(ctx, reference).await
}

/// Ends a process and waits for it.
pub(crate) async fn stop(ctx: &mut Context, pid: Pid) {
    let reference = ctx.monitor(pid);
    rusm_actor::kill(pid);
    down(ctx, reference).await;
}

/// Fails if a message is there, or comes soon.
pub(crate) async fn nothing_comes(ctx: &mut Context) {
    let message = ctx.receive_within(MOMENT).await;
    assert!(message.is_none(), "{message:?} came");
}

/// The number in a message that was made of one.
pub(crate) fn number(message: &Message) -> u64 {
    u64::from_le_bytes(message.bytes().try_into().expect("eight bytes"))
}

/// The pid in a message that was made of one.
pub(crate) fn pid_in(message: &Message) -> Pid {
    Pid::from_bits(number(message))
}

/// A pid as the content of a message.
pub(crate) fn bytes_of(pid: Pid) -> [u8; 8] {
    pid.to_bits().to_le_bytes()
}
