//! The interface `process`.

use std::time::Duration;

use rusm_actor::{Alias as HostAlias, Pid, Reference};
use wasmtime::Result as Trappable;

use super::bindings::rusm::runtime::process::{
    Alias, Event, Host, Options, Priority, ProcessInfo, Reason, Started, Want,
};
use super::bindings::rusm::runtime::types::{self, Error};
use super::convert;
use crate::guest::State;
use crate::host::{Refusal, info, message, process, seal, spawn};
use crate::link::{noted, opaque};

impl types::Host for State {}

pub(super) fn options(options: Options) -> Result<spawn::Options, Refusal> {
    Ok(spawn::Options {
        link: options.link,
        monitor: options.monitor,
        priority: options.priority.map(convert::wanted),
        memory_bytes_max: options.memory_bytes_max,
        cpu: options.cpu.map(Duration::from_nanos),
        messages_max: options.messages_max,
        processes_max: options.processes_max,
        profile: options.profile,
        args: options.arguments.map(spawn::checked).transpose()?,
    })
}

fn start(state: &mut State, name: &str, options: spawn::Options) -> Result<Started, Error> {
    let (pid, monitor) = spawn::spawn(state, name, options)?;
    Ok(Started {
        pid: pid.to_bits(),
        monitor,
    })
}

impl Host for State {
    fn self_(&mut self) -> u64 {
        self.pid().to_bits()
    }

    fn now(&mut self) -> u64 {
        u64::try_from(rusm_sched::now().as_nanos()).unwrap_or(u64::MAX)
    }

    fn arguments(&mut self) -> Vec<String> {
        State::arguments(self).to_vec()
    }

    fn spawn(&mut self, component: String, how: Options) -> Result<Started, Error> {
        start(self, &component, options(how)?)
    }

    fn spawn_link(&mut self, component: String, args: Vec<String>) -> Result<u64, Error> {
        let options = spawn::Options {
            link: true,
            args: Some(spawn::checked(args)?),
            ..spawn::Options::default()
        };
        Ok(start(self, &component, options)?.pid)
    }

    fn spawn_monitor(&mut self, component: String, args: Vec<String>) -> Result<Started, Error> {
        let options = spawn::Options {
            monitor: true,
            args: Some(spawn::checked(args)?),
            ..spawn::Options::default()
        };
        start(self, &component, options)
    }

    fn exit(&mut self, reason: Reason) -> Trappable<Error> {
        match convert::said(reason) {
            Ok(reason) => Err(process::Exit(reason).into()),
            Err(refusal) => Ok(refusal.into()),
        }
    }

    fn exit_process(&mut self, pid: u64, reason: Reason) -> Result<(), Error> {
        Ok(info::exit(self, pid, convert::said(reason)?)?)
    }

    fn kill(&mut self, pid: u64) -> Result<(), Error> {
        Ok(info::kill(self, pid)?)
    }

    fn link(&mut self, pid: u64) -> Result<(), Error> {
        Ok(process::link(self, pid)?)
    }

    fn unlink(&mut self, pid: u64) {
        process::unlink(self, pid);
    }

    fn trap_exit(&mut self, trap: bool) -> bool {
        self.context.trap_exit(trap)
    }

    fn monitor(&mut self, pid: u64) -> Result<u64, Error> {
        Ok(process::monitor(self, pid)?)
    }

    fn monitor_name(&mut self, name: String) -> Result<u64, Error> {
        Ok(process::monitor_name(self, &name)?)
    }

    fn demonitor(&mut self, monitor: u64, flush: bool) -> bool {
        process::demonitor(self, monitor, flush)
    }

    fn is_alive(&mut self, pid: u64) -> bool {
        process::is_alive(pid)
    }

    async fn info(&mut self, pid: u64) -> Trappable<Result<ProcessInfo, Error>> {
        noted!(self.pid(), "rusm:runtime/process info");
        let pid = match info::may_look(self, pid) {
            Ok(pid) => pid,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let asked = opaque(async move { info::info(self, pid).await });
        Ok(match Box::into_pin(asked).await {
            Ok(info) => Ok(convert::info(info)),
            Err(refusal) => Err(refusal.into()),
        })
    }

    fn list(&mut self, after: u64, max: u32) -> Vec<u64> {
        convert::pids(&info::list(self, after, max as usize))
    }

    fn set_label(&mut self, label: String) -> Result<(), Error> {
        Ok(info::set_label(self, &label)?)
    }

    fn own_priority(&mut self) -> Priority {
        convert::priority(info::priority(self))
    }

    async fn sleep(&mut self, time: u64) -> Trappable<()> {
        noted!(self.pid(), "rusm:runtime/process sleep");
        let span = process::within(time).unwrap_or(Duration::MAX);
        Box::into_pin(opaque(rusm_sched::sleep(span))).await;
        Ok(())
    }

    async fn yield_(&mut self) -> Trappable<()> {
        noted!(self.pid(), "rusm:runtime/process yield");
        Box::into_pin(opaque(rusm_sched::yield_now())).await;
        Ok(())
    }

    fn send(&mut self, to: u64, tag: u64, body: Vec<u8>) -> Result<(), Error> {
        Ok(message::send(self, to, tag, &body)?)
    }

    async fn receive(&mut self, want: Want, patience: u64) -> Trappable<Option<Event>> {
        noted!(self.pid(), "rusm:runtime/process receive");
        let want = message::Want::from(want);
        // What is there is taken at once, unless the turn is over.
        if !rusm_sched::spend(0) {
            if let Some(event) = message::try_receive(self, want) {
                return Ok(Some(event.into()));
            }
            if patience == 0 {
                return Ok(None);
            }
        }
        let within = process::within(patience);
        let received = opaque(async move { message::receive(self, want, within).await });
        Ok(Box::into_pin(received).await.map(Event::from))
    }

    fn reply(&mut self, request: u64, tag: u64, body: Vec<u8>) -> Result<(), Error> {
        Ok(message::reply(self, request, tag, &body)?)
    }

    fn make_alias(&mut self, once: bool) -> Result<Alias, Error> {
        let alias = message::alias(self, once)?;
        Ok(Alias {
            pid: alias.pid().to_bits(),
            reference: alias.reference().to_bits(),
            seal: seal::seal(alias),
        })
    }

    fn unalias(&mut self, alias: u64) -> bool {
        message::unalias(self, alias)
    }

    fn send_alias(&mut self, to: Alias, tag: u64, body: Vec<u8>) -> Result<(), Error> {
        let (pid, reference) = (Pid::from_bits(to.pid), Reference::from_bits(to.reference));
        let alias = HostAlias::from_parts(pid, reference);
        Ok(message::send_alias(self, alias, to.seal, tag, &body)?)
    }
}
