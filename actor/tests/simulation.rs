//! Processes under the simulation: mail and death in any order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusm_actor::{ExitReason, Node, Pid, exit, is_alive, kill, send};
use rusm_sched::sim::Simulation;

/// How many seeds a property is tried with; `RUSM_SIM_SEEDS` says otherwise.
fn for_each_seed(check: impl Fn(u64)) {
    if std::env::var_os("RUSM_SEED").is_some() {
        return check(Simulation::seed_or(0));
    }
    let count = std::env::var("RUSM_SIM_SEEDS").ok();
    (0..count.and_then(|text| text.parse().ok()).unwrap_or(500)).for_each(check);
}

/// Runs `body` as the first process of a simulated node.
fn simulate<F, Fut>(seed: u64, body: F)
where
    F: FnOnce(rusm_actor::Context) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let mut joined = None;
    let outcome = Simulation::new(seed).start(|handle| {
        joined = Some(Node::over(handle).spawn_join(body));
    });
    // Looked at out here: a panic inside would be one more process that ends for a reason.
    let reason = joined.and_then(|joined| joined.try_reason());
    assert_eq!(reason, Some(ExitReason::Normal), "seed {seed}: {outcome:?}");
    assert_eq!(outcome, Ok(()), "seed {seed}");
}

fn number(message: &rusm_actor::Message) -> u64 {
    u64::from_le_bytes(message.bytes().try_into().expect("eight bytes"))
}

#[test]
fn each_senders_messages_keep_their_order_whatever_runs_first() {
    for_each_seed(|seed| {
        simulate(seed, |mut ctx| async move {
            let me = ctx.pid();
            for sender in 0..4_u64 {
                ctx.spawn(move |_| async move {
                    for n in 0..25_u64 {
                        send(me, (sender << 32 | n).to_le_bytes());
                        rusm_sched::reductions(3).await;
                    }
                });
            }
            let mut next = [0; 4];
            for _ in 0..100 {
                let number = number(&ctx.receive().await);
                let (sender, n) = ((number >> 32) as usize, number & 0xFFFF);
                assert_eq!(n, next[sender]);
                next[sender] += 1;
            }
        });
    });
}

#[test]
fn a_selective_receive_loses_nothing_whatever_comes_between() {
    for_each_seed(|seed| {
        simulate(seed, |mut ctx| async move {
            let me = ctx.pid();
            for n in 0..20_u64 {
                ctx.spawn(move |_| async move {
                    send(me, n.to_le_bytes());
                    exit(me, ExitReason::Normal);
                });
            }
            for wanted in (0..20).rev() {
                let message = ctx.receive_match(|message| number(message) == wanted).await;
                assert_eq!(number(&message), wanted);
            }
        });
    });
}

#[test]
fn kills_exits_and_mail_in_any_order_leave_nobody_behind() {
    for_each_seed(|seed| {
        let ended = Arc::new(AtomicU64::new(0));
        let count = ended.clone();
        simulate(seed, move |ctx| async move {
            struct Leaving(Arc<AtomicU64>);
            impl Drop for Leaving {
                fn drop(&mut self) {
                    self.0.fetch_add(1, Ordering::Relaxed);
                }
            }
            let mut pids: Vec<Pid> = Vec::new();
            for n in 0..30_u64 {
                let (leaving, peer) = (Leaving(count.clone()), pids.last().copied());
                pids.push(ctx.spawn(move |mut ctx| async move {
                    let _leaving = leaving;
                    if let Some(peer) = peer {
                        send(peer, n.to_le_bytes());
                    }
                    match n % 3 {
                        0 => drop(ctx.receive().await),
                        1 => drop(ctx.receive_within(Duration::from_millis(n)).await),
                        _ => ctx.sleep(Duration::MAX).await,
                    }
                }));
            }
            for (n, &pid) in pids.iter().enumerate() {
                match n % 2 {
                    0 => kill(pid),
                    _ => exit(pid, ExitReason::error("over")),
                }
                send(pid, b"too late");
            }
        });
        assert_eq!(ended.load(Ordering::Relaxed), 30, "seed {seed}");
    });
}

/// What was said of somebody who had ended already went straight into the mailbox, past the
/// letters that had come and were not looked at yet: the dead one's last words as well.
#[test]
fn last_words_come_before_the_news_that_there_is_nobody() {
    for_each_seed(|seed| {
        simulate(seed, |mut ctx| async move {
            let me = ctx.pid();
            ctx.trap_exit(true);
            let speaker = ctx.spawn(move |_| async move { send(me, b"last words") });
            while is_alive(speaker) {
                rusm_sched::yield_now().await;
            }
            let taken_back = ctx.monitor(speaker);
            let reference = ctx.monitor(speaker);
            assert_eq!(ctx.link(speaker), Ok(()));
            // As on the BEAM: what was not heard yet can be taken back.
            assert!(ctx.demonitor(taken_back));
            assert_eq!(ctx.receive().await.bytes(), b"last words");
            let down = ctx.receive().await.down().expect("it watches nobody");
            assert_eq!(
                (down.reference, down.reason),
                (reference, ExitReason::NoProcess)
            );
            let message = ctx.receive().await;
            assert_eq!(
                message.exit(),
                Some((Some(speaker), &ExitReason::NoProcess))
            );
        });
    });
}

/// A caller whose time was up did not look for the answer if its turn was over by then: it said
/// that none had come, with the answer in its mailbox.
#[test]
fn an_answer_that_has_come_when_the_time_is_up_still_counts() {
    for_each_seed(|seed| {
        simulate(seed, |mut ctx| async move {
            let answered = Arc::new(AtomicBool::new(false));
            let said = answered.clone();
            let patience = Duration::from_millis(1);
            let server = ctx.spawn(move |mut ctx| async move {
                let (caller, _) = ctx.receive().await.into_call().expect("only calls come");
                ctx.sleep(patience).await;
                caller.reply(b"just in time");
                said.store(true, Ordering::Relaxed);
            });
            let answer = ctx.call_within(patience, server, b"late?").await;
            assert!(answer.is_ok() || !answered.load(Ordering::Relaxed));
        });
    });
}
