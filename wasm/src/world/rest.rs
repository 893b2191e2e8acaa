//! The interfaces `registry`, `group`, `timer` and `log`.

use rusm_actor::Pid;

use super::bindings::rusm::runtime::types::Error;
use super::bindings::rusm::runtime::{group, log, registry, timer};
use super::convert::pids;
use crate::grant::LogLevel;
use crate::guest::State;
use crate::host;

impl registry::Host for State {
    fn register(&mut self, name: String) -> Result<(), Error> {
        Ok(host::registry::register(self, &name)?)
    }

    fn unregister(&mut self, name: String) -> Result<bool, Error> {
        Ok(host::registry::unregister(self, &name)?)
    }

    fn whereis(&mut self, name: String) -> Option<u64> {
        host::registry::whereis(self, &name).map(Pid::to_bits)
    }

    fn send(&mut self, name: String, tag: u64, body: Vec<u8>) -> Result<(), Error> {
        Ok(host::registry::send(self, &name, tag, &body)?)
    }
}

/// What fits in the type of the package.
fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl group::Host for State {
    fn join(&mut self, group: String) -> Result<(), Error> {
        Ok(host::group::join(self, &group)?)
    }

    fn leave(&mut self, group: String) -> bool {
        host::group::leave(self, &group)
    }

    fn members(&mut self, group: String) -> Vec<u64> {
        pids(&host::group::members(self, &group))
    }

    fn publish(&mut self, group: String, tag: u64, body: Vec<u8>) -> Result<u32, Error> {
        Ok(host::group::publish(self, &group, tag, &body).map(count)?)
    }

    fn watch(&mut self, group: String) -> Result<(u64, Vec<u64>), Error> {
        let (watch, members) = host::group::watch(self, &group)?;
        Ok((watch, pids(&members)))
    }

    fn unwatch(&mut self, watch: u64) -> bool {
        host::group::unwatch(self, watch)
    }

    fn kill(&mut self, group: String) -> Result<u32, Error> {
        Ok(host::group::kill(self, &group).map(count)?)
    }
}

impl timer::Host for State {
    fn send_after(&mut self, delay: u64, to: u64, tag: u64, body: Vec<u8>) -> Result<u64, Error> {
        Ok(host::timer::send_after(self, delay, to, tag, &body)?)
    }

    fn start(&mut self, delay: u64, tag: u64, body: Vec<u8>) -> Result<u64, Error> {
        Ok(host::timer::start(self, delay, tag, &body)?)
    }

    fn cancel(&mut self, timer: u64) -> Option<u64> {
        host::timer::cancel(self, timer)
    }

    fn read(&mut self, timer: u64) -> Option<u64> {
        host::timer::read(self, timer)
    }
}

impl log::Host for State {
    fn write(&mut self, level: log::Level, text: String) -> Result<(), Error> {
        let level = match level {
            log::Level::Error => LogLevel::Error,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Info => LogLevel::Info,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Trace => LogLevel::Trace,
        };
        Ok(host::log::log(self, level, &text)?)
    }
}
