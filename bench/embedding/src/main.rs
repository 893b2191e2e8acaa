//! A command component run over and over by wasmtime with its default settings, as its
//! documentation shows it: no pool, a new store and instance for each run, stdout thrown away.
//!
//! `default-embedding FILE [THREADS] [SECONDS]` prints runs a second.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::p2::bindings::sync::{Command, CommandPre};
use wasmtime_wasi::p2::pipe::SinkOutputStream;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

fn once(engine: &Engine, command: &CommandPre<State>) -> Result<()> {
    let wasi = WasiCtx::builder().stdout(SinkOutputStream).build();
    let table = ResourceTable::new();
    let mut store = Store::new(engine, State { wasi, table });
    let command: Command = command.instantiate(&mut store)?;
    let ended = command.wasi_cli_run().call_run(&mut store)?;
    assert!(ended.is_ok(), "the command failed");
    Ok(())
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let file = words.next().expect("FILE");
    let threads: usize = words.next().map_or(2, |word| word.parse().expect("THREADS"));
    let seconds = words.next().map_or(2, |word| word.parse().expect("SECONDS"));
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    let component = Component::from_file(&engine, file)?;
    let command = CommandPre::new(linker.instantiate_pre(&component)?)?;
    let (runs, start) = (AtomicU64::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while start.elapsed() < Duration::from_secs(seconds) {
                    once(&engine, &command).expect("it runs");
                    runs.fetch_add(1, Relaxed);
                }
            });
        }
    });
    let rate = runs.load(Relaxed) as f64 / start.elapsed().as_secs_f64();
    println!("{rate:.0} runs/s on {threads} threads");
    Ok(())
}
