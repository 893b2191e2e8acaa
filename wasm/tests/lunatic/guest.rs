//! What all these guests begin with: every import of Lunatic's, and a few words of their own.

use rusm_actor::{ExitReason, Node};
use rusm_io::Reactor;
use rusm_wasm::grant::{Grants, Profile};
use rusm_wasm::{Engine, EngineConfig, Program};

use crate::support::{PATIENCE, captured};

/// All imports, with the types the `lunatic` crate gives them; memory; and helpers:
///
/// - `$check` ends the guest with the status `$line` if something does not hold.
/// - `$start` spawns `child` (0), `other` (1) or `third` (2) with a link's tag and an argument.
/// - `$tell` sends a number with a tag; `$hear` receives by a tag (0: any) and puts it at 1100.
/// - `$print` writes a digit to stdout.
const PRELUDE: &str = include_str!("prelude.wat");

/// The text of a guest that has `functions` beside the prelude.
pub(crate) fn text(functions: &str) -> String {
    format!("(module\n{PRELUDE}\n{functions}\n)")
}

/// Runs a guest to its end: the reason, and what it wrote.
pub(crate) fn run(functions: &str) -> (ExitReason, String) {
    run_with(functions, Program::default())
}

pub(crate) fn run_with(functions: &str, program: Program) -> (ExitReason, String) {
    let node = node();
    let (outcome, output) = start(&node, functions, program);
    node.shutdown(PATIENCE).unwrap();
    (outcome, output)
}

/// A node with a reactor: these guests use sockets.
pub(crate) fn node() -> Node {
    let config = rusm_sched::Config {
        workers: 2,
        ..Default::default()
    };
    Node::start_with(config, Reactor::new().unwrap()).unwrap()
}

/// Room for 256 guests and no more.
pub(crate) fn engine(node: &Node) -> Engine {
    let config = EngineConfig {
        memory_bytes_max: 16 << 20,
        instances_max: 256,
        dense_instances_max: 0,
        ..EngineConfig::default()
    };
    Engine::new(config, &node.handle()).unwrap()
}

fn start(node: &Node, functions: &str, program: Program) -> (ExitReason, String) {
    let (with_stdio, buffers) = captured("");
    let trusted = || Grants::new(Profile::trusted());
    let program = Program {
        stdio: with_stdio.stdio,
        grants: Some(program.grants.unwrap_or_else(trusted)),
        ..program
    };
    let module = engine(node).load(text(functions).as_bytes());
    let lunatic = module.unwrap().prepare_lunatic(None).unwrap();
    let process = lunatic.spawn(node, program).unwrap();
    let reason = process.wait_for(PATIENCE).expect("the guest ends");
    (reason, String::from_utf8(buffers.stdout()).unwrap())
}

/// The guest's own checks hold, and it ends normally.
pub(crate) fn holds(functions: &str) {
    let (reason, output) = run(functions);
    assert!(
        matches!(reason, ExitReason::Normal),
        "{reason}: {output}\n{}",
        reason.backtrace().unwrap_or_default()
    );
}

/// The guest is ended, with these words.
pub(crate) fn fails(functions: &str, words: &str) {
    let (reason, _) = run(functions);
    assert!(reason.to_string().contains(words), "{reason}");
}
