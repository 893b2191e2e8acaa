//! Pointers are claims: what a guest says about its memory and is not so ends it, and nothing else.

mod support;

use rusm_actor::ExitReason;
use support::actor::{bare, beside, ended, start};

#[test]
fn a_pointer_out_of_the_memory_ends_the_guest_with_a_trap_that_says_which() {
    let calls = [
        "(drop (call $args (i32.const 65536) (i32.const 1)))",
        "(drop (call $refusal (i32.const -1) (i32.const 1)))",
        "(drop (call $exit (i32.const 8) (i32.const 0) (i32.const 65530) (i32.const 7)))",
        "(drop (call $monitor (i64.const 1) (i32.const 65529)))",
        "(drop (call $send (i64.const 1) (i64.const 0) (i32.const -8) (i32.const 16)))",
        "(drop (call $send (i64.const 1) (i64.const 0) (i32.const 0) (i32.const -1)))",
        "(drop (call $try_receive (i32.const 0) (i64.const 0) (i32.const 65500) (i32.const 0) (i32.const 0)))",
        "(drop (call $try_receive (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 65500) (i32.const 100)))",
        "(drop (call $receive (i32.const 0) (i64.const 0) (i64.const -1) (i32.const -48) (i32.const 0) (i32.const 0)))",
        "(drop (call $body_read (i32.const 0) (i32.const 0) (i32.const -1)))",
        "(drop (call $reply (i64.const 1) (i64.const 0) (i32.const 1) (i32.const 65536)))",
        "(drop (call $alias (i32.const 0) (i32.const 65520)))",
        "(drop (call $send_alias (i32.const 65520) (i64.const 0) (i32.const 0) (i32.const 0)))",
        "(drop (call $send_alias (i32.const 0) (i64.const 0) (i32.const 65536) (i32.const 1)))",
        "(drop (call $register (i32.const 65536) (i32.const 1)))",
        "(drop (call $unregister (i32.const 65536) (i32.const 1)))",
        "(drop (call $whereis (i32.const 65536) (i32.const 1) (i32.const 0)))",
        "(drop (call $send_name (i32.const 65536) (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 0)))",
    ];
    let guests: Vec<_> = calls.iter().map(|call| bare("", call)).collect();
    beside(&guests, |mut ctx, guests| async move {
        for (guest, call) in guests.iter().zip(calls) {
            let (_, monitor) = start(&mut ctx, guest);
            match ended(&mut ctx, monitor).await {
                ExitReason::Trap(fault) => {
                    assert!(
                        fault.text.contains("not within the guest's memory"),
                        "{call}: {fault:?}"
                    );
                }
                other => panic!("{call}: {other:?}"),
            }
        }
    });
}

#[test]
fn a_guest_without_a_memory_may_call_what_needs_none() {
    let without = r#"(module
        (import "rusm" "self" (func $self (result i64)))
        (import "rusm" "send" (func $send (param i64 i64 i32 i32) (result i32)))
        (func (export "run") (if (i64.eqz (call $self)) (then unreachable))
          (drop (call $send (call $self) (i64.const 0) (i32.const 0) (i32.const 0)))))"#;
    beside(&[without.into()], |mut ctx, guests| async move {
        let (_, monitor) = start(&mut ctx, &guests[0]);
        match ended(&mut ctx, monitor).await {
            ExitReason::Trap(fault) => {
                assert!(fault.text.contains("exports no memory"), "{fault:?}")
            }
            other => panic!("{other:?}"),
        }
    });
}
