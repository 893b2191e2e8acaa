//! Any calls of the flat functions with any numbers: whatever a guest says, the host neither panics
//! nor hangs, and the guest ends.
//!
//! An input is calls: each the number of a function in one byte, and nine numbers of eight bytes.
//! A guest gets them in one message and makes them one after the other, so what they write may
//! change those that follow. Where a pid may be said, 5 is the guest's own.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use rusm_actor::{ExitReason, Message, Node, Priority};
use rusm_io::kv::{Store, StoreConfig};
use rusm_wasm::grant::{Grants, Profile};
use rusm_wasm::{Catalog, Engine, EngineConfig, Program, Spawnable};

/// The functions with their parameters (`i` and `l` for 32 and 64 bits) and results. Those that kill
/// whole groups are left out, and so is `exit_process`: they would end guests of other inputs.
pub(crate) const FUNCTIONS: [(&str, &str, &str); 78] = [
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
    ("random", "ii", "i"),
    ("hash", "iiii", "i"),
    ("hmac", "iiiiii", "i"),
    ("hmac_verify", "iiiiiii", "i"),
    ("aes_gcm_seal", "iiiiiiii", "i"),
    ("aes_gcm_open", "iiiiiiii", "i"),
    ("ed25519_generate", "i", "i"),
    ("ed25519_public", "ii", "i"),
    ("ed25519_sign", "iiii", "i"),
    ("ed25519_verify", "iiii", "i"),
    ("kv_create", "ii", "i"),
    ("kv_drop", "ii", "i"),
    ("kv_get", "iiiiii", "i"),
    ("kv_exists", "iiii", "i"),
    ("kv_set", "iiiiii", "i"),
    ("kv_delete", "iiii", "i"),
    ("kv_compare_and_set", "iiiiiiiii", "i"),
    ("kv_list", "iiiii", "i"),
    ("kv_batch", "iii", "i"),
    ("stream_open", "lli", "i"),
    ("stream_accept", "i", "i"),
    ("stream_write", "iii", "i"),
    ("stream_read", "iii", "i"),
    ("stream_close", "i", "i"),
    ("module_compile", "ii", "i"),
    ("module_spawn", "iiiiii", "i"),
    ("module_send", "lli", "i"),
    ("module_close", "i", "i"),
    ("supervise_start", "ii", "i"),
    ("supervise_start_child", "iii", "i"),
    ("supervise_restart_child", "iiii", "i"),
    ("supervise_terminate_child", "iii", "i"),
    ("supervise_delete_child", "iii", "i"),
    ("supervise_count", "ii", "i"),
    ("supervise_which", "iii", "i"),
    ("supervise_stop", "i", "i"),
];

/// Behind the functions in an input: traps if the last function with a result of 32 bits was refused.
pub(crate) const DONE: usize = FUNCTIONS.len();
/// Numbers of one call.
pub(crate) const NUMBERS: usize = 9;
/// Bytes of one call.
pub(crate) const CALL_BYTES: usize = 1 + NUMBERS * 8;
/// Calls of one input.
const CALLS_MAX: usize = 64;
/// Longer than any input takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How long a guest may wait for what it will not do itself, such as to write what it reads.
const WAIT_MAX: Duration = Duration::from_millis(20);

/// What lies in the guest's memory beside names (`a`, the guest and a bucket, at 64; `a name` at 80): a
/// module, the record of a supervisor and of its child, that of a listing, and a batch.
pub(crate) const MODULE: (u64, u64) = (1024, MODULE_BYTES.len() as u64);
pub(crate) const PLAN: u64 = 1200;
pub(crate) const CHILD: u64 = 1240;
pub(crate) const CHILD_ID: (u64, u64) = (1300, 2);
pub(crate) const SCAN: u64 = 1320;
pub(crate) const BATCH: (u64, u64) = (1360, 36);
pub(crate) const KEY: (u64, u64) = (1420, 1);
pub(crate) const VALUE: (u64, u64) = (1424, 5);
/// `(module (func (export "run")))`.
const MODULE_BYTES: &[u8] =
    b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x07\x01\x03run\0\0\x0a\x04\x01\x02\0\x0b";

