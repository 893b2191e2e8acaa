//! What the scenarios of guests share: an engine with room for them, a guest from text, and how it tells what it does.

use rusm_actor::{Context, Node};
use rusm_wasm::{Engine, EngineConfig, Prepared};

use crate::failure::Failure;
use crate::gather::{Tally, number};

/// An engine of its own with room for `live` guests, wherever they are.
pub(super) fn engine(node: &Node, live: u64) -> Result<Engine, Failure> {
    let config = EngineConfig {
        // Workers have pools of their own, and the guests need not be spread evenly.
        instances_max: u32::try_from(live.saturating_mul(4)).unwrap_or(u32::MAX),
        ..EngineConfig::default()
    };
    Engine::new(config, &node.handle()).map_err(Failure::guest)
}

/// The function `run` of a guest in text, a core module or a component.
pub(super) fn prepare(engine: &Engine, text: &str) -> Result<Prepared, Failure> {
    let module = engine.load(text.as_bytes()).map_err(Failure::guest)?;
    module.prepare(Some("run")).map_err(Failure::guest)
}

/// Hears from a guest until it has done all it was to do, and how much that was. It says so in two words of eight bytes:
/// how much since it said so before, and 0 if that was all.
pub(super) async fn hear(ctx: &mut Context, progress: &Tally) -> u64 {
    let mut total = 0;
    loop {
        let told = ctx.receive().await;
        progress.add(number(&told));
        total += number(&told);
        if told.bytes()[8..].iter().all(|byte| *byte == 0) {
            return total;
        }
    }
}
