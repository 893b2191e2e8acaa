//! Sockets between guests on the loopback interface.

use rusm_actor::ExitReason;
use rusm_wasm::Program;
use rusm_wasm::grant::{Grants, Profile};

use crate::guest::{fails, holds, run_with};

/// Puts 127.0.0.1 at 6000, and binds; the number of a socket is at 6016, the port at 6032.
const HELPERS: &str = r#"
  (data (i32.const 6000) "\7f\00\00\01")
  (data (i32.const 6100) "127.0.0.1:80")
  (data (i32.const 6120) "localhost:80")
  ;; Reads the only address of the look-up whose number is at 6024.
  (func $address
    (call $check (i32.eqz (call $resolve_next (i64.load (i32.const 6024)) (i32.const 6072) (i32.const 6040)
      (i32.const 6032) (i32.const 6060) (i32.const 6064))) (i32.const 90))
    (call $check (i32.eq (i32.load (i32.const 6072)) (i32.const 4)) (i32.const 91))
    (call $check (i32.eq (i32.load (i32.const 6040)) (i32.const 0x0100007f)) (i32.const 92))
    (call $check (i32.eq (i32.const 1) (call $resolve_next (i64.load (i32.const 6024)) (i32.const 6072)
      (i32.const 6040) (i32.const 6072) (i32.const 6060) (i32.const 6064))) (i32.const 93))
    (call $drop_dns_iterator (i64.load (i32.const 6024))))
  (func $listen (result i64)
    (call $check (i32.eqz (call $tcp_bind (i32.const 4) (i32.const 6000) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 6016))) (i32.const 94))
    (call $check (i32.eqz (call $tcp_local_addr (i64.load (i32.const 6016)) (i32.const 6024))) (i32.const 95))
    (call $address)
    (i64.load (i32.const 6016)))
  (func $dial (param $port i32) (result i64)
    (call $check (i32.eqz (call $tcp_connect (i32.const 4) (i32.const 6000) (local.get $port) (i32.const 0)
      (i32.const 0) (i64.const 10000) (i32.const 6016))) (i32.const 96))
    (i64.load (i32.const 6016)))
  (func $port (result i32) (i32.load16_u (i32.const 6032)))
  ;; Opens a port for datagrams.
  (func $open (result i64)
    (call $check (i32.eqz (call $udp_bind (i32.const 4) (i32.const 6000) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 6016))) (i32.const 97))
    (call $check (i32.eqz (call $udp_local_addr (i64.load (i32.const 6016)) (i32.const 6024))) (i32.const 98))
    (call $address)
    (i64.load (i32.const 6016)))"#;

fn network(functions: &str) -> String {
    format!("{HELPERS} {functions}")
}

#[test]
fn a_connection_is_made_handed_on_and_closed() {
    holds(&network(
        r#"(data (i32.const 7000) "hello")
           ;; A server: takes one connection and gives it to whoever is named.
           (func (export "other") (param $parent i64) (local $listener i64)
             (local.set $listener (call $listen))
             (call $tell (local.get $parent) (i64.const 0) (i64.extend_i32_u (call $port)))
             (call $check (i32.eqz (call $tcp_accept (local.get $listener) (i32.const 6016) (i32.const 6024))) (i32.const 1))
             (call $drop_dns_iterator (i64.load (i32.const 6024)))
             (call $drop_tcp_listener (local.get $listener))
             (call $prepare (i64.const 0) (i64.const 0))
             (drop (call $push_tcp_stream (i64.load (i32.const 6016))))
             (drop (call $send (call $start (i32.const 0) (i64.const 1) (i64.const 0)))))
           ;; Echoes what it looked at first.
           (func (export "child") (param i64) (local $stream i64)
             (drop (call $number))
             (local.set $stream (call $take_tcp_stream (i64.const 0)))
             (call $check (i32.eqz (call $tcp_peek (local.get $stream) (i32.const 7100) (i32.const 9) (i32.const 7200))) (i32.const 2))
             (call $check (i32.eqz (call $tcp_read (local.get $stream) (i32.const 7100) (i32.const 3) (i32.const 7200))) (i32.const 3))
             (call $check (i64.eq (i64.load (i32.const 7200)) (i64.const 3)) (i32.const 4))
             (call $check (i32.eqz (call $tcp_read (local.get $stream) (i32.const 7103) (i32.const 9) (i32.const 7200))) (i32.const 5))
             (call $check (i64.eq (i64.load (i32.const 7200)) (i64.const 2)) (i32.const 6))
             ;; Two buffers at once, one of them empty, through a clone.
             (i32.store (i32.const 7300) (i32.const 7100)) (i32.store (i32.const 7304) (i32.const 4))
             (i32.store (i32.const 7308) (i32.const 0)) (i32.store (i32.const 7312) (i32.const 0))
             (i32.store (i32.const 7316) (i32.const 7104)) (i32.store (i32.const 7320) (i32.const 1))
             (call $check (i32.eqz (call $tcp_write (call $clone_tcp_stream (local.get $stream)) (i32.const 7300)
               (i32.const 3) (i32.const 7200))) (i32.const 7))
             (call $check (i64.eq (i64.load (i32.const 7200)) (i64.const 5)) (i32.const 8))
             (call $check (i32.eqz (call $tcp_flush (local.get $stream) (i32.const 7200))) (i32.const 9)))
           (func (export "_start") (local $stream i64) (local $port i32)
             (drop (call $start (i32.const 1) (i64.const 1) (call $process_id)))
             (local.set $port (i32.wrap_i64 (call $number)))
             (local.set $stream (call $dial (local.get $port)))
             (call $check (i32.eqz (call $tcp_peer_addr (local.get $stream) (i32.const 6024))) (i32.const 10))
             (call $address)
             (call $check (i32.eq (call $port) (local.get $port)) (i32.const 11))
             (i32.store (i32.const 7300) (i32.const 7000)) (i32.store (i32.const 7304) (i32.const 5))
             (call $check (i32.eqz (call $tcp_write (local.get $stream) (i32.const 7300) (i32.const 1) (i32.const 7200))) (i32.const 12))
             (call $check (i32.eqz (call $tcp_read (local.get $stream) (i32.const 7100) (i32.const 5) (i32.const 7200))) (i32.const 13))
             (call $check (i32.eq (i32.load8_u (i32.const 7104)) (i32.const 111)) (i32.const 14))
             ;; The other end has gone: the end of the stream.
             (call $check (i32.eqz (call $tcp_read (local.get $stream) (i32.const 7100) (i32.const 5) (i32.const 7200))) (i32.const 15))
             (call $check (i64.eqz (i64.load (i32.const 7200))) (i32.const 16))
             (call $drop_tcp_stream (local.get $stream)))"#,
    ));
}

