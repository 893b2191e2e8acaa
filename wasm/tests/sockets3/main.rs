//! `wasi:sockets` 0.3 in the hands of real guests: waits that are calls, connections and bytes as
//! streams, and futures that tell how they ended.

#[path = "../support/mod.rs"]
mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::thread;

use rusm_actor::{ExitReason, JoinHandle, Node};
use rusm_io::Reactor;
use rusm_wasm::grant::{Grants, NetPattern, Profile};
use rusm_wasm::{Capture, Program};
use support::{PATIENCE, captured, engine, eventually};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The declarations that the host is made from too.
const DECLARATIONS: &str = include_str!("../../src/wasi3/sockets/sockets.wit");

/// The world of these guests, with the stdout of 0.2, whose calls are shorter.
const WORLD: &str = "
  world guest {
    include sockets;
    import wasi:cli/stdout@0.2.12;
    import wasi:cli/exit@0.2.12;
    import wasi:io/streams@0.2.12;
    export run: async func();
  }
  package wasi:io@0.2.12 {
    interface error { resource error; }
    interface streams {
      use error.{error};
      variant stream-error { last-operation-failed(error), closed }
      resource output-stream {
        blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
      }
    }
  }
  package wasi:cli@0.2.12 {
    interface stdout {
      use wasi:io/streams@0.2.12.{output-stream};
      get-stdout: func() -> output-stream;
    }
    interface exit { exit-with-code: func(status-code: u8); }
  }
";

const ACCESS_DENIED: i32 = 100;
const CONNECTION_REFUSED: i32 = 109;
/// With a text: there are too many.
const OTHER: i32 = 114;

/// A component whose `run` is `code`, with the locals `$a` to `$d`.
fn guest(code: &str) -> Vec<u8> {
    let prelude = include_str!("prelude.wat");
    let wat = format!(
        r#"(module {prelude} (func (export "run") (local $a i32) (local $b i32) (local $c i32) (local $d i32) {code}))"#
    );
    let mut module = wat::parse_str(&wat).unwrap();
    let mut resolve = Resolve::default();
    let (first, rest) = WORLD.split_once("package").unwrap();
    let declarations = DECLARATIONS.replacen("package wasi", &format!("{first}\npackage wasi"), 1);
    let package = resolve
        .push_str("guest.wit", &format!("{declarations}\npackage{rest}"))
        .unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let encoder = ComponentEncoder::default().module(&module).unwrap();
    encoder.validate(true).encode().unwrap()
}

fn node() -> Node {
    let config = rusm_sched::Config {
        workers: 2,
        ..Default::default()
    };
    Node::start_with(config, Reactor::new().unwrap()).unwrap()
}

fn start(node: &Node, profile: Profile, code: &str) -> (JoinHandle, Capture) {
    let (program, buffers) = captured("");
    let program = Program {
        grants: Some(Grants::new(profile)),
        ..program
    };
    let module = engine(node).load(&guest(code)).unwrap();
    let process = module.prepare(None).unwrap().spawn(node, program).unwrap();
    (process, buffers)
}

/// The status of a guest: 0, or 100 and the error code that it met.
fn status(process: JoinHandle) -> i32 {
    match process.wait_for(PATIENCE).expect("the guest ends") {
        ExitReason::Normal => 0,
        ExitReason::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

/// Runs a guest to its end.
fn run(profile: Profile, code: &str) -> i32 {
    let node = node();
    let status = status(start(&node, profile, code).0);
    node.shutdown(PATIENCE).unwrap();
    no_thread_is_tokios();
    status
}

fn port(buffers: &Capture) -> u16 {
    eventually("the guest listens", || buffers.stdout().len() >= 2);
    u16::from_le_bytes(buffers.stdout()[..2].try_into().unwrap())
}

fn connecting_to(pattern: &str) -> Profile {
    Profile {
        connect: vec![NetPattern::connect(pattern).unwrap()],
        ..Profile::by_hand()
    }
}

fn no_thread_is_tokios() {
    #[cfg(target_os = "linux")]
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        // It may have ended in between.
        let Ok(name) = std::fs::read_to_string(thread.unwrap().path().join("comm")) else {
            continue;
        };
        assert!(
            !name.starts_with("tokio"),
            "a Tokio runtime was started: {name}"
        );
    }
}

#[test]
fn a_server_takes_connections_from_a_stream_and_sends_back_what_each_brings() {
    let node = node();
    let code = r#"(local.set $a (call $tcp (i32.const 0)))
        (call $tcp_bind (local.get $a) (i32.const 0)) (call $ok (i32.const 4))
        (call $tcp_listen (local.get $a) (i32.const 0)) (call $ok (i32.const 4))
        (local.set $b (i32.load (i32.const 4)))
        (call $tcp_local (local.get $a) (i32.const 0)) (call $ok (i32.const 4)) (call $print_port)
        (loop $next
          (call $assert (i32.eq (call $finish (call $accept (local.get $b) (i32.const 64) (i32.const 1)) (local.get $b)) (i32.const 16)))
          (call $echo (i32.load (i32.const 64)))
          (local.set $c (i32.add (local.get $c) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $c) (i32.const 5))))"#;
    let (server, buffers) = start(&node, Profile::trusted(), code);
    let at = ("127.0.0.1", port(&buffers));
    for round in 0..5 {
        let mut client = TcpStream::connect(at).unwrap();
        let words = vec![round; 100_000];
        let (mut half, all) = (client.try_clone().unwrap(), words.clone());
        let writer = thread::spawn(move || {
            half.write_all(&all).unwrap();
            half.shutdown(Shutdown::Write).unwrap();
        });
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).unwrap();
        writer.join().unwrap();
        assert!(heard == words, "round {round}: {} bytes", heard.len());
    }
    assert_eq!(status(server), 0);
    node.shutdown(PATIENCE).unwrap();
    no_thread_is_tokios();
}

