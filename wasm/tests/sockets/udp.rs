//! Datagrams.

use std::net::UdpSocket;

use crate::support::PATIENCE;
use crate::{no_thread_is_tokios, node, port, run, start, status};

/// Streams at 44 and 48, and one datagram of this many bytes from 1100 to send, at 1024.
fn streams(peer: &str, bytes: u32) -> String {
    format!(
        "(call $udp_peer (local.get $a) (i32.const 0) {peer}) (call $ok (i32.const 4))
         (i32.store (i32.const 44) (i32.load (i32.const 4))) (i32.store (i32.const 48) (i32.load (i32.const 8)))
         (i32.store (i32.const 1024) (i32.const 1100)) (i32.store (i32.const 1028) (i32.const {bytes}))"
    )
}

const BOUND: &str = "(local.set $a (call $udp (i32.const 0)))
    (call $udp_bind (local.get $a) (i32.const 0) (i32.const 0)) (call $ok (i32.const 1))
    (call $udp_finish_bind (local.get $a) (i32.const 0)) (call $ok (i32.const 1))
    (call $wait (call $udp_subscribe (local.get $a)))
    (call $assert (i32.eqz (call $udp_family (local.get $a))))";
const SEND: &str = "(call $wait (call $outgoing_subscribe (i32.load (i32.const 48))))
    (call $udp_check_send (i32.load (i32.const 48)) (i32.const 0)) (call $ok (i32.const 8))
    (call $assert (i32.gt_u (i32.load (i32.const 8)) (i32.const 0)))
    (call $udp_send (i32.load (i32.const 48)) (i32.const 1024) (i32.const 1) (i32.const 0)) (call $ok (i32.const 8))
    (call $assert (i64.eq (i64.load (i32.const 8)) (i64.const 1)))";
/// One datagram; where it lies is at 4.
const RECEIVE: &str = "(call $wait (call $incoming_subscribe (i32.load (i32.const 44))))
    (call $udp_receive (i32.load (i32.const 44)) (i64.const 1) (i32.const 0)) (call $ok (i32.const 4))
    (call $assert (i32.eq (i32.load (i32.const 8)) (i32.const 1)))";

#[test]
fn a_client_sends_to_one_peer_and_hears_nobody_else() {
    let (peer, stranger) = ("127.0.0.1:0", "127.0.0.1:0");
    let (peer, stranger) = (
        UdpSocket::bind(peer).unwrap(),
        UdpSocket::bind(stranger).unwrap(),
    );
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let to = peer.local_addr().unwrap().port();
    let node = node();
    let streams = streams(&format!("(i32.const {to})"), 4);
    let code = format!(
        r#"{BOUND} {streams}
           (call $udp_remote (local.get $a) (i32.const 0)) (call $ok (i32.const 4))
           (call $assert (i32.eq (i32.load16_u (i32.const 8)) (i32.const {to})))
           (i32.store (i32.const 1100) (i32.const 0x676e6970)) {SEND} {RECEIVE}
           (local.set $b (i32.load (i32.const 4)))
           (call $assert (i32.eq (i32.load (i32.load (local.get $b))) (i32.const 0x676e6f70)))
           (call $assert (i32.eq (i32.load16_u (i32.add (local.get $b) (i32.const 12))) (i32.const {to})))
           (call $incoming_drop (i32.load (i32.const 44))) (call $outgoing_drop (i32.load (i32.const 48)))
           (call $udp_drop (local.get $a))"#
    );
    let (client, _) = start(&node, &code);
    let mut bytes = [0; 100];
    let (count, from) = peer.recv_from(&mut bytes).unwrap();
    assert_eq!(&bytes[..count], b"ping");
    stranger.send_to(b"hear me", from).unwrap();
    peer.send_to(b"pong", from).unwrap();
    assert_eq!(status(client), 0);
    node.shutdown(PATIENCE).unwrap();
    no_thread_is_tokios();
}

