//! Every number a scheduler can be tuned by, with the defaults and where they come from.

use std::fmt::Debug;
use std::str::FromStr;
use std::time::Duration;

/// How a scheduler runs. All fields can be swept by name: see [`Config::set`]; some can be changed
/// while it runs: see [`Config::live_fields`].
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Worker threads. Default: the CPUs this program may use (affinity and cgroup limits
    /// count).
    pub workers: usize,
    /// Binds worker `n` to the `n`th CPU. Default: no.
    pub pin_workers: bool,
    /// Reductions in a turn. Default 4,000, as in Erlang. The throughput of pairs is flat from 50
    /// upwards; whoever sends to a thousand others gains a third over 1,000, as each of them
    /// finds several letters in its turn. Lateness grows with it: 40 microseconds a turn of
    /// messages.
    pub budget: u32,
    /// Runs the receiver of a message next, on what is left of the sender's budget.
    pub hand_off: bool,
    /// Runs tasks woken by timers and I/O before others.
    pub urgent_lane: bool,
    /// Urgent tasks in a row before the others get a turn. Default 8.
    pub urgent_run_max: u32,
    /// What a worker keeps its tasks in.
    pub queue: QueueKind,
    /// Tasks a worker claims from its ring at once while nobody is idle. Default 16.
    pub claim: usize,
    /// How much a thief takes.
    pub steal: StealPolicy,
    /// How long a worker looks for work before it sleeps. Default 10 us: a wake-up costs 23 us
    /// on a virtual machine, 5 us of looking hides a request and its reply.
    pub spin: Duration,
    /// Tasks taken from the injector at once, at most. Default 64.
    pub injector_share: usize,
    /// Turns between looks at timers, readiness and the injector. Default 64.
    pub maintain_turns: u32,
    /// Reductions between such looks, should turns be long. Default 2,000.
    pub maintain_reductions: u32,
    /// How often the ticker ticks while somebody runs. Default 1 ms.
    pub tick: Duration,
    /// A turn longer than this costs its thread the worker: a spare goes on. Default 10 ms.
    pub turn_limit: Duration,
    /// Threads that may be stuck in such turns at once. Default 64.
    pub rescue_threads_max: usize,
    /// Threads for blocking work. Default: 16, or four a worker if that is more.
    pub blocking_threads_max: usize,
    /// Jobs that may wait for such a thread. Default 65,536.
    pub blocking_queue_max: usize,
    /// How long an idle thread for blocking work stays. Default 10 s.
    pub blocking_idle_max: Duration,
    /// Notes how long each task runs, since when it waits and where it was started, for those who
    /// ask (`task_info`). Default: no, as it costs a look at the clock for every turn, and 32
    /// bytes a task.
    pub times: bool,
}

impl Default for Config {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Config {
            workers: workers.min(WORKERS_MAX),
            pin_workers: false,
            budget: 4000,
            hand_off: true,
            urgent_lane: true,
            urgent_run_max: 8,
            queue: QueueKind::Ring,
            claim: CLAIM_MAX,
            steal: StealPolicy::Half,
            spin: Duration::from_micros(10),
            injector_share: 64,
            maintain_turns: 64,
            maintain_reductions: 2000,
            tick: Duration::from_millis(1),
            turn_limit: Duration::from_millis(10),
            rescue_threads_max: 64,
            blocking_threads_max: 16.max(4 * workers),
            blocking_queue_max: 65_536,
            blocking_idle_max: Duration::from_secs(10),
            times: false,
        }
    }
}

/// Workers of one scheduler.
pub const WORKERS_MAX: usize = 254;
/// Tasks a worker may claim from its ring at once.
pub(crate) const CLAIM_MAX: usize = 16;

/// What a worker keeps its runnable tasks in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// A bounded ring from which the owner claims several tasks at once.
    Ring,
    /// `crossbeam-deque`'s FIFO worker: an exchange for each task.
    Deque,
    /// A private queue; half of it is given away when somebody searches.
    Fifo,
    /// Any order: what the simulation uses.
    Shuffled,
}

/// How much of a victim's queue a thief takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StealPolicy {
    /// Half of it, 128 tasks at most.
    Half,
    /// One task.
    One,
    /// Nothing: work stays where it was queued.
    Off,
}

/// Who goes first. None of the three can starve another for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Priority {
    /// As others.
    #[default]
    Normal = 0,
    /// Before all normal tasks, eight turns in a row at most.
    High = 1,
    /// When nothing else is to do, and every 32nd turn.
    Low = 2,
}

