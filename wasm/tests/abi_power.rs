//! What guests may do to processes of others, and see of them: each with its grant and without.

mod support;

use std::time::Duration;

use rusm_actor::{Context, ExitReason, Pid, ProcessState, ProcessSummary, WaitsFor, info, send};
use rusm_wasm::grant::{Pattern, Profile, Reach};
use support::actor::{Guest, actor, beside_granted, ended, give, next, start, told};

/// Does what the tag of each message says to the pid in it, and tells the result.
const ORDERS: &str = "(loop $on (call $next) (local.set $a (i64.load (i32.const 256)))
    (if (i64.eq (call $tag) (i64.const 1)) (then (call $tell32 (call $kill (local.get $a)))))
    (if (i64.eq (call $tag) (i64.const 2)) (then (call $tell32 (call $exit_process (local.get $a) (i32.const 8) (i32.const 0) (i32.const 700) (i32.const 3)))))
    (if (i64.eq (call $tag) (i64.const 3)) (then (call $tell32 (call $info (local.get $a) (i32.const 1024) (i32.const 1104) (i32.const 500)))
      (drop (call $send (global.get $parent) (i64.const 0) (i32.const 1024) (i32.const 580)))))
    (if (i64.eq (call $tag) (i64.const 4)) (then (call $tell32 (local.tee $i (call $list (local.get $a) (i32.const 1024) (i32.const 3))))
      (drop (call $send (global.get $parent) (i64.const 0) (i32.const 1024) (i32.mul (i32.const 8) (local.get $i))))))
    (if (i64.eq (call $tag) (i64.const 5)) (then (call $tell32 (call $spawn_link (i32.const 710) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 512)))
      (call $tell (i64.load (i32.const 512)))))
    (br $on))";
const DATA: &str = r#"(data (i32.const 700) "foo") (data (i32.const 710) "1")"#;
const WAITS: &str = "(loop $on (call $sleep (i64.const -1)) (br $on))";

const KILL: u64 = 1;
const EXIT: u64 = 2;
const INFO: u64 = 3;
const LIST: u64 = 4;
const SPAWN: u64 = 5;

async fn order(ctx: &mut Context, guest: Pid, what: u64, argument: u64) -> i64 {
    give(ctx, guest, what, &argument.to_le_bytes());
    told(ctx).await
}

fn idle(ctx: &mut Context) -> Pid {
    ctx.spawn(|mut ctx| async move {
        loop {
            drop(ctx.receive().await);
        }
    })
}

/// What is known of a process that has looked at all its messages, and does nothing from now on.
async fn settled(ctx: &Context, pid: Pid) -> ProcessSummary {
    // It has answered after the others.
    ctx.process_info(pid).await.expect("it lives");
    loop {
        let seen = info(pid).expect("it lives");
        if seen.state == ProcessState::Waiting(WaitsFor::Message) {
            return seen;
        }
        ctx.sleep(Duration::from_millis(1)).await;
    }
}

fn guests(profile: Profile) -> [(String, Profile); 2] {
    [
        (actor(DATA, ORDERS), profile),
        (actor("", WAITS), Profile::trusted()),
    ]
}

fn granted<F, Fut>(profile: Profile, test: F)
where
    F: FnOnce(Context, Vec<Guest>) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let guests = guests(profile);
    let guests: Vec<_> = guests.iter().map(|(wat, p)| (&**wat, p.clone())).collect();
    beside_granted(&guests, test);
}

#[test]
fn a_guest_without_grants_has_no_power_over_others_and_all_over_itself() {
    granted(Profile::sandboxed(), |mut ctx, guests| async move {
        let (guest, monitor) = start(&mut ctx, &guests[0]);
        let other = idle(&mut ctx);
        for what in [KILL, EXIT] {
            assert_eq!(order(&mut ctx, guest, what, other.to_bits()).await, -12);
        }
        assert_eq!(order(&mut ctx, guest, INFO, other.to_bits()).await, -12);
        next(&mut ctx).await;
        assert_eq!(order(&mut ctx, guest, LIST, 0).await, 1, "only itself");
        assert_eq!(next(&mut ctx).await.bytes(), guest.to_bits().to_le_bytes());
        assert!(rusm_actor::is_alive(other));
        assert_eq!(order(&mut ctx, guest, EXIT, guest.to_bits()).await, 0);
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::error("foo"));
    });
}

#[test]
fn a_guest_with_the_grant_kills_and_ends_others() {
    granted(Profile::trusted(), |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        let ends = [(KILL, ExitReason::Killed), (EXIT, ExitReason::error("foo"))];
        for (what, reason) in ends {
            let other = idle(&mut ctx);
            let monitor = ctx.monitor(other);
            assert_eq!(order(&mut ctx, guest, what, other.to_bits()).await, 0);
            assert_eq!(ended(&mut ctx, monitor).await, reason);
            // The dead do not mind.
            assert_eq!(order(&mut ctx, guest, what, other.to_bits()).await, 0);
        }
    });
}

