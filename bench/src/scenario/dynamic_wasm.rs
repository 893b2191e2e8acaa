//! Code that comes at run time: what it takes to start a module nobody has seen, one that was compiled before, and one
//! that is loaded. Each module differs in a number, so that none is found by accident.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusm_actor::{ExitReason, Node};
use rusm_wasm::{CacheConfig, Engine, EngineConfig, Prepared, Program};

use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::latency::Latency;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "dynamic-wasm",
    workload: "dynamic_wasm",
    about: "from a module's bytes to the end of its process: compiled, from the cache, already loaded",
    choices: &[choice(
        "functions",
        "200",
        "functions of a module; 12 instructions each",
    )],
    small: &[("functions", "5")],
    run,
};

/// Processes of a loaded module per module.
const HOT: u32 = 100;
/// How long one process may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A directory for compiled code, removed with this value.
struct Cache(PathBuf);

impl Drop for Cache {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Cache {
    fn new() -> Self {
        let name = format!(
            "rusm-bench-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        );
        Self(std::env::temp_dir().join(name))
    }

    fn engine(&self, node: &Node) -> Result<Engine, Failure> {
        let config = EngineConfig {
            instances_max: 16,
            cache: Some(CacheConfig {
                dir: self.0.clone(),
                bytes_max: 256 << 20,
            }),
            ..EngineConfig::default()
        };
        Engine::new(config, &node.handle()).map_err(Failure::guest)
    }
}

fn run(env: &Env) -> Result<Report, Failure> {
    let functions = env.positive("functions")?;
    let (node, cache) = (Node::start(env.config.clone())?, Cache::new());
    let _shown = env.watch.show(&node);
    let (mut cold, mut cached, mut hot) = (Latency::new(), Latency::new(), Latency::new());
    let (start, mut modules, mut hits) = (Instant::now(), 0_u64, 0);
    while env.goes_on(start)? || modules == 0 {
        let wasm = wat::parse_str(module(functions, modules)).map_err(Failure::guest)?;
        // Two engines, so that the second finds the code on the disk and nowhere else.
        for times in [&mut cold, &mut cached] {
            let engine = cache.engine(&node)?;
            let begun = Instant::now();
            let prepared = engine
                .load(&wasm)
                .and_then(|module| module.prepare(Some("run")))
                .map_err(Failure::guest)?;
            ends(&node, &prepared)?;
            times.note(begun.elapsed());
            hits += engine.cache_stats().hits;
            let begun = Instant::now();
            for _ in 0..HOT {
                ends(&node, &prepared)?;
            }
            hot.note(begun.elapsed() / HOT);
        }
        modules += 1;
    }
    let report = Report::rate(modules, start.elapsed(), "modules/s")
        .with("cache_hits", hits as f64)
        .with("functions", functions as f64);
    Ok(report
        .with_latency_named("cold_", &cold)
        .with_latency_named("cached_", &cached)
        .with_latency_named("hot_", &hot))
}

/// Runs one process of it to its end, as seen from outside of the node.
fn ends(node: &Node, guest: &Prepared) -> Result<(), Failure> {
    let process = guest
        .spawn(node, Program::default())
        .map_err(Failure::guest)?;
    match process.wait_for(PATIENCE) {
        Some(ExitReason::Normal) => Ok(()),
        Some(other) => Err(Failure::guest(format!("the guest ended: {other:?}"))),
        None => Err(Failure::guest("the guest does not end")),
    }
}

fn module(functions: u64, number: u64) -> String {
    let mut text =
        format!(r#"(module (memory 1) (func (export "run") (drop (call 1 (i32.const {number}))))"#);
    for function in 0..functions {
        text.push_str(&format!(
            "(func (param i32) (result i32)
               (if (result i32) (i32.and (local.get 0) (i32.const {function}))
                 (then (i32.load8_u (i32.and (local.get 0) (i32.const 1023))))
                 (else (i32.mul (local.get 0) (i32.const {number})))))"
        ));
    }
    text + ")"
}