macro_rules! fields {
    ($($field:ident),* $(,)?) => {
        /// The names `set` knows.
        pub fn fields() -> &'static [&'static str] {
            &[$(stringify!($field)),*]
        }

        /// Sets a field by its name, as a sweep does. Durations are in microseconds, kinds are
        /// written in lower case.
        ///
        /// # Errors
        /// A sentence, when there is no such field or the value does not fit it.
        pub fn set(&mut self, field: &str, value: &str) -> Result<(), String> {
            match field {
                $(stringify!($field) => self.$field = Value::parse(value)
                    .ok_or_else(|| format!("`{value}` is no value for `{field}`"))?,)*
                _ => return Err(format!(
                    "there is no field `{field}`; there are {}", Self::fields().join(", "))),
            }
            Ok(())
        }

        /// A field's value in the form `set` takes; empty when there is no such field.
        pub fn get(&self, field: &str) -> String {
            match field {
                $(stringify!($field) => self.$field.print(),)*
                _ => String::new(),
            }
        }
    };
}

impl Config {
    fields!(
        workers,
        pin_workers,
        budget,
        hand_off,
        urgent_lane,
        urgent_run_max,
        queue,
        claim,
        steal,
        spin,
        injector_share,
        maintain_turns,
        maintain_reductions,
        tick,
        turn_limit,
        rescue_threads_max,
        blocking_threads_max,
        blocking_queue_max,
        blocking_idle_max,
        times,
    );

    /// What is wrong with it, if anything.
    ///
    /// # Errors
    /// A sentence, for the first field that no scheduler can be started with.
    pub fn check(&self) -> Result<(), String> {
        let at_least_one = [
            ("workers", self.workers),
            ("budget", self.budget as usize),
            ("claim", self.claim),
            ("injector_share", self.injector_share),
            ("maintain_turns", self.maintain_turns as usize),
            ("maintain_reductions", self.maintain_reductions as usize),
            ("tick", self.tick.as_micros() as usize),
            ("blocking_threads_max", self.blocking_threads_max),
        ];
        if let Some((name, _)) = at_least_one.iter().find(|(_, value)| *value == 0) {
            return Err(format!("`{name}` is 0; it must be at least 1"));
        }
        if self.workers > WORKERS_MAX {
            return Err(format!("`workers` is more than {WORKERS_MAX}"));
        }
        if self.claim > CLAIM_MAX {
            return Err(format!("`claim` is more than {CLAIM_MAX}"));
        }
        Ok(())
    }
}

/// A field's type as text.
trait Value: Sized {
    fn parse(text: &str) -> Option<Self>;
    fn print(&self) -> String;
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn parse(text: &str) -> Option<Self> {
                <$type>::from_str(text).ok()
            }
            fn print(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

plain!(usize, u32, bool);

impl Value for Duration {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Duration::from_micros)
    }

    fn print(&self) -> String {
        self.as_micros().to_string()
    }
}

fn one_of<T: Copy + Debug>(all: &[T], text: &str) -> Option<T> {
    all.iter().copied().find(|it| named(it) == text)
}

fn named(value: &impl Debug) -> String {
    format!("{value:?}").to_lowercase()
}

impl Value for QueueKind {
    fn parse(text: &str) -> Option<Self> {
        one_of(&[QueueKind::Ring, QueueKind::Deque, QueueKind::Fifo], text)
    }

    fn print(&self) -> String {
        named(self)
    }
}

impl Value for StealPolicy {
    fn parse(text: &str) -> Option<Self> {
        one_of(
            &[StealPolicy::Half, StealPolicy::One, StealPolicy::Off],
            text,
        )
    }

    fn print(&self) -> String {
        named(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_can_be_set_to_what_it_prints() {
        let mut config = Config::default();
        for field in Config::fields() {
            let text = config.get(field);
            assert_eq!(config.set(field, &text), Ok(()), "{field}={text}");
        }
        assert_eq!(config, Config::default());
    }

    #[test]
    fn a_wrong_field_or_value_is_refused_with_a_sentence() {
        let mut config = Config::default();
        assert_eq!(
            config.set("budget", "many"),
            Err("`many` is no value for `budget`".to_string())
        );
        assert!(
            config
                .set("colour", "1")
                .is_err_and(|text| text.contains("there is no field"))
        );
    }

    #[test]
    fn a_scheduler_without_workers_is_refused() {
        let config = Config {
            workers: 0,
            ..Config::default()
        };
        assert!(
            config
                .check()
                .is_err_and(|text| text.contains("`workers` is 0"))
        );
    }
}
