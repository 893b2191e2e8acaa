//! How long a guest with a CPU budget may go on. Each of its polls is timed: from when a worker
//! takes it up to when it gives way, which a spinning guest does at every epoch of a millisecond.
//! Host calls are in it, and so is what blocks a thread for the guest, such as reading a file.
//!
//! Guests without a budget are not timed and pay nothing.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use rusm_actor::ExitReason;

use crate::grant::{CpuPolicy, CpuRate, Grants};

/// What a guest with a budget has used of it.
struct Account {
    rate: Option<CpuRate>,
    total_max: Option<Duration>,
    /// Used since the period began.
    used: Duration,
    /// Used since the process began.
    total: Duration,
    /// When the period began.
    began: Duration,
}

/// What is to be done with the guest now.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
enum Verdict {
    Go,
    /// It sleeps until then, and a new period begins.
    Sleep(Duration),
    End(Over),
}

/// The budget that ran out.
#[derive(Debug, PartialEq, Eq)]
enum Over {
    Rate(CpuRate),
    Total(Duration),
}

/// Runs a guest within the CPU budget of its grants; to its end, or to that of the budget.
pub(crate) async fn within(grants: &Grants, body: impl Future<Output = ExitReason>) -> ExitReason {
    let limits = grants.limits();
    let mut account = Account::new(limits.cpu, limits.cpu_total_max, rusm_sched::now());
    let mut body = pin!(body);
    let mut nap = pin!(None::<rusm_sched::Sleep>);
    poll_fn(|cx| {
        loop {
            if let Some(sleep) = nap.as_mut().as_pin_mut() {
                if sleep.poll(cx).is_pending() {
                    return Poll::Pending;
                }
                nap.set(None);
            }
            let now = rusm_sched::now();
            match account.verdict(now) {
                Verdict::Go => break,
                Verdict::Sleep(until) => {
                    nap.set(Some(rusm_sched::sleep(until.saturating_sub(now))));
                }
                Verdict::End(over) => return Poll::Ready(ExitReason::error(over.to_string())),
            }
        }
        let begin = rusm_sched::now();
        let polled = body.as_mut().poll(cx);
        account.spend(rusm_sched::now().saturating_sub(begin));
        polled
    })
    .await
}

impl Account {
    fn new(rate: Option<CpuRate>, total_max: Option<Duration>, now: Duration) -> Self {
        Self {
            rate,
            total_max,
            used: Duration::ZERO,
            total: Duration::ZERO,
            began: now,
        }
    }

    fn spend(&mut self, time: Duration) {
        self.used += time;
        self.total += time;
    }

    fn verdict(&mut self, now: Duration) -> Verdict {
        if let Some(max) = self.total_max
            && self.total >= max
        {
            return Verdict::End(Over::Total(max));
        }
        let Some(rate) = self.rate else {
            return Verdict::Go;
        };
        self.turn_over(rate, now);
        match rate.over {
            _ if self.used < rate.time_max => Verdict::Go,
            CpuPolicy::Throttle => Verdict::Sleep(self.began + rate.every),
            CpuPolicy::Kill => Verdict::End(Over::Rate(rate)),
        }
    }

    /// Begins a new period when one is over. What was used beyond a period's time, a slice is not
    /// cut, is taken from the next ones.
    fn turn_over(&mut self, rate: CpuRate, now: Duration) {
        let since = now.saturating_sub(self.began);
        if since < rate.every {
            return;
        }
        let periods = since.as_nanos() / rate.every.as_nanos().max(1);
        let earned = rate.time_max.as_nanos().saturating_mul(periods);
        let earned = Duration::from_nanos(u64::try_from(earned).unwrap_or(u64::MAX));
        self.used = self.used.saturating_sub(earned);
        let whole = rate.every.as_nanos().saturating_mul(periods);
        self.began += Duration::from_nanos(u64::try_from(whole).unwrap_or(u64::MAX));
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => write!(
                f,
                "the CPU budget is used up: {:?} in {:?} (`cpu` of its profile)",
                rate.time_max, rate.every
            ),
            Self::Total(max) => write!(
                f,
                "the CPU budget is used up: {max:?} in all (`cpu-total` of its profile)"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn account(over: CpuPolicy) -> (CpuRate, Account) {
        let rate = CpuRate {
            time_max: MS(20),
            every: MS(100),
            over,
        };
        (rate, Account::new(Some(rate), Some(MS(90)), MS(1_000)))
    }

    #[test]
    fn a_period_lets_its_time_through_and_then_waits_for_the_next() {
        let (_, mut account) = account(CpuPolicy::Throttle);
        assert_eq!(account.verdict(MS(1_000)), Verdict::Go);
        account.spend(MS(19));
        assert_eq!(account.verdict(MS(1_019)), Verdict::Go);
        account.spend(MS(1));
        assert_eq!(account.verdict(MS(1_020)), Verdict::Sleep(MS(1_100)));
        assert_eq!(account.verdict(MS(1_100)), Verdict::Go);
        assert_eq!(account.used, MS(0));
    }

    #[test]
    fn what_a_slice_took_too_much_is_taken_from_the_next_periods() {
        let (_, mut account) = account(CpuPolicy::Throttle);
        account.spend(MS(55));
        assert_eq!(account.verdict(MS(1_060)), Verdict::Sleep(MS(1_100)));
        assert_eq!(account.verdict(MS(1_100)), Verdict::Sleep(MS(1_200)));
        assert_eq!(account.verdict(MS(1_250)), Verdict::Go);
        assert_eq!((account.used, account.began), (MS(15), MS(1_200)));
        assert_eq!(account.verdict(MS(9_999)), Verdict::Go);
        assert_eq!((account.used, account.began), (MS(0), MS(9_900)));
    }

    #[test]
    fn a_budget_that_kills_names_itself() {
        let (rate, mut account) = account(CpuPolicy::Kill);
        account.spend(MS(20));
        let Verdict::End(over) = account.verdict(MS(1_050)) else {
            panic!("it goes on")
        };
        assert_eq!(over, Over::Rate(rate));
        assert!(over.to_string().contains("20ms in 100ms (`cpu`"), "{over}");
        account.spend(MS(70));
        let Verdict::End(over) = account.verdict(MS(2_000)) else {
            panic!("it goes on")
        };
        assert!(
            over.to_string().contains("90ms in all (`cpu-total`"),
            "{over}"
        );
    }
}
