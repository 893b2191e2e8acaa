//! Children that tell the test what happens to them.

use rusm_actor::supervisor::{Child, ChildInfo, ChildState, Strategy, Supervisor, SupervisorRef};
use rusm_actor::{Context, ExitReason, Message, Pid, send};

/// What a child tells the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Started(&'static str, Pid),
    /// Its supervisor asked it to stop.
    Stopped(&'static str, ExitReason),
}

/// A child that tells `to` of its starts, before its supervisor hears of them, and of its
/// stops, before it obeys. It ends as it is told by `end`.
pub(crate) fn child(id: &'static str, to: Pid) -> Child {
    Child::starting(id, move |mut ctx, starter| async move {
        ctx.trap_exit(true);
        send(to, Message::native(Event::Started(id, ctx.pid())));
        starter.started();
        loop {
            let message = ctx.receive().await;
            if let Some((_, reason)) = message.exit() {
                let stopped = Event::Stopped(id, reason.clone());
                send(to, Message::native(stopped));
                return reason.clone();
            }
            if let Ok(reason) = message.downcast::<ExitReason>() {
                return reason;
            }
        }
    })
}

/// Has a child end by itself.
pub(crate) fn end(pid: Pid, reason: ExitReason) {
    send(pid, Message::native(reason));
}

/// A reason that nobody intended.
pub(crate) fn boom() -> ExitReason {
    ExitReason::error("boom")
}

/// Has a child end by itself, and waits until all who are linked to it could know.
pub(crate) async fn end_and_wait(ctx: &mut Context, pid: Pid, reason: ExitReason) {
    let monitor = ctx.monitor(pid);
    end(pid, reason.clone());
    assert_eq!(down(ctx, monitor).await, reason);
}

/// The reason that a monitor brings.
pub(crate) async fn down(ctx: &mut Context, monitor: rusm_actor::Reference) -> ExitReason {
    let wanted =
        move |message: &Message| message.down().is_some_and(|down| down.reference == monitor);
    let message = ctx.receive_match(wanted).await;
    message.down().expect("it is one").reason
}

/// The next thing that a child tells.
pub(crate) async fn event(ctx: &mut Context) -> Event {
    let message = ctx.receive_match(|message| message.is::<Event>()).await;
    message.downcast().expect("it is one")
}

/// Expects a child's start next.
pub(crate) async fn started(ctx: &mut Context, id: &str) -> Pid {
    match event(ctx).await {
        Event::Started(started, pid) if started == id => pid,
        other => panic!("`{id}` was to start, but {other:?}"),
    }
}

/// Expects the starts of these children, in their order.
pub(crate) async fn all_started<const N: usize>(ctx: &mut Context, ids: [&str; N]) -> [Pid; N] {
    let mut pids = [ctx.pid(); N];
    for (pid, id) in pids.iter_mut().zip(ids) {
        *pid = started(ctx, id).await;
    }
    pids
}

/// Expects these children to be asked to stop, in their order.
pub(crate) async fn all_stopped<const N: usize>(ctx: &mut Context, ids: [&'static str; N]) {
    for id in ids {
        let expected = Event::Stopped(id, ExitReason::Shutdown);
        assert_eq!(event(ctx).await, expected);
    }
}

/// Expects that no child has told anything more so far.
pub(crate) async fn no_more(ctx: &mut Context) {
    while let Some(message) = ctx.try_receive() {
        assert!(!message.is::<Event>(), "{:?}", event_of(message));
    }
}

fn event_of(message: Message) -> Option<Event> {
    message.downcast().ok()
}

/// Expects the supervisor's own end.
pub(crate) async fn ended(ctx: &mut Context, supervisor: SupervisorRef) -> ExitReason {
    let pid = supervisor.pid();
    let wanted = move |message: &Message| message.exit().is_some_and(|(from, _)| from == Some(pid));
    let message = ctx.receive_match(wanted).await;
    let (_, reason) = message.exit().expect("it is one");
    reason.clone()
}

/// A supervisor of the children `a`, `b` and `c`, and their pids, below a test that traps
/// exits.
pub(crate) async fn three(
    ctx: &mut Context,
    strategy: Strategy,
    change: impl Fn(&str, Child) -> Child,
) -> (SupervisorRef, [Pid; 3]) {
    ctx.trap_exit(true);
    let me = ctx.pid();
    let ids = ["a", "b", "c"];
    let all = Supervisor::new(strategy).intensity(9, std::time::Duration::MAX);
    let all = ids
        .into_iter()
        .fold(all, |all, id| all.child(change(id, child(id, me))));
    let supervisor = all.start_link(ctx).await.expect("it starts");
    (supervisor, all_started(ctx, ids).await)
}

/// A supervisor of the child `a`, and its pid, below a test that traps exits.
pub(crate) async fn one(
    ctx: &mut Context,
    supervisor: Supervisor,
    change: impl Fn(Child) -> Child,
) -> (SupervisorRef, Pid) {
    ctx.trap_exit(true);
    let child = change(child("a", ctx.pid()));
    let supervisor = supervisor.child(child).start_link(ctx).await;
    (supervisor.expect("it starts"), started(ctx, "a").await)
}

/// What the supervisor says of its child `id`; `None` if it is not listed.
pub(crate) async fn state(
    ctx: &mut Context,
    supervisor: SupervisorRef,
    id: &str,
) -> Option<ChildState> {
    let children = supervisor.which_children(ctx).await.expect("it lives");
    let of = |child: &ChildInfo| child.id.as_deref() == Some(id);
    Some(children.into_iter().find(of)?.state)
}
