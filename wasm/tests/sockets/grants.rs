//! What a process was granted of the network, and what it was not.

use std::net::{TcpListener, UdpSocket};

use rusm_wasm::Program;
use rusm_wasm::grant::{Grants, NetPattern, Profile};

use crate::errors::nobody;
use crate::names::first_address;
use crate::support::{PATIENCE, captured};
use crate::{node, port, prepared, status};

const ACCESS_DENIED: i32 = 101;

/// Grants to connect to and to listen on these.
fn grants(connect: &[&str], listen: &[&str]) -> Grants {
    let read = |texts: &[&str], read: fn(&str) -> Result<_, _>| {
        texts.iter().map(|text| read(text).unwrap()).collect()
    };
    Grants::new(Profile {
        connect: read(connect, NetPattern::connect),
        listen: read(listen, NetPattern::listen),
        ..Profile::by_hand()
    })
}

/// Runs a guest with these grants to its end.
fn run(grants: Grants, code: &str) -> i32 {
    let node = node();
    let program = Program {
        grants: Some(grants),
        ..captured("").0
    };
    let ended = status(prepared(&node, code).spawn(&node, program).unwrap());
    node.shutdown(PATIENCE).unwrap();
    ended
}

#[test]
fn one_connects_where_it_was_granted_and_nowhere_else() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let connected = format!("(call $connected (i32.const 0) (i32.const {port}))");
    for (granted, expected) in [
        (format!("127.0.0.1:{port}"), 0),
        ("127.0.0.0/8:*".into(), 0),
        (format!("127.0.0.1:{}", port ^ 1), ACCESS_DENIED),
        (format!("127.0.0.2:{port}"), ACCESS_DENIED),
        // A name nobody has asked for yet.
        (format!("localhost:{port}"), ACCESS_DENIED),
    ] {
        assert_eq!(
            run(grants(&[&granted], &[]), &connected),
            expected,
            "{granted}"
        );
    }
    // To listen is not to connect.
    assert_eq!(run(grants(&[], &["*:*"]), &connected), ACCESS_DENIED);
}

#[test]
fn a_granted_name_opens_the_addresses_it_is_looked_up_to() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let looked_up = first_address("LocalHost");
    let connected = format!("(call $connected (i32.const 0) (i32.const {port}))");
    let code = format!("{looked_up} {connected}");
    let named = grants(&[&format!("localhost:{port}")], &[]);
    // Its first address may be one of IPv6; all of them are opened.
    assert_eq!(run(named, &code), 0);
    let other_port = grants(&[&format!("localhost:{}", port ^ 1)], &[]);
    assert_eq!(run(other_port, &code), ACCESS_DENIED);
    let other_name = grants(&["example.com:*"], &[]);
    assert_eq!(run(other_name, &looked_up), ACCESS_DENIED);
}

#[test]
fn one_listens_where_it_was_granted_and_nowhere_else() {
    let free = nobody();
    let listening = "(drop (call $listening (i32.const 0)))";
    let bound = format!(
        "(call $tcp_bind (call $tcp (i32.const 0)) (i32.const 0) (i32.const {free})) (call $ok (i32.const 1))"
    );
    for (granted, code, expected) in [
        ("127.0.0.1:*".to_string(), listening, 0),
        // Any free port was not granted, but one of them.
        (format!("127.0.0.1:{free}"), listening, ACCESS_DENIED),
        ("[::1]:*".into(), listening, ACCESS_DENIED),
        (format!("127.0.0.1:{free}"), &bound, 0),
        (format!("127.0.0.1:{}", free ^ 1), &bound, ACCESS_DENIED),
    ] {
        assert_eq!(
            run(grants(&[], &[&granted]), code),
            expected,
            "{granted} {code}"
        );
    }
    // To connect is not to listen, though one may be bound to any free port.
    assert_eq!(run(grants(&["*:*"], &[]), listening), ACCESS_DENIED);
}

/// A client is bound to some port, where everybody could write to it: it hears only those it may
/// write to.
#[test]
fn datagrams_go_to_and_come_from_those_that_were_granted() {
    let [friend, stranger] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    let to = |socket: &UdpSocket| socket.local_addr().unwrap().port();
    let node = node();
    let program = captured("");
    let buffers = program.1;
    let program = Program {
        grants: Some(grants(&[&format!("127.0.0.1:{}", to(&friend))], &[])),
        ..program.0
    };
    let bound = "(local.set $a (call $udp (i32.const 0)))
        (call $udp_bind (local.get $a) (i32.const 0) (i32.const 0)) (call $ok (i32.const 1))
        (call $udp_finish_bind (local.get $a) (i32.const 0)) (call $ok (i32.const 1))
        (call $udp_peer (local.get $a) (i32.const 0) (i32.const 0)) (call $ok (i32.const 4))
        (i32.store (i32.const 44) (i32.load (i32.const 4))) (i32.store (i32.const 48) (i32.load (i32.const 8)))";
    let hears = format!(
        r#"{bound} (call $udp_local (local.get $a) (i32.const 0)) (call $ok (i32.const 4)) (call $print_port)
           (loop $again
             (call $wait (call $incoming_subscribe (i32.load (i32.const 44))))
             (call $udp_receive (i32.load (i32.const 44)) (i64.const 1) (i32.const 0)) (call $ok (i32.const 4))
             (br_if $again (i32.eqz (i32.load (i32.const 8)))))
           (call $assert (i32.eq (i32.load16_u offset=12 (i32.load (i32.const 4))) (i32.const {})))"#,
        to(&friend)
    );
    let guest = prepared(&node, &hears).spawn(&node, program).unwrap();
    let at = ("127.0.0.1", port(&buffers));
    for _ in 0..100 {
        stranger.send_to(b"listen to me", at).unwrap();
    }
    friend.send_to(b"hello", at).unwrap();
    assert_eq!(status(guest), 0);
    node.shutdown(PATIENCE).unwrap();

    let sends = format!(
        r#"{bound} (i32.store (i32.const 1032) (i32.const 1)) (i32.store16 (i32.const 1040) (i32.const {}))
           (i32.store (i32.const 1042) (i32.const 0x0100007f))
           (call $udp_check_send (i32.load (i32.const 48)) (i32.const 0)) (call $ok (i32.const 8))
           (call $udp_send (i32.load (i32.const 48)) (i32.const 1024) (i32.const 1) (i32.const 0)) (call $ok (i32.const 8))"#,
        to(&friend)
    );
    for (granted, expected) in [(to(&friend), 0), (to(&stranger), ACCESS_DENIED)] {
        let granted = grants(&[&format!("127.0.0.1:{granted}")], &[]);
        assert_eq!(run(granted, &sends), expected);
    }
}
