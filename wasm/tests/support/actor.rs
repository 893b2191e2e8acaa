//! Guests that use the flat functions of `rusm`: what they import, and a native process beside them.

use std::future::Future;
use std::time::Duration;

use rusm_actor::{Context, ExitReason, Message, Pid, Priority, Reference};
use rusm_wasm::grant::{Grants, Profile};
use rusm_wasm::{Catalog, Engine, Prepared, Program, Spawnable};

use super::{PATIENCE, engine, node};

/// All imports, a memory of one page, and helpers. The record of an event is at 0, its body at 256,
/// with room for 256 bytes; `$sender` and the like read the record.
const PRELUDE: &str = r#"
  (import "rusm" "self" (func $self (result i64)))
  (import "rusm" "now" (func $now (result i64)))
  (import "rusm" "args" (func $args (param i32 i32) (result i32)))
  (import "rusm" "refusal" (func $refusal (param i32 i32) (result i32)))
  (import "rusm" "exit" (func $exit (param i32 i32 i32 i32) (result i32)))
  (import "rusm" "link" (func $link (param i64) (result i32)))
  (import "rusm" "unlink" (func $unlink (param i64)))
  (import "rusm" "trap_exit" (func $trap_exit (param i32) (result i32)))
  (import "rusm" "monitor" (func $monitor (param i64 i32) (result i32)))
  (import "rusm" "demonitor" (func $demonitor (param i64 i32) (result i32)))
  (import "rusm" "is_alive" (func $is_alive (param i64) (result i32)))
  (import "rusm" "sleep" (func $sleep (param i64)))
  (import "rusm" "yield" (func $yield))
  (import "rusm" "send" (func $send (param i64 i64 i32 i32) (result i32)))
  (import "rusm" "try_receive" (func $try_receive (param i32 i64 i32 i32 i32) (result i32)))
  (import "rusm" "receive" (func $receive (param i32 i64 i64 i32 i32 i32) (result i32)))
  (import "rusm" "body_read" (func $body_read (param i32 i32 i32) (result i32)))
  (import "rusm" "reply" (func $reply (param i64 i64 i32 i32) (result i32)))
  (import "rusm" "alias" (func $alias (param i32 i32) (result i32)))
  (import "rusm" "unalias" (func $unalias (param i64) (result i32)))
  (import "rusm" "send_alias" (func $send_alias (param i32 i64 i32 i32) (result i32)))
  (import "rusm" "register" (func $register (param i32 i32) (result i32)))
  (import "rusm" "unregister" (func $unregister (param i32 i32) (result i32)))
  (import "rusm" "whereis" (func $whereis (param i32 i32 i32) (result i32)))
  (import "rusm" "send_name" (func $send_name (param i32 i32 i64 i32 i32) (result i32)))
  (import "rusm" "monitor_name" (func $monitor_name (param i32 i32 i32) (result i32)))
  (import "rusm" "spawn" (func $spawn (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "spawn_link" (func $spawn_link (param i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "spawn_monitor" (func $spawn_monitor (param i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "kill" (func $kill (param i64) (result i32)))
  (import "rusm" "exit_process" (func $exit_process (param i64 i32 i32 i32 i32) (result i32)))
  (import "rusm" "info" (func $info (param i64 i32 i32 i32) (result i32)))
  (import "rusm" "list" (func $list (param i64 i32 i32) (result i32)))
  (import "rusm" "set_label" (func $set_label (param i32 i32) (result i32)))
  (import "rusm" "priority" (func $priority (result i32)))
  (import "rusm" "group_join" (func $group_join (param i32 i32) (result i32)))
  (import "rusm" "group_leave" (func $group_leave (param i32 i32) (result i32)))
  (import "rusm" "group_kill" (func $group_kill (param i32 i32) (result i32)))
  (import "rusm" "group_members" (func $group_members (param i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "group_publish" (func $group_publish (param i32 i32 i64 i32 i32) (result i32)))
  (import "rusm" "group_watch" (func $group_watch (param i32 i32 i32 i32 i32) (result i32)))
  (import "rusm" "group_unwatch" (func $group_unwatch (param i64) (result i32)))
  (import "rusm" "timer_send_after" (func $timer_send_after (param i64 i64 i64 i32 i32 i32) (result i32)))
  (import "rusm" "timer_start" (func $timer_start (param i64 i64 i32 i32 i32) (result i32)))
  (import "rusm" "timer_cancel" (func $timer_cancel (param i64) (result i64)))
  (import "rusm" "timer_read" (func $timer_read (param i64) (result i64)))
  (import "rusm" "log" (func $log (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $parent (mut i64) (i64.const 0))
  (func $kind (result i32) (i32.load (i32.const 0)))
  (func $len (result i32) (i32.load (i32.const 4)))
  (func $sender (result i64) (i64.load (i32.const 8)))
  (func $tag (result i64) (i64.load (i32.const 16)))
  (func $reference (result i64) (i64.load (i32.const 24)))
  (func $code (result i32) (i32.load (i32.const 32)))
  (func $detail (result i32) (i32.load (i32.const 36)))
  ;; Waits for whatever comes.
  (func $next (drop (call $receive (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 0) (i32.const 256) (i32.const 256))))
  ;; Waits for a message with this tag.
  (func $tagged (param i64) (drop (call $receive (i32.const 1) (local.get 0) (i64.const -1) (i32.const 0) (i32.const 256) (i32.const 256))))
  ;; Waits for what comes by this reference.
  (func $by (param i64) (drop (call $receive (i32.const 2) (local.get 0) (i64.const -1) (i32.const 0) (i32.const 256) (i32.const 256))))
  ;; Tells the parent a number, as the tag of an empty message.
  (func $tell (param i64) (drop (call $send (global.get $parent) (local.get 0) (i32.const 0) (i32.const 0))))
  (func $tell32 (param i32) (call $tell (i64.extend_i32_s (local.get 0))))
  ;; Tells the parent the record as it is, and the body.
  (func $show (drop (call $send (global.get $parent) (i64.const 0) (i32.const 0) (i32.add (i32.const 256) (call $len)))))
  ;; The pid that the parent sends.
  (func $given (result i64) (call $tagged (i64.const 1)) (i64.load (i32.const 256)))"#;

/// A guest that is told its parent by a first message, and then runs `code`.
pub fn actor(data: &str, code: &str) -> String {
    format!(
        r#"(module {PRELUDE} {data}
        (func (export "run") (local $a i64) (local $b i64) (local $i i32)
          (call $next) (global.set $parent (call $sender)) {code}))"#
    )
}

/// The same without the first message.
pub fn bare(data: &str, code: &str) -> String {
    format!(
        r#"(module {PRELUDE} {data} (func (export "run") (local $a i64) (local $i i32) {code}))"#
    )
}

/// A guest in a catalogue, in which the first one is named `0`, the next one `1`, and so on.
pub struct Guest {
    pub catalog: Catalog,
    pub name: String,
}

/// Runs `test` in a process on a node with two workers, with guests that may do everything.
pub fn beside<F, Fut>(guests: &[String], test: F)
where
    F: FnOnce(Context, Vec<Guest>) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let guests: Vec<_> = guests
        .iter()
        .map(|wat| (&**wat, Profile::trusted()))
        .collect();
    beside_granted(&guests, test);
}

/// As `beside`, with guests that may do what these profiles grant.
pub fn beside_granted<F, Fut>(guests: &[(&str, Profile)], test: F)
where
    F: FnOnce(Context, Vec<Guest>) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let bytes = |(wat, profile): &(&str, Profile)| (wat.as_bytes().to_vec(), profile.clone());
    let guests: Vec<_> = guests.iter().map(bytes).collect();
    beside_components(&guests, test);
}

/// As `beside_granted`, of components.
pub fn beside_components<F, Fut>(guests: &[(Vec<u8>, Profile)], test: F)
where
    F: FnOnce(Context, Vec<Guest>) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let node = node(2);
    let (engine, catalog) = (engine(&node), Catalog::new());
    let put = |(number, (bytes, profile)): (usize, &(Vec<u8>, Profile))| {
        let name = number.to_string();
        let component = component(&engine, bytes, profile.clone());
        catalog.put(&name, component).unwrap();
        let catalog = catalog.clone();
        Guest { catalog, name }
    };
    let guests: Vec<_> = guests.iter().enumerate().map(put).collect();
    node.block_on(move |ctx| test(ctx, guests)).unwrap();
    node.shutdown(PATIENCE).unwrap();
}

pub fn component(engine: &Engine, bytes: impl AsRef<[u8]>, profile: Profile) -> Spawnable {
    let guest: Prepared = engine.load(bytes.as_ref()).unwrap().prepare(None).unwrap();
    Spawnable {
        guest,
        program: Program {
            args: vec!["a guest".into(), "own argument".into()],
            grants: Some(Grants::new(profile)),
            ..Program::default()
        },
        priority: Priority::Normal,
    }
}

/// Starts a guest, watches it and says who its parent is.
pub fn start(ctx: &mut Context, guest: &Guest) -> (Pid, Reference) {
    let ready = guest.catalog.ready(&guest.name).expect("it is there");
    let body = move |ctx| ready.run(ctx);
    let started = ctx.spawn_monitor(body);
    give(ctx, started.0, 0, b"");
    started
}

pub fn give(ctx: &Context, to: Pid, tag: u64, content: &[u8]) {
    ctx.send(to, Message::tagged(ctx.pid(), tag, content));
}

/// The next message; a test that waits in vain fails.
pub async fn next(ctx: &mut Context) -> Message {
    let found = ctx.receive_within(PATIENCE).await;
    found.expect("a message comes")
}

/// What a guest says; other messages stay.
pub async fn said(ctx: &mut Context) -> Message {
    let tagged = ctx.receive_match_within(PATIENCE, |m| m.envelope().is_some());
    tagged.await.expect("the guest says something")
}

/// The number that a guest tells.
pub async fn told(ctx: &mut Context) -> i64 {
    said(ctx).await.envelope().unwrap().tag.cast_signed()
}

/// The number that this guest tells.
pub async fn told_by(ctx: &mut Context, pid: Pid) -> i64 {
    let from = |m: &Message| m.envelope().is_some_and(|e| e.from == pid);
    let message = ctx.receive_match_within(PATIENCE, from).await;
    let message = message.expect("the guest says something");
    message.envelope().unwrap().tag.cast_signed()
}

/// How a watched guest ends.
pub async fn ended(ctx: &mut Context, monitor: Reference) -> ExitReason {
    let down = ctx.receive_match_within(PATIENCE, |m| m.reference() == Some(monitor));
    down.await.expect("the guest ends").down().unwrap().reason
}

/// The record that a guest shows: kind, pid, tag, reference, code, detail, body.
pub struct Shown {
    pub kind: u32,
    pub pid: u64,
    pub tag: u64,
    pub reference: u64,
    pub code: u32,
    pub detail: u32,
    pub name_len: u32,
    pub joined: u32,
    pub body: Vec<u8>,
}

pub async fn shown(ctx: &mut Context) -> Shown {
    // Who only tells a number shows nothing.
    let shows = |m: &Message| m.envelope().is_some() && !m.bytes().is_empty();
    let tagged = ctx.receive_match_within(PATIENCE, shows);
    let message = tagged.await.expect("the guest shows something");
    let bytes = message.bytes();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    Shown {
        kind: word(0),
        pid: long(8),
        tag: long(16),
        reference: long(24),
        code: word(32),
        detail: word(36),
        name_len: word(40),
        joined: word(44),
        body: bytes[256..256 + word(4) as usize].to_vec(),
    }
}

/// A short while.
pub const MOMENT: Duration = Duration::from_millis(5);