#[test]
fn a_server_answers_whoever_asks() {
    let node = node();
    let streams = streams("(i32.const 0)", 0);
    // The answer goes where the question came from, bytes and address as they are.
    let code = format!(
        r#"{BOUND} {streams} (call $udp_local (local.get $a) (i32.const 0)) (call $ok (i32.const 4)) (call $print_port)
           (loop $next
             {RECEIVE}
             (local.set $b (i32.load (i32.const 4)))
             (i64.store (i32.const 1024) (i64.load (local.get $b)))
             (i32.store (i32.const 1032) (i32.const 1))
             (memory.copy (i32.const 1036) (i32.add (local.get $b) (i32.const 8)) (i32.const 32))
             {SEND}
             (local.set $c (i32.add (local.get $c) (i32.const 1)))
             (br_if $next (i32.lt_u (local.get $c) (i32.const 20))))"#
    );
    let (server, buffers) = start(&node, &code);
    let to = ("127.0.0.1", port(&buffers));
    for round in 0..10_usize {
        for client in [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap()) {
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            client.send_to(&vec![7; round * 1000], to).unwrap();
            let mut bytes = vec![0; 20_000];
            let (count, _) = client.recv_from(&mut bytes).unwrap();
            assert_eq!(bytes[..count], vec![7; round * 1000]);
        }
    }
    assert_eq!(status(server), 0);
    node.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_peer_can_be_taken_back_and_replaced() {
    let (one, other) = [(); 2]
        .map(|()| UdpSocket::bind("127.0.0.1:0").unwrap())
        .into();
    let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
    let again = "(call $incoming_drop (i32.load (i32.const 44))) (call $outgoing_drop (i32.load (i32.const 48)))";
    let streams = |port: u16| streams(&format!("(i32.const {port})"), 3);
    let code = format!(
        r#"{BOUND} (call $udp_local (local.get $a) (i32.const 0)) (call $ok (i32.const 4))
           (local.set $b (i32.load16_u (i32.const 8)))
           {} {SEND} {again} {} (call $udp_remote (local.get $a) (i32.const 0))
           (call $assert (i32.load8_u (i32.const 0))) {again} {} {SEND} {again}
           (call $udp_local (local.get $a) (i32.const 0)) (call $ok (i32.const 4))
           (call $assert (i32.eq (local.get $b) (i32.load16_u (i32.const 8))))"#,
        streams(port(&one)),
        streams(0),
        streams(port(&other)),
    );
    assert_eq!(run(&code), 0);
    for socket in [one, other] {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(socket.recv(&mut [0; 10]).unwrap(), 3);
    }
}

#[test]
fn a_flood_is_read_in_portions_and_an_empty_socket_gives_nothing() {
    let node = node();
    let streams = streams("(i32.const 0)", 0);
    let code = format!(
        r#"{BOUND} {streams}
           (call $udp_receive (i32.load (i32.const 44)) (i64.const 99) (i32.const 0)) (call $ok (i32.const 4))
           (call $assert (i32.eqz (i32.load (i32.const 8))))
           (call $udp_local (local.get $a) (i32.const 0)) (call $ok (i32.const 4)) (call $print_port)
           (loop $next
             (call $wait (call $incoming_subscribe (i32.load (i32.const 44))))
             (call $udp_receive (i32.load (i32.const 44)) (i64.const -1) (i32.const 0)) (call $ok (i32.const 4))
             (call $assert (i32.gt_u (i32.load (i32.const 8)) (i32.const 0)))
             (call $assert (i32.le_u (i32.load (i32.const 8)) (i32.const 16)))
             (local.set $c (i32.add (local.get $c) (i32.load (i32.const 8))))
             (br_if $next (i32.lt_u (local.get $c) (i32.const 40))))"#
    );
    let (server, buffers) = start(&node, &code);
    let flood = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = ("127.0.0.1", port(&buffers));
    for _ in 0..40 {
        flood.send_to(b"flood", to).unwrap();
    }
    assert_eq!(status(server), 0);
    node.shutdown(PATIENCE).unwrap();
}

#[test]
fn options_are_kept_and_zero_is_none() {
    for family in [0, 1] {
        let code = format!(
            r#"(local.set $a (call $udp (i32.const {family})))
               (call $udp_set_hops (local.get $a) (i32.const 42) (i32.const 0)) (call $ok (i32.const 1))
               (call $udp_hops (local.get $a) (i32.const 0)) (call $ok (i32.const 1))
               (call $assert (i32.eq (i32.load8_u (i32.const 1)) (i32.const 42)))
               (call $udp_set_receive_buffer (local.get $a) (i64.const 20000) (i32.const 0)) (call $ok (i32.const 1))
               (call $udp_receive_buffer (local.get $a) (i32.const 0)) (call $ok (i32.const 8))
               (call $assert (i64.eq (i64.load (i32.const 8)) (i64.const 20000)))
               (call $udp_set_send_buffer (local.get $a) (i64.const 30000) (i32.const 0)) (call $ok (i32.const 1))
               (call $udp_send_buffer (local.get $a) (i32.const 0)) (call $ok (i32.const 8))
               (call $assert (i64.eq (i64.load (i32.const 8)) (i64.const 30000)))
               (call $udp_set_hops (local.get $a) (i32.const 0) (i32.const 0))
               (call $assert (i32.eq (i32.load16_u (i32.const 0)) (i32.const 0x0301)))
               (call $udp_set_send_buffer (local.get $a) (i64.const 0) (i32.const 0))
               (call $assert (i32.eq (i32.load16_u (i32.const 0)) (i32.const 0x0301)))"#
        );
        assert_eq!(run(&code), 0, "family {family}");
    }
}
