//! `rusm run` of an app: the folder of a rusm.toml, from its manifest to its last resident.

mod components;
mod residents;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rusm::manifest::{MANIFEST_BYTES_MAX, MANIFEST_FILE, Manifest};
use rusm_actor::Pid;
use rusm_actor::supervisor::set_supervisor_sink;
use rusm_io::kv::Store;
use rusm_sched::Config;

use crate::error::{AppFailure, Failure};
use crate::host::{self, Host};
use crate::observe::{self, Shown};
use crate::report;
use crate::signal::Watch;
use crate::store;

use super::shown::ShownApp;

/// What it takes to end those who did not stop in time, before we end anyway.
const KILL_TIME: Duration = Duration::from_secs(3);

/// What the app's own thread waits for.
enum Event {
    /// All residents have ended, or a supervisor of the app has given up.
    Ended,
    /// A supervisor allows no more restarts.
    GaveUp(Pid),
    /// A resident that is not started again has failed.
    Failed,
    /// Somebody wants us to stop.
    Signal,
}

/// How an app is run.
pub(super) struct AppOptions<'a> {
    pub(super) folder: &'a Path,
    pub(super) workers: Option<usize>,
    /// Where the node is shown.
    pub(super) observe: Option<SocketAddr>,
    /// Where a crash of the node is told.
    pub(super) flight: Option<&'a Path>,
    /// Time the turns of processes.
    pub(super) times: bool,
}

/// Runs an app to its end; the answer is the status of our process.
pub(super) fn run(options: &AppOptions<'_>) -> Result<u8, Failure> {
    let manifest = read(options.folder)?;
    let name = name(options.folder);
    let config = Config {
        times: options.times,
        ..host::config(options.workers.or(manifest.node.workers))
    };
    // The node comes before the watch, as for a program.
    let mut host = Host::start(config)?;
    let node = host.node.clone();
    let watch = Watch::start().map_err(Failure::Signals)?;
    host.record(options.flight, &name)?;
    let app = Arc::new(ShownApp::new(&node));
    let shown = observe::start(&host, options.observe, &name, Some(app.clone()))?;
    let opened = store::open(&node, manifest.node.store.as_deref());
    let (ended, _store) = match opened {
        Ok(store) => {
            let ready = || shown.iter().for_each(Shown::set_ready);
            let ended = run_on(&manifest, &host, &watch, store.as_ref(), &app, ready);
            // It holds the store, which is to be closed.
            app.set(None);
            (ended, store)
        }
        Err(why) => (Err(why), None),
    };
    let stopped = node.stop(manifest.node.stop_time_max);
    for waiting in &stopped.killed {
        report::event(&format!(
            "warn app killed, it did not stop in time: {waiting}"
        ));
    }
    if let Some(status) = watch.status() {
        return Ok(status);
    }
    let failed = ended?;
    Ok(u8::from(failed))
}

/// What people call the app: its folder.
fn name(folder: &Path) -> String {
    let whole = folder.canonicalize();
    let whole = whole.as_deref().unwrap_or(folder);
    let last = whole.file_name().unwrap_or_default();
    last.to_string_lossy().into_owned()
}

/// Runs the residents until they have ended or have to. True: something of it has failed.
fn run_on(
    manifest: &Manifest,
    host: &Host,
    watch: &Watch,
    store: Option<&Store>,
    app: &ShownApp,
    started: impl FnOnce(),
) -> Result<bool, Failure> {
    let node = &host.node;
    let catalog = components::load(manifest, node)?;
    if let Some(store) = store {
        catalog.set_store(store.clone());
    }
    let (tell, events) = channel();
    let to_sink = tell.clone();
    let (level, told) = (manifest.log_level, residents::Told::new(manifest));
    set_supervisor_sink(move |done| {
        report::supervised(level, told.supervisor_of(&done.child), done);
        if let Some(event) = told.event_of(done) {
            let _ = to_sink.send(event);
        }
    });
    let signalled = tell.clone();
    watch.stop_by(manifest.node.stop_time_max + KILL_TIME, move || {
        let _ = signalled.send(Event::Signal);
    });
    let top = residents::supervisor(manifest, &catalog);
    let top = node
        .start_supervisor(top)
        .map_err(|why| AppFailure::Residents(why.to_string()))?;
    app.set(Some(catalog));
    started();
    let roots = residents::roots(node, top);
    // Watched from a process of its own, which outlives the supervisor.
    node.spawn(move |mut ctx| async move {
        ctx.monitor(top.pid());
        let _ = ctx.receive().await;
        let _ = tell.send(Event::Ended);
    });
    let gave_up = |supervisor| {
        host.crashed(&format!("supervisor {supervisor} of the app has given up"));
    };
    Ok(wait(&events, &roots, gave_up))
}

/// Waits for the end of the app. True: something of it has failed.
fn wait(events: &Receiver<Event>, roots: &[Pid], gave_up: impl FnOnce(Pid)) -> bool {
    let mut failed = false;
    while let Ok(event) = events.recv() {
        match event {
            Event::Failed => failed = true,
            Event::GaveUp(supervisor) if roots.contains(&supervisor) => {
                gave_up(supervisor);
                return true;
            }
            // The one above it knows what to do.
            Event::GaveUp(_) => {}
            Event::Ended | Event::Signal => break,
        }
    }
    failed
}

/// The app in a folder.
pub(super) fn read(folder: &Path) -> Result<Manifest, AppFailure> {
    // Paths of the current folder read better without a dot before them.
    let inside = match folder == Path::new(".") {
        true => Path::new(""),
        false => folder,
    };
    let file = inside.join(MANIFEST_FILE);
    let unreadable = |why: String| AppFailure::ReadManifest {
        file: file.clone(),
        why,
    };
    let mut text = String::new();
    match File::open(&file) {
        Ok(open) => {
            let mut open = open.take(MANIFEST_BYTES_MAX + 1);
            let read = open.read_to_string(&mut text);
            read.map_err(|why| unreadable(why.to_string()))?;
        }
        Err(why) if why.kind() == ErrorKind::NotFound => {
            return Err(AppFailure::NoManifest(folder.to_owned()));
        }
        Err(why) => return Err(unreadable(why.to_string())),
    }
    if text.len() as u64 > MANIFEST_BYTES_MAX {
        let max = MANIFEST_BYTES_MAX >> 20;
        return Err(unreadable(format!("it is larger than {max} MiB")));
    }
    Manifest::read(&text, inside).map_err(|mistakes| AppFailure::Manifest { file, mistakes })
}
