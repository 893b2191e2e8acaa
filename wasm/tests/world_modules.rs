//! Modules that components compile, start and hand on.

mod support;

use std::collections::BTreeMap;

use rusm_actor::Pid;
use rusm_wasm::grant::{Profile, Profiles};
use support::actor::{beside_components, ended, give, start, told, told_by};
use support::runtime::actor;
use support::services::{data, told_bytes, words};

/// A core module that ends with what the store says of a key, as its status.
fn asks_the_store() -> Vec<u8> {
    wat::parse_str(
        r#"(module (import "rusm" "kv_exists" (func $kv_exists (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (func (export "run") (result i32)
            (call $kv_exists (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1))))"#,
    )
    .unwrap()
}

/// Compiles the module at 65536, tells how that went, and keeps the handle in `$s`.
fn compiling(module: &[u8], code: &str) -> Vec<u8> {
    let more = format!(
        r#"{} (data (i32.const 3000) "sandboxed")"#,
        data(65536, module)
    );
    let compile = format!(
        r#"(call $"module#compile" (i32.const 65536) (i32.const {}) (i32.const 512))
           (call $tell_result (i32.const 512)) (local.set $s (i32.load (i32.const 520)))"#,
        module.len()
    );
    actor(&more, &format!("{compile} {code}"))
}

/// Starts the module in `$s`, watched, under the profile `sandboxed` or its own, and tells how that
/// went. The parameters lie at 1024: the handle, and then the options.
fn spawn(sandboxed: u32) -> String {
    format!(
        r#"(i32.store (i32.const 1024) (local.get $s)) (i32.store8 (i32.const 1033) (i32.const 1))
           (i32.store8 (i32.const 1088) (i32.const {sandboxed})) (i32.store (i32.const 1092) (i32.const 3000)) (i32.store (i32.const 1096) (i32.const 9))
           (call $"module#[method]module.spawn" (i32.const 1024) (i32.const 512)) (call $tell_result (i32.const 512))"#
    )
}

/// Tells how that process ended: the event, by its monitor, the reason and its status.
const ENDED: &str = r#"
  (call $want (i32.const 2) (i64.load (i32.const 536)) (i64.const -1)) (call $tell32 (call $event))
  (call $tell32 (i32.load8_u (i32.const 40))) (call $tell32 (i32.load (i32.const 44)))"#;

#[test]
fn a_component_compiles_a_module_and_starts_it_under_what_it_may_do_itself_or_less() {
    let (own, less) = (spawn(0), spawn(1));
    let code = compiling(&asks_the_store(), &format!("{own} {ENDED} {less} {ENDED}"));
    beside_components(
        &[(code, Profile::trusted())],
        |mut ctx, guests| async move {
            let profiles = Profiles::new(&BTreeMap::new()).unwrap();
            guests[0].catalog.set_profiles(profiles);
            start(&mut ctx, &guests[0]);
            // The trusted one may ask and finds no store; the sandboxed one may not ask.
            for expected in [0, 0, 2, 10, -13, 0, 2, 10, -12] {
                assert_eq!(told(&mut ctx).await, expected);
            }
        },
    );
}

#[test]
fn a_component_compiles_a_component() {
    let inner = actor("", "(call $tell (i64.const 99))");
    let code = format!(
        r#"{} (call $send_to (i64.load (i32.const 520)))
        (call $want (i32.const 1) (i64.const 99) (i64.const -1)) (call $tell (i64.sub (call $sender) (i64.load (i32.const 520))))
        {ENDED}"#,
        spawn(0)
    );
    let outer = compiling(&inner, &code);
    beside_components(
        &[(outer, Profile::trusted())],
        |mut ctx, guests| async move {
            start(&mut ctx, &guests[0]);
            // Compiled, started, from that one; down, normal.
            for expected in [0, 0, 0, 2, 0] {
                assert_eq!(told(&mut ctx).await, expected);
            }
        },
    );
}

