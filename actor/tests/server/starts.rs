//! How a server starts, and that nothing is left of one that does not.

use rusm_actor::server::{self, Start, StartError};
use rusm_actor::{Context, ExitReason, Message, is_alive, kill, send};

use super::probe::{Args, Ask, Init, LONG, Probe, SHORT, Seen, Tell, end_of, seen, stop};
use crate::everywhere::everywhere;

fn failures() -> [(Init, Option<StartError>); 4] {
    let bad = ExitReason::error("no such table");
    [
        (Init::Ignore, Some(StartError::Ignored)),
        (Init::Fail(bad.clone()), Some(StartError::Failed(bad))),
        (Init::Panic, None),
        (Init::Hang, Some(StartError::Timeout)),
    ]
}

/// Starts a probe that cannot start, and looks at what is left.
async fn fails(ctx: &mut Context, how: Start, init: Init, expected: Option<StartError>) {
    let args = Args::with(ctx, init);
    let how = how.name("probe").init_timeout(SHORT);
    let error = server::start_with::<Probe>(ctx, how, args)
        .await
        .expect_err("it fails");
    match (expected, error) {
        (Some(expected), error) => assert_eq!(error, expected),
        (None, StartError::Failed(ExitReason::Panic(fault))) => {
            assert!(fault.text.starts_with("init has a fault"), "{}", fault.text);
            assert!(!fault.backtrace.is_empty());
        }
        (None, other) => unreachable!("{other:?}"),
    }
    assert_eq!(ctx.whereis("probe"), None);
    while let Some(message) = ctx.try_receive() {
        let seen = message.downcast::<Seen>();
        let Ok(Seen::Inits(pid)) = seen else {
            unreachable!("{seen:?}");
        };
        assert!(!is_alive(pid));
    }
}

#[test]
fn a_server_that_does_not_start_leaves_nothing_but_the_error() {
    everywhere(|mut ctx| async move {
        for (init, expected) in failures() {
            fails(&mut ctx, Start::new(), init, expected).await;
        }
    });
}

#[test]
fn a_linked_server_that_does_not_start_does_not_end_who_starts_it() {
    everywhere(|mut ctx| async move {
        for (init, expected) in failures() {
            fails(&mut ctx, Start::new().link(), init, expected).await;
        }
    });
}

#[test]
fn a_linked_and_watched_server_that_does_not_start_sends_no_messages() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        for (init, expected) in failures() {
            fails(&mut ctx, Start::new().link().monitor(), init, expected).await;
        }
    });
}

#[test]
fn a_server_that_is_killed_while_it_starts_gives_the_reason() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let killer = ctx.spawn(|mut ctx| async move {
            let Seen::Inits(pid) = seen(&mut ctx).await else {
                unreachable!("nothing else is sent");
            };
            kill(pid);
        });
        let args = Args {
            observer: killer,
            ..Args::with(&ctx, Init::Hang)
        };
        let outcome = server::start_link::<Probe>(&mut ctx, args).await;
        assert_eq!(outcome, Err(StartError::Failed(ExitReason::Killed)));
        assert!(ctx.try_receive().is_none());
    });
}

#[test]
fn the_end_of_its_parent_ends_a_server_that_starts() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let parent = ctx.spawn(move |mut ctx| async move {
            let args = Args {
                observer: me,
                ..Args::with(&ctx, Init::Hang)
            };
            drop(server::start_link::<Probe>(&mut ctx, args).await);
        });
        let Seen::Inits(child) = seen(&mut ctx).await else {
            unreachable!("nothing else is sent");
        };
        let ended = ctx.monitor(child);
        kill(parent);
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Killed);
    });
}

#[test]
fn a_taken_name_gives_its_owner_who_is_left_alone() {
    everywhere(|mut ctx| async move {
        ctx.trap_exit(true);
        let args = Args::new(&ctx);
        let how = Start::new().name("probe").link().monitor();
        let first = server::start_with::<Probe>(&mut ctx, how.clone(), args.clone()).await;
        let (first, ended) = first.expect("it starts");
        let pid = first.pid(&ctx).expect("a pid");
        let second = server::start_with::<Probe>(&mut ctx, how, args.clone()).await;
        assert_eq!(second, Err(StartError::AlreadyStarted(pid)));
        assert_eq!(first.call(&mut ctx, Ask::Total).await, Ok(0));
        assert!(ctx.try_receive().is_none());
        assert_eq!(ctx.whereis("probe"), Some(pid));

        for bad in ["", "undefined", &"x".repeat(1_000)] {
            let outcome =
                server::start_with::<Probe>(&mut ctx, Start::new().name(bad), args.clone());
            assert_eq!(outcome.await, Err(StartError::BadName));
        }
        stop(&mut ctx, first).await;
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Normal);
        let linked = ctx.receive().await;
        assert_eq!(linked.exit(), Some((Some(pid), &ExitReason::Normal)));
    });
}

#[test]
fn the_name_is_there_while_init_runs() {
    everywhere(|mut ctx| async move {
        let args = Args::with(&ctx, Init::Hang);
        let starter = ctx.spawn(move |mut ctx| async move {
            let how = Start::new().name("probe").init_timeout(LONG);
            let outcome = server::start_with::<Probe>(&mut ctx, how, args).await;
            assert_eq!(outcome.err(), Some(StartError::Failed(ExitReason::Killed)));
        });
        let ended = ctx.monitor(starter);
        let Seen::Inits(pid) = seen(&mut ctx).await else {
            unreachable!("nothing else is sent");
        };
        assert_eq!(ctx.whereis("probe"), Some(pid));
        kill(pid);
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Normal);
        assert_eq!(ctx.whereis("probe"), None);
    });
}

#[test]
fn a_monitored_server_is_watched_from_the_start() {
    everywhere(|mut ctx| async move {
        let args = Args::new(&ctx);
        let (probe, ended) = server::start_monitor::<Probe>(&mut ctx, args)
            .await
            .expect("it starts");
        kill(probe.pid(&ctx).expect("a pid"));
        assert_eq!(end_of(&mut ctx, ended).await, ExitReason::Killed);
    });
}

#[test]
fn a_server_can_be_the_body_of_any_process() {
    everywhere(|mut ctx| async move {
        let args = Args::new(&ctx);
        let me = ctx.pid();
        let how = Start::new().name("probe");
        let body = move |ctx| {
            server::run_with::<Probe, _>(ctx, how, args, move |started| {
                send(me, Message::native(started.map_err(Clone::clone)));
            })
        };
        let pid = ctx.spawn_link(body.clone());
        assert_eq!(started(&mut ctx).await, Ok(()));
        let (_, refused) = ctx.spawn_monitor(body);
        assert_eq!(
            started(&mut ctx).await,
            Err(StartError::AlreadyStarted(pid))
        );
        assert_eq!(end_of(&mut ctx, refused).await, ExitReason::Normal);

        let probe = server::ServerRef::<Probe>::of(pid);
        probe.cast(&ctx, Tell::Add(3));
        assert_eq!(probe.call(&mut ctx, Ask::Total).await, Ok(3));
        stop(&mut ctx, probe).await;

        let failing = Args::with(&ctx, Init::Fail(ExitReason::Timeout));
        let (_, failed) = ctx.spawn_monitor(move |ctx| server::run::<Probe>(ctx, failing));
        assert_eq!(end_of(&mut ctx, failed).await, ExitReason::Timeout);
    });
}

async fn started(ctx: &mut Context) -> Result<(), StartError> {
    let message = ctx.receive().await;
    message.downcast().expect("the start says how it went")
}
