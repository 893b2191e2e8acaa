//! How a state machine starts and ends, and what can be seen of it.

use rusm_actor::server::{Refusal, Start, StartError};
use rusm_actor::statem::{self, Event, Machine, MachineRef, Ops, POSTPONED_MAX, Step};
use rusm_actor::sys::{self, Trace, TraceEvent};
use rusm_actor::{CallError, ExitReason, exit};

use super::script::{Args, Ask, Do, LONG, SHORT, Script, last_words, log_in, start, stop, tell};
use crate::everywhere::{everywhere, on_threads};

#[test]
fn a_machine_that_does_not_start_leaves_nothing_but_the_error() {
    everywhere(|mut ctx| async move {
        let why = ExitReason::error("no such table");
        let entering = |todo| vec![('a', todo)];
        let plain = Args::new(&ctx);
        let cases = [
            (Some(Refusal::Ignore), vec![], StartError::Ignored),
            (
                Some(Refusal::Stop(why.clone())),
                vec![],
                StartError::Failed(why.clone()),
            ),
            (
                None,
                entering(Do::Stop(why.clone())),
                StartError::Failed(why),
            ),
        ];
        for (refuses, entering, expected) in cases {
            let args = Args {
                refuses,
                entering,
                ..plain.clone()
            };
            let how = Start::new().link().monitor().name("script");
            let outcome = statem::start_with::<Script>(&mut ctx, how, args).await;
            assert_eq!(outcome, Err(expected));
            assert_eq!(ctx.whereis("script"), None);
        }
        let args = Args {
            entering: entering(Do::Panic),
            ..plain
        };
        let outcome = statem::start_link::<Script>(&mut ctx, args).await;
        assert!(matches!(
            outcome,
            Err(StartError::Failed(ExitReason::Panic(_)))
        ));
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn a_taken_name_gives_its_owner() {
    everywhere(|mut ctx| async move {
        let args = Args::new(&ctx);
        let how = Start::new().name("script");
        let first = statem::start_with::<Script>(&mut ctx, how.clone(), args.clone()).await;
        let pid = first.expect("it starts").0.pid(&ctx).expect("a pid");
        let second = statem::start_with::<Script>(&mut ctx, how, args).await;
        assert_eq!(second, Err(StartError::AlreadyStarted(pid)));
        stop(&mut ctx, MachineRef::<Script>::named("script")).await;
    });
}

#[test]
fn a_machine_that_stops_says_why_and_where() {
    everywhere(|mut ctx| async move {
        let why = ExitReason::error("enough");
        let args = Args::new(&ctx);
        for enters in [false, true] {
            let mut args = args.clone();
            let mut todo = vec![Do::Goto('b'), Do::Stop(why.clone())];
            if enters {
                args.entering.push(('b', Do::Stop(why.clone())));
                todo.pop();
            }
            let started = statem::start_monitor::<Script>(&mut ctx, args).await;
            let (script, ended) = started.expect("it starts");
            tell(&ctx, script, "one", &todo);
            let at = if enters { 'b' } else { 'a' };
            assert_eq!(last_words(&mut ctx).await, format!("{at} enough"));
            let down = ctx.receive().await.down().expect("it ends");
            assert_eq!((down.reference, down.reason), (ended, why.clone()));
        }
    });
}

#[test]
fn a_machine_that_panics_tells_who_waits() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        ctx.spawn(move |ctx| async move {
            ctx.sleep(SHORT).await;
            tell(&ctx, script, "one", &[Do::Panic]);
        });
        let answer = script.call_within(&mut ctx, LONG, Ask::LogIn('b')).await;
        let told = matches!(answer, Err(CallError::Ended(ExitReason::Panic(_))));
        assert!(told, "{answer:?}");
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn a_machine_that_traps_exits_cleans_up_when_its_parent_wants_it_to_end() {
    everywhere(|mut ctx| async move {
        let args = Args {
            traps: true,
            ..Args::new(&ctx)
        };
        let how = Start::new().link().monitor();
        let started = statem::start_with::<Script>(&mut ctx, how, args).await;
        let (script, _) = started.expect("it starts");
        let pid = script.pid(&ctx).expect("a pid");
        ctx.unlink(pid);
        exit(pid, ExitReason::Shutdown);
        assert_eq!(last_words(&mut ctx).await, "a shutdown");
        let down = ctx.receive().await.down().expect("it ends");
        assert_eq!(down.reason, ExitReason::Shutdown);
    });
}

#[test]
fn a_tracer_is_told_of_events_and_states() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        let me = ctx.pid();
        sys::trace(&mut ctx, script, me).await.expect("it lives");
        tell(&ctx, script, "one", &[Do::Insert("x"), Do::Goto('b')]);
        log_in(&mut ctx, script, 'b').await;
        let expected = [
            Trace::Cast,
            Trace::Entered("'b'".into()),
            Trace::Continue,
            Trace::Call(me),
            Trace::Reply(me),
        ];
        for expected in expected {
            let event = ctx.receive().await.downcast::<TraceEvent>();
            assert_eq!(event.expect("a trace event").what, expected);
        }
        sys::trace_off(&mut ctx, script).await.expect("it lives");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn both_parts_of_a_machine_can_be_read_and_replaced() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        let logged = sys::with_state(&mut ctx, script, |script: &mut Script| script.log.len());
        assert_eq!(logged.await, Ok(1));
        let state = sys::with_state(&mut ctx, script, |state: &mut char| {
            std::mem::replace(state, 'b')
        });
        assert_eq!(state.await, Ok('a'));
        assert_eq!(log_in(&mut ctx, script, 'b').await, "a>a");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn a_machine_that_puts_off_more_than_it_may_ends() {
    on_threads(1, |mut ctx| async move {
        for (count, ends) in [(POSTPONED_MAX, false), (POSTPONED_MAX + 1, true)] {
            let started = statem::start_monitor::<Hoard>(&mut ctx, count).await;
            let (hoard, ended) = started.expect("it starts");
            hoard.cast(&ctx, ());
            hoard.cast(&ctx, ());
            let down = ctx.receive().await.down().expect("it ends");
            assert_eq!(down.reference, ended);
            assert_eq!(down.reason == ExitReason::error("postponed_max"), ends);
        }
    });
}

/// Puts off many events at the first cast, and ends at the second.
struct Hoard(usize);

impl Machine for Hoard {
    type Args = usize;
    type State = bool;
    type Call = ();
    type Reply = ();
    type Cast = ();
    type Internal = ();
    type Timer = ();

    async fn init(count: usize, _: &mut Ops<'_, Self>) -> Result<(bool, Self), Refusal> {
        Ok((false, Hoard(count)))
    }

    async fn handle(&mut self, _: &bool, _: Event<Self>, ops: &mut Ops<'_, Self>) -> Step<bool> {
        if self.0 == 0 {
            return Step::Stop(ExitReason::Shutdown);
        }
        for _ in 0..std::mem::take(&mut self.0) {
            ops.postpone(Event::Internal(()));
        }
        Step::Keep
    }
}
