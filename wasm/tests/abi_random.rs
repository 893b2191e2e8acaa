//! Random calls of the flat functions, for a second, or as long as `RUSM_FUZZ_SECONDS` says; each run
//! prints its seed, and `RUSM_FUZZ_SEED` repeats it. `fuzz/` tries the same with coverage.

#[path = "../fuzz/abi.rs"]
mod abi;

#[path = "support/scripts.rs"]
mod scripts;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use rusm_actor::ExitReason;

/// SplitMix64: enough for inputs.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number that a guest might say: any, one near a boundary, a place in its memory, or its own
    /// few.
    fn number(&mut self) -> u64 {
        let near = [0, 1 << 16, 1 << 31, 1 << 32, u64::MAX, 1 << 20][self.next() as usize % 6];
        match self.next() % 64 {
            0 => self.next(),
            1 | 2 => near_by(near, self.next()),
            3..16 => self.next() % 60_000,
            16..24 => self.next() % 8,
            // A name that lies there.
            24..32 => 64,
            32..40 => 1,
            _ => self.next() % 256,
        }
    }

    fn input(&mut self) -> Vec<u8> {
        if self.next().is_multiple_of(2) {
            return self.script();
        }
        let calls = 1 + self.next() % 24;
        let mut input = Vec::new();
        for _ in 0..calls {
            self.call(&mut input);
        }
        input
    }

    fn call(&mut self, input: &mut Vec<u8>) {
        input.push(self.next() as u8);
        (0..abi::NUMBERS).for_each(|_| input.extend_from_slice(&self.number().to_le_bytes()));
    }

    /// Calls that make sense one after the other, of which some are left out or say something else, and
    /// some others come between.
    fn script(&mut self) -> Vec<u8> {
        let script = scripts::ALL[self.next() as usize % scripts::ALL.len()];
        let mut input = Vec::new();
        for (name, numbers) in script {
            match self.next() % 16 {
                0 => continue,
                1 => self.call(&mut input),
                _ => {}
            }
            input.push(number_of(name));
            let wrong = self.next() as usize % (abi::NUMBERS * 4);
            for place in 0..abi::NUMBERS {
                let number = numbers.get(place).copied().unwrap_or_default();
                let number = if place == wrong {
                    self.number()
                } else {
                    number
                };
                input.extend_from_slice(&number.to_le_bytes());
            }
        }
        input
    }
}

fn number_of(function: &str) -> u8 {
    let known = abi::FUNCTIONS
        .iter()
        .position(|(name, ..)| *name == function);
    known.expect("it is in the table") as u8
}

fn near_by(number: u64, by: u64) -> u64 {
    number.wrapping_add(by % 65).wrapping_sub(32)
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_call_of_a_script_is_done() {
    let target = abi::Target::new();
    for script in scripts::ALL {
        let mut input = Vec::new();
        for (name, numbers) in *script {
            for (function, numbers) in [(number_of(name), *numbers), (abi::DONE as u8, &[])] {
                input.push(function);
                let numbers = (0..abi::NUMBERS).map(|place| numbers.get(place).unwrap_or(&0));
                numbers.for_each(|number| input.extend_from_slice(&number.to_le_bytes()));
            }
            let reason = target.run_for(&input, abi::PATIENCE);
            assert_eq!(reason, ExitReason::Normal, "{name}");
        }
    }
}

#[test]
fn whatever_a_guest_says_the_host_goes_on() {
    let seconds = from_environment("RUSM_FUZZ_SECONDS").unwrap_or(1);
    let any = || RandomState::new().hash_one(0);
    let seed = from_environment("RUSM_FUZZ_SEED").unwrap_or_else(any);
    println!("RUSM_FUZZ_SEED={seed}");
    let (mut random, target) = (Random(seed), abi::Target::new());
    let (began, mut ends) = (Instant::now(), BTreeMap::<_, u64>::new());
    while began.elapsed() < Duration::from_secs(seconds) {
        let end = match target.run(&random.input()) {
            ExitReason::Trap(_) => "trapped",
            ExitReason::Normal => "returned",
            ExitReason::Killed => "killed",
            _ => "ended otherwise",
        };
        *ends.entry(end).or_default() += 1;
    }
    println!("{} inputs: {ends:?}", ends.values().sum::<u64>());
    assert!(
        ends.contains_key("trapped") && ends.contains_key("returned"),
        "{ends:?}"
    );
}
