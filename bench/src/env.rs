//! What a scenario is run with: the node's configuration, the time it has and what the user chose; and how its
//! driver is run so that no run lasts for ever.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusm_actor::{Context, ExitReason, Node};
use rusm_sched::Config;

use crate::args::{self, Setting};
use crate::failure::Failure;
use crate::gather::Tally;
use crate::replay::Saving;
use crate::scenario::{Scenario, WORKERS};
use crate::watch::Watch;

/// The longest time a user may ask a scenario to run.
pub(crate) const SECONDS_MAX: f64 = 3600.0;

/// What a run may take beyond the time it was given, before it is given up.
const EXTRA_MAX: Duration = Duration::from_secs(60);

/// Of anything that a scenario counts: far beyond any machine, and no size of it overflows.
pub(crate) const NUMBER_MAX: u64 = 1_000_000_000;

/// How long a run that was stopped goes on before it is noticed.
const STOP_EVERY: Duration = Duration::from_millis(20);

/// What a node may take to stop.
pub(crate) const STOP_MAX: Duration = Duration::from_secs(10);

/// The settings of one run.
pub(crate) struct Env {
    pub(crate) config: Config,
    pub(crate) span: Duration,
    /// Who looks at the run, and may stop it.
    pub(crate) watch: Arc<Watch>,
    pub(crate) saving: Saving,
    pub(crate) scenario: &'static Scenario,
    chosen: BTreeMap<&'static str, String>,
}

impl Env {
    /// Sorts the settings into the time (`secs`), the scenario's own choices and fields of the
    /// configuration (`cores` is another name for `workers`). Anything else is misuse.
    pub(crate) fn new(scenario: &'static Scenario, settings: &[Setting]) -> Result<Self, Failure> {
        let mut env = Env {
            config: Config::default(),
            span: Duration::from_secs(3),
            watch: Arc::default(),
            saving: Saving::default(),
            scenario,
            chosen: BTreeMap::new(),
        };
        for (key, value) in settings {
            env.set(key, value)?;
        }
        env.config.check().map_err(Failure::Usage)?;
        Ok(env)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        let field = if key == "cores" { "workers" } else { key };
        if key == "secs" {
            self.span = seconds(value)?;
        } else if let Some(choice) = self.scenario.choice(key) {
            choice.check(value).map_err(Failure::Usage)?;
            self.chosen.insert(choice.name, value.to_string());
        } else if Config::fields().contains(&field) {
            self.config.set(field, value).map_err(Failure::Usage)?;
        } else if !self.saving.set(key, value)? {
            let choices: Vec<&str> = self.scenario.choices.iter().map(|it| it.name).collect();
            return Err(Failure::Usage(format!(
                "`{key}` means nothing to `{}`. It knows secs, record, record_events, {}; and of the node: {}.",
                self.scenario.name,
                choices.join(", "),
                Config::fields().join(", "),
            )));
        }
        Ok(())
    }

    /// What was chosen, or the scenario's default.
    pub(crate) fn text(&self, key: &str) -> &str {
        let choice = self.scenario.choice(key);
        let choice = choice.expect("a scenario reads only the choices it declares");
        self.chosen.get(key).map_or(choice.default, String::as_str)
    }

    /// The same as a whole number; `workers` is the number of workers.
    pub(crate) fn number(&self, key: &str) -> Result<u64, Failure> {
        let text = self.text(key);
        if text == WORKERS {
            return Ok(self.config.workers as u64);
        }
        Ok(args::number(text).expect("what was chosen is checked, and the defaults are numbers"))
    }

    /// The same, where none of it makes no sense.
    pub(crate) fn positive(&self, key: &str) -> Result<u64, Failure> {
        match self.number(key)? {
            0 => Err(Failure::Usage(format!("`{key}` must be at least 1."))),
            number => Ok(number),
        }
    }

    pub(crate) fn was_chosen(&self, key: &str) -> bool {
        self.chosen.contains_key(key)
    }

    /// A counter for the scenario's processes to tell by how far the run is, in the `unit` of the value that it will
    /// report. Where an operation takes less than a microsecond or two, they add so many at once.
    pub(crate) fn progress(&self, unit: &'static str) -> &'static Tally {
        let tally = Tally::leaked(self.config.workers);
        self.watch.show_progress(unit, || tally.total());
        tally
    }

    /// Runs `body` as a process of a fresh node, stops the node and hands back what it returned.
    pub(crate) fn drive<T, F, Fut>(&self, body: F) -> Result<T, Failure>
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        self.drive_on(&Node::start(self.config.clone())?, body)
    }

