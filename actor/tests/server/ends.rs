//! How a server ends, and when it is asked to clean up.

use rusm_actor::server::{self, Answer, Next, Refusal, ReplyTo, Server, Start};
use rusm_actor::{CallError, Context, ExitReason, exit, kill, send};

use super::probe::{Args, Ask, BUSY, LONG, Probe, SHORT, Seen, Tell, end_of, seen, start, stop};
use crate::everywhere::everywhere;

#[test]
fn a_server_that_stops_cleans_up_and_says_why() {
    everywhere(|mut ctx| async move {
        let why = ExitReason::error("enough");
        for ask in [Ask::Stop(why.clone()), Ask::AnswerAndStop(why.clone())] {
            let answers = matches!(ask, Ask::AnswerAndStop(_));
            let args = Args::new(&ctx);
            let started = server::start_monitor::<Probe>(&mut ctx, args).await;
            let (probe, ended) = started.expect("it starts");
            let answer = probe.call(&mut ctx, ask).await;
            let expected = if answers {
                Ok(0)
            } else {
                Err(CallError::Ended(why.clone()))
            };
            assert_eq!(answer, expected);
            assert_eq!(seen(&mut ctx).await, Seen::Terminated(why.clone()));
            assert_eq!(end_of(&mut ctx, ended).await, why);
            assert!(ctx.try_receive().is_none());
        }
    });
}

#[test]
fn a_server_that_traps_exits_cleans_up_when_its_parent_ends() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        for reason in [
            ExitReason::Normal,
            ExitReason::Shutdown,
            ExitReason::error("odd"),
        ] {
            let why = reason.clone();
            ctx.spawn(move |mut ctx| async move {
                let args = Args {
                    traps: true,
                    observer: me,
                    ..Args::new(&ctx)
                };
                let probe = server::start_link::<Probe>(&mut ctx, args).await;
                probe.expect("it starts").cast(&ctx, Tell::Add(1));
                why
            });
            assert_eq!(seen(&mut ctx).await, Seen::Terminated(reason));
        }
    });
}

#[test]
fn a_server_that_traps_exits_cleans_up_when_its_parent_asks_it_to_end() {
    everywhere(|mut ctx| async move {
        let (probe, ended) = trapping(&mut ctx, Start::new().link().monitor()).await;
        ctx.unlink(probe);
        exit(probe, ExitReason::Shutdown);
        assert_eq!(seen(&mut ctx).await, Seen::Terminated(ExitReason::Shutdown));
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Shutdown);
    });
}

#[test]
fn a_server_that_traps_exits_survives_those_of_strangers() {
    everywhere(|mut ctx| async move {
        // Not linked: who started it is a stranger too.
        let (probe, ended) = trapping(&mut ctx, Start::new().monitor()).await;
        exit(probe, ExitReason::Shutdown);
        let stranger = ctx.spawn(move |_| async move { exit(probe, ExitReason::error("odd")) });
        let gone = ctx.monitor(stranger);
        end_of(&mut ctx, gone).await;
        let service = server::ServerRef::<Probe>::of(probe);
        let statistics = rusm_actor::sys::statistics(&mut ctx, service).await;
        assert_eq!(statistics.map(|s| (s.infos, s.dropped)), Ok((2, 2)));
        stop(&mut ctx, service).await;
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Normal);
    });
}

async fn trapping(ctx: &mut Context, how: Start) -> (rusm_actor::Pid, rusm_actor::Reference) {
    let args = Args {
        traps: true,
        ..Args::new(ctx)
    };
    let started = server::start_with::<Probe>(ctx, how, args).await;
    let (probe, ended) = started.expect("it starts");
    (probe.pid(ctx).expect("a pid"), ended)
}

