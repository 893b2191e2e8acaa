//! Lists that a component gives to the host: how long one may be.

#[path = "support/mod.rs"]
mod support;

use rusm_actor::ExitReason;
use rusm_wasm::grant::Profile;
use rusm_wasm::{Catalog, Engine, EngineConfig};

use support::actor::{Guest, component, ended, start, told};
use support::runtime::actor;
use support::{PATIENCE, node};

const MEMORY_BYTES_MAX: u64 = 32 << 20;
/// What a component may give in one call.
const LIST_BYTES_MAX: u32 = 20 << 20;

/// A guest with enough memory that sends itself so many bytes, and tells what came of it.
fn sender(engine: &Engine, len: u32) -> Guest {
    let code = format!(
        r#"(drop (memory.grow (i32.const 384)))
           (call $"process#send" (call $"process#self") (i64.const 0) (i32.const 131072) (i32.const {len}) (i32.const 512))
           (call $tell_result (i32.const 512))"#
    );
    let mut profile = Profile::trusted();
    profile.limits.memory_bytes_max = MEMORY_BYTES_MAX;
    let catalog = Catalog::new();
    let sender = component(engine, actor("", &code), profile);
    catalog.put("sender", sender).unwrap();
    let name = "sender".into();
    Guest { catalog, name }
}

/// The copy is made before the host's function begins: none that would keep the worker from others.
#[test]
fn a_list_that_would_take_long_to_copy_ends_the_component() {
    let node = node(1);
    let config = EngineConfig {
        memory_bytes_max: MEMORY_BYTES_MAX,
        instances_max: 4,
        ..EngineConfig::default()
    };
    let engine = Engine::new(config, &node.handle()).unwrap();
    let [longest, longer] = [LIST_BYTES_MAX, LIST_BYTES_MAX + 1].map(|len| sender(&engine, len));
    let test = move |mut ctx| async move {
        start(&mut ctx, &longest);
        // Too long for a message, of which it is told.
        assert_eq!(told(&mut ctx).await, -4);
        let (_, monitor) = start(&mut ctx, &longer);
        let reason = ended(&mut ctx, monitor).await;
        assert!(matches!(reason, ExitReason::Trap(_)), "{reason}");
        assert!(reason.to_string().contains("too much data"), "{reason}");
    };
    node.block_on(test).unwrap();
    node.shutdown(PATIENCE).unwrap();
}
