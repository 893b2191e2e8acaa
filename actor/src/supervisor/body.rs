//! How a child's process is begun: by a body that can be run any number of times.

use std::future::Future;
use std::sync::Arc;

use crate::context::Context;
use crate::exit;
use crate::pid::Pid;
use crate::reference::Reference;
use crate::spawn::Spawn;
use crate::supervisor::plan::Plan;
use crate::supervisor::run::{self, Parent};
use crate::supervisor::starter::Starter;

/// A child that has just been begun.
pub(crate) struct Begun {
    pub(crate) pid: Pid,
    /// It will say whether it has started; until then it is watched.
    pub(crate) pending: Option<Pending>,
}

pub(crate) struct Pending {
    /// Its answer is known by this.
    pub(crate) token: Reference,
    pub(crate) monitor: Reference,
}

/// What a child does, again and again.
pub(crate) trait Body: Send + Sync {
    /// Begins a process that is linked to the supervisor `ctx`. The code of others runs in the
    /// new process only, so it may panic.
    fn begin(self: Arc<Self>, ctx: &mut Context, label: &Arc<str>) -> Begun;
}

/// The type of a child's own body in that of its process, or else that type as it is: all children would be
/// called alike.
pub(crate) fn own_name(process: &'static str) -> &'static str {
    let of = |wrapper: &str| {
        let (_, own) = process.split_once(wrapper)?;
        Some(own.split_once(AS_BODY)?.0)
    };
    WRAPPERS.iter().find_map(|it| of(it)).unwrap_or(process)
}

/// How a type begins that has a child's body in it, and how it goes on.
const WRAPPERS: [&str; 2] = [
    "<rusm_actor::supervisor::body::Worker<",
    "<rusm_actor::supervisor::body::Starting<",
];
const AS_BODY: &str = "> as rusm_actor::supervisor::body::Body>";

/// Has started as soon as it is begun.
pub(crate) struct Worker<F>(pub(crate) F);

impl<F, Fut> Body for Worker<F>
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: exit::Outcome,
{
    fn begin(self: Arc<Self>, ctx: &mut Context, label: &Arc<str>) -> Begun {
        let how = Spawn::new().link().label(label.clone());
        let body = move |ctx: Context| async move {
            ctx.with_side(|side| side.supervised = true);
            (self.0)(ctx).await
        };
        let (pid, _) = ctx.spawn_with(how, body);
        Begun { pid, pending: None }
    }
}

/// Says when it has started.
pub(crate) struct Starting<F>(pub(crate) F);

impl<F, Fut> Body for Starting<F>
where
    F: Fn(Context, Starter) -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: exit::Outcome,
{
    fn begin(self: Arc<Self>, ctx: &mut Context, label: &Arc<str>) -> Begun {
        begin_starting(ctx, label, move |ctx, starter| async move {
            ctx.with_side(|side| side.supervised = true);
            (self.0)(ctx, starter).await
        })
    }
}

/// A supervisor below another one.
pub(crate) struct Supervised(pub(crate) Arc<Plan>);

impl Body for Supervised {
    fn begin(self: Arc<Self>, ctx: &mut Context, label: &Arc<str>) -> Begun {
        let plan = self.0.clone();
        begin_starting(ctx, label, |ctx, starter| {
            let parent = Parent::Within(starter.supervisor());
            run::supervise(ctx, plan, parent, starter)
        })
    }
}

fn begin_starting<F, Fut>(ctx: &mut Context, label: &Arc<str>, body: F) -> Begun
where
    F: FnOnce(Context, Starter) -> Fut,
    Fut: Future + Send + 'static,
    Fut::Output: exit::Outcome,
{
    let starter = Starter::new(ctx.pid());
    let token = starter.token();
    // Watched as well: whatever becomes of the link, its own reason is what comes.
    let how = Spawn::new().link().monitor().label(label.clone());
    let (pid, monitor) = ctx.spawn_with(how, |ctx| body(ctx, starter));
    Begun {
        pid,
        pending: Some(Pending { token, monitor }),
    }
}
