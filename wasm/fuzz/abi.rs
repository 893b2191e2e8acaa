//! Any calls of the flat functions with any numbers: whatever a guest says, the host neither panics
//! nor hangs, and the guest ends.
//!
//! An input is calls: each the number of a function in one byte, and eight numbers of eight bytes.
//! A guest gets them in one message and makes them one after the other, so what they write may
//! change those that follow.

use std::fmt::Write;
use std::time::Duration;

use rusm_actor::{ExitReason, Message, Node, Priority};
use rusm_wasm::grant::{Grants, Profile};
use rusm_wasm::{Catalog, Engine, EngineConfig, Program, Spawnable};

/// The functions with their parameters (`i` and `l` for 32 and 64 bits) and results. Those that kill
/// whole groups are left out, and so is `exit_process`: they would end guests of other inputs.
const FUNCTIONS: [(&str, &str, &str); 42] = [
    ("self", "", "l"),
    ("now", "", "l"),
    ("args", "ii", "i"),
    ("refusal", "ii", "i"),
    ("exit", "iiii", "i"),
    ("link", "l", "i"),
    ("unlink", "l", ""),
    ("trap_exit", "i", "i"),
    ("monitor", "li", "i"),
    ("monitor_name", "iii", "i"),
    ("demonitor", "li", "i"),
    ("is_alive", "l", "i"),
    ("send", "llii", "i"),
    ("try_receive", "iliii", "i"),
    ("receive", "illiii", "i"),
    ("body_read", "iii", "i"),
    ("reply", "llii", "i"),
    ("alias", "ii", "i"),
    ("unalias", "l", "i"),
    ("send_alias", "ilii", "i"),
    ("register", "ii", "i"),
    ("unregister", "ii", "i"),
    ("whereis", "iii", "i"),
    ("send_name", "iilii", "i"),
    ("spawn", "iiiiiii", "i"),
    ("spawn_link", "iiiii", "i"),
    ("spawn_monitor", "iiiii", "i"),
    ("kill", "l", "i"),
    ("info", "liii", "i"),
    ("list", "lii", "i"),
    ("set_label", "ii", "i"),
    ("priority", "", "i"),
    ("group_join", "ii", "i"),
    ("group_leave", "ii", "i"),
    ("group_members", "iiiii", "i"),
    ("group_publish", "iilii", "i"),
    ("group_watch", "iiiii", "i"),
    ("group_unwatch", "l", "i"),
    ("timer_send_after", "llliii", "i"),
    ("timer_start", "lliii", "i"),
    ("timer_cancel", "l", "l"),
    ("log", "iii", "i"),
];

/// Bytes of one call.
pub(crate) const CALL_BYTES: usize = 65;
/// Calls of one input.
const CALLS_MAX: usize = 64;
/// Longer than any input takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node on which inputs are tried.
pub(crate) struct Target {
    node: Node,
    catalog: Catalog,
}

impl Target {
    pub(crate) fn new() -> Self {
        let config = rusm_sched::Config {
            workers: 1,
            ..rusm_sched::Config::default()
        };
        let node = Node::start(config).expect("the node starts");
        let config = EngineConfig {
            memory_bytes_max: 1 << 20,
            instances_max: 64,
            ..EngineConfig::default()
        };
        let engine = Engine::new(config, &node.handle()).expect("the engine starts");
        let module = engine.load(guest().as_bytes()).expect("the guest compiles");
        let catalog = Catalog::new();
        let component = Spawnable {
            guest: module.prepare(None).expect("the guest links"),
            program: Program {
                args: vec!["guest".into(), "argument".into()],
                grants: Some(Grants::new(Profile::trusted())),
                ..Program::default()
            },
            priority: Priority::Normal,
        };
        catalog.put("a", component).expect("it fits");
        catalog.on_log(|line| assert!(line.text.len() < 40_000));
        Self { node, catalog }
    }

