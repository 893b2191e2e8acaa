//! TCP clients and servers.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use crate::support::{PATIENCE, eventually};
use crate::{no_thread_is_tokios, node, port, run, start, status};

/// The families as guests number them, and this machine's address in each.
const FAMILIES: [(i32, &str); 2] = [(0, "127.0.0.1:0"), (1, "[::1]:0")];

/// Sends back what the next client sends until it has sent everything.
fn echo_server(at: &str) -> u16 {
    let listener = TcpListener::bind(at).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut other = client.try_clone().unwrap();
        std::io::copy(&mut client, &mut other).unwrap();
    });
    port
}

#[test]
fn a_client_sends_and_hears_its_own_words() {
    for (family, at) in FAMILIES {
        let port = echo_server(at);
        let code = format!(
            r#"(i32.store (i32.const 1024) (i32.const 0x676e6970))
               (call $connected (i32.const {family}) (i32.const {port}))
               (call $tcp_remote (i32.load (i32.const 40)) (i32.const 0)) (call $ok (i32.const 4))
               (call $assert (i32.eq (i32.load8_u (i32.const 4)) (i32.const {family})))
               (call $assert (i32.eq (i32.load16_u (i32.const 8)) (i32.const {port})))
               (call $assert (i32.eq (call $tcp_family (i32.load (i32.const 40))) (i32.const {family})))
               (call $blocking_write (i32.load (i32.const 48)) (i32.const 1024) (i32.const 4) (i32.const 0)) (call $ok (i32.const 4))
               (call $blocking_read (i32.load (i32.const 44)) (i64.const 100) (i32.const 0)) (call $ok (i32.const 4))
               (call $assert (i32.eq (i32.load (i32.const 8)) (i32.const 4)))
               (call $assert (i32.eq (i32.load (i32.load (i32.const 4))) (i32.const 0x676e6970)))
               ;; Our end of the stream brings theirs.
               (call $tcp_shutdown (i32.load (i32.const 40)) (i32.const 1) (i32.const 0)) (call $ok (i32.const 1))
               (call $echo) (call $hang_up)"#
        );
        assert_eq!(run(&code), 0, "{at}");
    }
}

#[test]
fn a_server_serves_one_client_after_the_other() {
    for (family, at) in FAMILIES {
        let node = node();
        let code = format!(
            r#"(local.set $a (call $listening (i32.const {family})))
               (call $assert (call $tcp_is_listening (local.get $a)))
               (loop $next
                 (call $accepted (local.get $a)) (call $echo) (call $hang_up)
                 (local.set $b (i32.add (local.get $b) (i32.const 1)))
                 (br_if $next (i32.lt_u (local.get $b) (i32.const 5))))
               (call $tcp_drop (local.get $a))"#
        );
        let (server, buffers) = start(&node, &code);
        let address = at.replace(":0", &format!(":{}", port(&buffers)));
        for round in 0..5 {
            let mut client = TcpStream::connect(&address).unwrap();
            let words = vec![round; 10_000];
            client.write_all(&words).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            let mut heard = Vec::new();
            client.read_to_end(&mut heard).unwrap();
            assert!(heard == words, "round {round} at {address}");
        }
        assert_eq!(status(server), 0);
        node.shutdown(PATIENCE).unwrap();
        no_thread_is_tokios();
    }
}

/// Writes without waiting for long as long as it may, 16 times, then hangs up. What does not fit
/// into the sockets on the way must arrive all the same, in order, however late the reader comes.
#[test]
fn what_was_written_arrives_although_the_guest_never_looks_at_the_stream_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (go, wait) = mpsc::channel::<()>();
    let reader = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        wait.recv().unwrap();
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).unwrap();
        heard
    });
    let code = format!(
        r#"(call $connected (i32.const 0) (i32.const {port}))
           (call $tcp_set_send_buffer (i32.load (i32.const 40)) (i64.const 4096) (i32.const 0)) (call $ok (i32.const 1))
           (loop $fill
             (call $check_write (i32.load (i32.const 48)) (i32.const 0)) (call $ok (i32.const 8))
             (local.set $a (i32.load (i32.const 8)))
             (if (local.get $a) (then
               (memory.fill (i32.const 16384) (local.get $b) (local.get $a))
               (call $write (i32.load (i32.const 48)) (i32.const 16384) (local.get $a) (i32.const 0)) (call $ok (i32.const 4))
               (local.set $c (i32.add (local.get $c) (local.get $a)))
               (local.set $b (i32.add (local.get $b) (i32.const 1)))
               (br $fill))))
           ;; How much it was.
           (i32.store (i32.const 8) (local.get $c))
           (call $blocking_write (call $stdout) (i32.const 8) (i32.const 4) (i32.const 0)) (call $ok (i32.const 4))
           (call $hang_up)"#
    );
    let node = node();
    let (writer, buffers) = start(&node, &code);
    eventually("the sockets are full", || buffers.stdout().len() == 4);
    let written = u32::from_le_bytes(buffers.stdout().try_into().unwrap()) as usize;
    go.send(()).unwrap();
    assert_eq!(status(writer), 0);
    let heard = reader.join().unwrap();
    assert_eq!(heard.len(), written);
    assert!(written > 4096, "{written}");
    for (number, chunk) in heard.chunks(16 << 10).enumerate() {
        assert!(
            chunk.iter().all(|byte| *byte == number as u8),
            "chunk {number}"
        );
    }
    node.shutdown(PATIENCE).unwrap();
}

