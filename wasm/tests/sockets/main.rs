//! `wasi:sockets` 0.2 in the hands of real guests: components made of core modules and the
//! declarations of the standard, against the sockets of the test.

#[path = "../support/mod.rs"]
mod support;

mod errors;
mod grants;
mod names;
mod tcp;
mod udp;

use rusm_actor::{ExitReason, JoinHandle, Node};
use rusm_io::Reactor;
use rusm_wasm::grant::{Grants, Profile};
use rusm_wasm::{Capture, Prepared, Program};
use support::{PATIENCE, captured, engine, eventually};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The declarations that the host is made from too.
const DECLARATIONS: &str = include_str!("../../src/wasi2/sockets/sockets.wit");

/// The world of these guests.
const WORLD: &str = "
  world guest {
    include sockets;
    import wasi:io/poll@0.2.12;
    import wasi:io/streams@0.2.12;
    import wasi:cli/stdout@0.2.12;
    import wasi:cli/exit@0.2.12;
    export run: func();
  }
  package wasi:cli@0.2.12 {
    interface stdout {
      use wasi:io/streams@0.2.12.{output-stream};
      get-stdout: func() -> output-stream;
    }
    interface exit {
      exit-with-code: func(status-code: u8);
    }
  }
";

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

fn prepared(node: &Node, code: &str) -> Prepared {
    let module = engine(node).load(&guest(code)).unwrap();
    module.prepare(None).unwrap()
}

/// Starts a guest that may use all of the network.
fn start(node: &Node, code: &str) -> (JoinHandle, Capture) {
    let (program, buffers) = captured("");
    let program = Program {
        grants: Some(Grants::new(Profile::trusted())),
        ..program
    };
    (prepared(node, code).spawn(node, program).unwrap(), buffers)
}

/// The status of a guest: 0, or 100 and the error code that it met.
fn status(process: JoinHandle) -> i32 {
    match process.wait_for(PATIENCE).expect("the guest ends") {
        ExitReason::Normal => 0,
        ExitReason::Status(status) => status,
        other => panic!("{other:?}"),
    }
}

/// Runs a guest that may use all of the network to its end.
fn run(code: &str) -> i32 {
    let node = node();
    let status = status(start(&node, code).0);
    node.shutdown(PATIENCE).unwrap();
    no_thread_is_tokios();
    status
}

/// The port that a guest prints once it listens.
fn port(buffers: &Capture) -> u16 {
    eventually("the guest listens", || buffers.stdout().len() >= 2);
    u16::from_le_bytes(buffers.stdout()[..2].try_into().unwrap())
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