/// A node on which inputs are tried.
pub(crate) struct Target {
    node: Node,
    catalog: Catalog,
    /// The folder of its store.
    place: PathBuf,
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
        static TARGETS: AtomicU32 = AtomicU32::new(0);
        let (own, number) = (std::process::id(), TARGETS.fetch_add(1, Relaxed));
        let place = memory_folder().join(format!("rusm-abi-{own}-{number}"));
        std::fs::create_dir_all(&place).expect("it is writable");
        let config = StoreConfig {
            buckets_max: 8,
            ..StoreConfig::default()
        };
        let store = Store::open_blocking(place.join("store"), config).expect("it is new");
        catalog.set_store(store);
        Self {
            node,
            catalog,
            place,
        }
    }

    /// Makes the calls of one input; panics if the host did, or if the guest did not end.
    pub(crate) fn run(&self, input: &[u8]) -> ExitReason {
        self.run_for(input, WAIT_MAX)
    }

    /// The same of a guest that is killed after so long.
    pub(crate) fn run_for(&self, input: &[u8], wait_max: Duration) -> ExitReason {
        let calls = input.chunks_exact(CALL_BYTES).take(CALLS_MAX);
        let calls: Vec<u8> = calls.flatten().copied().collect();
        let process = self.catalog.spawn(&self.node, "a").expect("it starts");
        let pid = process.pid();
        self.node.spawn(move |ctx| async move {
            ctx.send(pid, Message::tagged(ctx.pid(), 1, &calls));
        });
        let reason = process.wait_for(wait_max).or_else(|| {
            self.node.kill(pid);
            process.wait_for(PATIENCE)
        });
        let reason = reason.expect("the guest ends");
        assert!(!matches!(reason, ExitReason::Panic(_)), "{reason:?}");
        // Children that nobody writes to wait for ever.
        for pid in self.node.processes() {
            self.node.kill(pid);
        }
        reason
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.node.shutdown(PATIENCE);
        let _ = std::fs::remove_dir_all(&self.place);
    }
}

/// Where a wait for the disk takes no time, if there is such a place.
fn memory_folder() -> PathBuf {
    let shared = Path::new("/dev/shm");
    match shared.is_dir() {
        true => shared.to_owned(),
        false => std::env::temp_dir(),
    }
}

/// The records in the guest's memory.
fn records() -> String {
    let words = |words: &[u64]| -> Vec<u8> {
        words
            .iter()
            .flat_map(|word| (*word as u32).to_le_bytes())
            .collect()
    };
    let name = (64, 1);
    let step = |what| [words(&[what, 1, 1, 0]), b"ax".to_vec()].concat();
    // Expects `x` to be absent, and sets it.
    let batch = [step(3), step(0)].concat();
    let segments = [
        (MODULE.0, MODULE_BYTES.to_vec()),
        (PLAN, words(&[0, 3, 1_000_000_000, 0, 0, CHILD, 1, 0])),
        (
            CHILD,
            words(&[
                CHILD_ID.0, CHILD_ID.1, name.0, name.1, 0, 0, 0, 0, 1, 1, 0, 0,
            ]),
        ),
        (CHILD_ID.0, b"c1".to_vec()),
        (SCAN, words(&[0, 10, 0, 0, 0, 0, 0, 0, 0])),
        (BATCH.0, batch),
        (KEY.0, b"k".to_vec()),
        (VALUE.0, b"value".to_vec()),
    ];
    let mut data = String::new();
    for (at, bytes) in segments {
        let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        writeln!(data, r#"(data (i32.const {at}) "{bytes}")"#).expect("a string takes all");
    }
    data
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
            'l' => format!("(call $large (i64.load offset={at} (local.get $at)))"),
            _ => format!("(call $small (i64.load offset={at} (local.get $at)))"),
        }
    });
    let call = format!("(call $f{number} {})", given.collect::<String>());
    match results {
        "" => call,
        "i" => format!("(global.set $last {call})"),
        _ => format!("(drop {call})"),
    }
}

/// A guest that receives calls to 32,768 and makes them. Numbers for memory are often in it: those
/// with 32 bits are cut to seven if any of three higher bits is set. Waits are shorter than a
/// microsecond.
fn guest() -> String {
    let (imports, records, count) = (imports(), records(), DONE + 1);
    let labels: String = (0..count).map(|number| format!(" $c{number}")).collect();
    let mut blocks =
        format!("(br_table{labels} (i32.rem_u (i32.load8_u (local.get $at)) (i32.const {count})))");
    for number in 0..DONE {
        blocks = format!("(block $c{number} {blocks}) {} (br $done)\n", call(number));
    }
    let refused = "(i32.lt_s (global.get $last) (i32.const 0))";
    blocks = format!("(block $c{DONE} {blocks}) (if {refused} (then unreachable))");
    format!(
        r#"(module {imports}
        (memory (export "memory") 1)
        (data (i32.const 64) "a") (data (i32.const 80) "a name") {records}
        (global $last (mut i32) (i32.const 0))
        (func $large (param i64) (result i64)
          (if (result i64) (i64.eq (local.get 0) (i64.const 5)) (then (call $f0)) (else (local.get 0))))
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
