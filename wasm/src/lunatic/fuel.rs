//! Fuel. Lunatic counts instructions, 100,000 to a unit; here time is counted, a tenth of a
//! millisecond to a unit: a processor makes about a million instructions of compiled guests in a
//! millisecond. Each turn of a process that has fuel is timed; it is looked at in each host call
//! of Lunatic's, at each tick of a millisecond, and when the process's function returns, so that
//! who has burnt too much can neither send what came of it nor end well.
//!
//! Processes without a limit have no meter and pay nothing.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rusm_actor::ExitReason;
use wasmtime::{Result, ensure};

/// Nanoseconds that a unit lasts.
const UNIT_NANOS: u64 = 100_000;

/// What a process has burnt. Shared by its body, which is timed, and its store, where it is looked
/// at; both run on its own turns only, hence no ordering between them.
pub(crate) struct Meter {
    units: u64,
    /// Nanoseconds in the turns that are over.
    burnt: AtomicU64,
    /// When this turn began.
    began: AtomicU64,
}

impl Meter {
    /// For so many units; 0 is without a limit.
    pub(super) fn of(units: u64) -> Option<Arc<Self>> {
        let meter = || {
            Arc::new(Self {
                units,
                burnt: AtomicU64::new(0),
                began: AtomicU64::new(now()),
            })
        };
        (units != 0).then(meter)
    }

    /// Begins anew: what came before was the host's to do.
    pub(super) fn restart(&self) {
        self.burnt.store(0, Relaxed);
        self.began.store(now(), Relaxed);
    }

    /// Fails when there is no fuel left.
    pub(super) fn check(&self) -> Result<()> {
        let turn = now().saturating_sub(self.began.load(Relaxed));
        let burnt = self.burnt.load(Relaxed).saturating_add(turn);
        ensure!(
            burnt < self.units.saturating_mul(UNIT_NANOS),
            "all fuel consumed: its configuration gives it {} units, of about 0.1 ms each",
            self.units
        );
        Ok(())
    }

    /// Times the turns of a process.
    pub(crate) fn time(
        self: Arc<Self>,
        mut body: Pin<Box<dyn Future<Output = ExitReason> + Send>>,
    ) -> impl Future<Output = ExitReason> + Send {
        poll_fn(move |cx| {
            self.began.store(now(), Relaxed);
            let polled = body.as_mut().poll(cx);
            let turn = now().saturating_sub(self.began.load(Relaxed));
            self.burnt.fetch_add(turn, Relaxed);
            polled
        })
    }
}

fn now() -> u64 {
    u64::try_from(rusm_sched::now().as_nanos()).unwrap_or(u64::MAX)
}
