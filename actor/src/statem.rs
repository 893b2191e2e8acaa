//! State machines: servers whose answer depends on the state they are in, with events that can
//! be put off, timeouts that belong to a state, and things done on entering one.
//!
//! ```
//! use std::time::Duration;
//! use rusm_actor::server::Refusal;
//! use rusm_actor::statem::{self, Event, Machine, Ops, Step};
//! use rusm_actor::{Config, Node};
//!
//! #[derive(Debug, PartialEq)]
//! enum Door { Open, Closed }
//!
//! /// Counts how often the door was opened. It closes by itself.
//! struct Hall(u32);
//!
//! impl Machine for Hall {
//!     type Args = ();
//!     type State = Door;
//!     type Call = ();
//!     type Reply = u32;
//!     type Cast = ();
//!     type Internal = ();
//!     type Timer = ();
//!
//!     async fn init(_: (), _: &mut Ops<'_, Self>) -> Result<(Door, Self), Refusal> {
//!         Ok((Door::Closed, Hall(0)))
//!     }
//!
//!     async fn handle(&mut self, door: &Door, event: Event<Self>, ops: &mut Ops<'_, Self>) -> Step<Door> {
//!         match (door, event) {
//!             (Door::Closed, Event::Cast(())) => {
//!                 self.0 += 1;
//!                 ops.state_timeout(Duration::from_millis(1));
//!                 Step::Goto(Door::Open)
//!             }
//!             (Door::Open, Event::StateTimeout) => Step::Goto(Door::Closed),
//!             // Asked while it is open: the answer waits until it is closed.
//!             (Door::Open, event @ Event::Call(..)) => {
//!                 ops.postpone(event);
//!                 Step::Keep
//!             }
//!             (Door::Closed, Event::Call((), from)) => {
//!                 ops.reply(from, self.0);
//!                 Step::Keep
//!             }
//!             _ => Step::Keep,
//!         }
//!     }
//! }
//!
//! let node = Node::start(Config::default())?;
//! let opened = node.block_on(|mut ctx| async move {
//!     let hall = statem::start_link::<Hall>(&mut ctx, ()).await.expect("it starts");
//!     hall.cast(&ctx, ());
//!     hall.call(&mut ctx, ()).await
//! })?;
//! assert_eq!(opened, Ok(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ops;
mod running;
mod timers;

use std::fmt;
use std::future::{Future, ready};

pub use self::ops::Ops;
use self::running::Running;
use crate::context::Context;
use crate::exit::ExitReason;
use crate::message::Message;
use crate::reference::Reference;
use crate::server::{Refusal, ReplyTo, Service, Start, StartError, begin, live};

/// Events a machine may put off at a time. One that puts off more has forgotten to come to
/// another state, and ends with the error `postponed_max` before it fills the memory: what is
/// put off is not in the mailbox any more, whose limit would catch it.
pub const POSTPONED_MAX: usize = 1 << 20;

/// A state machine: its states, its events, and what it does about them.
///
/// The value itself is what it knows in every state. Its functions run one at a time. A panic
/// in one of them ends the process with the panic as its reason.
pub trait Machine: Sized + Send + 'static {
    /// What it is started with.
    type Args: Send + 'static;
    /// The states; two that are equal are the same one.
    type State: PartialEq + fmt::Debug + Send + Sync + 'static;
    /// What it may be asked.
    type Call: Send + 'static;
    /// What it answers.
    type Reply: Send + 'static;
    /// What it may be told without an answer.
    type Cast: Send + 'static;
    /// What it may tell itself.
    type Internal: Send + 'static;
    /// Names of timeouts that outlive a state.
    type Timer: PartialEq + Send + 'static;

    /// Makes the first state, in the new process. Who starts it waits for the end of this.
    fn init(
        args: Self::Args,
        ops: &mut Ops<'_, Self>,
    ) -> impl Future<Output = Result<(Self::State, Self), Refusal>> + Send;

    /// Deals with one event.
    fn handle(
        &mut self,
        state: &Self::State,
        event: Event<Self>,
        ops: &mut Ops<'_, Self>,
    ) -> impl Future<Output = Step<Self::State>> + Send;

    /// The machine has come to `state`, from `before`: which is the same for the first one,
    /// and after `Step::Repeat`. No event is dealt with before this has ended.
    ///
    /// # Errors
    /// The reason why the machine is to stop.
    fn enter(
        &mut self,
        before: &Self::State,
        state: &Self::State,
        ops: &mut Ops<'_, Self>,
    ) -> impl Future<Output = Result<(), ExitReason>> + Send {
        let _ = (before, state, ops);
        ready(Ok(()))
    }

    /// Cleans up before the machine stops in order: see [`crate::server::Server::terminate`].
    fn terminate(
        &mut self,
        reason: &ExitReason,
        state: &Self::State,
        ctx: &mut Context,
    ) -> impl Future<Output = ()> + Send {
        let _ = (reason, state, ctx);
        ready(())
    }

    /// State and knowledge as text, for who looks into a running machine.
    fn describe(&self, state: &Self::State) -> String {
        format!("{state:?}")
    }
}