#[test]
fn a_connect_waits_for_its_answer_and_goes_only_where_it_was_granted() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = server.local_addr().unwrap().port();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = nobody.local_addr().unwrap().port();
    drop(nobody);
    let connect = |port: u16| {
        format!(
            "(call $tcp_connect (call $tcp (i32.const 0)) (i32.const {port})) (call $ok (i32.const 4))"
        )
    };
    for (granted, port, expected) in [
        ("127.0.0.1:*".to_string(), open, 0),
        ("127.0.0.1:*".to_string(), closed, CONNECTION_REFUSED),
        (format!("127.0.0.1:{}", open ^ 1), open, ACCESS_DENIED),
    ] {
        let profile = connecting_to(&granted);
        assert_eq!(run(profile, &connect(port)), expected, "{granted} {port}");
    }
    let nothing = Profile::by_hand();
    assert_eq!(
        run(nothing, "(drop (call $tcp (i32.const 0)))"),
        ACCESS_DENIED
    );
}

#[test]
fn a_datagram_is_waited_for_and_answered() {
    let node = node();
    let code = r#"(local.set $a (call $udp (i32.const 0)))
        (call $udp_bind (local.get $a) (i32.const 0)) (call $ok (i32.const 4))
        (call $udp_local (local.get $a) (i32.const 0)) (call $ok (i32.const 4)) (call $print_port)
        (loop $next
          (call $udp_receive (local.get $a) (i32.const 0)) (call $ok (i32.const 4))
          (call $udp_answer (local.get $a)) (call $ok (i32.const 4))
          (local.set $c (i32.add (local.get $c) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $c) (i32.const 10))))"#;
    let (server, buffers) = start(&node, Profile::trusted(), code);
    let at = ("127.0.0.1", port(&buffers));
    for round in 0..10_usize {
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.send_to(&vec![9; round * 100], at).unwrap();
        let mut bytes = [0; 2000];
        let (count, _) = client.recv_from(&mut bytes).unwrap();
        assert_eq!(bytes[..count], vec![9; round * 100]);
    }
    assert_eq!(status(server), 0);
    node.shutdown(PATIENCE).unwrap();
    no_thread_is_tokios();
}

#[test]
fn names_are_looked_up_if_they_were_granted() {
    let look_up = r#"(i64.store (i32.const 1024) (i64.const 0x736f686c61636f6c)) (i32.store8 (i32.const 1032) (i32.const 116))
        (call $resolve (i32.const 1024) (i32.const 9) (i32.const 0)) (call $ok (i32.const 4))
        (call $assert (i32.load (i32.const 8)))"#;
    assert_eq!(run(connecting_to("localhost:*"), look_up), 0);
    assert_eq!(run(connecting_to("example.com:*"), look_up), ACCESS_DENIED);
}

#[test]
fn a_process_has_so_many_sockets_and_no_more() {
    let code = r#"(loop $more
        (drop (call $udp (i32.const 0)))
        (local.set $a (i32.add (local.get $a) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $a) (i32.const 256))))
      (drop (call $tcp (i32.const 1)))"#;
    assert_eq!(run(Profile::trusted(), code), OTHER);
}

#[test]
fn a_guest_that_is_killed_while_it_waits_closes_its_sockets() {
    let node = node();
    let code = r#"(local.set $a (call $tcp (i32.const 0)))
        (call $tcp_bind (local.get $a) (i32.const 0)) (call $ok (i32.const 4))
        (call $tcp_listen (local.get $a) (i32.const 0)) (call $ok (i32.const 4))
        (local.set $b (i32.load (i32.const 4)))
        (call $tcp_local (local.get $a) (i32.const 0)) (call $ok (i32.const 4)) (call $print_port)
        (drop (call $finish (call $accept (local.get $b) (i32.const 64) (i32.const 1)) (local.get $b)))
        (call $echo (i32.load (i32.const 64)))"#;
    let (server, buffers) = start(&node, Profile::trusted(), code);
    let at = ("127.0.0.1", port(&buffers));
    let mut client = TcpStream::connect(at).unwrap();
    client.write_all(b"x").unwrap();
    client.read_exact(&mut [0; 1]).unwrap();
    node.kill(server.pid());
    server.wait_for(PATIENCE).expect("it is killed");
    // The end of the stream, or a reset: it is over in any case.
    let _ = client.read_to_end(&mut Vec::new());
    eventually("the port is closed", || TcpStream::connect(at).is_err());
    node.shutdown(PATIENCE).unwrap();
}
