//! Timeouts of a state, of events, and with names.

use std::time::Duration;

use rusm_actor::sys;

use super::script::{Do, LONG, SHORT, SOON, log_in, start, stop, tell};
use crate::everywhere::everywhere;

#[test]
fn a_state_timeout_comes_while_the_state_lasts() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[('a', Do::StateTimeout(SHORT))]).await;
        // Other events, and coming to the state it is in, change nothing about it.
        tell(&ctx, script, "one", &[Do::Goto('a')]);
        ctx.sleep(SHORT * 20).await;
        assert_eq!(log_in(&mut ctx, script, 'a').await, "a>a one state-timeout");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn another_state_ends_a_state_timeout() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[('a', Do::StateTimeout(SOON))]).await;
        tell(&ctx, script, "one", &[Do::Goto('b')]);
        ctx.sleep(SOON * 2).await;
        assert_eq!(log_in(&mut ctx, script, 'b').await, "a>a one a>b");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn a_state_timeout_can_be_replaced_and_switched_off() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[('a', Do::StateTimeout(LONG))]).await;
        tell(&ctx, script, "one", &[Do::StateTimeout(SHORT)]);
        ctx.sleep(SHORT * 20).await;
        assert_eq!(log_in(&mut ctx, script, 'a').await, "a>a one state-timeout");
        tell(&ctx, script, "two", &[Do::StateTimeout(SOON)]);
        tell(&ctx, script, "off", &[Do::NoStateTimeout]);
        ctx.sleep(SOON * 2).await;
        let log = log_in(&mut ctx, script, 'a').await;
        assert_eq!(log, "a>a one state-timeout two off");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn a_state_timeout_ordered_on_the_way_belongs_to_the_new_state() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        tell(
            &ctx,
            script,
            "one",
            &[Do::StateTimeout(SHORT), Do::Goto('b')],
        );
        ctx.sleep(SHORT * 20).await;
        let log = log_in(&mut ctx, script, 'b').await;
        assert_eq!(log, "a>a one a>b state-timeout");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn any_event_ends_an_event_timeout() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        tell(&ctx, script, "one", &[Do::EventTimeout(SHORT)]);
        ctx.sleep(SHORT * 20).await;
        tell(&ctx, script, "two", &[Do::EventTimeout(SOON)]);
        tell(&ctx, script, "three", &[]);
        ctx.sleep(SOON * 2).await;
        let log = log_in(&mut ctx, script, 'a').await;
        assert_eq!(log, "a>a one event-timeout two three");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn a_named_timeout_outlives_states_and_can_be_replaced_and_switched_off() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        let todo = [
            Do::Timeout("x", SHORT * 2),
            Do::Timeout("y", SOON),
            Do::Timeout("z", SHORT),
            Do::Timeout("z", LONG),
            Do::Goto('b'),
        ];
        tell(&ctx, script, "one", &todo);
        tell(
            &ctx,
            script,
            "two",
            &[Do::NoTimeout("y"), Do::NoTimeout("unknown")],
        );
        ctx.sleep(SOON * 2).await;
        let log = log_in(&mut ctx, script, 'b').await;
        assert_eq!(log, "a>a one a>b two x");
        tell(&ctx, script, "now", &[Do::Timeout("z", SHORT)]);
        ctx.sleep(SHORT * 20).await;
        let log = log_in(&mut ctx, script, 'b').await;
        assert_eq!(log, "a>a one a>b two x now z");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn a_timeout_of_zero_comes_behind_the_inserted_and_before_the_new() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        let todo = [
            Do::Timeout("x", Duration::ZERO),
            Do::Timeout("y", Duration::ZERO),
            Do::EventTimeout(Duration::ZERO),
            Do::StateTimeout(Duration::ZERO),
            Do::Insert("z"),
        ];
        tell(&ctx, script, "one", &todo);
        tell(&ctx, script, "two", &[Do::EventTimeout(Duration::ZERO)]);
        tell(&ctx, script, "three", &[]);
        let log = log_in(&mut ctx, script, 'a').await;
        // The inserted event has ended the first event timeout.
        assert_eq!(log, "a>a one z x y state-timeout two event-timeout three");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn endless_timeouts_never_come() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[('a', Do::StateTimeout(Duration::MAX))]).await;
        tell(&ctx, script, "one", &[Do::Timeout("x", Duration::MAX)]);
        tell(&ctx, script, "two", &[Do::EventTimeout(Duration::MAX)]);
        ctx.sleep(SHORT).await;
        assert_eq!(log_in(&mut ctx, script, 'a').await, "a>a one two");
        stop(&mut ctx, script).await;
    });
}

#[test]
fn a_timeout_that_was_due_when_it_was_switched_off_does_not_come() {
    everywhere(|mut ctx| async move {
        let script = start(&mut ctx, &[]).await;
        tell(&ctx, script, "one", &[Do::Timeout("x", SHORT)]);
        log_in(&mut ctx, script, 'a').await;
        sys::suspend(&mut ctx, script).await.expect("it lives");
        // This comes to the mailbox before the timeout does, or after it: both are there when
        // the machine goes on, and only in the first case is the timeout off.
        tell(&ctx, script, "two", &[Do::NoTimeout("x")]);
        ctx.sleep(SHORT * 20).await;
        sys::resume(&mut ctx, script).await.expect("it lives");
        let log = log_in(&mut ctx, script, 'a').await;
        assert!(["a>a one two", "a>a one x two"].contains(&&*log), "{log}");
        let infos = sys::statistics(&mut ctx, script).await.map(|s| s.infos);
        assert_eq!(infos, Ok(0));
        stop(&mut ctx, script).await;
    });
}
