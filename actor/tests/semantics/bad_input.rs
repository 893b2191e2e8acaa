//! What nobody should do, and somebody will: dead and invented pids, and code that panics when
//! it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rusm_actor::{
    CallError, Context, ExitReason, Message, NoProcess, Pid, Reference, RegisterError, Spawn, exit,
    info, is_alive, kill, send,
};

use super::everywhere::everywhere;
use super::tools::{MOMENT, answering, answers, dead, down, end, foo, idle, nothing_comes, stop};

/// Does everything one can do to a pid, and finds nobody each time.
async fn finds_nobody(ctx: &mut Context, pid: Pid) {
    let (me, node) = (ctx.pid(), ctx.node());
    send(pid, b"hello");
    send(pid, vec![0; 1000]);
    ctx.cast(pid, b"hello");
    exit(pid, foo());
    exit(pid, ExitReason::Kill);
    kill(pid);
    assert!(!is_alive(pid), "{pid}");
    assert_eq!(info(pid), None);
    assert_eq!(node.name_of(pid), None);
    assert_eq!(node.register("x", pid), Err(RegisterError::NoProcess));
    assert_eq!(node.join("g", pid), Err(NoProcess));
    assert_eq!(node.watch_group("g", pid), Err(NoProcess));
    assert!(!node.leave("g", pid));
    assert!(!node.unwatch_group("g", pid, Reference::from_bits(0)));
    assert_eq!(ctx.link(pid), Err(NoProcess));
    assert!(!ctx.is_linked(pid));
    ctx.unlink(pid);
    let reference = ctx.monitor(pid);
    assert_eq!(down(ctx, reference).await, ExitReason::NoProcess);
    assert!(!ctx.demonitor(reference));
    let answer = ctx.call(pid, b"?").await;
    assert_eq!(answer.expect_err("nobody"), CallError::NoProcess);
    let timer = ctx.send_after(Duration::ZERO, pid, b"hello");
    ctx.sleep(Duration::from_millis(1)).await;
    assert_eq!(timer.cancel(), None);
    assert!(ctx.try_receive().is_none());
    assert!(is_alive(me));
}

#[test]
fn the_dead_are_nobody_to_everything_that_takes_a_pid() {
    everywhere(|mut ctx| async move {
        let gone = dead(&mut ctx).await;
        finds_nobody(&mut ctx, gone).await;
    });
}

/// Slots are used again at once, but for those that another worker has on its list.
async fn slot_used_again(ctx: &mut Context) -> Option<(Pid, Pid)> {
    let slot = |pid: Pid| pid.to_bits() as u32;
    for _ in 0..100 {
        let old = ctx.spawn(answering);
        stop(ctx, old).await;
        let new = ctx.spawn(answering);
        if slot(old) == slot(new) {
            return Some((old, new));
        }
        stop(ctx, new).await;
    }
    None
}

/// Whoever kept the old pid must not reach the new tenant.
#[test]
fn a_pid_of_a_past_life_does_not_reach_who_lives_there_now() {
    everywhere(|mut ctx| async move {
        let Some((old, new)) = slot_used_again(&mut ctx).await else {
            assert!(ctx.node().handle().workers() > 1, "it is not used again");
            return;
        };
        finds_nobody(&mut ctx, old).await;
        // Nor does one of a life to come.
        let next = Pid::from_bits(new.to_bits() + (1 << 32));
        finds_nobody(&mut ctx, next).await;
        assert!(answers(&mut ctx, new).await);
        stop(&mut ctx, new).await;
    });
}

/// None of these may be anybody's in the same program: that one would be killed.
#[test]
fn an_invented_pid_is_nobodys() {
    everywhere(|mut ctx| async move {
        let last_life = 0xFFFF_FFFF << 32;
        for bits in [
            u64::MAX,
            u64::MAX - 1,
            last_life,
            last_life | 42,
            last_life | 0x8000_0000,
            0xFFFF_FFFF,
            0x7FFF_FFFF,
            1 << 63 | 0xFFFF_FFFE,
            ctx.pid().to_bits() ^ 1 << 63,
            ctx.pid().to_bits() ^ 1 << 48,
        ] {
            finds_nobody(&mut ctx, Pid::from_bits(bits)).await;
        }
    });
}

#[test]
fn an_invented_reference_names_nothing() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        for bits in [0, 1, u64::MAX] {
            let reference = Reference::from_bits(bits);
            assert!(!ctx.demonitor(reference));
            assert!(!ctx.demonitor_flush(reference));
            assert!(!ctx.node().unwatch_group("g", me, reference));
        }
        // Without a monitor, the reference of a spawn names nothing either.
        let (pid, reference) = ctx.spawn_with(Spawn::new(), idle);
        assert!(!ctx.demonitor(reference));
        stop(&mut ctx, pid).await;
        nothing_comes(&mut ctx).await;
    });
}

/// Counts how often one was dropped, and panics then, without a backtrace.
struct Bomb(Arc<AtomicUsize>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::panic::resume_unwind(Box::new("a bomb"));
    }
}

