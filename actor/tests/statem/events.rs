//! Which event comes when.

use std::time::Duration;

use rusm_actor::server::Refusal;
use rusm_actor::statem::{self, Event, Machine, Ops, Step};
use rusm_actor::{CallError, Context, Reference, kill, send, sys};

use super::script::{Ask, Do, SHORT, log_in, put_off, start, stop, tell};
use crate::everywhere::everywhere;

#[test]
fn events_come_in_their_order() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        tell(&ctx, script, "one", &[]);
        send(script.pid(&ctx).expect("a pid"), b"info");
        tell(&ctx, script, "two", &[]);
        assert_eq!(log_in(&mut ctx, script, 'a').await, "a>a one info two");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn what_was_put_off_comes_again_in_the_next_state_before_all_that_is_new() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        put_off(&ctx, script, "p", 'c');
        put_off(&ctx, script, "q", 'b');
        tell(&ctx, script, "one", &[Do::Goto('b')]);
        tell(&ctx, script, "two", &[Do::Goto('c')]);
        tell(&ctx, script, "three", &[]);
        let log = log_in(&mut ctx, script, 'c').await;
        assert_eq!(log, "a>a (p) (q) one a>b (p) q two b>c p three");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn what_was_put_off_stays_so_while_the_state_is_the_same() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        put_off(&ctx, script, "p", 'b');
        tell(&ctx, script, "one", &[Do::Goto('a')]);
        tell(&ctx, script, "two", &[Do::Repeat]);
        assert_eq!(log_in(&mut ctx, script, 'a').await, "a>a (p) one two a>a");
        tell(&ctx, script, "three", &[Do::Goto('b')]);
        let log = log_in(&mut ctx, script, 'b').await;
        assert_eq!(log, "a>a (p) one two a>a three a>b p");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn inserted_events_come_before_those_put_off_and_new_ones() {
    everywhere(|mut ctx| async move {
        let entering = [('b', Do::Insert("z"))];
        let script = start(&mut ctx, &entering).await;
        put_off(&ctx, script, "p", 'b');
        let todo = [Do::Insert("x"), Do::Insert("y"), Do::Goto('b')];
        tell(&ctx, script, "one", &todo);
        tell(&ctx, script, "two", &[]);
        let log = log_in(&mut ctx, script, 'b').await;
        assert_eq!(log, "a>a (p) one a>b x y z p two");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn a_call_can_be_put_off_and_answered_later() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        let mover = ctx.spawn(move |ctx| async move {
            ctx.sleep(SHORT).await;
            tell(&ctx, script, "one", &[Do::Goto('b')]);
        });
        let moved = ctx.monitor(mover);
        assert_eq!(log_in(&mut ctx, script, 'b').await, "a>a one a>b");
        assert_eq!(end_of(&mut ctx).await, moved);

        let releaser = ctx.spawn(move |ctx| async move {
            ctx.sleep(SHORT).await;
            tell(&ctx, script, "two", &[]);
        });
        let released = ctx.monitor(releaser);
        assert_eq!(
            script.call(&mut ctx, Ask::Later).await.as_deref(),
            Ok("two")
        );
        assert_eq!(end_of(&mut ctx).await, released);
        stop(&mut ctx, script).await;
    });
}

#[test]
fn an_answer_that_comes_too_late_leaves_nothing() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        let early = script.call_within(&mut ctx, SHORT, Ask::LogIn('b')).await;
        assert_eq!(early, Err(CallError::Timeout));
        tell(&ctx, script, "one", &[Do::Goto('b')]);
        log_in(&mut ctx, script, 'b').await;
        stop(&mut ctx, script).await;
    });
}

#[test]
fn a_machine_that_tells_itself_something_for_ever_lets_others_run() {
    everywhere(|mut ctx| async move {
        let (endless, ended) = ctx.spawn_monitor(|ctx| statem::run::<Endless>(ctx, ()));
        ctx.reductions(10_000).await;
        kill(endless);
        assert_eq!(end_of(&mut ctx).await, ended);
    });
}

struct Endless;

impl Machine for Endless {
    type Args = ();
    type State = ();
    type Call = ();
    type Reply = ();
    type Cast = ();
    type Internal = ();
    type Timer = ();

    async fn init(_: (), ops: &mut Ops<'_, Self>) -> Result<((), Self), Refusal> {
        ops.insert(Event::Internal(()));
        Ok(((), Endless))
    }

    async fn handle(&mut self, _: &(), event: Event<Self>, ops: &mut Ops<'_, Self>) -> Step<()> {
        match event {
            // By turns what it inserts and what is due at once.
            Event::Internal(()) => ops.timeout((), Duration::ZERO),
            _ => ops.insert(Event::Internal(())),
        }
        Step::Keep
    }
}

async fn end_of(ctx: &mut Context) -> Reference {
    ctx.receive().await.down().expect("it ends").reference
}

#[test]
fn a_suspended_machine_holds_its_events() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        sys::suspend(&mut ctx, script).await.expect("it lives");
        tell(&ctx, script, "one", &[Do::Goto('b')]);
        ctx.sleep(SHORT).await;
        assert_eq!(sys::describe(&mut ctx, script).await.as_deref(), Ok("'a'"));
        sys::resume(&mut ctx, script).await.expect("it lives");
        assert_eq!(log_in(&mut ctx, script, 'b').await, "a>a one a>b");
        stop(&mut ctx, script).await;
    });
}