    /// The same on a node that the scenario has prepared.
    pub(crate) fn drive_on<T, F, Fut>(&self, node: &Node, body: F) -> Result<T, Failure>
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let _shown = self.watch.show(node);
        self.saving.begin(node)?;
        let (tell, told) = mpsc::channel();
        let driver = node.spawn_join(|ctx| {
            let work = body(ctx);
            async move {
                // Nobody listens only when the time was over.
                let _ = tell.send(work.await);
            }
        });
        let ended = || driver.wait_for(STOP_MAX).unwrap_or(ExitReason::Normal);
        let outcome = self.hear(&told, ended);
        let saved = self.saving.end(node, self.scenario.name);
        let stopped = node.shutdown(STOP_MAX).map_err(Failure::Stop);
        let value = outcome?;
        saved?;
        stopped.map(|()| value)
    }

    /// What the driver hands in, unless the time is over or the run is stopped before that.
    fn hear<T>(&self, told: &Receiver<T>, ended: impl Fn() -> ExitReason) -> Result<T, Failure> {
        let (start, limit) = (Instant::now(), self.span + EXTRA_MAX);
        loop {
            match told.recv_timeout(STOP_EVERY) {
                // Some workloads come to their end by themselves then, with half a report.
                Ok(_) if self.watch.is_stopped() => return Err(Failure::Stopped),
                Ok(value) => return Ok(value),
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Ended(ended())),
                Err(RecvTimeoutError::Timeout) if self.watch.is_stopped() => {
                    return Err(Failure::Stopped);
                }
                Err(RecvTimeoutError::Timeout) if start.elapsed() >= limit => {
                    return Err(Failure::Late(limit));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// For a scenario that has no driver: does a run that began at `start` go on?
    pub(crate) fn goes_on(&self, start: Instant) -> Result<bool, Failure> {
        match self.watch.is_stopped() {
            true => Err(Failure::Stopped),
            false => Ok(start.elapsed() < self.span),
        }
    }
}

/// Seconds, with a fraction if need be.
pub(crate) fn seconds(text: &str) -> Result<Duration, Failure> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= SECONDS_MAX => {
            Ok(Duration::from_secs_f64(seconds))
        }
        _ => Err(Failure::Usage(format!(
            "`{text}` is no time to run for: give seconds, above 0 and up to {SECONDS_MAX}."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    fn env(settings: &[(&str, &str)]) -> Result<Env, Failure> {
        let settings: Vec<Setting> = settings
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect();
        Env::new(scenario::find("spawn-storm").unwrap(), &settings)
    }

    #[test]
    fn settings_find_the_time_the_choice_or_the_field_they_mean() {
        let env = env(&[("secs", "0.5"), ("batch", "32"), ("cores", "3")]).unwrap();
        assert_eq!(env.span, Duration::from_millis(500));
        assert_eq!(env.number("batch").unwrap(), 32);
        assert_eq!(env.config.workers, 3);
    }

    #[test]
    fn a_default_may_follow_the_number_of_workers() {
        let env = env(&[("workers", "5")]).unwrap();
        assert_eq!(env.number("spawners").unwrap(), 5);
        assert!(!env.was_chosen("spawners"));
    }

    #[test]
    fn a_setting_that_means_nothing_is_refused_with_those_that_do() {
        let text = env(&[("batches", "3")]).err().unwrap().to_string();
        assert!(
            text.contains("`batches`") && text.contains("batch,"),
            "{text}"
        );
    }

    #[test]
    fn times_and_numbers_must_make_sense() {
        for text in ["0", "-1", "soon", "1e9", "NaN"] {
            assert!(seconds(text).is_err(), "{text}");
        }
        assert!(env(&[("batch", "0")]).unwrap().positive("batch").is_err());
    }

    #[test]
    fn a_choice_that_is_a_number_takes_no_word_and_nothing_that_would_overflow() {
        for value in ["many", "-1", "", "1000000001"] {
            let text = env(&[("batch", value)]).err().unwrap().to_string();
            assert!(text.contains(&format!("`batch={value}`")), "{text}");
        }
        assert!(env(&[("spawners", "workers"), ("batch", "1_000")]).is_ok());
    }

    #[test]
    fn a_run_that_is_stopped_ends_and_its_node_is_no_longer_shown() {
        let env = env(&[("secs", "3000")]).unwrap();
        let watch = env.watch.clone();
        let outcome = env.drive(move |_ctx| async move {
            assert!(watch.node().is_some());
            watch.stop();
            std::future::pending::<()>().await
        });
        assert!(matches!(outcome, Err(Failure::Stopped)));
        assert!(env.watch.node().is_none());
        assert!(env.goes_on(Instant::now()).is_err());
    }

    #[test]
    fn a_driver_that_panics_is_a_failure_and_the_node_is_gone() {
        let env = env(&[]).unwrap();
        let outcome = env.drive(|_ctx| async { panic!("the driver fell over") });
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains("ended early"), "{text}");
    }
}
