//! Guests that use what their node offers beside processes and messages.

/// What they import of `rusm`: name, types of parameters; all return an i32.
const IMPORTS: &[(&str, &str)] = &[
    ("receive", "i32 i64 i64 i32 i32 i32"),
    ("send", "i64 i64 i32 i32"),
    ("refusal", "i32 i32"),
    ("random", "i32 i32"),
    ("hash", "i32 i32 i32 i32"),
    ("hmac", "i32 i32 i32 i32 i32 i32"),
    ("hmac_verify", "i32 i32 i32 i32 i32 i32 i32"),
    ("aes_gcm_seal", "i32 i32 i32 i32 i32 i32 i32 i32"),
    ("aes_gcm_open", "i32 i32 i32 i32 i32 i32 i32 i32"),
    ("ed25519_generate", "i32"),
    ("ed25519_public", "i32 i32"),
    ("ed25519_sign", "i32 i32 i32 i32"),
    ("ed25519_verify", "i32 i32 i32 i32"),
    ("kv_create", "i32 i32"),
    ("kv_drop", "i32 i32"),
    ("kv_get", "i32 i32 i32 i32 i32 i32"),
    ("kv_exists", "i32 i32 i32 i32"),
    ("kv_set", "i32 i32 i32 i32 i32 i32"),
    ("kv_delete", "i32 i32 i32 i32"),
    ("kv_compare_and_set", "i32 i32 i32 i32 i32 i32 i32 i32 i32"),
    ("kv_list", "i32 i32 i32 i32 i32"),
    ("kv_batch", "i32 i32 i32"),
    ("module_compile", "i32 i32"),
    ("module_spawn", "i32 i32 i32 i32 i32 i32"),
    ("module_send", "i64 i64 i32"),
    ("module_close", "i32"),
    ("supervise_start", "i32 i32"),
    ("supervise_start_child", "i32 i32 i32"),
    ("supervise_restart_child", "i32 i32 i32 i32"),
    ("supervise_terminate_child", "i32 i32 i32"),
    ("supervise_delete_child", "i32 i32 i32"),
    ("supervise_count", "i32 i32"),
    ("supervise_which", "i32 i32 i32"),
    ("supervise_stop", "i32"),
    ("stream_open", "i64 i64 i32"),
    ("stream_accept", "i32"),
    ("stream_write", "i32 i32 i32"),
    ("stream_read", "i32 i32 i32"),
    ("stream_close", "i32"),
];

/// A guest with a memory of 64 pages that is told its parent by a first message and then runs
/// `code`. The record of an event is at 0, its body at 256, with room for 256 bytes.
///
/// It tells results as tags of empty messages and bytes as they are, and each import is called by
/// its name.
pub fn guest(data: &str, code: &str) -> String {
    let import = |(name, parameters): &(&str, &str)| {
        format!(r#"(import "rusm" "{name}" (func ${name} (param {parameters}) (result i32)))"#)
    };
    let imports: Vec<_> = IMPORTS.iter().map(import).collect();
    let imports = imports.join("\n");
    format!(
        r#"(module
          {imports}
          (memory (export "memory") 64)
          (global $parent (mut i64) (i64.const 0))
          (func $tell (param i32)
            (drop (call $send (global.get $parent) (i64.extend_i32_s (local.get 0)) (i32.const 0) (i32.const 0))))
          (func $give (param i32 i32)
            (drop (call $send (global.get $parent) (i64.const 0) (local.get 0) (local.get 1))))
          ;; Gives the sentence about the last refusal.
          (func $why (call $give (i32.const 60000) (call $refusal (i32.const 60000) (i32.const 500))))
          ;; Waits for whatever comes.
          (func $next (drop (call $receive (i32.const 0) (i64.const 0) (i64.const -1) (i32.const 0) (i32.const 256) (i32.const 256))))
          ;; Waits for what has this tag.
          (func $tagged (param i64) (drop (call $receive (i32.const 1) (local.get 0) (i64.const -1) (i32.const 0) (i32.const 256) (i32.const 256))))
          ;; The pid that the parent sends.
          (func $given (result i64) (call $tagged (i64.const 1)) (i64.load (i32.const 256)))
          ;; The number of a stream or module that came.
          (func $came (result i32) (i32.load (i32.const 24)))
          {data}
          (func (export "run") (local $i i32) (local $s i32) (local $t i32) (local $n i32) (local $p i64)
            (call $next)
            (global.set $parent (i64.load (i32.const 8)))
            {code}))"#
    )
}

/// The sentence that a guest gives.
pub fn words(message: &rusm_actor::Message) -> &str {
    str::from_utf8(message.bytes()).unwrap()
}

/// A data segment of any bytes.
pub fn data(at: usize, bytes: &[u8]) -> String {
    let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!(r#"(data (i32.const {at}) "{bytes}")"#)
}

/// The next bytes that this guest gives; what it tells stays.
pub async fn told_bytes(
    ctx: &mut rusm_actor::Context,
    pid: rusm_actor::Pid,
) -> rusm_actor::Message {
    let of = |m: &rusm_actor::Message| {
        m.envelope().is_some_and(|e| e.from == pid) && !m.bytes().is_empty()
    };
    let bytes = ctx.receive_match_within(super::PATIENCE, of).await;
    bytes.expect("the guest gives bytes")
}