#[test]
fn a_server_that_is_killed_or_does_not_trap_does_not_clean_up() {
    everywhere(|mut ctx| async move {
        let (probe, ended) = trapping(&mut ctx, Start::new().monitor()).await;
        kill(probe);
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Killed);
        let args = Args::new(&ctx);
        let started = server::start_monitor::<Probe>(&mut ctx, args).await;
        let (probe, ended) = started.expect("it starts");
        exit(probe.pid(&ctx).expect("a pid"), ExitReason::Shutdown);
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Shutdown);
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn stopping_gives_up_on_a_busy_server_that_still_stops() {
    everywhere(|mut ctx| async move {
        let args = Args::new(&ctx);
        let started = server::start_monitor::<Probe>(&mut ctx, args).await;
        let (probe, ended) = started.expect("it starts");
        let asker = ctx.spawn(move |mut ctx| async move {
            drop(probe.call(&mut ctx, Ask::SleepFor(BUSY)).await);
        });
        while probe.call_within(&mut ctx, SHORT, Ask::Total).await.is_ok() {}
        let outcome = probe.stop(&mut ctx, ExitReason::Shutdown, SHORT).await;
        assert_eq!(outcome, Err(CallError::Timeout));
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Shutdown);
        assert_eq!(seen(&mut ctx).await, Seen::Terminated(ExitReason::Shutdown));
        assert!(ctx.try_receive().is_none());
        let gone = ctx.monitor(asker);
        end_of(&mut ctx, gone).await;
    });
}

#[test]
fn stopping_a_server_that_ends_otherwise_says_how() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        probe.cast(&ctx, Tell::Panic);
        let outcome = probe.stop(&mut ctx, ExitReason::Normal, LONG).await;
        let told = matches!(
            outcome,
            Err(CallError::Ended(ExitReason::Panic(_)) | CallError::NoProcess)
        );
        assert!(told, "{outcome:?}");
    });
}

#[test]
fn a_server_may_begin_with_something_and_hear_that_nothing_came() {
    everywhere(|mut ctx| async move {
        let args = Args {
            first: Next::Continue,
            ..Args::new(&ctx)
        };
        let probe = server::start::<Probe>(&mut ctx, args)
            .await
            .expect("it starts");
        assert_eq!(seen(&mut ctx).await, Seen::Continued);
        probe.cast(&ctx, Tell::Wait(SHORT));
        assert_eq!(seen(&mut ctx).await, Seen::TimedOut);
        // A message comes first: nothing to be told of.
        probe.cast(&ctx, Tell::Wait(LONG));
        probe.cast(&ctx, Tell::Add(1));
        send(probe.pid(&ctx).expect("a pid"), b"anything");
        assert_eq!(probe.call(&mut ctx, Ask::Total).await, Ok(1));
        let timeouts = rusm_actor::sys::statistics(&mut ctx, probe).await;
        assert_eq!(timeouts.map(|s| s.timeouts), Ok(1));
        stop(&mut ctx, probe).await;
    });
}

#[test]
fn stopping_a_server_that_has_ended_says_so() {
    everywhere(|mut ctx| async move {
        let probe = start(&mut ctx).await;
        stop(&mut ctx, probe).await;
        let twice = probe.stop(&mut ctx, ExitReason::Normal, LONG).await;
        assert_eq!(twice, Err(CallError::NoProcess));
    });
}

#[test]
fn a_server_that_goes_on_for_ever_lets_others_run() {
    everywhere(|mut ctx| async move {
        let (endless, ended) = ctx.spawn_monitor(|ctx| server::run::<Endless>(ctx, ()));
        ctx.reductions(10_000).await;
        kill(endless);
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Killed);
    });
}

struct Endless;

impl Server for Endless {
    type Args = ();
    type Call = ();
    type Reply = ();
    type Cast = ();

    async fn init(_: (), _: &mut Context) -> Result<Self, Refusal> {
        Ok(Endless)
    }

    fn first(&self) -> Next {
        Next::Continue
    }

    async fn handle_call(&mut self, _: (), _: ReplyTo<()>, _: &mut Context) -> Answer<()> {
        Answer::later()
    }

    async fn handle_continue(&mut self, _: &mut Context) -> Next {
        Next::Continue
    }
}
