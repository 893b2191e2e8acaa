//! Supervisors that start their children again and again.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use rusm_actor::Pid;
use rusm_actor::supervisor::SupervisorInfo;

use crate::protocol::Kind;
use crate::warnings::Finding;

/// More restarts than this within `PERIOD` are a storm.
const RESTARTS_MAX: u64 = 10;
const PERIOD: Duration = Duration::from_secs(5);

/// How many restarts each supervisor had counted, look by look.
#[derive(Default)]
pub(super) struct Restarts(HashMap<Pid, VecDeque<(Duration, u64)>>);

impl Restarts {
    pub(super) fn look(&mut self, now: Duration, all: Vec<SupervisorInfo>) -> Vec<Finding> {
        let mut before = std::mem::take(&mut self.0);
        let mut findings = Vec::new();
        for supervisor in all {
            let mut looks = before.remove(&supervisor.pid).unwrap_or_default();
            while looks.front().is_some_and(|(at, _)| *at + PERIOD < now) {
                looks.pop_front();
            }
            looks.push_back((now, supervisor.restarts));
            let first = looks.front().map_or(0, |(_, restarts)| *restarts);
            let lately = supervisor.restarts.saturating_sub(first);
            if lately > RESTARTS_MAX {
                findings.push(Finding {
                    kind: Kind::Restarts,
                    subject: supervisor.pid.to_string(),
                    evidence: format!(
                        "supervisor {} has restarted {lately} children within {} s, {} in all",
                        supervisor.pid,
                        PERIOD.as_secs(),
                        supervisor.restarts
                    ),
                });
            }
            self.0.insert(supervisor.pid, looks);
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_are_a_storm_by_how_many_there_were_lately() {
        let mut watch = Restarts::default();
        let pid = Pid::from_bits(7);
        let mut told = |second, restarts| {
            let all = vec![SupervisorInfo { pid, restarts }];
            !watch.look(Duration::from_secs(second), all).is_empty()
        };
        // What came before the first look is not lately.
        assert!(!told(0, 500));
        assert!(!told(1, 510));
        assert!(told(2, 511));
        assert!(!told(8, 515));
    }
}
