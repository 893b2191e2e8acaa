//! Servers and state machines as children.

use std::sync::Arc;

use crate::exit::ExitReason;
use crate::server::{self, Server, Start, StartError};
use crate::statem::{self, Machine};
use crate::supervisor::child::Child;
use crate::supervisor::starter::Starter;

impl Child {
    /// A server: it is made anew of `args` for each restart, and has started when its `init`
    /// has ended well. Of `how`, the name counts, and the time that `init` may take, which is
    /// the child's `start_timeout`.
    pub fn server<S>(id: impl Into<Arc<str>>, how: Start, args: S::Args) -> Self
    where
        S: Server,
        S::Args: Clone + Sync,
    {
        let timeout = how.init_timeout_max();
        let body = move |ctx, starter| {
            let told = |outcome: Result<(), &StartError>| tell(starter, outcome);
            server::run_with::<S, _>(ctx, how.clone(), args.clone(), told)
        };
        Child::starting(id, body).start_timeout(timeout)
    }

    /// A state machine; see `server`.
    pub fn machine<M>(id: impl Into<Arc<str>>, how: Start, args: M::Args) -> Self
    where
        M: Machine,
        M::Args: Clone + Sync,
    {
        let timeout = how.init_timeout_max();
        let body = move |ctx, starter| {
            let told = |outcome: Result<(), &StartError>| tell(starter, outcome);
            statem::run_with::<M, _>(ctx, how.clone(), args.clone(), told)
        };
        Child::starting(id, body).start_timeout(timeout)
    }
}

fn tell(starter: Starter, outcome: Result<(), &StartError>) {
    match outcome {
        Ok(()) => starter.started(),
        Err(StartError::Ignored) => starter.ignore(),
        // As text: the process itself ends normally, since it has done nothing wrong.
        Err(error @ StartError::AlreadyStarted(_)) => {
            drop(starter.failed(ExitReason::error(error.to_string())));
        }
        Err(error) => drop(starter.failed(error.reason())),
    }
}
