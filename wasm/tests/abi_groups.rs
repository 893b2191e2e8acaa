//! Groups of processes, as guests join, watch, write to and end them.

mod support;

use rusm_actor::{Context, ExitReason, Pid};
use rusm_wasm::grant::{Pattern, Profile};
use support::actor::{actor, beside, beside_granted, ended, give, next, said, shown, start, told};

const DATA: &str = r#"(data (i32.const 700) "shop") (data (i32.const 704) "\ff")"#;
/// Does what the tag of each message says, and tells the result; shows all others.
const ORDERS: &str = "(loop $on (call $next)
    (if (i32.eq (call $kind) (i32.const 5)) (then (call $show) (br $on)))
    (if (i64.eq (call $tag) (i64.const 1)) (then (call $tell32 (call $group_join (i32.const 700) (i32.const 4))) (br $on)))
    (if (i64.eq (call $tag) (i64.const 2)) (then (call $tell32 (call $group_leave (i32.const 700) (i32.const 4))) (br $on)))
    (if (i64.eq (call $tag) (i64.const 3)) (then (call $tell32 (call $group_publish (i32.const 700) (i32.const 4) (i64.const 77) (i32.const 256) (call $len))) (br $on)))
    (if (i64.eq (call $tag) (i64.const 4)) (then (call $tell32 (call $group_watch (i32.const 700) (i32.const 4) (i32.const 512) (i32.const 1024) (i32.const 9)))
      (call $tell (i64.load (i32.const 512))) (br $on)))
    (if (i64.eq (call $tag) (i64.const 5)) (then (call $tell32 (call $group_unwatch (i64.load (i32.const 512)))) (br $on)))
    (if (i64.eq (call $tag) (i64.const 6)) (then (call $tell32 (call $group_kill (i32.const 700) (i32.const 4))) (br $on)))
    (if (i64.eq (call $tag) (i64.const 7)) (then
      (i64.store (i32.const 1032) (i64.const 0))
      (call $tell32 (call $group_members (i32.const 700) (i32.const 4) (i32.const 1) (i32.const 1024) (i32.const 1)))
      (drop (call $send (global.get $parent) (i64.const 0) (i32.const 1024) (i32.const 16))) (br $on)))
    (if (i64.eq (call $tag) (i64.const 8)) (then (call $tell32 (call $group_join (i32.const 704) (i32.const 1)))
      (call $tell32 (call $group_join (i32.const 704) (i32.const 0))) (call $tell32 (call $group_join (i32.const 1024) (i32.const 256))) (br $on)))
    (call $show) (br $on))";

async fn order(ctx: &mut Context, guest: Pid, what: u64, content: &[u8]) -> i64 {
    give(ctx, guest, what, content);
    told(ctx).await
}

#[test]
fn members_are_written_to_together_whoever_they_are() {
    beside(&[actor(DATA, ORDERS)], |mut ctx, guests| async move {
        let (one, _) = start(&mut ctx, &guests[0]);
        let (other, _) = start(&mut ctx, &guests[0]);
        let me = ctx.pid();
        ctx.node().join("shop", me).unwrap();
        assert_eq!(order(&mut ctx, one, 1, b"").await, 0);
        for content in [&b"short"[..], &[7; 200]] {
            give(&ctx, other, 3, content);
            let (mut direct, mut shown, mut told) = (0, 0, 0);
            for _ in 0..3 {
                let message = said(&mut ctx).await;
                let envelope = message.envelope().unwrap();
                match (envelope.from == other, envelope.tag) {
                    (true, 77) => direct += usize::from(message.bytes() == content),
                    (true, 2) => told += 1,
                    (_, tag) => {
                        assert_eq!((envelope.from, tag), (one, 0));
                        shown += usize::from(&message.bytes()[256..] == content);
                    }
                }
            }
            assert_eq!((direct, shown, told), (1, 1, 1));
        }
        assert_eq!(order(&mut ctx, other, 7, b"").await, 2, "in all");
        let page = next(&mut ctx).await.bytes().to_vec();
        assert_eq!(
            page[..8],
            one.to_bits().to_le_bytes(),
            "from the second one on"
        );
        assert_eq!(page[8..], [0; 8], "one was asked for");
        assert_eq!(order(&mut ctx, one, 2, b"").await, 1);
        assert_eq!(order(&mut ctx, one, 2, b"").await, 0);
        assert_eq!(ctx.node().members("shop").as_slice(), [me]);
        assert_eq!(order(&mut ctx, one, 8, b"").await, -6);
        assert_eq!((told(&mut ctx).await, told(&mut ctx).await), (-4, -4));
    });
}

#[test]
fn who_watches_a_group_hears_who_comes_and_goes_until_it_no_longer_does() {
    beside(&[actor(DATA, ORDERS)], |mut ctx, guests| async move {
        let (guest, _) = start(&mut ctx, &guests[0]);
        let me = ctx.pid();
        ctx.node().join("shop", me).unwrap();
        assert_eq!(order(&mut ctx, guest, 4, b"").await, 1, "who is in it");
        let watch = told(&mut ctx).await as u64;
        ctx.node().leave("shop", me);
        ctx.node().join("shop", me).unwrap();
        for joined in [0, 1] {
            let seen = shown(&mut ctx).await;
            assert_eq!(
                (seen.kind, seen.pid, seen.joined),
                (5, me.to_bits(), joined)
            );
            assert_eq!((seen.reference, &*seen.body), (watch, &b"shop"[..]));
            assert_eq!(seen.name_len, 4);
        }
        assert_eq!(order(&mut ctx, guest, 5, b"").await, 1);
        assert_eq!(order(&mut ctx, guest, 5, b"").await, 0);
        ctx.node().leave("shop", me);
        give(&ctx, guest, 99, b"");
        assert_eq!(shown(&mut ctx).await.tag, 99, "nothing came before it");
    });
}

#[test]
fn joining_and_ending_a_group_take_a_grant_each() {
    let orders = actor(DATA, ORDERS);
    let joins = Profile {
        join: vec![Pattern::new("shop").unwrap()],
        ..Profile::sandboxed()
    };
    let kills = Profile {
        kill_groups: vec![Pattern::new("shop").unwrap()],
        ..Profile::sandboxed()
    };
    let guests = [(&*orders, joins), (&*orders, kills)];
    beside_granted(&guests, |mut ctx, guests| async move {
        let (joins, monitor) = start(&mut ctx, &guests[0]);
        let (kills, _) = start(&mut ctx, &guests[1]);
        assert_eq!(order(&mut ctx, kills, 1, b"").await, -12);
        assert_eq!(order(&mut ctx, joins, 6, b"").await, -12);
        assert_eq!(order(&mut ctx, joins, 1, b"").await, 0);
        assert_eq!(order(&mut ctx, kills, 6, b"").await, 1);
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Killed);
    });
}

#[test]
fn a_guest_is_in_so_many_groups_and_no_more() {
    let joining = actor(
        DATA,
        "(loop $on (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $on (i32.eqz (call $group_join (i32.const 700) (i32.const 4)))))
         (call $tell32 (local.get $i))
         (drop (call $group_leave (i32.const 700) (i32.const 4)))
         (call $tell32 (call $group_join (i32.const 700) (i32.const 4)))",
    );
    beside(&[joining], |mut ctx, guests| async move {
        start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, 1_025);
        assert_eq!(told(&mut ctx).await, 0);
    });
}
