//! Modules that core modules compile, start and hand on, through the flat functions.

mod support;

use std::collections::BTreeMap;

use rusm_wasm::grant::{Profile, Profiles};
use support::actor::{beside, beside_granted, ended, give, start, told, told_by};
use support::services::{data, guest, told_bytes, words};

/// Ends with what `code` makes as its status.
fn small(code: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(module (import "rusm" "kv_exists" (func $kv_exists (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (func (export "run") (result i32) {code}))"#
    ))
    .unwrap()
}

/// Compiles the module at 5000 and keeps its number in `$s`.
fn compiling(module: &[u8], code: &str) -> String {
    // Options at 4000: watched; at 4100: watched, under the profile `sandboxed`.
    let watched = data(4000, &[2]);
    let narrow: Vec<u8> = [2_u32, 0, 0, 0, 0, 0, 0, 0, 4200, 9]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    let more = format!(
        r#"{watched} {} (data (i32.const 4200) "sandboxed") {}"#,
        data(4100, &narrow),
        data(5000, module)
    );
    let compile = format!(
        "(local.set $s (call $module_compile (i32.const 5000) (i32.const {}))) (call $tell (local.get $s))",
        module.len()
    );
    guest(&more, &format!("{compile} {code}"))
}

/// Starts the module in `$s` and tells how that ends: the result, the kind of the event, the detail of
/// its reason.
fn spawning(options: u32, len: u32) -> String {
    format!(
        "(call $tell (call $module_spawn (local.get $s) (i32.const 0) (i32.const 0) (i32.const {options}) (i32.const {len}) (i32.const 6000)))
         (call $next) (call $tell (i32.load (i32.const 0))) (call $tell (i32.load (i32.const 36)))"
    )
}

#[test]
fn a_guest_compiles_a_module_and_starts_it_under_what_it_may_do_itself_or_less() {
    let module = small("(call $kv_exists (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1))");
    let code = compiling(
        &module,
        &format!("{} {}", spawning(4000, 4), spawning(4100, 40)),
    );
    beside(&[code], |mut ctx, guests| async move {
        let profiles = Profiles::new(&BTreeMap::new()).unwrap();
        guests[0].catalog.set_profiles(profiles);
        start(&mut ctx, &guests[0]);
        // The trusted one may ask and finds no store; the sandboxed one may not ask.
        for expected in [1, 0, 3, -13, 0, 3, -12] {
            assert_eq!(told(&mut ctx).await, expected);
        }
    });
}

#[test]
fn a_module_is_handed_to_another_process_which_starts_it_under_what_that_one_may_do() {
    let module = small("(i32.const 42)");
    let sends = compiling(
        &module,
        "(call $tell (call $module_send (call $given) (i64.const 7) (local.get $s)))
         (call $tell (call $module_close (local.get $s)))
         (call $tell (call $module_close (local.get $s)))",
    );
    let takes = compiling(
        b"",
        &format!(
            "(call $tagged (i64.const 7)) (call $tell (i32.load (i32.const 0)))
             (local.set $s (call $came)) (call $tell (local.get $s)) {}",
            spawning(4000, 4)
        ),
    );
    let mut may = Profile {
        modules: true,
        ..Profile::sandboxed()
    };
    may.limits.processes_max = 2;
    let profiles = [
        (&*sends, may.clone()),
        (&takes, may),
        (&takes, Profile::sandboxed()),
    ];
    beside_granted(&profiles, |mut ctx, guests| async move {
        for (taker, spawned) in [(1, vec![0, 3, 42]), (2, vec![-12])] {
            let (to, _) = start(&mut ctx, &guests[taker]);
            let (from, _) = start(&mut ctx, &guests[0]);
            let refused = told_by(&mut ctx, to).await;
            assert_eq!(
                refused,
                if taker == 1 { -28 } else { -12 },
                "nothing is no module"
            );
            give(&ctx, from, 1, &to.to_bits().to_le_bytes());
            for expected in [1, 0, 1, 0] {
                assert_eq!(told_by(&mut ctx, from).await, expected);
            }
            let came = [9, 1].into_iter().chain(spawned);
            for expected in came {
                assert_eq!(told_by(&mut ctx, to).await, expected, "{taker}");
            }
        }
    });
}

#[test]
fn who_was_not_granted_to_bring_code_is_told_which_grant_is_missing() {
    let code = compiling(&small("(i32.const 0)"), "(call $why)");
    beside_granted(
        &[(&code, Profile::sandboxed())],
        |mut ctx, guests| async move {
            let (pid, _) = start(&mut ctx, &guests[0]);
            assert_eq!(told(&mut ctx).await, -12);
            let why = told_bytes(&mut ctx, pid).await;
            assert!(words(&why).contains("modules = true"), "{}", words(&why));
        },
    );
}

#[test]
fn what_is_no_module_or_too_large_is_refused_and_nothing_is_held_under_its_number() {
    let bad = [
        (b"\0asm\x01\0\0\0\xff".to_vec(), "not a valid module"),
        (b"\0asm".to_vec(), "ends too early"),
        (b"#!/bin/sh".to_vec(), "not WebAssembly"),
        (
            wat::parse_str(r#"(module (import "env" "x" (func)) (func (export "run")))"#).unwrap(),
            "`env`.`x`",
        ),
        (wat::parse_str("(module)").unwrap(), "nothing to start with"),
    ];
    let mut guests: Vec<_> = bad
        .iter()
        .map(|(bytes, _)| compiling(bytes, "(call $why)"))
        .collect();
    let large = r#"
      (drop (memory.grow (i32.const 96)))
      (call $tell (call $module_compile (i32.const 5000) (i32.const 8388609)))
      (call $tell (call $module_spawn (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 6000)))
      (call $tell (call $module_send (global.get $parent) (i64.const 7) (i32.const 9)))
      (call $tell (call $module_close (i32.const 0)))
      (call $tell (call $module_compile (i32.const 10485700) (i32.const 100)))"#;
    guests.push(guest("", large));
    beside(&guests, |mut ctx, guests| async move {
        for (guest, (_, expected)) in guests.iter().zip(&bad) {
            let (pid, _) = start(&mut ctx, guest);
            assert_eq!(told_by(&mut ctx, pid).await, -28);
            let why = told_bytes(&mut ctx, pid).await;
            assert!(
                words(&why).contains(expected),
                "{expected}: {}",
                words(&why)
            );
        }
        let (pid, monitor) = start(&mut ctx, guests.last().unwrap());
        for expected in [-4, -5, -5, 0] {
            assert_eq!(told_by(&mut ctx, pid).await, expected);
        }
        let reason = ended(&mut ctx, monitor).await.to_string();
        assert!(reason.contains("not within the guest's memory"), "{reason}");
    });
}

#[test]
fn a_guest_holds_so_many_bytes_of_modules_and_no_more() {
    // A module of eight mebibytes, most of it a section that means nothing: its head, which says how
    // long it is, zeros, and the sections of a module that does nothing.
    let whole = wat::parse_str(r#"(module (func (export "run")))"#).unwrap();
    let sections = &whole[8..];
    let len = (8 << 20) - 14 - sections.len();
    let mut head = b"\0asm\x01\0\0\0\0".to_vec();
    head.extend([0, 7, 14, 21].map(|shift| (len >> shift) as u8 & 0x7f | 0x80));
    head.push((len >> 28) as u8);
    let compile = "(call $module_compile (i32.const 1048576) (i32.const 8388608))";
    let code = format!(
        r#"(drop (memory.grow (i32.const 96)))
        (memory.copy (i32.const 1048576) (i32.const 5000) (i32.const 14))
        (memory.copy (i32.const {at}) (i32.const 5100) (i32.const {rest}))
        (loop $on
          (call $tell (local.tee $s {compile}))
          (br_if $on (i32.gt_s (local.get $s) (i32.const 0))))
        (call $why)
        (call $tell (call $module_close (i32.const 2)))
        (call $tell {compile})"#,
        at = (1 << 20) + (8 << 20) - sections.len(),
        rest = sections.len(),
    );
    let more = format!("{} {}", data(5000, &head), data(5100, sections));
    beside(&[guest(&more, &code)], |mut ctx, guests| async move {
        let (pid, _) = start(&mut ctx, &guests[0]);
        for expected in [1, 2, 3, 4, -3] {
            assert_eq!(told_by(&mut ctx, pid).await, expected);
        }
        let why = told_bytes(&mut ctx, pid).await;
        assert!(
            words(&why).contains("33554432 bytes of modules"),
            "{}",
            words(&why)
        );
        for expected in [1, 2] {
            assert_eq!(told_by(&mut ctx, pid).await, expected);
        }
    });
}