#[test]
fn a_module_is_handed_to_another_component_which_starts_it_under_what_that_one_may_do() {
    let module = wat::parse_str(r#"(module (func (export "run") (result i32) (i32.const 42)))"#);
    let sends = compiling(
        &module.unwrap(),
        r#"(call $"module#[method]module.send" (local.get $s) (call $given) (i64.const 7) (i32.const 512)) (call $tell_result (i32.const 512))
           (call $"module#drop module" (local.get $s))"#,
    );
    let takes = actor(
        "",
        &format!(
            r#"(call $want (i32.const 1) (i64.const 7) (i64.const -1)) (call $tell32 (call $event))
               (call $tell (i64.load (i32.const 16))) (call $tell32 (i32.load8_u (i32.const 32)))
               (local.set $s (call $came)) {}
               (if (i32.load8_u (i32.const 512)) (then (call $why (i32.const 512)) (return (i32.const 2000)))) {ENDED}"#,
            spawn(0)
        ),
    );
    let guests = [
        (sends, Profile::trusted()),
        (takes.clone(), Profile::trusted()),
        (takes, Profile::sandboxed()),
    ];
    beside_components(&guests, |mut ctx, guests| async move {
        for taker in [1, 2] {
            let (from, _) = start(&mut ctx, &guests[0]);
            let (to, _) = start(&mut ctx, &guests[taker]);
            give(&ctx, from, 1, &to.to_bits().to_le_bytes());
            for _ in ["compiled", "sent"] {
                assert_eq!(told_by(&mut ctx, from).await, 0);
            }
            let sender = from.to_bits().cast_signed();
            let ends: &[i64] = match taker {
                1 => &[0, 2, 10, 42],
                _ => &[-11],
            };
            for expected in [&[8, sender, 1], ends].concat() {
                assert_eq!(told_by(&mut ctx, to).await, expected, "{taker}");
            }
            if taker == 2 {
                let why = told_bytes(&mut ctx, to).await;
                assert!(words(&why).contains("modules = true"), "{}", words(&why));
            }
        }
    });
}

#[test]
fn who_was_not_granted_to_bring_code_is_told_which_grant_is_missing() {
    let code = compiling(&asks_the_store(), "(call $why (i32.const 512))");
    let guests = [(code, Profile::sandboxed())];
    beside_components(&guests, |mut ctx, guests| async move {
        let (pid, _) = start(&mut ctx, &guests[0]);
        assert_eq!(told(&mut ctx).await, -11);
        let why = told_bytes(&mut ctx, pid).await;
        assert!(words(&why).contains("modules = true"), "{}", words(&why));
    });
}

#[test]
fn what_is_no_module_or_too_large_is_refused() {
    let bad = [
        (b"\0asm\x01\0\0\0\xff".to_vec(), "not a valid module"),
        (b"\0asm".to_vec(), "ends too early"),
        (b"".to_vec(), "not WebAssembly"),
        (wat::parse_str("(module)").unwrap(), "nothing to start with"),
    ];
    let with = |(bytes, _): &(Vec<u8>, &str)| compiling(bytes, "(call $why (i32.const 512))");
    let mut guests: Vec<_> = bad.iter().map(with).collect();
    guests.push(actor(
        "",
        r#"(drop (memory.grow (i32.const 150)))
           (call $"module#compile" (i32.const 65536) (i32.const 8388609) (i32.const 512)) (call $tell_result (i32.const 512))"#,
    ));
    let guests: Vec<_> = guests
        .into_iter()
        .map(|g| (g, Profile::trusted()))
        .collect();
    beside_components(&guests, |mut ctx, guests| async move {
        for (guest, (_, expected)) in guests.iter().zip(&bad) {
            let (pid, _) = start(&mut ctx, guest);
            assert_eq!(told_by(&mut ctx, pid).await, -19);
            let why = told_bytes(&mut ctx, pid).await;
            assert!(words(&why).contains(expected), "{}", words(&why));
        }
        start(&mut ctx, guests.last().unwrap());
        assert_eq!(told(&mut ctx).await, -4);
    });
}

#[test]
fn handles_that_a_component_does_not_hold_end_it() {
    let send = r#"(call $"module#[method]module.send" (local.get $s) (i64.const 1) (i64.const 7) (i32.const 512))"#;
    let wrong = [
        spawn(0),
        format!(
            r#"(call $"stream#open" (i64.const 1) (i64.const 0) (i32.const 1) (i32.const 512)) (local.set $s (i32.load (i32.const 520))) {send}"#
        ),
    ];
    let mut guests: Vec<_> = wrong.iter().map(|code| actor("", code)).collect();
    let dropped = format!(r#"(call $"module#drop module" (local.get $s)) {send}"#);
    guests.push(compiling(&asks_the_store(), &dropped));
    let guests: Vec<_> = guests
        .into_iter()
        .map(|g| (g, Profile::trusted()))
        .collect();
    beside_components(&guests, |mut ctx, guests| async move {
        for (number, guest) in guests.iter().enumerate() {
            let (_, monitor) = start(&mut ctx, guest);
            let reason = ended(&mut ctx, monitor).await.to_string();
            assert!(reason.contains("handle"), "{number}: {reason}");
        }
    });
}

#[test]
fn a_component_holds_so_many_bytes_of_modules_and_one_that_comes_beyond_them_is_not_taken() {
    // A module of eight mebibytes, most of it a section that means nothing: its head, which says how
    // long it is, zeros, and the sections of a module that does nothing.
    let whole = wat::parse_str(r#"(module (func (export "run")))"#).unwrap();
    let sections = &whole[8..];
    let len = (8 << 20) - 14 - sections.len();
    let mut head = b"\0asm\x01\0\0\0\0".to_vec();
    head.extend([0, 7, 14, 21].map(|shift| (len >> shift) as u8 & 0x7f | 0x80));
    head.push((len >> 28) as u8);
    let compile = r#"(call $"module#compile" (i32.const 1048576) (i32.const 8388608) (i32.const 512)) (call $tell_result (i32.const 512))"#;
    let code = format!(
        r#"(drop (memory.grow (i32.const 158)))
        (memory.copy (i32.const 1048576) (i32.const 65536) (i32.const 14))
        (memory.copy (i32.const {at}) (i32.const 65600) (i32.const {rest}))
        (loop $on {compile} (br_if $on (i32.eqz (i32.load8_u (i32.const 512)))))
        (call $why (i32.const 512))
        (call $"module#[method]module.send" (i32.const 2) (call $"process#self") (i64.const 7) (i32.const 512)) (call $tell_result (i32.const 512))
        (call $next) (call $tell32 (call $event)) (call $tell32 (i32.load8_u (i32.const 32)))
        (call $"module#drop module" (i32.const 2)) {compile}"#,
        at = (1 << 20) + (8 << 20) - sections.len(),
        rest = sections.len(),
    );
    let more = format!("{} {}", data(65536, &head), data(65600, sections));
    let guests = [(actor(&more, &code), Profile::trusted())];
    beside_components(&guests, |mut ctx, guests| async move {
        let (pid, _): (Pid, _) = start(&mut ctx, &guests[0]);
        for expected in [0, 0, 0, 0, -3] {
            assert_eq!(told_by(&mut ctx, pid).await, expected);
        }
        let why = told_bytes(&mut ctx, pid).await;
        assert!(words(&why).contains("33554432 bytes of modules"));
        // Sent to itself; there was no room for it; and then there is.
        for expected in [0, 8, 0, 0] {
            assert_eq!(told_by(&mut ctx, pid).await, expected);
        }
    });
}