#[test]
fn power_over_children_is_none_over_strangers() {
    let over_children = Profile {
        kill: vec![Reach::Children],
        inspect: vec![Reach::Named(Pattern::new("shown*").unwrap())],
        spawn: vec![Pattern::any()],
        limits: Profile::trusted().limits,
        ..Profile::sandboxed()
    };
    granted(over_children, |mut ctx, guests| async move {
        let (guest, monitor) = start(&mut ctx, &guests[0]);
        let (shown, hidden) = (idle(&mut ctx), idle(&mut ctx));
        ctx.node().register("shown.one", shown).unwrap();
        assert_eq!(order(&mut ctx, guest, KILL, hidden.to_bits()).await, -12);
        assert_eq!(order(&mut ctx, guest, INFO, hidden.to_bits()).await, -12);
        next(&mut ctx).await;
        assert!(order(&mut ctx, guest, INFO, shown.to_bits()).await >= 0);
        next(&mut ctx).await;
        assert_eq!(order(&mut ctx, guest, SPAWN, 0).await, 0);
        let child = told(&mut ctx).await as u64;
        assert_eq!(order(&mut ctx, guest, KILL, child).await, 0);
        assert_eq!(
            ended(&mut ctx, monitor).await,
            ExitReason::Killed,
            "its link"
        );
    });
}

#[test]
fn a_look_at_a_process_tells_what_it_is_and_whom_it_knows() {
    granted(Profile::trusted(), |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        let me = ctx.pid();
        let other = ctx.spawn(move |mut ctx| async move {
            ctx.set_label("a label");
            ctx.trap_exit(true);
            send(me, b"ready");
            loop {
                drop(
                    ctx.receive_match(|message| message.bytes() == b"never")
                        .await,
                );
            }
        });
        assert_eq!(next(&mut ctx).await.bytes(), b"ready");
        ctx.link(other).unwrap();
        ctx.monitor(other);
        ctx.node().register("its name", other).unwrap();
        ctx.node().join("a group", other).unwrap();
        ctx.send(other, b"one");
        ctx.send(other, b"two");
        let known = settled(&ctx, other).await;
        let behind = order(&mut ctx, guest, INFO, other.to_bits()).await;
        let seen = next(&mut ctx).await.bytes().to_vec();
        let word = |at: usize| u32::from_le_bytes(seen[at..at + 4].try_into().unwrap());
        let long = |at: usize| u64::from_le_bytes(seen[at..at + 8].try_into().unwrap());
        assert_eq!(long(0), ctx.pid().to_bits(), "who started it");
        assert!(long(16) > 0, "memory");
        assert_eq!(word(32), 2, "messages");
        assert_eq!(word(36), 3 | 12, "traps, answered, and both times");
        assert_eq!(Some(long(64)), known.cpu.map(|it| it.as_nanos() as u64));
        assert_eq!(Some(long(72)), known.since.map(|it| it.as_nanos() as u64));
        assert_eq!((word(40), word(44), word(48), word(52)), (8, 7, 1, 1));
        assert_eq!((word(56), word(60)), (11, 0));
        assert_eq!(behind, 8 + 7 + 8 + 8 + 11);
        assert_eq!(&seen[80..95], b"its namea label");
        assert_eq!(long(95), ctx.pid().to_bits(), "whom it is linked to");
        assert_eq!(long(103), ctx.pid().to_bits(), "who watches it");
        assert_eq!(&seen[111..122], b"\x07\0\0\0a group");
        ctx.unlink(other);
        let (dead, monitor) = ctx.spawn_monitor(|_| async {});
        ended(&mut ctx, monitor).await;
        assert_eq!(order(&mut ctx, guest, INFO, dead.to_bits()).await, -1);
    });
}

#[test]
fn a_list_of_processes_is_read_page_by_page() {
    granted(Profile::trusted(), |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        let others: Vec<_> = (0..4).map(|_| idle(&mut ctx)).collect();
        let (mut all, mut last) = (Vec::new(), 0);
        loop {
            let count = order(&mut ctx, guest, LIST, last).await as usize;
            let page = next(&mut ctx).await.bytes().to_vec();
            assert_eq!(page.len(), count * 8);
            let pids = page
                .chunks(8)
                .map(|p| u64::from_le_bytes(p.try_into().unwrap()));
            all.extend(pids);
            match all.last() {
                Some(newest) if count > 0 => last = *newest,
                _ => break,
            }
        }
        let mut expected: Vec<_> = others.iter().map(|pid| pid.to_bits()).collect();
        expected.extend([guest.to_bits(), ctx.pid().to_bits()]);
        expected.sort_unstable();
        assert_eq!(all, expected);
    });
}

#[test]
fn a_guest_names_itself_for_reports_within_a_limit() {
    let labelled = actor(
        r#"(data (i32.const 700) "at the till")"#,
        "(call $tell32 (call $set_label (i32.const 700) (i32.const 256)))
         (call $tell32 (call $set_label (i32.const 700) (i32.const 11))) (call $next)",
    );
    beside_granted(
        &[(&labelled, Profile::sandboxed())],
        |mut ctx, guests| async move {
            let (guest, _) = start(&mut ctx, &guests[0]);
            assert_eq!(told(&mut ctx).await, -4);
            assert_eq!(told(&mut ctx).await, 0);
            let info = ctx.process_info(guest).await.unwrap();
            assert_eq!(info.inside.unwrap().label.as_deref(), Some("at the till"));
        },
    );
}
