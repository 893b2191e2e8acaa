//! The part of the configuration that may change while a scheduler runs: one atomic a field.
//!
//! Values are read and written relaxed: each stands for itself, and nothing else is published with it. Who
//! reads one a moment late acts as before for that moment.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::clock::to_nanos;
use crate::config::{Config, StealPolicy};

macro_rules! live {
    ($($field:ident: $cell:ty => $value:ty),* $(,)?) => {
        /// The present values.
        pub(crate) struct Tuning {
            $($field: $cell,)*
        }

        impl Tuning {
            pub(crate) fn new(config: &Config) -> Self {
                Tuning { $($field: <$cell>::holding(config.$field),)* }
            }

            $(#[inline(always)]
            pub(crate) fn $field(&self) -> $value {
                self.$field.get()
            })*

            /// Puts the present values into `config`.
            pub(crate) fn read_into(&self, config: &mut Config) {
                $(config.$field = self.$field();)*
            }

            /// Takes one field's value over from `config`; false when the field is not live.
            #[must_use]
            fn take_over(&self, field: &str, config: &Config) -> bool {
                match field {
                    $(stringify!($field) => self.$field.put(config.$field),)*
                    _ => return false,
                }
                true
            }
        }

        impl Config {
            /// The names that [`Handle::set_live`](crate::Handle::set_live) knows. The other
            /// fields stay what they were at the start.
            pub fn live_fields() -> &'static [&'static str] {
                &[$(stringify!($field)),*]
            }
        }
    };
}

live!(
    budget: AtomicU32 => u32,
    hand_off: AtomicBool => bool,
    urgent_lane: AtomicBool => bool,
    urgent_run_max: AtomicU32 => u32,
    claim: AtomicUsize => usize,
    steal: Policy => StealPolicy,
    spin: Span => Duration,
    injector_share: AtomicUsize => usize,
    maintain_turns: AtomicU32 => u32,
    maintain_reductions: AtomicU32 => u32,
    tick: Span => Duration,
    turn_limit: Span => Duration,
);

impl Tuning {
    /// Changes one field of what `present` says, by name. A sentence, and no change, when that
    /// makes no sense.
    pub(crate) fn set(&self, mut present: Config, field: &str, value: &str) -> Result<(), String> {
        let (before, live) = (present.get(field), Config::live_fields());
        let known = Config::fields().contains(&field);
        if known && !live.contains(&field) {
            let live = live.join(", ");
            return Err(format!(
                "`{field}` is fixed once a scheduler runs, and stays {before}. What can be changed is {live}"
            ));
        }
        let checked = present.set(field, value).and_then(|()| present.check());
        checked.map_err(|why| {
            if known {
                format!("{why}; it stays {before}")
            } else {
                why
            }
        })?;
        let taken = self.take_over(field, &present);
        debug_assert!(taken, "a field that `Config` does not know was refused");
        Ok(())
    }
}

/// An atomic that holds a field's type.
trait Holds<T> {
    fn holding(value: T) -> Self;
    fn get(&self) -> T;
    fn put(&self, value: T);
}

macro_rules! plain {
    ($($cell:ty => $value:ty),* $(,)?) => {$(
        impl Holds<$value> for $cell {
            fn holding(value: $value) -> Self {
                <$cell>::new(value)
            }

            #[inline(always)]
            fn get(&self) -> $value {
                self.load(Ordering::Relaxed)
            }

            fn put(&self, value: $value) {
                self.store(value, Ordering::Relaxed);
            }
        }
    )*};
}

plain!(AtomicU32 => u32, AtomicUsize => usize, AtomicBool => bool);

/// A duration, in nanoseconds; more than 584 years count as that.
struct Span(AtomicU64);

impl Holds<Duration> for Span {
    fn holding(value: Duration) -> Self {
        Span(AtomicU64::new(to_nanos(value)))
    }

    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn put(&self, value: Duration) {
        self.0.store(to_nanos(value), Ordering::Relaxed);
    }
}

struct Policy(AtomicU8);

const POLICIES: [StealPolicy; 3] = [StealPolicy::Half, StealPolicy::One, StealPolicy::Off];

fn number(policy: StealPolicy) -> u8 {
    match policy {
        StealPolicy::Half => 0,
        StealPolicy::One => 1,
        StealPolicy::Off => 2,
    }
}

impl Holds<StealPolicy> for Policy {
    fn holding(value: StealPolicy) -> Self {
        Policy(AtomicU8::new(number(value)))
    }

    fn get(&self) -> StealPolicy {
        POLICIES[usize::from(self.0.load(Ordering::Relaxed))]
    }

    fn put(&self, value: StealPolicy) {
        self.0.store(number(value), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `Tuning` makes of a default configuration after one change.
    fn after(field: &str, value: &str) -> Result<Config, String> {
        let mut config = Config::default();
        let tuning = Tuning::new(&config);
        tuning.set(config.clone(), field, value)?;
        tuning.read_into(&mut config);
        Ok(config)
    }

    #[test]
    fn each_live_field_takes_a_new_value_and_leaves_the_others_alone() {
        let values = [
            "7", "false", "false", "3", "5", "one", "77", "9", "11", "13", "5000", "70000",
        ];
        for (field, value) in Config::live_fields().iter().zip(values) {
            let mut expected = Config::default();
            assert_ne!(expected.get(field), value, "{field}");
            expected.set(field, value).expect("it fits");
            assert_eq!(after(field, value), Ok(expected), "{field}");
        }
        assert_eq!(Config::live_fields().len(), values.len());
    }

    #[test]
    fn every_policy_is_kept() {
        for policy in POLICIES {
            assert_eq!(Policy::holding(policy).get(), policy);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_sentence() {
        for (field, value, sentence) in [
            ("colour", "1", "there is no field `colour`; there are"),
            ("queue", "fifo", "`queue` is fixed once a scheduler runs"),
            ("workers", "3", "What can be changed is budget, hand_off"),
            (
                "budget",
                "many",
                "`many` is no value for `budget`; it stays 4000",
            ),
            (
                "budget",
                "0",
                "`budget` is 0; it must be at least 1; it stays",
            ),
            ("budget", "-1", "`-1` is no value for `budget`"),
            ("claim", "17", "`claim` is more than 16; it stays 16"),
            ("tick", "0", "`tick` is 0"),
            (
                "steal",
                "all",
                "`all` is no value for `steal`; it stays half",
            ),
        ] {
            let refused = after(field, value).expect_err(field);
            assert!(refused.contains(sentence), "{refused}");
        }
    }
}
