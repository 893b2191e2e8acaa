//! Erlang's rules, held against random programs: a small model says of each run whether it may
//! have gone like that.
//!
//! A failure prints the smallest program found that fails, with its seed and its history.
//! `PROPTEST_CASES` says how many programs, `PROPTEST_RNG_SEED` which.

mod properties {
    pub(crate) mod branch;
    pub(crate) mod history;
    pub(crate) mod laws;
    pub(crate) mod model;
    pub(crate) mod player;
    pub(crate) mod program;
    pub(crate) mod rules;
    pub(crate) mod run;
    pub(crate) mod times;
}

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use properties::program::{Program, program};
use properties::{laws, model, run};

/// Orders in which a program is tried once it, or a larger one, has failed. Whatever is left out
/// of a program changes its order, and what fails is to be found again in the smaller one.
const ORDERS_AFTER_FAILURE: u64 = 64;

/// Tries programs until one fails; panics with the smallest that does.
fn for_programs(check: impl Fn(&Program, u64) -> Result<(), String>) {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one(0_u8));
    }
    let (seed, orders) = (config.rng_seed, Cell::new(1));
    let tried = TestRunner::new(config).run(&program(), |program| {
        let seeds = (0..orders.get()).map(|order| program.seed.wrapping_add(order));
        let mut wrongs = seeds.filter_map(|seed| {
            let wrong = check(&program, seed).err()?;
            Some(format!("with the simulation's seed {seed}: {wrong}"))
        });
        let Some(wrong) = wrongs.next() else {
            return Ok(());
        };
        orders.set(ORDERS_AFTER_FAILURE);
        Err(TestCaseError::fail(wrong))
    });
    match tried {
        Ok(()) => {}
        Err(TestError::Fail(why, program)) => panic!("PROPTEST_RNG_SEED={seed}, {why}\n{program}"),
        Err(failure) => panic!("PROPTEST_RNG_SEED={seed}: {failure}"),
    }
}

#[test]
fn whatever_a_program_does_goes_as_the_rules_say() {
    for_programs(|program, seed| {
        let run = run::run(program, seed);
        if let Err((at, wrong)) = model::check(&run, program.scripts.len()) {
            return Err(format!("{wrong}\nthe history:\n{}", run.cut(at)));
        }
        laws::check(&run).map_err(|wrong| format!("{wrong}\nthe history:\n{run}"))
    });
}

#[test]
fn a_seed_repeats_its_run_event_by_event() {
    for_programs(|program, seed| {
        let (first, second) = (run::run(program, seed), run::run(program, seed));
        if first == second {
            return Ok(());
        }
        Err(format!("one run:\n{first}\nthe other:\n{second}"))
    });
}
