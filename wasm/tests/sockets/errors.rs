//! What guests are told when something is wrong: the codes of the standard, by their numbers.

use rusm_actor::ExitReason;
use rusm_wasm::Program;

use crate::support::PATIENCE;
use crate::{node, prepared, run, start, status};

const ACCESS_DENIED: i32 = 101;
const INVALID_ARGUMENT: i32 = 103;
const CONCURRENCY_CONFLICT: i32 = 106;
const NOT_IN_PROGRESS: i32 = 107;
const WOULD_BLOCK: i32 = 108;
const INVALID_STATE: i32 = 109;
const NEW_SOCKET_LIMIT: i32 = 110;
const ADDRESS_IN_USE: i32 = 112;
const CONNECTION_REFUSED: i32 = 114;
const DATAGRAM_TOO_LARGE: i32 = 117;

/// A port of this machine on which nobody listens.
pub(crate) fn nobody() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// `$a` is a TCP socket, `$b` a UDP socket.
fn met(code: &str) -> i32 {
    run(&format!(
        "(local.set $a (call $tcp (i32.const 0))) (local.set $b (call $udp (i32.const 0))) {code}"
    ))
}

const BOUND: &str =
    "(call $tcp_bind (local.get $a) (i32.const 0) (i32.const 0)) (call $ok (i32.const 1))
                     (call $tcp_finish_bind (local.get $a) (i32.const 0)) (call $ok (i32.const 1))";
const UDP_BOUND: &str = "(call $udp_bind (local.get $b) (i32.const 0) (i32.const 0)) (call $ok (i32.const 1))
                         (call $udp_finish_bind (local.get $b) (i32.const 0)) (call $ok (i32.const 1))";

