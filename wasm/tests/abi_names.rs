//! Names of guests.

mod support;

use rusm_actor::ExitReason;
use support::actor::{actor, beside, ended, shown, start, told, told_by};

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
    beside(&[named, other], |mut ctx, guests| async move {
        let (named, _) = start(&mut ctx, &guests[0]);
        for expected in [-11, -6, 0, -9] {
            assert_eq!(told(&mut ctx).await, expected);
        }
        assert_eq!(ctx.whereis("cashier"), Some(named));
        let (other, monitor) = start(&mut ctx, &guests[1]);
        // The two tell at the same time.
        for expected in [-10, 0, named.to_bits() as i64, -8, 0, -10, 0] {
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