/// What happens to a machine.
pub enum Event<M: Machine> {
    /// Somebody asks; the answer goes to the [`ReplyTo`], now or later.
    Call(M::Call, ReplyTo<M::Reply>),
    /// Somebody tells.
    Cast(M::Cast),
    /// Any other message.
    Info(Message),
    /// What it told itself.
    Internal(M::Internal),
    /// It has been in this state for as long as it said.
    StateTimeout,
    /// No event came for as long as it said.
    EventTimeout,
    /// A timeout with a name.
    Timeout(M::Timer),
}

impl<M: Machine> fmt::Debug for Event<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Event::Call(..) => "Call",
            Event::Cast(_) => "Cast",
            Event::Info(_) => "Info",
            Event::Internal(_) => "Internal",
            Event::StateTimeout => "StateTimeout",
            Event::EventTimeout => "EventTimeout",
            Event::Timeout(_) => "Timeout",
        })
    }
}

/// Where an event leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a machine goes where its functions say"]
pub enum Step<S> {
    /// The same state.
    Keep,
    /// The same state, which is entered anew: nothing but `enter` happens.
    Repeat,
    /// That state. If it is another one, its events that were put off come again, and the
    /// timeout of the old one is off.
    Goto(S),
    /// The end.
    Stop(ExitReason),
}

/// Where a state machine is to be found: `Copy`, by its pid or its name.
pub type MachineRef<M> = Service<<M as Machine>::Call, <M as Machine>::Reply, <M as Machine>::Cast>;

/// Starts a state machine and waits until it has initialised and entered its first state; see
/// [`crate::server::start`].
///
/// # Errors
/// See [`StartError`]. Nothing of the machine is left then.
pub async fn start<M: Machine>(
    ctx: &mut Context,
    args: M::Args,
) -> Result<MachineRef<M>, StartError> {
    let started = start_with::<M>(ctx, Start::new(), args).await?;
    Ok(started.0)
}

/// As `start`, linked to the calling process; see [`crate::server::start_link`].
///
/// # Errors
/// As `start`.
pub async fn start_link<M: Machine>(
    ctx: &mut Context,
    args: M::Args,
) -> Result<MachineRef<M>, StartError> {
    let started = start_with::<M>(ctx, Start::new().link(), args).await?;
    Ok(started.0)
}

/// As `start`, watched by the calling process; see [`crate::server::start_monitor`].
///
/// # Errors
/// As `start`.
pub async fn start_monitor<M: Machine>(
    ctx: &mut Context,
    args: M::Args,
) -> Result<(MachineRef<M>, Reference), StartError> {
    start_with::<M>(ctx, Start::new().monitor(), args).await
}

/// Starts a state machine in a particular way; see [`crate::server::start_with`].
///
/// # Errors
/// As `start`.
pub async fn start_with<M: Machine>(
    ctx: &mut Context,
    how: Start,
    args: M::Args,
) -> Result<(MachineRef<M>, Reference), StartError> {
    let (pid, reference) = begin::<Running<M>>(ctx, how, args).await?;
    Ok((Service::of(pid), reference))
}

/// Is a state machine, from `init` to the end; see [`crate::server::run`].
pub async fn run<M: Machine>(ctx: Context, args: M::Args) -> ExitReason {
    run_with::<M, _>(ctx, Start::new(), args, |_| {}).await
}

/// As `run`, and calls `started`; see [`crate::server::run_with`].
pub async fn run_with<M, F>(mut ctx: Context, how: Start, args: M::Args, started: F) -> ExitReason
where
    M: Machine,
    F: FnOnce(Result<(), &StartError>) + Send,
{
    let told = |_: &mut Context, outcome: &Result<(), StartError>| {
        started(outcome.as_ref().copied());
    };
    live::<Running<M>, _>(&mut ctx, how, args, told).await
}