#[test]
fn tcp_calls_out_of_order_are_told_what_is_wrong() {
    let ok = "(call $ok (i32.const 1))";
    let ok4 = "(call $ok (i32.const 4))";
    for (code, expected) in [
        (format!("(call $tcp_finish_bind (local.get $a) (i32.const 0)) {ok}"), NOT_IN_PROGRESS),
        (format!("(call $tcp_finish_connect (local.get $a) (i32.const 0)) {ok4}"), NOT_IN_PROGRESS),
        (format!("(call $tcp_finish_listen (local.get $a) (i32.const 0)) {ok}"), NOT_IN_PROGRESS),
        (format!("(call $tcp_start_listen (local.get $a) (i32.const 0)) {ok}"), INVALID_STATE),
        (format!("(call $tcp_accept (local.get $a) (i32.const 0)) {ok4}"), INVALID_STATE),
        (format!("(call $tcp_local (local.get $a) (i32.const 0)) {ok4}"), INVALID_STATE),
        (format!("(call $tcp_remote (local.get $a) (i32.const 0)) {ok4}"), INVALID_STATE),
        (format!("(call $tcp_shutdown (local.get $a) (i32.const 2) (i32.const 0)) {ok}"), INVALID_STATE),
        (format!("{BOUND} (call $tcp_bind (local.get $a) (i32.const 0) (i32.const 0)) {ok}"), INVALID_STATE),
        (
            format!("(call $tcp_bind (local.get $a) (i32.const 0) (i32.const 0)) {ok}
                     (call $tcp_start_listen (local.get $a) (i32.const 0)) {ok}"),
            CONCURRENCY_CONFLICT,
        ),
        // IPv6 with a socket of IPv4, and nobody's port.
        (format!("(call $tcp_bind (local.get $a) (i32.const 1) (i32.const 0)) {ok}"), INVALID_ARGUMENT),
        (format!("(call $tcp_connect (local.get $a) (i32.const 0) (i32.const 0)) {ok}"), INVALID_ARGUMENT),
        (format!("(call $tcp_accept (call $listening (i32.const 0)) (i32.const 0)) {ok4}"), WOULD_BLOCK),
        (
            format!("(drop (call $listening (i32.const 0)))
                     (call $tcp_bind (local.get $a) (i32.const 0) (i32.load16_u (i32.const 8))) {ok}"),
            ADDRESS_IN_USE,
        ),
        (format!("(call $connected (i32.const 0) (i32.const {}))", nobody()), CONNECTION_REFUSED),
        (
            // It failed for good, and says why again.
            format!("(call $tcp_connect (local.get $a) (i32.const 0) (i32.const {})) {ok}
                     (call $wait (call $tcp_subscribe (local.get $a)))
                     (call $tcp_finish_connect (local.get $a) (i32.const 0)) (call $assert (i32.load8_u (i32.const 0)))
                     (call $tcp_bind (local.get $a) (i32.const 0) (i32.const 0)) {ok}", nobody()),
            CONNECTION_REFUSED,
        ),
    ] {
        assert_eq!(met(&code), expected, "{code}");
    }
}

#[test]
fn udp_calls_out_of_order_are_told_what_is_wrong() {
    let ok = "(call $ok (i32.const 1))";
    let ok4 = "(call $ok (i32.const 4))";
    let send = "(call $udp_check_send (i32.load (i32.const 48)) (i32.const 0)) (call $ok (i32.const 8))
                (call $udp_send (i32.load (i32.const 48)) (i32.const 1024) (i32.const 1) (i32.const 0)) (call $ok (i32.const 8))";
    let streams = "(i32.store (i32.const 44) (i32.load (i32.const 4))) (i32.store (i32.const 48) (i32.load (i32.const 8)))";
    for (code, expected) in [
        (format!("(call $udp_finish_bind (local.get $b) (i32.const 0)) {ok}"), NOT_IN_PROGRESS),
        (format!("(call $udp_peer (local.get $b) (i32.const 0) (i32.const 9)) {ok4}"), INVALID_STATE),
        (format!("(call $udp_local (local.get $b) (i32.const 0)) {ok4}"), INVALID_STATE),
        (format!("(call $udp_remote (local.get $b) (i32.const 0)) {ok4}"), INVALID_STATE),
        (format!("{UDP_BOUND} (call $udp_bind (local.get $b) (i32.const 0) (i32.const 0)) {ok}"), INVALID_STATE),
        (
            format!("(call $udp_bind (local.get $b) (i32.const 0) (i32.const 0)) {ok}
                     (call $udp_bind (local.get $b) (i32.const 0) (i32.const 0)) {ok}"),
            CONCURRENCY_CONFLICT,
        ),
        (format!("(call $udp_bind (local.get $b) (i32.const 1) (i32.const 0)) {ok}"), INVALID_ARGUMENT),
        (format!("{UDP_BOUND} (call $udp_peer (local.get $b) (i32.const 1) (i32.const 9)) {ok4}"), INVALID_ARGUMENT),
        // To nobody.
        (
            format!("{UDP_BOUND} (call $udp_peer (local.get $b) (i32.const 0) (i32.const 0)) {ok4} {streams}
                     (i32.store (i32.const 1028) (i32.const 4)) {send}"),
            INVALID_ARGUMENT,
        ),
        // More than a datagram holds.
        (
            format!("{UDP_BOUND} (call $udp_peer (local.get $b) (i32.const 0) (i32.const 9)) {ok4} {streams}
                     (i32.store (i32.const 1028) (i32.const 65536)) {send}"),
            DATAGRAM_TOO_LARGE,
        ),
    ] {
        assert_eq!(met(&code), expected, "{code}");
    }
}

#[test]
fn more_than_was_allowed_is_a_trap_of_the_guest_alone() {
    let node = node();
    for code in [
        "(call $udp_peer (local.get $b) (i32.const 0) (i32.const 9)) (call $ok (i32.const 4))
         (call $udp_send (i32.load (i32.const 8)) (i32.const 1024) (i32.const 1) (i32.const 0))",
        "(call $udp_peer (local.get $b) (i32.const 0) (i32.const 9)) (call $ok (i32.const 4))
         (call $udp_peer (local.get $b) (i32.const 0) (i32.const 9))",
        // A stream that is another kind of handle, and one that is none.
        "(call $udp_receive (local.get $b) (i64.const 1) (i32.const 0))",
        "(call $tcp_accept (i32.const 77) (i32.const 0))",
    ] {
        let bound = UDP_BOUND;
        let code = format!("(local.set $b (call $udp (i32.const 0))) {bound} {code}");
        let reason = start(&node, &code).0.wait_for(PATIENCE).expect("it ends");
        assert!(matches!(reason, ExitReason::Trap(_)), "{code}: {reason:?}");
    }
    assert_eq!(
        status(start(&node, "(drop (call $tcp (i32.const 0)))").0),
        0
    );
    node.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_process_has_so_many_sockets_and_no_more() {
    let code = r#"(loop $more
           (drop (call $tcp (i32.const 0)))
           (local.set $a (i32.add (local.get $a) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $a) (i32.const 256))))
         (call $udp_create (i32.const 0) (i32.const 0)) (call $assert (i32.load8_u (i32.const 0)))
         (call $tcp_drop (i32.const {first}))"#;
    // The first handle of the guest is the first socket; whoever gives one back has one more.
    let code = code.replace("{first}", "1");
    let more = format!("{code} (drop (call $udp (i32.const 0))) (drop (call $tcp (i32.const 0)))");
    assert_eq!(run(&more), NEW_SOCKET_LIMIT);
    assert_eq!(run(&format!("{code} (drop (call $udp (i32.const 0)))")), 0);
}

#[test]
fn without_a_grant_there_is_no_network() {
    let node = node();
    for (code, expected) in [
        ("(drop (call $tcp (i32.const 0)))", ACCESS_DENIED),
        ("(drop (call $udp (i32.const 1)))", ACCESS_DENIED),
        (
            "(i64.store (i32.const 1024) (i64.const 0x736f686c61636f6c)) (i32.store8 (i32.const 1032) (i32.const 116))
             (call $resolve (call $network) (i32.const 1024) (i32.const 9) (i32.const 0)) (call $ok (i32.const 4))",
            ACCESS_DENIED,
        ),
    ] {
        let guest = prepared(&node, code);
        assert_eq!(status(guest.spawn(&node, Program::default()).unwrap()), expected, "{code}");
    }
    node.shutdown(PATIENCE).unwrap();
}
