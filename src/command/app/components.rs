//! The components of an app, from their files to a catalogue that starts them by name.

use rusm::manifest::{Component, FileKind, Manifest};
use rusm_actor::{Node, Priority};
use rusm_wasm::grant::{Grants, LogLevel};
use rusm_wasm::inspect::inspect;
use rusm_wasm::{Catalog, Engine, EngineConfig, Program, Spawnable};

use crate::build;
use crate::command::run;
use crate::error::{AppFailure, Failure};
use crate::report;

/// Loads every component, so that one that cannot run is found out now and not when somebody
/// wants it.
pub(super) fn load(manifest: &Manifest, node: &Node) -> Result<Catalog, Failure> {
    if manifest.components.iter().all(|one| one.residents == 0) {
        return Err(AppFailure::NoResidents.into());
    }
    let engine = run::start_engine(node, |cache| EngineConfig {
        memory_bytes_max: memory_bytes_max(manifest),
        instances_max: manifest
            .node
            .instances_max
            .unwrap_or(EngineConfig::default().instances_max),
        cache,
        ..EngineConfig::default()
    })?;
    let catalog = Catalog::new();
    catalog.set_profiles(manifest.profiles.clone());
    let level: LogLevel = manifest.log_level;
    catalog.on_log(move |line| {
        if line.level <= level {
            report::log(line);
        }
    });
    for component in &manifest.components {
        put(manifest, component, &engine, &catalog)?;
    }
    Ok(catalog)
}

/// As much as anyone was granted: code is compiled for one limit, and profiles lower it.
fn memory_bytes_max(manifest: &Manifest) -> u64 {
    let default = EngineConfig::default().memory_bytes_max;
    manifest.node.memory_bytes_max.unwrap_or_else(|| {
        let granted = manifest
            .components
            .iter()
            .map(|one| one.profile.limits.memory_bytes_max);
        // Those without a limit have the node's.
        let limited = granted.filter(|bytes| *bytes <= 4 << 30);
        limited.fold(default, u64::max)
    })
}

fn put(
    manifest: &Manifest,
    component: &Component,
    engine: &Engine,
    catalog: &Catalog,
) -> Result<(), Failure> {
    let name = &component.name;
    let file = build::file_of(&manifest.dir, name, &component.source);
    if !file.exists() && component.source.is_dir() {
        return Err(AppFailure::NotBuilt(name.clone()).into());
    }
    let bytes = run::read(&file)?;
    let load = |why| Failure::Load {
        program: file.clone(),
        why,
    };
    let module = engine.load_for(component.flavour, &bytes).map_err(load)?;
    if let Some(kind) = component.kind {
        let is_component = inspect(&bytes).map_err(load)?.is_component;
        if is_component != (kind == FileKind::Component) {
            return Err(AppFailure::Kind {
                component: name.clone(),
                file,
                is_component,
            }
            .into());
        }
    }
    let spawnable = Spawnable {
        guest: module.prepare(component.entry.as_deref()).map_err(load)?,
        program: program(component),
        priority: Priority::Normal,
    };
    let start = |why| Failure::Start {
        program: file.clone(),
        why,
    };
    catalog.put(name, spawnable).map_err(start)?;
    // A directory that is not there is found out here, too.
    let _ = catalog.ready(name).map_err(start)?;
    Ok(())
}

fn program(component: &Component) -> Program {
    let grants = Grants::new(component.profile.clone());
    let inherited = std::env::vars_os().filter_map(|(key, value)| {
        // A variable that is no text is none that a guest can see.
        let (key, value) = (key.into_string().ok()?, value.into_string().ok()?);
        let own = component.env.iter().any(|(known, _)| *known == key);
        (!own && grants.may_env(&key).is_ok()).then_some((key, value))
    });
    Program {
        args: std::iter::once(component.name.clone())
            .chain(component.args.iter().cloned())
            .collect(),
        env: inherited.chain(component.env.iter().cloned()).collect(),
        grants: Some(grants),
        ..Program::default()
    }
}
