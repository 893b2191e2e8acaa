//! Names of guests.

mod support;

use rusm_actor::ExitReason;
use rusm_wasm::grant::{Pattern, Profile};
use support::actor::{actor, beside_granted, ended, give, shown, start, told, told_by};

#[test]
fn a_guest_has_one_name_that_others_find_and_write_to() {
    let data = r#"(data (i32.const 700) "cashier") (data (i32.const 720) "\ff") (data (i32.const 730) "undefined")"#;
    let named = actor(
        data,
        "(call $tell32 (call $register (i32.const 730) (i32.const 9)))
         (call $tell32 (call $register (i32.const 720) (i32.const 1)))
         (call $tell32 (call $register (i32.const 700) (i32.const 7)))
         (call $tell32 (call $register (i32.const 700) (i32.const 4)))
         (loop $on (call $next) (call $show) (call $tell32 (call $unregister (i32.const 700) (i32.const 7))) (br $on))",
    );
    let other = actor(
        data,
        "(call $tell32 (call $whereis (i32.const 700) (i32.const 4) (i32.const 512)))
         (call $tell32 (call $whereis (i32.const 700) (i32.const 7) (i32.const 512)))
         (call $tell (i64.load (i32.const 512)))
         (call $tell32 (call $register (i32.const 700) (i32.const 7)))
         (call $tell32 (call $unregister (i32.const 700) (i32.const 7)))
         (call $tell32 (call $send_name (i32.const 700) (i32.const 4) (i64.const 7) (i32.const 700) (i32.const 7)))
         (call $tell32 (call $send_name (i32.const 700) (i32.const 7) (i64.const 7) (i32.const 700) (i32.const 7)))",
    );
    let guests = [
        (&*named, Profile::trusted()),
        (&*other, Profile::sandboxed()),
    ];
    beside_granted(&guests, |mut ctx, guests| async move {
        let (named, _) = start(&mut ctx, &guests[0]);
        for expected in [-11, -6, 0, -9] {
            assert_eq!(told(&mut ctx).await, expected);
        }
        assert_eq!(ctx.whereis("cashier"), Some(named));
        let (other, monitor) = start(&mut ctx, &guests[1]);
        // The two tell at the same time.
        for expected in [-10, 0, named.to_bits() as i64, -12, -12, -10, 0] {
            assert_eq!(told_by(&mut ctx, other).await, expected);
        }
        let seen = shown(&mut ctx).await;
        assert_eq!(
            (seen.pid, seen.tag, &*seen.body),
            (other.to_bits(), 7, &b"cashier"[..])
        );
        assert_eq!(ended(&mut ctx, monitor).await, ExitReason::Normal);
        assert_eq!(told(&mut ctx).await, 1);
        assert_eq!(ctx.whereis("cashier"), None);
    });
}

#[test]
fn names_take_a_grant_each_and_a_reserved_one_takes_one_that_says_so() {
    let greedy = actor(
        r#"(data (i32.const 700) "till") (data (i32.const 710) "other") (data (i32.const 720) "rusm.log")"#,
        "(call $tell32 (call $register (i32.const 710) (i32.const 5)))
         (call $tell32 (call $register (i32.const 720) (i32.const 8)))
         (call $tell32 (call $unregister (i32.const 700) (i32.const 4)))
         (call $tell32 (call $unregister (i32.const 710) (i32.const 5)))
         (call $tell32 (call $register (i32.const 700) (i32.const 4)))
         (call $next)",
    );
    let till = Profile {
        register: vec![Pattern::new("till").unwrap()],
        ..Profile::sandboxed()
    };
    beside_granted(&[(&greedy, till)], |mut ctx, guests| async move {
        let holder = ctx.spawn(|mut ctx| async move {
            loop {
                drop(ctx.receive().await);
            }
        });
        ctx.node().register("till", holder).unwrap();
        let (guest, _) = start(&mut ctx, &guests[0]);
        // Not granted, reserved, another process's with the grant, nobody's without, free.
        for expected in [-12, -12, 1, -12, 0] {
            assert_eq!(told(&mut ctx).await, expected);
        }
        assert_eq!(ctx.whereis("till"), Some(guest));
        give(&ctx, guest, 0, b"");
    });
}
