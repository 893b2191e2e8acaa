//! What it costs hot code that it can be stopped: a tight loop, a recursion and a sieve, as processes of ours, and on
//! bare wasmtime with the same settings for code: without any means to stop it, with epochs, with fuel. The variants
//! take turns, and each counts with its fastest run.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rusm_actor::{ExitReason, Node};
use rusm_wasm::Prepared;
use wasmtime::{Config, Engine, Instance, Module, Store, TypedFunc, UpdateDeadline};

use super::guest::{engine, prepare};
use super::{Scenario, choice};
use crate::env::Env;
use crate::failure::Failure;
use crate::report::Report;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "preempt-cost",
    workload: "preempt_cost",
    about: "hot loops as processes, and on bare wasmtime plain, with epochs and with fuel; microseconds and percent",
    choices: &[choice(
        "size",
        "100",
        "how much work a run is; about 20 ms at 100",
    )],
    small: &[("size", "1")],
    run,
};

/// How often an epoch ends.
const TICK: Duration = Duration::from_millis(1);

/// How long one run may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Name, functions besides `run`, and its body for one unit of work.
const PROGRAMS: [(&str, &str, &str); 3] = [
    (
        "tight",
        "",
        "(local.set $n (i32.const 400000))
         (loop $more
           (global.set $kept (i64.add (i64.mul (global.get $kept) (i64.const 25214903917)) (i64.const 11)))
           (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))",
    ),
    (
        "fib",
        "(func $fib (param i32) (result i32)
           (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
             (then (local.get 0))
             (else (i32.add
               (call $fib (i32.sub (local.get 0) (i32.const 1)))
               (call $fib (i32.sub (local.get 0) (i32.const 2)))))))",
        "(global.set $kept (i64.extend_i32_u (call $fib (i32.const 22))))",
    ),
    (
        "sieve",
        "",
        "(memory.fill (i32.const 0) (i32.const 0) (i32.const 65536))
         (local.set $n (i32.const 2))
         (loop $next
           (if (i32.eqz (i32.load8_u (local.get $n)))
             (then
               (local.set $at (i32.mul (local.get $n) (local.get $n)))
               (if (i32.lt_u (local.get $at) (i32.const 65536))
                 (then (loop $cross
                   (i32.store8 (local.get $at) (i32.const 1))
                   (br_if $cross (i32.lt_u
                     (local.tee $at (i32.add (local.get $at) (local.get $n))) (i32.const 65536))))))))
           (br_if $next (i32.lt_u
             (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 65536))))",
    ),
];

fn module(functions: &str, unit: &str, size: u64) -> String {
    format!(
        r#"(module (memory 1) (global $kept (export "kept") (mut i64) (i64.const 1)) {functions}
             (func (export "run") (local $left i32) (local $n i32) (local $at i32)
               (local.set $left (i32.const {size}))
               (loop $again {unit}
                 (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))"#
    )
}

/// How bare wasmtime stops code. Somebody raises the epoch every millisecond, as in our engines: in
/// recursions that costs as much as the checks.
#[derive(Clone, Copy)]
enum Means {
    Plain,
    Epoch,
    Fuel,
}

const MEANS: [(&str, Means); 3] = [
    ("plain", Means::Plain),
    ("epoch", Means::Epoch),
    ("fuel", Means::Fuel),
];

/// A program that is ready to run, without a process around it.
struct Bare {
    store: Store<()>,
    entry: TypedFunc<(), ()>,
}

impl Bare {
    fn new(text: &str, means: Means) -> wasmtime::Result<Self> {
        let mut settings = Config::new();
        // As our own code for spawning has it.
        settings
            .signals_based_traps(false)
            .memory_guard_size(0)
            .memory_reservation(64 << 20)
            .memory_reservation_for_growth(0)
            .memory_may_move(false)
            .epoch_interruption(matches!(means, Means::Epoch))
            .consume_fuel(matches!(means, Means::Fuel));
        let engine = Engine::new(&settings)?;
        let module = Module::new(&engine, wat::parse_str(text)?)?;
        let mut store = Store::new(&engine, ());
        match means {
            Means::Plain => {}
            Means::Epoch => {
                store.set_epoch_deadline(1);
                store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(1)));
            }
            Means::Fuel => store.set_fuel(u64::MAX)?,
        }
        let instance = Instance::new(&mut store, &module, &[])?;
        let entry = instance.get_typed_func(&mut store, "run")?;
        Ok(Self { store, entry })
    }

    fn run(&mut self) -> wasmtime::Result<Duration> {
        let engine = self.store.engine().clone();
        let (ended, end) = mpsc::channel::<()>();
        let ticker = thread::spawn(move || {
            while end.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        });
        let start = Instant::now();
        self.entry.call(&mut self.store, ())?;
        let lasted = start.elapsed();
        drop(ended);
        ticker.join().expect("a ticker does not panic");
        Ok(lasted)
    }
}

/// The same as a process; timed by the process around it.
fn process(node: &Node, guest: &Prepared) -> Result<Duration, Failure> {
    let (nanos, guest) = (Arc::new(AtomicU64::new(0)), guest.clone());
    let told = nanos.clone();
    let process = node.spawn_join(move |ctx| async move {
        let start = Instant::now();
        let reason = guest.run_pure(ctx).await;
        told.store(start.elapsed().as_nanos() as u64, Relaxed);
        reason
    });
    match process.wait_for(PATIENCE) {
        Some(ExitReason::Normal) => Ok(Duration::from_nanos(nanos.load(Relaxed))),
        other => Err(Failure::guest(format!("the guest ended: {other:?}"))),
    }
}

fn run(env: &Env) -> Result<Report, Failure> {
    let (size, start, mut rounds) = (env.positive("size")?, Instant::now(), 0);
    let node = Node::start(env.config.clone())?;
    let _shown = env.watch.show(&node);
    let ours = engine(&node, 4)?;
    let mut programs = Vec::new();
    for (_, functions, unit) in PROGRAMS {
        let text = module(functions, unit, size);
        let mut bare = Vec::new();
        for (_, means) in MEANS {
            bare.push(Bare::new(&text, means).map_err(Failure::guest)?);
        }
        programs.push((prepare(&ours, &text)?, bare));
    }
    let mut best = [[Duration::MAX; MEANS.len() + 1]; PROGRAMS.len()];
    while env.goes_on(start)? || rounds == 0 {
        for ((guest, bare), best) in programs.iter_mut().zip(&mut best) {
            best[0] = best[0].min(process(&node, guest)?);
            for (bare, best) in bare.iter_mut().zip(&mut best[1..]) {
                *best = (*best).min(bare.run().map_err(Failure::guest)?);
            }
        }
        rounds += 1;
    }
    let mut report = Report::rate(rounds, start.elapsed(), "rounds/s");
    for ((program, ..), best) in PROGRAMS.iter().zip(best) {
        let names = ["rusm"].into_iter().chain(MEANS.map(|(name, _)| name));
        let plain = best[1].as_secs_f64();
        for (name, time) in names.zip(best) {
            let (secs, key) = (time.as_secs_f64(), format!("{program}_{name}"));
            report = report
                .with(&format!("{key}_us"), secs * 1e6)
                .with(&format!("{key}_pct"), secs * 100.0 / plain);
        }
    }
    Ok(report)
}
