//! A state machine that does what it is told and writes down what happened: the tests compare
//! its log.

use std::time::Duration;

use rusm_actor::server::{Refusal, ReplyTo};
use rusm_actor::statem::{self, Event, Machine, MachineRef, Ops, Step};
use rusm_actor::{Context, ExitReason, Message, Pid, send};

pub(crate) const LONG: Duration = Duration::from_secs(20);
pub(crate) const SHORT: Duration = Duration::from_millis(5);
/// For a timeout that a message sent at once must forestall, on a busy machine too.
pub(crate) const SOON: Duration = Duration::from_millis(150);

/// Its states. Events put off in one come again in the next.
pub(crate) type State = char;

/// What one event has it do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Do {
    Goto(State),
    Repeat,
    Insert(&'static str),
    StateTimeout(Duration),
    NoStateTimeout,
    EventTimeout(Duration),
    Timeout(&'static str, Duration),
    NoTimeout(&'static str),
    Stop(ExitReason),
    Panic,
}

pub(crate) enum Ask {
    /// Answered with the log once the machine is in this state.
    LogIn(State),
    /// Answered by the next event that is no call.
    Later,
}

/// A label for the log, whether it is put off until a state, and what it does.
pub(crate) struct Tell {
    pub(crate) label: &'static str,
    pub(crate) until: Option<State>,
    pub(crate) todo: Vec<Do>,
}

/// What is done on entering a state.
#[derive(Clone)]
pub(crate) struct Args {
    pub(crate) observer: Pid,
    pub(crate) entering: Vec<(State, Do)>,
    pub(crate) refuses: Option<Refusal>,
    pub(crate) traps: bool,
}

pub(crate) struct Script {
    args: Args,
    pub(crate) log: Vec<String>,
    kept: Vec<ReplyTo<String>>,
}

pub(crate) type ScriptRef = MachineRef<Script>;

impl Machine for Script {
    type Args = Args;
    type State = State;
    type Call = Ask;
    type Reply = String;
    type Cast = Tell;
    type Internal = &'static str;
    type Timer = &'static str;

    async fn init(args: Args, ops: &mut Ops<'_, Self>) -> Result<(State, Self), Refusal> {
        ops.ctx.trap_exit(args.traps);
        if let Some(refusal) = args.refuses.clone() {
            return Err(refusal);
        }
        let script = Script {
            args,
            log: Vec::new(),
            kept: Vec::new(),
        };
        Ok(('a', script))
    }

    async fn handle(
        &mut self,
        state: &State,
        event: Event<Self>,
        ops: &mut Ops<'_, Self>,
    ) -> Step<State> {
        let tell = match event {
            Event::Call(Ask::LogIn(wanted), from) if wanted == *state => {
                ops.reply(from, self.log.join(" "));
                return Step::Keep;
            }
            Event::Call(Ask::Later, from) => {
                self.kept.push(from);
                return Step::Keep;
            }
            call @ Event::Call(..) => {
                ops.postpone(call);
                return Step::Keep;
            }
            Event::Cast(tell) if tell.until.is_some_and(|until| until != *state) => {
                self.log.push(format!("({})", tell.label));
                ops.postpone(Event::Cast(tell));
                return Step::Keep;
            }
            Event::Cast(tell) => tell,
            Event::Info(message) => tell_of(&String::from_utf8_lossy(message.bytes())),
            Event::Internal(label) => tell_of(label),
            Event::StateTimeout => tell_of("state-timeout"),
            Event::EventTimeout => tell_of("event-timeout"),
            Event::Timeout(name) => tell_of(name),
        };
        for from in self.kept.drain(..) {
            ops.reply(from, tell.label.into());
        }
        self.log.push(tell.label.into());
        let mut step = Step::Keep;
        for todo in tell.todo {
            perform(todo, ops, &mut step);
        }
        step
    }

    async fn enter(
        &mut self,
        before: &State,
        state: &State,
        ops: &mut Ops<'_, Self>,
    ) -> Result<(), ExitReason> {
        self.log.push(format!("{before}>{state}"));
        let mut step = Step::Keep;
        for (_, todo) in self.args.entering.iter().filter(|(at, _)| at == state) {
            perform(todo.clone(), ops, &mut step);
        }
        match step {
            Step::Stop(reason) => Err(reason),
            _ => Ok(()),
        }
    }

    async fn terminate(&mut self, reason: &ExitReason, state: &State, _: &mut Context) {
        let last = format!("{state} {reason}");
        send(self.args.observer, Message::native(last));
    }
}

/// Labels of events without a list of their own: those in the tests never need one.
fn tell_of(label: &str) -> Tell {
    let known = [
        "state-timeout",
        "event-timeout",
        "info",
        "x",
        "y",
        "z",
        "one",
        "two",
    ];
    let known = known.into_iter().find(|known| *known == label);
    Tell {
        label: known.unwrap_or("other"),
        until: None,
        todo: Vec::new(),
    }
}

fn perform(todo: Do, ops: &mut Ops<'_, Script>, step: &mut Step<State>) {
    match todo {
        Do::Goto(state) => *step = Step::Goto(state),
        Do::Repeat => *step = Step::Repeat,
        Do::Insert(label) => ops.insert(Event::Internal(label)),
        Do::StateTimeout(span) => ops.state_timeout(span),
        Do::NoStateTimeout => ops.cancel_state_timeout(),
        Do::EventTimeout(span) => ops.event_timeout(span),
        Do::Timeout(name, span) => ops.timeout(name, span),
        Do::NoTimeout(name) => ops.cancel_timeout(name),
        Do::Stop(reason) => *step = Step::Stop(reason),
        Do::Panic => panic!("the machine has a fault"),
    }
}

impl Args {
    pub(crate) fn new(ctx: &Context) -> Args {
        Args {
            observer: ctx.pid(),
            entering: Vec::new(),
            refuses: None,
            traps: false,
        }
    }
}

/// A script with something to do on entering states, linked to nobody.
pub(crate) async fn start(ctx: &mut Context, entering: &[(State, Do)]) -> ScriptRef {
    let args = Args {
        entering: entering.to_vec(),
        ..Args::new(ctx)
    };
    let started = statem::start::<Script>(ctx, args).await;
    started.expect("it starts")
}

/// An event that does something at once.
pub(crate) fn tell(ctx: &Context, script: ScriptRef, label: &'static str, todo: &[Do]) {
    let todo = todo.to_vec();
    script.cast(
        ctx,
        Tell {
            label,
            until: None,
            todo,
        },
    );
}

/// An event that is put off until the machine is in a state.
pub(crate) fn put_off(ctx: &Context, script: ScriptRef, label: &'static str, until: State) {
    let (until, todo) = (Some(until), Vec::new());
    script.cast(ctx, Tell { label, until, todo });
}

/// What happened, as soon as the machine is in `state`.
pub(crate) async fn log_in(ctx: &mut Context, script: ScriptRef, state: State) -> String {
    let log = script.call_within(ctx, LONG, Ask::LogIn(state)).await;
    log.expect("the machine answers")
}

/// Ends a script; it must leave no message but its last.
pub(crate) async fn stop(ctx: &mut Context, script: ScriptRef) {
    assert_eq!(script.stop(ctx, ExitReason::Normal, LONG).await, Ok(()));
    assert!(last_words(ctx).await.ends_with(" normal"));
    assert!(ctx.try_receive().is_none());
}

/// What `terminate` said.
pub(crate) async fn last_words(ctx: &mut Context) -> String {
    let message = ctx.receive_match(|message| message.is::<String>()).await;
    message.downcast().expect("it was looked at")
}
