//! What each policy keeps, sheds, counts and refuses.

use rusm_actor::{
    Context, ExitReason, MAILBOX_FULL, MailboxPolicy, Spawn, TrySendError, exit, is_alive, kill,
    send, try_send,
};

use super::everywhere::everywhere;
use super::{MOMENT, drain, info, limit, number, sleeper};

#[test]
fn a_mailbox_has_no_limit_unless_it_is_given_one() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        (0..1000_u64).for_each(|n| send(me, n.to_le_bytes()));
        assert_eq!(ctx.node().mailbox(me), None);
        for n in 0..1000 {
            assert_eq!(number(&ctx.receive().await), n);
        }
        assert_eq!(ctx.node().messages_shed(), 0);
    });
}

#[test]
fn a_sleeping_receiver_keeps_what_its_policy_says_and_counts_the_rest() {
    let cases = [
        (MailboxPolicy::ShedNewest, 0..10),
        (MailboxPolicy::ShedOldest, 90..100),
        (MailboxPolicy::Refuse, 0..10),
    ];
    for (policy, expected) in cases {
        everywhere(move |mut ctx| {
            let expected = expected.clone();
            async move {
                let pid = sleeper(&mut ctx, limit(10, policy));
                for n in 0..100_u64 {
                    send(pid, n.to_le_bytes());
                    // Some are heard by now, others not yet.
                    rusm_sched::reductions(3).await;
                    let seen = info(&ctx, pid);
                    assert_eq!(seen.messages, 10.min(n as usize + 1), "{policy:?}");
                    assert_eq!(seen.shed, (n + 1).saturating_sub(10), "{policy:?}");
                }
                assert_eq!(ctx.node().messages_shed(), 90);
                let all = drain(&mut ctx, pid).await;
                assert_eq!(all, expected.collect::<Vec<_>>(), "{policy:?}");
                assert_eq!(info(&ctx, pid).messages, 0);
                assert_eq!(info(&ctx, pid).shed, 90);
                kill(pid);
            }
        });
    }
}

#[test]
fn a_mailbox_that_was_full_takes_messages_again_once_it_was_read() {
    for policy in super::ALL {
        everywhere(move |mut ctx| async move {
            ctx.set_mailbox_limit(limit(3, policy));
            let me = ctx.pid();
            for round in 0..20_u64 {
                (0..3).for_each(|n| send(me, (round * 3 + n).to_le_bytes()));
                for n in 0..3 {
                    assert_eq!(number(&ctx.receive().await), round * 3 + n);
                }
            }
            assert_eq!(info(&ctx, me).shed, 0);
        });
    }
}

#[test]
fn who_asks_gets_the_message_back_and_it_is_not_counted_as_shed() {
    everywhere(|mut ctx| async move {
        let pid = sleeper(&mut ctx, limit(2, MailboxPolicy::Refuse));
        assert!(try_send(pid, 1_u64.to_le_bytes()).is_ok());
        assert!(ctx.try_send(pid, 2_u64.to_le_bytes()).is_ok());
        match try_send(pid, 3_u64.to_le_bytes()) {
            Err(TrySendError::Full(message)) => assert_eq!(number(&message), 3),
            other => unreachable!("{other:?}"),
        }
        assert_eq!(info(&ctx, pid).shed, 0);
        send(pid, 4_u64.to_le_bytes());
        assert_eq!(info(&ctx, pid).shed, 1);
        assert_eq!(drain(&mut ctx, pid).await, [1, 2]);
        assert!(try_send(pid, 5_u64.to_le_bytes()).is_ok());
        let reference = ctx.monitor(pid);
        kill(pid);
        let down = ctx.receive().await.down().expect("it was killed");
        assert_eq!(down.reference, reference);
        match try_send(pid, 6_u64.to_le_bytes()) {
            Err(TrySendError::NoProcess(message)) => assert_eq!(number(&message), 6),
            other => unreachable!("{other:?}"),
        }
        assert_eq!(ctx.node().mailbox(pid), None);
        assert_eq!(ctx.node().messages_shed(), 1);
    });
}