    /// Makes the calls of one input; panics if the host did, or if the guest did not end.
    pub(crate) fn run(&self, input: &[u8]) -> ExitReason {
        let calls = input.chunks_exact(CALL_BYTES).take(CALLS_MAX);
        let calls: Vec<u8> = calls.flatten().copied().collect();
        let process = self.catalog.spawn(&self.node, "a").expect("it starts");
        let pid = process.pid();
        self.node.spawn(move |ctx| async move {
            ctx.send(pid, Message::tagged(ctx.pid(), 1, &calls));
        });
        let reason = process.wait_for(PATIENCE).expect("the guest ends");
        assert!(!matches!(reason, ExitReason::Panic(_)), "{reason:?}");
        // Children that nobody writes to wait for ever.
        for pid in self.node.processes() {
            self.node.kill(pid);
        }
        reason
    }
}

fn wasm_type(letter: char) -> &'static str {
    match letter {
        'l' => "i64",
        _ => "i32",
    }
}

/// What the guest imports.
fn imports() -> String {
    let mut imports = String::new();
    for (number, (name, params, results)) in FUNCTIONS.iter().enumerate() {
        let types = |letters: &str| -> String {
            let types = letters.chars().map(wasm_type);
            types.map(|ty| format!(" {ty}")).collect()
        };
        let (params, results) = (types(params), types(results));
        writeln!(
            imports,
            r#"(import "rusm" "{name}" (func $f{number} (param{params}) (result{results})))"#
        )
        .expect("a string takes all");
    }
    imports
}

/// The call of one function, with its numbers from the place that `$at` says.
fn call(number: usize) -> String {
    let (name, params, results) = FUNCTIONS[number];
    let given = params.chars().enumerate().map(|(place, letter)| {
        let at = 1 + place * 8;
        match letter {
            'l' if name == "receive" && place == 2 => "(i64.const 500)".to_string(),
            'l' => format!("(i64.load offset={at} (local.get $at))"),
            _ => format!("(call $small (i64.load offset={at} (local.get $at)))"),
        }
    });
    let call = format!("(call $f{number} {})", given.collect::<String>());
    match results {
        "" => call,
        _ => format!("(drop {call})"),
    }
}

/// A guest that receives calls to 32,768 and makes them. Numbers for memory are often in it: those
/// with 32 bits are cut to seven if any of three higher bits is set. Waits are shorter than a
/// microsecond.
fn guest() -> String {
    let (imports, count) = (imports(), FUNCTIONS.len());
    let labels: String = (0..count).map(|number| format!(" $c{number}")).collect();
    let mut blocks =
        format!("(br_table{labels} (i32.rem_u (i32.load8_u (local.get $at)) (i32.const {count})))");
    for number in 0..count {
        blocks = format!("(block $c{number} {blocks}) {} (br $done)\n", call(number));
    }
    format!(
        r#"(module {imports}
        (memory (export "memory") 1)
        (data (i32.const 64) "a") (data (i32.const 80) "a name")
        (func $small (param i64) (result i32)
          (if (result i32) (i64.eqz (i64.and (local.get 0) (i64.const 0x700000000)))
            (then (i32.wrap_i64 (local.get 0)))
            (else (i32.wrap_i64 (i64.and (local.get 0) (i64.const 0x7f))))))
        (func (export "run") (local $at i32) (local $left i32)
          (drop (call $f14 (i32.const 1) (i64.const 1) (i64.const -1) (i32.const 0) (i32.const 32768) (i32.const 16384)))
          (local.set $left (i32.div_u (i32.load (i32.const 4)) (i32.const {CALL_BYTES})))
          (local.set $at (i32.const 32768))
          (loop $on
            (if (i32.eqz (local.get $left)) (then (return)))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (block $done {blocks})
            (local.set $at (i32.add (local.get $at) (i32.const {CALL_BYTES})))
            (br $on))))"#
    )
}
