//! Messages with an envelope, and selective receives that give up.

use std::time::Duration;

use rusm_actor::{Alias, Message, Reference, kill, send};

use super::everywhere::everywhere;
use super::tools::{idle, nothing_comes, stop};

#[test]
fn a_message_keeps_its_envelope_and_its_bytes_at_each_length() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let contents = || (0..100).map(|len| (0..len).collect::<Vec<u8>>());
        for content in contents() {
            let tag = u64::MAX - content.len() as u64;
            send(me, Message::tagged(me, tag, &content));
        }
        send(me, Message::tagged_shared(me, 7, [1, 2].into()));
        for content in contents() {
            let message = ctx.receive().await;
            assert_eq!(message.bytes(), content);
            let envelope = message.envelope().unwrap();
            let tag = u64::MAX - content.len() as u64;
            assert_eq!((envelope.from, envelope.tag), (me, tag));
            assert_eq!(envelope.alias, None);
        }
        let shared = ctx.receive().await;
        assert_eq!(
            (shared.bytes(), shared.envelope().unwrap().tag),
            (&[1, 2][..], 7)
        );
    });
}

#[test]
fn plain_bytes_and_system_messages_have_no_envelope() {
    everywhere(|mut ctx| async move {
        let other = ctx.spawn(idle);
        let monitor = ctx.monitor(other);
        ctx.send(ctx.pid(), b"plain");
        assert_eq!(ctx.receive().await.envelope(), None);
        kill(other);
        let down = ctx.receive().await;
        assert_eq!((down.envelope(), down.reference()), (None, Some(monitor)));
    });
}

#[test]
fn a_message_says_by_which_alias_it_came_and_only_an_active_alias_brings_it() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (alias, other) = (ctx.alias(), ctx.alias());
        let again = Alias::from_parts(alias.pid(), alias.reference());
        again.send_tagged(me, 3, b"by alias");
        let by = move |reference: Reference| move |m: &Message| m.reference() == Some(reference);
        assert!(ctx.try_receive_match(by(other.reference())).is_none());
        let message = ctx.receive_match(by(alias.reference())).await;
        let envelope = message.envelope().unwrap();
        assert_eq!((envelope.tag, envelope.alias), (3, Some(alias.reference())));
        ctx.unalias(alias);
        again.send_tagged(me, 3, b"too late");
        nothing_comes(&mut ctx).await;
    });
}

#[test]
fn a_selective_receive_that_gives_up_leaves_everything_in_order() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        for tag in 0..4 {
            send(me, Message::tagged(me, tag, b""));
        }
        let tagged = |tag: u64| move |m: &Message| m.envelope().is_some_and(|e| e.tag == tag);
        let span = Duration::from_millis(1);
        assert!(ctx.receive_match_within(span, tagged(9)).await.is_none());
        let found = ctx.receive_match_within(Duration::ZERO, tagged(2)).await;
        assert!(
            found.is_some(),
            "what is there is taken however short the time"
        );
        for tag in [0, 1, 3] {
            assert_eq!(ctx.receive().await.envelope().unwrap().tag, tag);
        }
    });
}

#[test]
fn a_selective_receive_with_a_time_is_woken_by_what_it_waits_for() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let sender = ctx.spawn(move |ctx| async move {
            ctx.sleep(Duration::from_millis(1)).await;
            send(me, Message::tagged(me, 1, b""));
            send(me, Message::tagged(me, 2, b""));
            idle(ctx).await;
        });
        let wanted = |m: &Message| m.envelope().is_some_and(|e| e.tag == 2);
        assert!(
            ctx.receive_match_within(Duration::MAX, wanted)
                .await
                .is_some()
        );
        let left = ctx.try_receive_match(|_| true).unwrap();
        assert_eq!(left.envelope().unwrap().tag, 1);
        stop(&mut ctx, sender).await;
    });
}

#[test]
fn a_receive_after_a_mark_looks_at_nothing_older() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let any = |_: &Message| true;
        send(me, Message::tagged(me, 1, b"old"));
        // Nothing is wanted: it only takes over what has come.
        assert!(ctx.try_receive_match(|_| false).is_none());
        let mark = ctx.mark();
        let span = Duration::from_millis(1);
        assert!(
            ctx.receive_match_within(span, any)
                .after(mark)
                .await
                .is_none()
        );
        send(me, Message::tagged(me, 1, b"new"));
        assert_eq!(ctx.receive_match(any).after(mark).await.bytes(), b"new");
        assert_eq!(ctx.receive().await.bytes(), b"old");
    });
}