#[test]
fn a_receiver_that_is_to_die_of_a_full_mailbox_says_so() {
    everywhere(|mut ctx| async move {
        let how = || {
            Spawn::new()
                .mailbox(limit(5, MailboxPolicy::Kill))
                .monitor()
        };
        let body = |mut ctx: Context| async move {
            ctx.trap_exit(true);
            ctx.receive_match(|_| false).await;
        };
        let (pid, reference) = ctx.spawn_with(how(), body);
        (0..5_u64).for_each(|n| send(pid, n.to_le_bytes()));
        ctx.sleep(MOMENT).await;
        assert!(is_alive(pid));
        (0..3_u64).for_each(|n| send(pid, n.to_le_bytes()));
        let down = ctx.receive().await.down().expect("nothing else comes");
        assert_eq!(down.reference, reference);
        assert_eq!(down.reason, ExitReason::error(MAILBOX_FULL));
        assert_eq!(ctx.node().messages_shed(), 3);
    });
}

#[test]
fn a_limit_set_later_keeps_what_waits_and_its_order() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        ctx.spawn(move |_| async move {
            for n in 0..60_u64 {
                send(me, n.to_le_bytes());
                if n % 7 == 0 {
                    exit(me, ExitReason::Normal);
                }
                rusm_sched::reductions(1).await;
            }
        });
        for n in 0..30 {
            assert_eq!(number(&ctx.receive().await), n);
            if n == 10 {
                ctx.set_mailbox_limit(limit(1000, MailboxPolicy::Kill));
            }
        }
        // Lower than what waits, perhaps: nothing is shed by that alone.
        ctx.sleep(MOMENT).await;
        ctx.set_mailbox_limit(limit(5, MailboxPolicy::ShedNewest));
        assert_eq!(info(&ctx, me).messages, 30);
        send(me, b"too many");
        assert_eq!(info(&ctx, me).shed, 1);
        for n in 30..60 {
            assert_eq!(number(&ctx.receive().await), n);
        }
        assert_eq!(info(&ctx, me).messages, 0);
    });
}

#[test]
fn a_selective_receive_leaves_room_for_what_it_has_taken() {
    for policy in [MailboxPolicy::ShedNewest, MailboxPolicy::ShedOldest] {
        everywhere(move |mut ctx| async move {
            let me = ctx.pid();
            ctx.set_mailbox_limit(limit(4, policy));
            (0..4_u64).for_each(|n| send(me, n.to_le_bytes()));
            let message = ctx.receive_match(|message| number(message) == 2).await;
            assert_eq!(number(&message), 2);
            assert_eq!(info(&ctx, me).messages, 3);
            send(me, 4_u64.to_le_bytes());
            send(me, 5_u64.to_le_bytes());
            let mut all = Vec::new();
            for _ in 0..4 {
                all.push(number(&ctx.receive().await));
            }
            match policy {
                MailboxPolicy::ShedNewest => assert_eq!(all, [0, 1, 3, 4]),
                _ => assert_eq!(all, [1, 3, 4, 5]),
            }
            assert_eq!(info(&ctx, me).shed, 1);
        });
    }
}

#[test]
fn messages_to_an_alias_count_and_are_forgotten_when_it_is_off() {
    everywhere(|mut ctx| async move {
        ctx.set_mailbox_limit(limit(2, MailboxPolicy::ShedNewest));
        let me = ctx.pid();
        let alias = ctx.reply_alias();
        alias.send(1_u64.to_le_bytes());
        // Refused when it is heard: it was for one message.
        alias.send(2_u64.to_le_bytes());
        alias.send(3_u64.to_le_bytes());
        assert_eq!(number(&ctx.receive().await), 1);
        assert_eq!(info(&ctx, me).messages, 0);
        assert_eq!(info(&ctx, me).shed, 1);
    });
}

/// It takes no letters itself, its gate does: the same flag once had it taken for a task that is
/// no process.
#[test]
fn a_process_with_a_limit_is_listed_with_its_messages_like_any_other() {
    everywhere(|mut ctx| async move {
        let pid = sleeper(&mut ctx, limit(10, MailboxPolicy::ShedNewest));
        (0..20_u64).for_each(|n| send(pid, n.to_le_bytes()));
        for _ in 0..2 {
            // Unheard first, and in its mailbox afterwards.
            assert!(ctx.node().processes().contains(&pid));
            assert_eq!(ctx.node().info(pid).map(|info| info.messages), Some(10));
            ctx.sleep(MOMENT).await;
        }
        kill(pid);
    });
}
