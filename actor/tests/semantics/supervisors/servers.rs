//! Servers and state machines below a supervisor.

use std::time::Duration;

use rusm_actor::server::{Answer, Refusal, ReplyTo, Server, ServerRef, Start};
use rusm_actor::statem::{Event, Machine, MachineRef, Ops, Step};
use rusm_actor::supervisor::{Child, ChildState, StartError, Strategy, Supervisor};
use rusm_actor::{Context, ExitReason, kill};

use super::kit::{down, state};
use crate::semantics::everywhere::everywhere;

struct Counter(u64);

/// How a counter is made.
#[derive(Clone)]
enum Args {
    From(u64),
    Refuse(Refusal),
    Hang,
}

impl Server for Counter {
    type Args = Args;
    type Call = u64;
    type Reply = u64;
    type Cast = ();

    async fn init(args: Args, ctx: &mut Context) -> Result<Self, Refusal> {
        match args {
            Args::From(count) => Ok(Counter(count)),
            Args::Refuse(refusal) => Err(refusal),
            Args::Hang => {
                ctx.receive().await;
                Ok(Counter(0))
            }
        }
    }

    async fn handle_call(&mut self, more: u64, _: ReplyTo<u64>, _: &mut Context) -> Answer<u64> {
        self.0 += more;
        Answer::now(self.0)
    }
}

fn plain() -> Supervisor {
    Supervisor::new(Strategy::OneForOne)
}

fn counter(args: Args) -> Child {
    let how = Start::new()
        .name("counter")
        .init_timeout(Duration::from_millis(5));
    Child::server::<Counter>("counter", how, args)
}

async fn add(ctx: &mut Context, more: u64) -> u64 {
    let pid = ctx.whereis("counter").expect("it has its name");
    let counter = ServerRef::<Counter>::of(pid);
    counter.call(ctx, more).await.expect("it answers")
}

#[test]
fn a_server_that_is_restarted_begins_anew_under_its_name() {
    everywhere(|mut ctx| async move {
        let supervisor = plain().child(counter(Args::From(40)));
        let supervisor = supervisor.start_link(&mut ctx).await.expect("it starts");
        assert_eq!(add(&mut ctx, 1).await, 41);
        assert_eq!(add(&mut ctx, 1).await, 42);
        let pid = ctx.whereis("counter").expect("it has its name");
        let monitor = ctx.monitor(pid);
        kill(pid);
        assert_eq!(down(&mut ctx, monitor).await, ExitReason::Killed);
        // When the supervisor answers, it has heard of that.
        let restarted = state(&mut ctx, supervisor, "counter").await;
        assert_ne!(restarted, Some(ChildState::Running(pid)));
        assert_eq!(add(&mut ctx, 1).await, 41);
    });
}

#[test]
fn a_server_that_does_not_start_is_a_child_that_does_not() {
    everywhere(|mut ctx| async move {
        let stop = Args::Refuse(Refusal::Stop(ExitReason::Status(3)));
        for (args, reason) in [
            (stop, ExitReason::Status(3)),
            (Args::Hang, ExitReason::Timeout),
        ] {
            let error = plain().child(counter(args)).start_link(&mut ctx).await;
            let id = "counter".into();
            assert_eq!(error, Err(StartError::Child { id, reason }));
        }
        let ignored = plain().child(counter(Args::Refuse(Refusal::Ignore)));
        let supervisor = ignored.start_link(&mut ctx).await.expect("it starts");
        let stopped = Some(ChildState::Stopped);
        assert_eq!(state(&mut ctx, supervisor, "counter").await, stopped);
        assert_eq!(ctx.whereis("counter"), None);
    });
}

#[test]
fn a_server_whose_name_is_taken_does_not_start() {
    everywhere(|mut ctx| async move {
        ctx.register("counter").expect("it is free");
        let supervisor = plain().child(counter(Args::From(0)));
        match supervisor.start_link(&mut ctx).await {
            Err(StartError::Child { reason, .. }) => {
                assert!(reason.to_string().contains("already"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    });
}

/// A switch, off at first.
struct Switch;

impl Machine for Switch {
    type Args = ();
    type State = bool;
    type Call = ();
    type Reply = bool;
    type Cast = ();
    type Internal = ();
    type Timer = ();

    async fn init(_: (), _: &mut Ops<'_, Self>) -> Result<(bool, Self), Refusal> {
        Ok((false, Switch))
    }

    async fn handle(
        &mut self,
        on: &bool,
        event: Event<Self>,
        ops: &mut Ops<'_, Self>,
    ) -> Step<bool> {
        match event {
            Event::Call((), from) => {
                ops.reply(from, *on);
                Step::Keep
            }
            Event::Cast(()) => Step::Goto(!on),
            _ => Step::Keep,
        }
    }
}

#[test]
fn a_state_machine_that_is_restarted_is_in_its_first_state() {
    everywhere(|mut ctx| async move {
        let child = Child::machine::<Switch>("switch", Start::new(), ());
        let supervisor = plain().child(child).start_link(&mut ctx).await;
        let supervisor = supervisor.expect("it starts");
        // The second death is one too many, but nobody asks any more.
        ctx.trap_exit(true);
        for _ in 0..2 {
            let Some(ChildState::Running(pid)) = state(&mut ctx, supervisor, "switch").await else {
                panic!("it runs");
            };
            let switch = MachineRef::<Switch>::of(pid);
            assert_eq!(switch.call(&mut ctx, ()).await, Ok(false));
            switch.cast(&ctx, ());
            assert_eq!(switch.call(&mut ctx, ()).await, Ok(true));
            let monitor = ctx.monitor(pid);
            kill(pid);
            assert_eq!(down(&mut ctx, monitor).await, ExitReason::Killed);
        }
    });
}
