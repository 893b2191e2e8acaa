//! One run from its start to its end, on the calling thread; looked at from another.

use std::sync::{Arc, mpsc};
use std::thread;

use super::sampler::Sampler;
use super::shared::Shared;
use crate::env::Env;
use crate::failure::Failure;

pub(super) fn carry_out(shared: &Arc<Shared>, env: &Env) {
    let sampler = Sampler::new(env.watch.clone(), env.scenario.is_storm());
    let (running, over) = mpsc::channel();
    let told = shared.clone();
    let sampling = thread::Builder::new().name("rusm-sampler".into());
    let sampling = sampling.spawn(move || sampler.run(&over, |look| told.note(look)));
    let outcome = Failure::contain(|| (env.scenario.run)(env));
    drop(running);
    // Without a thread for it, nobody has looked.
    let sampler = sampling.ok().and_then(|thread| thread.join().ok());
    let (look, series) = sampler.map(Sampler::end).unwrap_or_default();
    shared.end_run(env, outcome, look, series);
}