/// Makes bombs, and says how many went off.
#[derive(Clone, Default)]
struct Bombs(Arc<AtomicUsize>);

impl Bombs {
    fn one(&self) -> Bomb {
        Bomb(self.0.clone())
    }

    fn message(&self) -> Message {
        Message::native(self.one())
    }

    async fn dropped(&self, ctx: &Context, count: usize) {
        while self.0.load(Ordering::SeqCst) < count {
            ctx.sleep(Duration::from_micros(100)).await;
        }
        assert_eq!(self.0.load(Ordering::SeqCst), count);
    }
}

#[test]
fn a_body_that_panics_in_drop_ends_like_others() {
    everywhere(|mut ctx| async move {
        let bombs = Bombs::default();
        // Dropped while the body runs: it is the body's own panic.
        let bomb = bombs.one();
        let (_, reference) = ctx.spawn_monitor(move |_| async move { drop(bomb) });
        let reason = down(&mut ctx, reference).await;
        assert_eq!(reason.to_string(), "panic: a bomb");
        // Dropped because the process was ended: the reason is what ended it.
        let bomb = bombs.one();
        let (pid, reference) = ctx.spawn_monitor(move |ctx| async move {
            let _bomb = bomb;
            idle(ctx).await;
        });
        exit(pid, foo());
        assert_eq!(down(&mut ctx, reference).await, foo());
        bombs.dropped(&ctx, 2).await;
    });
}

/// Two that panicked while the mailbox of an ended process was dropped ended the program.
#[test]
fn unread_messages_that_panic_in_drop_hurt_nobody() {
    everywhere(|mut ctx| async move {
        let bombs = Bombs::default();
        let (pid, reference) = ctx.spawn_monitor(idle_after_a_look);
        ctx.trap_exit(true);
        assert_eq!(ctx.link(pid), Ok(()));
        for _ in 0..3 {
            send(pid, bombs.message());
        }
        // Those before it are in the mailbox by now, those behind it in the inbox.
        assert_eq!(ctx.node().register("reader", pid), Ok(()));
        ctx.sleep(MOMENT).await;
        for _ in 0..3 {
            send(pid, bombs.message());
        }
        exit(pid, foo());
        send(pid, bombs.message());
        send(pid, bombs.message());
        assert_eq!(down(&mut ctx, reference).await, foo());
        assert!(ctx.receive().await.exit().is_some());
        bombs.dropped(&ctx, 8).await;
        assert_eq!(ctx.whereis("reader"), None);
    });
}

async fn idle_after_a_look(mut ctx: Context) {
    ctx.receive_match(|_| false).await;
}

/// The process that a late answer is for dropped it, on its own turn, and ended by its panic.
#[test]
fn answers_that_nobody_waits_for_and_that_panic_in_drop_hurt_nobody() {
    everywhere(|mut ctx| async move {
        let bombs = Bombs::default();
        let alias = ctx.alias();
        ctx.unalias(alias);
        alias.send(bombs.message());
        alias.send(bombs.message());
        let late = bombs.clone();
        let server = ctx.spawn(|mut ctx| async move {
            let (caller, _) = ctx.receive().await.into_call().expect("a call");
            ctx.sleep(3 * MOMENT).await;
            caller.reply(late.message());
        });
        let answer = ctx.call_within(MOMENT, server, b"?").await;
        assert_eq!(answer.expect_err("none"), CallError::Timeout);
        end(&mut ctx, server).await;
        ctx.sleep(MOMENT).await;
        bombs.dropped(&ctx, 3).await;
    });
}

#[test]
fn a_timer_whose_message_panics_in_drop_hurts_nobody() {
    everywhere(|mut ctx| async move {
        let bombs = Bombs::default();
        let gone = dead(&mut ctx).await;
        ctx.send_after(Duration::ZERO, gone, bombs.message());
        ctx.send_after(Duration::ZERO, gone, bombs.message());
        ctx.send_after(Duration::ZERO, "nobody", bombs.message());
        bombs.dropped(&ctx, 3).await;
    });
}

/// Whoever drops a message itself has the panic for itself.
#[test]
fn who_drops_a_message_that_panics_ends_by_it_alone() {
    everywhere(|mut ctx| async move {
        let bombs = Bombs::default();
        let (pid, reference) = ctx.spawn_monitor(|mut ctx| async move {
            drop(ctx.receive().await);
        });
        send(pid, bombs.message());
        let reason = down(&mut ctx, reference).await;
        assert_eq!(reason.to_string(), "panic: a bomb");
        bombs.dropped(&ctx, 1).await;
    });
}

#[test]
fn a_predicate_that_panics_ends_its_process_and_loses_nothing_of_others() {
    everywhere(|mut ctx| async move {
        let me = ctx.pid();
        let (pid, reference) = ctx.spawn_monitor(move |mut ctx| async move {
            ctx.receive_match(|_| std::panic::resume_unwind(Box::new("no idea")))
                .await;
            send(me, b"never");
        });
        send(pid, b"what?");
        let reason = down(&mut ctx, reference).await;
        assert_eq!(reason.to_string(), "panic: no idea");
        nothing_comes(&mut ctx).await;
    });
}
