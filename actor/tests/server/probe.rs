//! The server that the tests talk to, and what they have in common.

use std::future::pending;
use std::time::Duration;

use rusm_actor::server::{self, Answer, Next, Refusal, ReplyTo, Server, ServerRef};
use rusm_actor::{Context, ExitReason, Message, Pid, send};

/// Longer than anything takes that is expected to happen.
pub(crate) const LONG: Duration = Duration::from_secs(20);
/// Short, for what is expected not to happen.
pub(crate) const SHORT: Duration = Duration::from_millis(5);
/// So long that a machine that stands still for a moment is not through with it after `SHORT`.
pub(crate) const BUSY: Duration = Duration::from_secs(1);

/// How a probe is started.
#[derive(Clone)]
pub(crate) struct Args {
    pub(crate) init: Init,
    pub(crate) first: Next,
    /// Who is told of `terminate`, and of timeouts.
    pub(crate) observer: Pid,
    pub(crate) traps: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Init {
    Fine,
    Ignore,
    Fail(ExitReason),
    Panic,
    Hang,
}

#[derive(Debug)]
pub(crate) enum Ask {
    Total,
    /// Answered by `Tell::Release`.
    Later,
    /// Answered by a process that the server starts.
    Elsewhere,
    Twice,
    Panic,
    Stop(ExitReason),
    AnswerAndStop(ExitReason),
    SleepFor(Duration),
    MySelf(ServerRef<Probe>),
}

pub(crate) enum Tell {
    Add(u64),
    Release,
    Wait(Duration),
    Panic,
}

/// What the observer gets.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    Terminated(ExitReason),
    TimedOut,
    Continued,
    Inits(Pid),
}

pub(crate) struct Probe {
    pub(crate) total: u64,
    kept: Vec<ReplyTo<u64>>,
    args: Args,
}

impl Args {
    pub(crate) fn new(ctx: &Context) -> Args {
        Args {
            init: Init::Fine,
            first: Next::Wait,
            observer: ctx.pid(),
            traps: false,
        }
    }

    pub(crate) fn with(ctx: &Context, init: Init) -> Args {
        Args {
            init,
            ..Args::new(ctx)
        }
    }
}

impl Server for Probe {
    type Args = Args;
    type Call = Ask;
    type Reply = u64;
    type Cast = Tell;

    async fn init(args: Args, ctx: &mut Context) -> Result<Self, Refusal> {
        ctx.trap_exit(args.traps);
        match args.init.clone() {
            Init::Fine => {}
            Init::Ignore => return Err(Refusal::Ignore),
            Init::Fail(reason) => return Err(reason.into()),
            Init::Panic => panic!("init has a fault"),
            Init::Hang => {
                send(args.observer, Message::native(Seen::Inits(ctx.pid())));
                pending().await
            }
        }
        Ok(Probe {
            total: 0,
            kept: Vec::new(),
            args,
        })
    }

    fn first(&self) -> Next {
        self.args.first.clone()
    }

    async fn handle_call(
        &mut self,
        call: Ask,
        from: ReplyTo<u64>,
        ctx: &mut Context,
    ) -> Answer<u64> {
        match call {
            Ask::Total => Answer::now(self.total),
            Ask::Later => {
                self.kept.push(from);
                Answer::later()
            }
            Ask::Elsewhere => {
                let total = self.total;
                ctx.spawn(move |_| async move { from.reply(total) });
                Answer::later()
            }
            Ask::Twice => {
                from.caller().reply(Message::native(self.total));
                Answer::now(self.total + 1)
            }
            Ask::Panic => panic!("the handler has a fault"),
            Ask::Stop(reason) => Answer::stop(reason),
            Ask::AnswerAndStop(reason) => Answer::now(self.total).then(Next::Stop(reason)),
            Ask::SleepFor(span) => {
                ctx.sleep(span).await;
                Answer::now(self.total)
            }
            Ask::MySelf(me) => {
                let error = me.call(ctx, Ask::Total).await;
                assert_eq!(error, Err(rusm_actor::CallError::CallingSelf));
                Answer::now(self.total)
            }
        }
    }

    async fn handle_cast(&mut self, cast: Tell, ctx: &mut Context) -> Next {
        match cast {
            Tell::Add(more) => self.total += more,
            Tell::Release => {
                for from in self.kept.drain(..) {
                    from.reply_by(ctx, self.total);
                }
            }
            Tell::Wait(span) => return Next::WaitFor(span),
            Tell::Panic => panic!("the handler has a fault"),
        }
        Next::Wait
    }

    async fn handle_continue(&mut self, _: &mut Context) -> Next {
        self.see(Seen::Continued);
        Next::Wait
    }

    async fn handle_timeout(&mut self, _: &mut Context) -> Next {
        self.see(Seen::TimedOut);
        Next::Wait
    }

    async fn terminate(&mut self, reason: &ExitReason, _: &mut Context) {
        self.see(Seen::Terminated(reason.clone()));
    }

    fn describe(&self) -> String {
        format!("total {}", self.total)
    }
}

impl Probe {
    fn see(&self, seen: Seen) {
        send(self.args.observer, Message::native(seen));
    }
}

/// A probe that is neither linked nor watched.
pub(crate) async fn start(ctx: &mut Context) -> ServerRef<Probe> {
    let args = Args::new(ctx);
    let started = server::start::<Probe>(ctx, args).await;
    started.expect("it starts")
}

/// Ends a probe, and takes what it says of that.
pub(crate) async fn stop(ctx: &mut Context, probe: ServerRef<Probe>) {
    assert_eq!(probe.stop(ctx, ExitReason::Normal, LONG).await, Ok(()));
    let last = Seen::Terminated(ExitReason::Normal);
    assert_eq!(seen(ctx).await, last);
}

/// What the observer gets next.
pub(crate) async fn seen(ctx: &mut Context) -> Seen {
    let message = ctx.receive_match(|message| message.is::<Seen>()).await;
    message.downcast().expect("it was looked at")
}

/// The mailbox must be empty, once all that was sent by `probe` has come.
pub(crate) async fn nothing_came(ctx: &mut Context, probe: ServerRef<Probe>) {
    probe.call(ctx, Ask::Total).await.expect("it lives");
    assert!(ctx.try_receive().is_none());
}

/// Why a process that is watched by `reference` ended.
pub(crate) async fn end_of(ctx: &mut Context, reference: rusm_actor::Reference) -> ExitReason {
    let ends = |message: &Message| {
        message
            .down()
            .is_some_and(|down| down.reference == reference)
    };
    let down = ctx.receive_match(ends).await.down();
    down.expect("it was looked at").reason
}
