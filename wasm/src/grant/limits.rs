//! The numbers of a profile: how much a process may have of what runs out. The narrower of two is
//! the smaller of each.

use std::time::Duration;

use rusm_actor::{MailboxLimit, MailboxPolicy};

use crate::limit::{COMPONENT_TABLES_MAX, TABLE_ELEMENTS_MAX};

/// How much a process may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory.
    pub memory_bytes_max: u64,
    /// Tables, of all its modules together.
    pub tables_max: u32,
    /// Elements of each table.
    pub table_elements_max: u32,
    /// Processes it and those it starts may be, all together and at a time; itself included.
    pub processes_max: u32,
    /// Messages that may wait for it, and what is done with more.
    pub mailbox: Option<MailboxLimit>,
    /// How much of a processor it may have.
    pub cpu: Option<CpuRate>,
    /// How much time on a processor it may have in its life; then it is killed.
    pub cpu_total_max: Option<Duration>,
}

/// So much time on a processor in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuRate {
    /// Time on a processor: what its turns take, host calls included.
    pub time_max: Duration,
    /// The period, of time on the wall.
    pub every: Duration,
    /// What is done with a process that has used up its time.
    pub over: CpuPolicy,
}

/// What is done with a process that has used up its time of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuPolicy {
    /// It sleeps for the rest of the period.
    Throttle,
    /// It ends, with a reason that names the budget.
    Kill,
}

impl Limits {
    /// As much as the engine and the node have.
    pub fn none() -> Self {
        Self {
            memory_bytes_max: u64::MAX,
            tables_max: COMPONENT_TABLES_MAX,
            table_elements_max: TABLE_ELEMENTS_MAX as u32,
            processes_max: u32::MAX,
            mailbox: None,
            cpu: None,
            cpu_total_max: None,
        }
    }

    /// Whether its time on a processor is limited.
    pub fn has_cpu(&self) -> bool {
        self.cpu.is_some() || self.cpu_total_max.is_some()
    }

    /// What both allow.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        Self {
            memory_bytes_max: self.memory_bytes_max.min(other.memory_bytes_max),
            tables_max: self.tables_max.min(other.tables_max),
            table_elements_max: self.table_elements_max.min(other.table_elements_max),
            processes_max: self.processes_max.min(other.processes_max),
            mailbox: meet(self.mailbox, other.mailbox, tighter),
            cpu: meet(self.cpu, other.cpu, CpuRate::meet),
            cpu_total_max: meet(self.cpu_total_max, other.cpu_total_max, Duration::min),
        }
    }
}

impl CpuRate {
    /// A rate at which neither budget is ever exceeded: the smaller share, in the shorter period.
    fn meet(self, other: Self) -> Self {
        // Shares as products, because they are no whole numbers.
        let share = |of: Self, in_period_of: Self| {
            of.time_max
                .as_nanos()
                .saturating_mul(in_period_of.every.as_nanos())
        };
        let (mine, others) = (share(self, other), share(other, self));
        let smaller = if mine <= others { self } else { other };
        let every = self.every.min(other.every);
        let scaled =
            smaller.time_max.as_nanos() * every.as_nanos() / smaller.every.as_nanos().max(1);
        let kills = [self, other]
            .iter()
            .any(|rate| rate.over == CpuPolicy::Kill);
        Self {
            time_max: Duration::from_nanos(u64::try_from(scaled).unwrap_or(u64::MAX)),
            every,
            over: if mine == others && kills {
                CpuPolicy::Kill
            } else {
                smaller.over
            },
        }
    }
}

fn tighter(one: MailboxLimit, other: MailboxLimit) -> MailboxLimit {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match one.messages_max.cmp(&other.messages_max) {
        Less => one,
        Greater => other,
        Equal if other.policy == MailboxPolicy::Kill => other,
        Equal => one,
    }
}

fn meet<T>(one: Option<T>, other: Option<T>, both: impl FnOnce(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(time: u64, every: u64, over: CpuPolicy) -> CpuRate {
        CpuRate {
            time_max: Duration::from_millis(time),
            every: Duration::from_millis(every),
            over,
        }
    }

    #[test]
    fn two_rates_meet_in_the_smaller_share_and_the_shorter_period() {
        use CpuPolicy::{Kill, Throttle};
        for (one, other, both) in [
            (
                rate(10, 100, Throttle),
                rate(500, 1000, Kill),
                rate(10, 100, Throttle),
            ),
            (
                rate(50, 100, Throttle),
                rate(100, 1000, Kill),
                rate(10, 100, Kill),
            ),
            (
                rate(10, 100, Throttle),
                rate(100, 1000, Kill),
                rate(10, 100, Kill),
            ),
        ] {
            assert_eq!(one.meet(other), both);
            assert_eq!(other.meet(one), both);
        }
    }

    #[test]
    fn the_smaller_mailbox_wins_and_none_is_the_largest() {
        let limit = |messages_max, policy| MailboxLimit {
            messages_max,
            policy,
        };
        let small = Limits {
            mailbox: Some(limit(1, MailboxPolicy::Refuse)),
            ..Limits::none()
        };
        let large = Limits {
            mailbox: Some(limit(2, MailboxPolicy::Kill)),
            ..Limits::none()
        };
        for other in [&large, &Limits::none(), &small] {
            assert_eq!(small.meet(other), small);
            assert_eq!(other.meet(&small), small);
        }
    }
}
