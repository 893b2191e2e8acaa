//! What the laboratory knows: written by the threads that run something, read by whoever looks. The lock is held for
//! copying only.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusm_actor::Node;
use rusm_observe::protocol::{
    Code, Finished, Point, Refusal, Run, RunOrder, RunState, Sweep, SweepOrder, Times,
};

use super::RUNS_KEPT_MAX;
use super::ending::{ended, error, fields, figures, finite, show, unit};
use super::sampler::Look;
use crate::env::Env;
use crate::failure::Failure;
use crate::machine::{COMMIT, Machine};
use crate::report::Report;
use crate::sweep::Plan;
use crate::watch::Watch;

pub(super) struct Shared {
    machine: String,
    state: Mutex<State>,
}

struct State {
    /// The number of the latest run or sweep.
    latest: u64,
    profile: &'static str,
    busy: Option<Busy>,
    run: Option<Run>,
    sweep: Option<Sweep>,
    finished: VecDeque<Finished>,
}

/// What is in progress.
struct Busy {
    watch: Arc<Watch>,
    since: Instant,
    /// Its number, if it is a run: the nodes of a sweep are nobody's to tune.
    run: Option<u64>,
}

impl Shared {
    pub(super) fn new() -> Self {
        let machine = Machine::look();
        Shared {
            machine: format!("{}, {} CPUs", machine.cpu, machine.cores),
            state: Mutex::new(State {
                latest: 0,
                profile: "balanced",
                busy: None,
                run: None,
                sweep: None,
                finished: VecDeque::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin_run(&self, order: &RunOrder, env: &Env) -> Result<u64, Refusal> {
        let mut state = self.lock();
        let id = state.begin(&env.watch, true)?;
        state.run = Some(Run {
            id,
            scenario: env.scenario.name.to_string(),
            settings: order.settings.clone(),
            profile: state.profile.to_string(),
            seed: order.seed,
            state: RunState::Starting,
            elapsed_ms: 0,
            span_ms: env.span.as_millis() as u64,
            alive: 0,
            peak: 0,
            throughput: 0.0,
            unit: unit(env).to_string(),
            latency: Times::default(),
            sides: Vec::new(),
            error: None,
        });
        Ok(id)
    }

    pub(super) fn begin_sweep(&self, order: &SweepOrder, plan: &Plan) -> Result<u64, Refusal> {
        let mut state = self.lock();
        let id = state.begin(&plan.watch, false)?;
        state.sweep = Some(Sweep {
            id,
            scenario: plan.scenario.name.to_string(),
            axes: order.axes.clone(),
            repeats: plan.repeats,
            warmup: plan.warmup,
            seconds: plan.seconds,
            seed: plan.seed,
            state: RunState::Running,
            done: 0,
            total: plan.runs(),
            points: Vec::new(),
            best: None,
            error: None,
        });
        Ok(id)
    }

    /// What was begun could not be.
    pub(super) fn give_up(&self, why: &str) {
        let mut state = self.lock();
        let busy = state.busy.take();
        if busy.is_some_and(|busy| busy.run.is_some()) {
            if let Some(run) = &mut state.run {
                (run.state, run.error) = (RunState::Failed, Some(why.to_string()));
            }
        } else if let Some(sweep) = &mut state.sweep {
            (sweep.state, sweep.error) = (RunState::Failed, Some(why.to_string()));
        }
    }

    /// What a look at the run found.
    pub(super) fn note(&self, look: &Look) {
        let mut state = self.lock();
        if let Some(run) = &mut state.run {
            show(run, look);
        }
    }

    pub(super) fn end_run(
        &self,
        env: &Env,
        outcome: Result<Report, Failure>,
        look: Look,
        series: Vec<(u64, f64)>,
    ) {
        let mut state = self.lock();
        let Some(mut run) = state.run_now() else {
            return;
        };
        state.busy = None;
        show(&mut run, &look);
        let series_unit = run.unit.clone();
        (run.alive, run.state, run.error) = (0, ended(&outcome), error(&outcome));
        let report = outcome.ok();
        if let Some(report) = &report {
            (run.unit, run.throughput) = (report.unit.to_string(), finite(report.value));
        }
        state.run = Some(run.clone());
        let curve = report.as_ref().map(|report| report.curve.clone());
        state.finished.push_front(Finished {
            run,
            value: report.as_ref().map(|report| finite(report.value)),
            figures: report.as_ref().map(figures).unwrap_or_default(),
            curve: curve.filter(|it| !it.is_empty()).unwrap_or(look.curve),
            series,
            series_unit,
            commit: COMMIT.to_string(),
            machine: self.machine.clone(),
            config: fields(look.config.as_ref().unwrap_or(&env.config)),
        });
        state.finished.truncate(RUNS_KEPT_MAX);
    }

    pub(super) fn note_points(&self, points: Vec<Point>, done: u64) {
        if let Some(sweep) = &mut self.lock().sweep {
            (sweep.points, sweep.done) = (points, done);
        }
    }

    pub(super) fn end_sweep(&self, outcome: Result<Option<usize>, Failure>) {
        let mut state = self.lock();
        state.busy = None;
        if let Some(sweep) = &mut state.sweep {
            (sweep.state, sweep.error) = (ended(&outcome), error(&outcome));
            sweep.best = outcome.ok().flatten();
        }
    }

    pub(super) fn stop(&self) {
        let watch = self.lock().busy.as_ref().map(|busy| busy.watch.clone());
        if let Some(watch) = watch {
            watch.stop();
        }
    }

    pub(super) fn profile(&self) -> &'static str {
        self.lock().profile
    }

    pub(super) fn set_profile(&self, name: &'static str) {
        self.lock().profile = name;
    }

    pub(super) fn target(&self) -> Option<(u64, Node)> {
        let state = self.lock();
        let busy = state.busy.as_ref()?;
        Some((busy.run?, busy.watch.node()?.1))
    }

    pub(super) fn run_now(&self) -> Option<Run> {
        self.lock().run_now()
    }

    pub(super) fn sweep_now(&self) -> Option<Sweep> {
        self.lock().sweep.clone()
    }

    pub(super) fn finished(&self) -> Vec<Finished> {
        self.lock().finished.iter().cloned().collect()
    }
}

impl State {
    fn begin(&mut self, watch: &Arc<Watch>, is_run: bool) -> Result<u64, Refusal> {
        if self.busy.is_some() {
            return Err(Refusal::new(
                Code::Busy,
                "the laboratory is running something: stop it, or wait until it is over.",
            ));
        }
        self.latest += 1;
        self.busy = Some(Busy {
            watch: watch.clone(),
            since: Instant::now(),
            run: is_run.then_some(self.latest),
        });
        Ok(self.latest)
    }

    fn run_now(&self) -> Option<Run> {
        let mut run = self.run.clone()?;
        if let Some(busy) = self.busy.as_ref().filter(|busy| busy.run.is_some()) {
            run.elapsed_ms = busy.since.elapsed().as_millis() as u64;
            if busy.watch.node().is_some() {
                run.state = RunState::Running;
            }
            if let Some(progress) = busy.watch.progress() {
                run.unit = progress.unit.to_string();
            }
        }
        Some(run)
    }
}
