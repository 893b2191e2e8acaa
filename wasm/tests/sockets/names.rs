//! Looking names up.

use crate::run;

const INVALID_ARGUMENT: i32 = 103;
const NAME_UNRESOLVABLE: i32 = 118;
const TEMPORARY_RESOLVER_FAILURE: i32 = 119;

/// Asks for `name`, waits, and takes the first address to 0: its family at 4, its bytes from 6.
pub(crate) fn first_address(name: &str) -> String {
    let stores: String = name
        .bytes()
        .enumerate()
        .map(|(at, byte)| format!("(i32.store8 (i32.const {}) (i32.const {byte}))", 1024 + at))
        .collect();
    format!(
        r#"{stores} (call $resolve (call $network) (i32.const 1024) (i32.const {}) (i32.const 0)) (call $ok (i32.const 4))
           (local.set $a (i32.load (i32.const 4)))
           (call $wait (call $answer_subscribe (local.get $a)))
           (call $next_address (local.get $a) (i32.const 0)) (call $ok (i32.const 2))
           (call $assert (i32.load8_u (i32.const 2)))"#,
        name.len()
    )
}

#[test]
fn a_name_of_this_machine_has_its_addresses() {
    let code = first_address("localhost")
        + r#"(if (i32.load8_u (i32.const 4))
               (then (call $assert (i32.eq (i32.load16_u (i32.const 20)) (i32.const 1))))
               (else (call $assert (i32.eq (i32.load8_u (i32.const 6)) (i32.const 127)))))
             ;; The list has an end, and says so as often as it is asked.
             (loop $more (call $next_address (local.get $a) (i32.const 0)) (call $ok (i32.const 2))
               (br_if $more (i32.load8_u (i32.const 2))))
             (call $next_address (local.get $a) (i32.const 0)) (call $ok (i32.const 2))
             (call $assert (i32.eqz (i32.load8_u (i32.const 2))))"#;
    assert_eq!(run(&code), 0);
}

#[test]
fn an_address_is_its_own_answer() {
    let code = first_address("192.0.2.7")
        + "(call $assert (i32.eq (i32.load (i32.const 6)) (i32.const 0x070200c0)))";
    assert_eq!(run(&code), 0);
}

#[test]
fn what_is_no_name_or_nobodys_is_told_apart() {
    for name in ["", "a b", "a:80", "http://localhost"] {
        assert_eq!(run(&first_address(name)), INVALID_ARGUMENT, "{name}");
    }
    // Which of the two depends on whether this machine has a resolver.
    let nobody = run(&first_address("nobody.invalid"));
    assert!(
        [NAME_UNRESOLVABLE, TEMPORARY_RESOLVER_FAILURE].contains(&nobody),
        "{nobody}"
    );
}
