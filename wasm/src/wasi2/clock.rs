//! `wasi:clocks/monotonic-clock`: the scheduler's time, and waits that are timers of the
//! scheduler, so that a thousand sleeping guests cost no thread.

use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::Host;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use crate::link::opaque;

/// Names the table of a guest's resources as all that this clock needs of its state.
pub(super) struct Clock;

impl HasData for Clock {
    type Data<'a> = ClockView<'a>;
}

pub(super) struct ClockView<'a>(pub(super) &'a mut ResourceTable);

impl Host for ClockView<'_> {
    fn now(&mut self) -> Result<u64> {
        Ok(u64::try_from(rusm_sched::now().as_nanos()).unwrap_or(u64::MAX))
    }

    fn resolution(&mut self) -> Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        self.subscribe(Duration::from_nanos(when))
    }

    fn subscribe_duration(&mut self, from_now: u64) -> Result<Resource<DynPollable>> {
        self.subscribe(rusm_sched::now().saturating_add(Duration::from_nanos(from_now)))
    }
}

impl ClockView<'_> {
    fn subscribe(&mut self, deadline: Duration) -> Result<Resource<DynPollable>> {
        let deadline = self.0.push(Deadline(deadline))?;
        subscribe(self.0, deadline)
    }
}

/// In the scheduler's time.
struct Deadline(Duration);

#[wasmtime_wasi_io::async_trait]
impl Pollable for Deadline {
    async fn ready(&mut self) {
        Box::into_pin(opaque(rusm_sched::sleep_until(self.0))).await;
    }
}
