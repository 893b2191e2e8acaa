//! `rusm run`: a node with one program on it, from the file to the status.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rusm_actor::{JoinHandle, Node, Priority};
use rusm_io::kv::Store;
use rusm_observe::App;
use rusm_wasm::grant::{Grants, Limits, Profile};
use rusm_wasm::{
    CacheConfig, Catalog, Engine, EngineConfig, EngineError, Mount, Program, Spawnable,
};

use super::shown::ShownApp;
use crate::cache;
use crate::error::Failure;
use crate::host::{self, Host};
use crate::looks::Looks;
use crate::observe::{self, Shown};
use crate::options::RunOptions;
use crate::report::{self, Ending};
use crate::signal::{STOP_TIME_MAX, Watch};
use crate::store;

/// A larger file is no program, or one that would take minutes to compile.
const PROGRAM_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What all compiled programs may take on disk together.
const CACHE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Processes of a Lunatic program that start fast, about 400,000 a second on one core; the others go to the
/// dense tier.
const LUNATIC_INSTANCES_MAX: u32 = 4_096;

/// Runs a program to its end; the answer is the status of our process.
pub(crate) fn run(options: RunOptions) -> Result<u8, Failure> {
    let bytes = read(&options.program)?;
    // The node comes first: what the scheduler asks of the system when it starts costs the system
    // microseconds while we have one thread, and ten milliseconds once the watch has made a second.
    let mut host = Host::start(host::config(options.workers))?;
    let node = host.node.clone();
    let watch = Watch::start().map_err(Failure::Signals)?;
    host.record(options.flight.as_deref(), &options.args[0])?;
    let looks = Looks::new(&options);
    // A program of Lunatic has no catalogue: it starts its own processes by other rules.
    let app = (!options.lunatic).then(|| Arc::new(ShownApp::new(&node)));
    let seen = app.clone().map(|app| app as Arc<dyn App>);
    let shown = observe::start(&host, options.observe, &options.args[0], seen)?;
    let opened = store::open(&node, options.store.as_deref());
    let (ended, _store) = match opened {
        Err(why) => (Err(why), None),
        Ok(store) => {
            let started = start_program(&options, &bytes, &node, &looks, store.as_ref());
            let ended = started.map(|(catalog, program)| {
                app.iter().for_each(|app| app.set(Some(catalog.clone())));
                shown.iter().for_each(Shown::set_ready);
                watch.guard(&node, program.pid());
                Ending::new(&options.args[0], &program.wait())
            });
            // It holds the store, which is to be closed.
            app.iter().for_each(|app| app.set(None));
            (ended, store)
        }
    };
    // What does not stop in time ends with our process.
    let _ = node.shutdown(STOP_TIME_MAX);
    let kept = looks.write();
    if let Some(status) = watch.status() {
        return kept.map(|()| status);
    }
    let ending = ended?;
    if let Some(text) = &ending.report {
        report::to_stderr(text);
    }
    kept.map(|()| ending.status)
}

pub(super) fn read(program: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |why| Failure::ReadProgram {
        program: program.to_owned(),
        why,
    };
    let mut bytes = Vec::new();
    // One byte more than the limit tells a file at the limit from one beyond it, also an endless one.
    let mut file = File::open(program)
        .map_err(unreadable)?
        .take(PROGRAM_BYTES_MAX + 1);
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > PROGRAM_BYTES_MAX {
        return Err(Failure::ProgramTooLarge {
            program: program.to_owned(),
            bytes_max: PROGRAM_BYTES_MAX,
        });
    }
    Ok(bytes)
}

/// Starts the program, as the one component of a catalogue, so that it can start itself again; the
/// catalogue must be kept as long.
fn start_program(
    options: &RunOptions,
    bytes: &[u8],
    node: &Node,
    looks: &Looks,
    store: Option<&Store>,
) -> Result<(Catalog, JoinHandle), Failure> {
    let load = |why| Failure::Load {
        program: options.program.clone(),
        why,
    };
    let engine = start_engine(node, |cache| engine_config(options, cache))?;
    let module = engine.load_for(options.flavour, bytes).map_err(load)?;
    let entry = options.entry.as_deref();
    let program = Program {
        args: options.args.clone(),
        env: options.env.clone(),
        dirs: options
            .dirs
            .iter()
            .map(|dir| Mount {
                host: dir.host.clone(),
                guest: dir.guest.clone(),
            })
            .collect(),
        memory_bytes_max: options.memory_bytes_max,
        grants: Some(grants(options)),
        ..Program::default()
    };
    let start = |why| Failure::Start {
        program: options.program.clone(),
        why,
    };
    if options.lunatic {
        let prepared = module.prepare_lunatic(entry).map_err(load)?;
        let started = prepared.spawn(node, program).map_err(start)?;
        return Ok((Catalog::new(), started));
    }
    let prepared = module.prepare(entry).map_err(load)?;
    let stem = options.program.file_stem().unwrap_or_default();
    let (name, catalog) = (stem.to_string_lossy(), Catalog::new());
    let component = Spawnable {
        guest: prepared,
        program,
        priority: Priority::Normal,
    };
    catalog.on_log(report::log);
    if let Some(store) = store {
        catalog.set_store(store.clone());
    }
    catalog.put(&name, component).map_err(start)?;
    let ready = looks.into(catalog.ready(&name).map_err(start)?);
    let started = node.spawn_join(move |context| ready.run(context));
    Ok((catalog, started))
}

/// What a program has that is run by hand, and what the flags add.
fn grants(options: &RunOptions) -> Grants {
    let by_hand = Profile::by_hand();
    Grants::new(Profile {
        connect: options.connect.clone(),
        listen: options.listen.clone(),
        // The store is the one that a flag names; without it they are told of the flag.
        kv: Profile::trusted().kv,
        limits: Limits {
            processes_max: options.processes_max,
            ..by_hand.limits
        },
        ..by_hand
    })
}

/// A cache that cannot be used costs time, not the run.
pub(super) fn start_engine(
    node: &Node,
    config: impl Fn(Option<CacheConfig>) -> EngineConfig,
) -> Result<Engine, Failure> {
    let cache = cache::directory(|name| std::env::var_os(name)).map(|dir| CacheConfig {
        dir,
        bytes_max: CACHE_BYTES_MAX,
    });
    match Engine::new(config(cache), &node.handle()) {
        Err(EngineError::CacheDir { .. }) => Engine::new(config(None), &node.handle()),
        started => started,
    }
    .map_err(Failure::Engine)
}

fn engine_config(options: &RunOptions, cache: Option<CacheConfig>) -> EngineConfig {
    let default = EngineConfig::default();
    EngineConfig {
        // The code compiled for one limit serves no other, so the common ones share the default's, and
        // the program itself is held to what was asked.
        memory_bytes_max: options
            .memory_bytes_max
            .map_or(default.memory_bytes_max, |asked| {
                asked.max(default.memory_bytes_max)
            }),
        // Pools for more would have to be made at every start; guests that the program starts go
        // to the dense tier, which is made when the first one does. Programs of Lunatic start many.
        instances_max: if options.lunatic {
            LUNATIC_INSTANCES_MAX
        } else {
            1
        },
        coredumps: options.coredump.is_some(),
        cache,
        ..default
    }
}
