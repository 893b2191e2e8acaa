//! What the scenarios of guests share: an engine with room for them, and a guest from text.

use rusm_actor::Node;
use rusm_wasm::{Engine, EngineConfig, Prepared};

use crate::failure::Failure;

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