#[test]
fn a_read_that_takes_too_long_says_so() {
    holds(&network(
        r#"(func (export "_start") (local $stream i64)
             (drop (call $listen))
             (local.set $stream (call $dial (call $port)))
             (call $check (i64.eq (call $get_read_timeout (local.get $stream)) (i64.const -1)) (i32.const 1))
             (call $set_read_timeout (local.get $stream) (i64.const 10))
             (call $set_write_timeout (local.get $stream) (i64.const 11))
             (call $set_peek_timeout (local.get $stream) (i64.const 12))
             (call $check (i64.eq (call $get_read_timeout (local.get $stream)) (i64.const 10)) (i32.const 2))
             (call $check (i64.eq (call $get_write_timeout (local.get $stream)) (i64.const 11)) (i32.const 3))
             (call $check (i64.eq (call $get_peek_timeout (local.get $stream)) (i64.const 12)) (i32.const 4))
             (call $check (i32.eq (call $tcp_read (local.get $stream) (i32.const 7100) (i32.const 5) (i32.const 7200)) (i32.const 9027)) (i32.const 5))
             (call $check (i32.eq (call $tcp_peek (local.get $stream) (i32.const 7100) (i32.const 5) (i32.const 7200)) (i32.const 9027)) (i32.const 6)))"#,
    ));
}

#[test]
fn a_connection_that_is_refused_is_an_error_with_words() {
    holds(&network(
        r#"(func (export "_start") (local $port i32)
             ;; A port that was somebody's a moment ago.
             (call $drop_tcp_listener (call $listen))
             (call $check (i32.eq (i32.const 1) (call $tcp_connect (i32.const 4) (i32.const 6000) (call $port)
               (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 6016))) (i32.const 1))
             (call $check (i32.gt_u (call $error_size (i64.load (i32.const 6016))) (i32.const 10)) (i32.const 2)))"#,
    ));
}

#[test]
fn what_is_not_granted_is_refused_with_the_grant_that_is_missing() {
    let calls = [
        (
            "(call $tcp_bind (i32.const 4) (i32.const 6000) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 6016))",
            "listen",
        ),
        (
            "(call $udp_bind (i32.const 4) (i32.const 6000) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 6016))",
            "listen",
        ),
        (
            "(call $tcp_connect (i32.const 4) (i32.const 6000) (i32.const 7) (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 6016))",
            "connect",
        ),
        (
            "(call $resolve (i32.const 6120) (i32.const 12) (i64.const -1) (i32.const 6016))",
            "connect",
        ),
    ];
    for (call, grant) in calls {
        let program = Program {
            grants: Some(Grants::new(Profile::by_hand())),
            ..Program::default()
        };
        let (reason, output) = run_with(
            &network(&format!(
                r#"(func (export "_start")
                     (call $check (i32.eq (i32.const 1) {call}) (i32.const 1))
                     (call $error_text (i64.load (i32.const 6016)) (i32.const 7000))
                     (i32.store (i32.const 1124) (i32.const 7000))
                     (i32.store (i32.const 1128) (call $error_size (i64.load (i32.const 6016))))
                     (drop (call $fd_write (i32.const 1) (i32.const 1124) (i32.const 1) (i32.const 1132))))"#
            )),
            program,
        );
        assert!(matches!(reason, ExitReason::Normal), "{reason}");
        assert!(
            output.contains(&format!("`{grant} = [")),
            "{call}: {output}"
        );
    }
}