#[test]
fn a_guest_that_is_killed_hangs_up_whatever_it_was_doing() {
    let node = node();
    // One waits for a client.
    let (server, buffers) = start(&node, "(call $accepted (call $listening (i32.const 0)))");
    let address = format!("127.0.0.1:{}", port(&buffers));
    // One waits for a peer that does not read, with more to send than fits.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (writer, _) = start(
        &node,
        &format!(
            r#"(call $connected (i32.const 0) (i32.const {port}))
               (loop $forever
                 (call $blocking_write (i32.load (i32.const 48)) (i32.const 16384) (i32.const 4096) (i32.const 0))
                 (br_if $forever (i32.eqz (i32.load8_u (i32.const 0)))))
               (unreachable)"#
        ),
    );
    let (mut peer, _) = listener.accept().unwrap();
    peer.read_exact(&mut [0; 4096]).unwrap();
    for process in [server, writer] {
        node.kill(process.pid());
        process.wait_for(PATIENCE).expect("it is killed");
    }
    let refused = TcpStream::connect(&address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    // The end of the stream, or a reset: it is over in any case.
    let _ = peer.read_to_end(&mut Vec::new());
    node.shutdown(PATIENCE).unwrap();
}

#[test]
fn options_are_kept_and_zero_is_none() {
    for family in [0, 1] {
        let mut code = format!("(local.set $a (call $tcp (i32.const {family})))");
        for (set, get, ty, value, kept) in [
            ("keep_alive", "keep_alive", "i32", "1", 1),
            ("idle", "idle", "i64", "42000000000", 42_000_000_000_i64),
            // Less than the system's unit is one of them; too much is the most there is.
            ("interval", "interval", "i64", "1", 1_000_000_000),
            ("interval", "interval", "i64", "-1", 32_767_000_000_000),
            ("count", "count", "i32", "5", 5),
            ("count", "count", "i32", "1000000", 127),
            ("hops", "hops", "i32", "42", 42),
            ("receive_buffer", "receive_buffer", "i64", "20000", 20_000),
            ("send_buffer", "send_buffer", "i64", "30000", 30_000),
        ] {
            let at = if ty == "i64" {
                8
            } else if matches!(get, "count") {
                4
            } else {
                1
            };
            let load = match (ty, at) {
                ("i64", _) => format!("(i64.eq (i64.load (i32.const 8)) (i64.const {kept}))"),
                (_, 4) => format!("(i32.eq (i32.load (i32.const 4)) (i32.const {kept}))"),
                _ => format!("(i32.eq (i32.load8_u (i32.const 1)) (i32.const {kept}))"),
            };
            code += &format!(
                r#"(call $tcp_set_{set} (local.get $a) ({ty}.const {value}) (i32.const 0)) (call $ok (i32.const 1))
                   (call $tcp_{get} (local.get $a) (i32.const 0)) (call $ok (i32.const {at}))
                   (call $assert {load})"#
            );
        }
        for (set, ty) in [
            ("idle", "i64"),
            ("interval", "i64"),
            ("count", "i32"),
            ("hops", "i32"),
            ("receive_buffer", "i64"),
            ("send_buffer", "i64"),
            ("backlog", "i64"),
        ] {
            code += &format!(
                r#"(call $tcp_set_{set} (local.get $a) ({ty}.const 0) (i32.const 0))
                   (call $assert (i32.eq (i32.load16_u (i32.const 0)) (i32.const 0x0301)))"#
            );
        }
        // What was set did not turn anything else on or off.
        code += r#"(call $tcp_set_keep_alive (local.get $a) (i32.const 0) (i32.const 0)) (call $ok (i32.const 1))
                   (call $tcp_set_idle (local.get $a) (i64.const 5000000000) (i32.const 0)) (call $ok (i32.const 1))
                   (call $tcp_keep_alive (local.get $a) (i32.const 0)) (call $ok (i32.const 1))
                   (call $assert (i32.eqz (i32.load8_u (i32.const 1))))
                   (call $tcp_set_backlog (local.get $a) (i64.const -1) (i32.const 0)) (call $ok (i32.const 1))"#;
        assert_eq!(run(&code), 0, "family {family}");
    }
}
