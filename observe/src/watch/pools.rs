//! Pools that are nearly full: what comes next is refused.

use rusm_sched::{Config, Stats};

use crate::protocol::Kind;
use crate::system::System;
use crate::warnings::Finding;

/// A pool is nearly full above this share.
const FULL: f64 = 0.8;

pub(super) fn look(stats: &Stats, config: &Config, system: &System) -> Vec<Finding> {
    let (open, open_max) = (system.descriptors, system.descriptors_max);
    let pools = [
        (
            "blocking jobs",
            stats.blocking_queued as u64,
            config.blocking_queue_max as u64,
            "jobs wait for a thread for blocking work",
        ),
        (
            "spare threads",
            stats.stuck as u64,
            config.rescue_threads_max as u64,
            "threads are in turns that do not end",
        ),
        (
            "descriptors",
            open.unwrap_or(0),
            open_max.unwrap_or(u64::MAX),
            "descriptors are open",
        ),
    ];
    let full = pools
        .into_iter()
        .filter(|(_, used, max, _)| *used as f64 > *max as f64 * FULL);
    let finding = |(subject, used, max, what): (&str, u64, u64, &str)| Finding {
        kind: Kind::Pool,
        subject: subject.into(),
        evidence: format!("{used} {what}, and there may be {max}"),
    };
    full.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_told_when_it_is_nearly_full_and_not_before() {
        let config = Config {
            blocking_queue_max: 100,
            ..Config::default()
        };
        let told = |queued, open| {
            let stats = Stats {
                blocking_queued: queued,
                ..Stats::default()
            };
            let system = System {
                descriptors: Some(open),
                descriptors_max: Some(1_000),
                ..System::default()
            };
            let found = look(&stats, &config, &system).into_iter();
            found.map(|it| it.subject).collect::<Vec<_>>()
        };
        assert!(told(80, 800).is_empty());
        assert_eq!(told(81, 801), ["blocking jobs", "descriptors"]);
    }
}