#[test]
fn datagrams_go_to_a_peer_or_to_an_address() {
    holds(&network(
        r#"(data (i32.const 7000) "hello")
           (func (export "_start") (local $one i64) (local $two i64) (local $port i32)
             (local.set $one (call $open))
             (local.set $port (call $port))
             (local.set $two (call $open))
             (call $check (i32.eq (call $udp_peer_addr (local.get $two) (i32.const 6024)) (i32.const 1)) (i32.const 1))
             (call $check (i32.eqz (call $udp_connect (local.get $two) (i32.const 4) (i32.const 6000) (local.get $port)
               (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 6016))) (i32.const 2))
             (call $check (i32.eqz (call $udp_peer_addr (local.get $two) (i32.const 6024))) (i32.const 3))
             (call $address)
             (call $check (i32.eqz (call $udp_send (local.get $two) (i32.const 7000) (i32.const 5) (i32.const 7200))) (i32.const 4))
             (call $check (i32.eqz (call $udp_receive_from (call $clone_udp_socket (local.get $one)) (i32.const 7100)
               (i32.const 9) (i32.const 7200) (i32.const 6024))) (i32.const 5))
             (call $check (i64.eq (i64.load (i32.const 7200)) (i64.const 5)) (i32.const 6))
             ;; Back to where it came from, and on with the socket in a message.
             (call $address)
             (call $check (i32.eqz (call $udp_send_to (local.get $one) (i32.const 7100) (i32.const 4) (i32.const 4)
               (i32.const 6000) (call $port) (i32.const 0) (i32.const 0) (i32.const 7200))) (i32.const 7))
             (call $prepare (i64.const 0) (i64.const 0))
             (drop (call $push_udp_socket (local.get $two)))
             (drop (call $send (call $start (i32.const 0) (i64.const 1) (call $process_id))))
             (call $check (i64.eq (call $number) (i64.const 4)) (i32.const 8))
             (call $set_ttl (local.get $one) (i32.const 9))
             (call $check (i32.eq (call $get_ttl (local.get $one)) (i32.const 9)) (i32.const 9))
             (call $set_broadcast (local.get $one) (i32.const 1))
             (call $check (call $get_broadcast (local.get $one)) (i32.const 10))
             (call $drop_udp_socket (local.get $one)))
           (func (export "child") (param $parent i64)
             (drop (call $number))
             (call $check (i32.eqz (call $udp_receive (call $take_udp_socket (i64.const 0)) (i32.const 7100)
               (i32.const 9) (i32.const 7200))) (i32.const 11))
             (call $tell (local.get $parent) (i64.const 0) (i64.load (i32.const 7200))))"#,
    ));
}

/// Whoever binds to an address in text looks it up first, and needs no more than `listen`.
#[test]
fn an_address_in_digits_takes_no_grant() {
    let program = Program {
        grants: Some(Grants::new(Profile::by_hand())),
        ..Program::default()
    };
    let look_up = r#"(func (export "_start")
        (call $check (i32.eqz (call $resolve (i32.const 6100) (i32.const 12) (i64.const -1) (i32.const 6024))) (i32.const 1))
        (call $address))"#;
    let (reason, _) = run_with(&network(look_up), program);
    assert!(matches!(reason, ExitReason::Normal), "{reason}");
}

#[test]
fn a_name_in_digits_is_its_own_address() {
    holds(&network(
        r#"(func (export "_start")
             (call $check (i32.eqz (call $resolve (i32.const 6100) (i32.const 12) (i64.const -1) (i32.const 6024))) (i32.const 1))
             (call $address)
             (call $check (i32.eq (call $port) (i32.const 80)) (i32.const 2))
             (call $check (i32.eq (call $resolve (i32.const 6100) (i32.const 3) (i64.const -1) (i32.const 6024)) (i32.const 1)) (i32.const 3)))"#,
    ));
    fails(
        &network(
            r#"(func (export "_start")
                 (drop (call $udp_bind (i32.const 5) (i32.const 6000) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))"#,
        ),
        "`lunatic::networking::udp_bind`: 5 is no kind of address",
    );
}
