//! A process of a program: does its steps and writes down what comes of them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use rusm_actor::{
    Context, ExitReason, Reference, RegisterError, Spawn, exit, is_alive, kill, send,
};

use super::history::{
    Bound, Deed, Order, Refusal, Seen, Stage, Target, What, Who, bytes, name_of, nth_of, reason,
};
use super::program::{Ending, Kind, NAMES, Once, PROCESSES_MAX, Script, Step, To, Why};

/// A process's body.
pub(crate) struct Body {
    stage: Arc<Stage>,
    me: Who,
    play: Pin<Box<dyn Future<Output = ExitReason> + Send>>,
}

impl Body {
    pub(crate) fn new(ctx: Context, stage: &Arc<Stage>, me: Who, script: Script) -> Self {
        let player = Player {
            ctx,
            stage: stage.clone(),
            me,
            monitors: Vec::new(),
        };
        Body {
            stage: stage.clone(),
            me,
            play: Box::pin(player.play(script)),
        }
    }
}

impl Future for Body {
    type Output = ExitReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<ExitReason> {
        self.stage.record(What::Turn(self.me));
        self.play.as_mut().poll(cx)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.stage.record(What::Gone(self.me));
    }
}

struct Player {
    ctx: Context,
    stage: Arc<Stage>,
    me: Who,
    monitors: Vec<Reference>,
}

impl Player {
    async fn play(mut self, script: Script) -> ExitReason {
        for step in script.steps {
            self.take(step).await;
            if script.breaks {
                rusm_sched::reductions(1).await;
            }
        }
        let why = match script.ending {
            Ending::Stay => self.stay().await,
            Ending::Return(why) => why,
            Ending::Panic => Why::Panic,
        };
        self.did(Deed::Ends(why.clone()));
        if why == Why::Panic {
            // Unlike `panic!` it takes no backtrace, which is most of what a panic costs.
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        reason(&why)
    }

    fn did(&self, deed: Deed) {
        self.stage.record(What::Did(self.me, deed));
    }

    /// Receives whatever comes until it is told to leave.
    async fn stay(&mut self) -> Why {
        loop {
            let message = self.ctx.receive().await;
            let seen = self.stage.see(&message);
            self.did(Deed::Got(Some(seen.clone())));
            match seen {
                Seen::Plain(_, Order::Look) => self.look_around(),
                Seen::Plain(_, Order::Leave) => return Why::Normal,
                _ => {}
            }
        }
    }

    fn look_around(&mut self) {
        for who in 1..self.stage.count() {
            self.is_linked(who);
        }
        for number in 0..NAMES {
            self.whereis(number);
            self.members(number);
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Receive => {
                let message = self.ctx.receive_within(Duration::ZERO).await;
                let seen = message.map(|message| self.stage.see(&message));
                self.did(Deed::Got(seen));
            }
            Step::Yield => rusm_sched::yield_now().await,
            Step::Sleep(millis) => self.ctx.sleep(Duration::from_millis(millis)).await,
            step => self.take_at_once(step),
        }
    }

    fn take_at_once(&mut self, step: Step) {
        match step {
            Step::Spawn {
                link,
                monitor,
                child,
            } => self.spawn(link, monitor, child),
            Step::TrapExits(on) => {
                let before = self.ctx.trap_exit(on);
                self.did(Deed::TrappedExits(on, before));
            }
            Step::Exit(nth, why) => self.exit(self.stage.nth_process(nth).0, why),
            Step::ExitSelf(why) => self.exit(self.me, why),
            Step::Kill(nth) => {
                let (who, pid) = self.stage.nth_process(nth);
                self.did(Deed::Killed(who));
                kill(pid);
            }
            Step::IsAlive(nth) => {
                let (who, pid) = self.stage.nth_process(nth);
                self.did(Deed::IsAlive(who, is_alive(pid)));
            }
            Step::Link(_) | Step::Unlink(_) | Step::IsLinked(_) => self.tie(&step),
            Step::Monitor(_)
            | Step::MonitorName(_)
            | Step::MonitorWithAlias(..)
            | Step::Demonitor(_)
            | Step::DemonitorAndFlush(_) => self.watch(&step),
            Step::Register(..) | Step::Unregister(_) | Step::Whereis(_) => self.name(&step),
            Step::Join(..) | Step::Leave(..) | Step::Members(_) => self.group(&step),
            Step::Arm(..) | Step::Cancel(_) | Step::Remaining(_) => self.time(&step),
            step => self.send(&step),
        }
    }

    fn spawn(&mut self, link: bool, monitor: bool, child: Script) {
        let (stage, who) = (self.stage.clone(), self.stage.count());
        if who > PROCESSES_MAX {
            return;
        }
        let mut how = Spawn::new();
        if link {
            how = how.link();
        }
        if monitor {
            how = how.monitor();
        }
        let body = move |ctx| Body::new(ctx, &stage, who, child);
        let (pid, reference) = if link || monitor {
            self.ctx.spawn_with(how, body)
        } else {
            (self.ctx.spawn(body), Reference::from_bits(0))
        };
        self.stage.add_process(pid);
        if monitor {
            self.monitors.push(reference);
        }
        let reference = monitor.then(|| self.stage.number(reference));
        let bound = if link { Bound::Linked } else { Bound::Free };
        self.did(Deed::Spawned(who, bound, reference));
    }

    fn exit(&mut self, who: Who, why: Why) {
        let pid = self.stage.pid(who);
        exit(pid, reason(&why));
        self.did(Deed::Exited(who, why));
    }

    fn tie(&mut self, step: &Step) {
        match *step {
            Step::Link(nth) => {
                let (who, pid) = self.stage.nth_process(nth);
                let linked = self.ctx.link(pid).is_ok();
                self.did(Deed::Linked(who, linked));
            }
            Step::Unlink(nth) => {
                let (who, pid) = self.stage.nth_process(nth);
                self.ctx.unlink(pid);
                self.did(Deed::Unlinked(who));
            }
            Step::IsLinked(nth) => self.is_linked(self.stage.nth_process(nth).0),
            _ => {}
        }
    }

    fn is_linked(&self, who: Who) {
        let linked = self.ctx.is_linked(self.stage.pid(who));
        self.did(Deed::IsLinked(who, linked));
    }

    fn watch(&mut self, step: &Step) {
        match *step {
            Step::Monitor(nth) => {
                let (who, pid) = self.stage.nth_process(nth);
                let reference = self.ctx.monitor(pid);
                self.monitors.push(reference);
                self.did(Deed::Monitored(who, self.stage.number(reference)));
            }
            Step::MonitorName(name) => {
                let reference = self.ctx.monitor_name(&name_of(name));
                self.monitors.push(reference);
                self.did(Deed::MonitoredName(name, self.stage.number(reference)));
            }
            Step::MonitorWithAlias(nth, once) => {
                let (who, pid) = self.stage.nth_process(nth);
                let (reference, alias) = self.ctx.monitor_with_alias(pid, once == Once::Yes);
                self.monitors.push(reference);
                self.stage.add_alias(self.me, alias);
                let number = self.stage.number(reference);
                self.did(Deed::MonitoredWithAlias(who, once, number));
            }
            Step::Demonitor(nth) => {
                if let Some(reference) = nth_of(&self.monitors, nth) {
                    let found = self.ctx.demonitor(reference);
                    self.did(Deed::Demonitored(self.stage.number(reference), found));
                }
            }
            Step::DemonitorAndFlush(nth) => {
                if let Some(reference) = nth_of(&self.monitors, nth) {
                    let found = self.ctx.demonitor_flush(reference);
                    let number = self.stage.number(reference);
                    self.did(Deed::DemonitoredAndFlushed(number, found));
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, step: &Step) {
        let node = self.ctx.node();
        match *step {
            Step::Register(name, nth) => {
                let (who, pid) = self.stage.nth_process(nth);
                let outcome = node.register(&name_of(name), pid);
                let outcome = outcome.map_err(|error| self.refusal(error));
                self.did(Deed::Registered(name, who, outcome));
            }
            Step::Unregister(name) => {
                let owner = node.unregister(&name_of(name));
                let owner = owner.map(|pid| self.stage.who(pid));
                self.did(Deed::Unregistered(name, owner));
            }
            Step::Whereis(name) => self.whereis(name),
            _ => {}
        }
    }

    fn refusal(&self, error: RegisterError) -> Refusal {
        match error {
            RegisterError::Taken(pid) => Refusal::Taken(self.stage.who(pid)),
            RegisterError::Named(name) => Refusal::Named(name.to_string()),
            RegisterError::NoProcess => Refusal::NoProcess,
            RegisterError::BadName => Refusal::BadName,
        }
    }

    fn whereis(&self, name: u8) {
        let owner = self.ctx.whereis(&name_of(name));
        let owner = owner.map(|pid| self.stage.who(pid));
        self.did(Deed::Whereis(name, owner));
    }

    fn group(&mut self, step: &Step) {
        let node = self.ctx.node();
        match *step {
            Step::Join(group, nth) => {
                let (who, pid) = self.stage.nth_process(nth);
                let joined = node.join(&name_of(group), pid).is_ok();
                self.did(Deed::Joined(group, who, joined));
            }
            Step::Leave(group, nth) => {
                let (who, pid) = self.stage.nth_process(nth);
                let left = node.leave(&name_of(group), pid);
                self.did(Deed::Left(group, who, left));
            }
            Step::Members(group) => self.members(group),
            _ => {}
        }
    }

    fn members(&self, group: u8) {
        let members = self.ctx.node().members(&name_of(group));
        let members = members.iter().map(|pid| self.stage.who(*pid)).collect();
        self.did(Deed::Members(group, members));
    }

    fn time(&mut self, step: &Step) {
        match step {
            Step::Arm(millis, to, kind) => self.arm(Duration::from_millis(*millis), to, *kind),
            Step::Cancel(nth) => {
                if let Some((id, timer)) = self.stage.nth_timer(*nth) {
                    self.did(Deed::Cancelled(id, timer.cancel()));
                }
            }
            Step::Remaining(nth) => {
                if let Some((id, timer)) = self.stage.nth_timer(*nth) {
                    self.did(Deed::Remaining(id, timer.remaining()));
                }
            }
            _ => {}
        }
    }

    fn arm(&mut self, delay: Duration, to: &To, kind: Kind) {
        let id = self.stage.fresh_id();
        let content = bytes(id, Order::Nothing);
        let (target, to) = match *to {
            To::Process(nth) => {
                let (who, pid) = self.stage.nth_process(nth);
                (Target::Process(who), pid.into())
            }
            To::Name(name) => (Target::Name(name), name_of(name).as_str().into()),
        };
        let to: rusm_actor::Destination = to;
        let (reference, timer) = match kind {
            Kind::Message => (None, self.ctx.send_after(delay, to, content)),
            Kind::Timeout => {
                let (reference, timer) = self.ctx.start_timer(delay, to, content);
                (Some(self.stage.number(reference)), timer)
            }
        };
        self.stage.add_timer(id, timer);
        let due = self.stage.now() + delay;
        self.did(Deed::Armed(id, due, target, reference));
    }

    fn send(&mut self, step: &Step) {
        let id = self.stage.fresh_id();
        let content = bytes(id, Order::Nothing);
        match *step {
            Step::Send(nth) => {
                let (who, pid) = self.stage.nth_process(nth);
                send(pid, content);
                self.did(Deed::Sent(who, id));
            }
            Step::SendToName(name) => {
                let sent = self.ctx.send_name(&name_of(name), content).is_ok();
                self.did(Deed::SentToName(name, id, sent));
            }
            Step::SendToAlias(nth) => {
                if let Some((owner, alias)) = self.stage.nth_alias(nth) {
                    alias.send(content);
                    let number = self.stage.number(alias.reference());
                    self.did(Deed::SentToAlias(owner, number, id));
                }
            }
            Step::Alias(once) => {
                let alias = match once {
                    Once::No => self.ctx.alias(),
                    Once::Yes => self.ctx.reply_alias(),
                };
                self.stage.add_alias(self.me, alias);
                let number = self.stage.number(alias.reference());
                self.did(Deed::Aliased(once, number));
            }
            Step::Unalias(nth) => {
                if let Some((owner, alias)) = self.stage.nth_alias(nth) {
                    let number = self.stage.number(alias.reference());
                    let ended = self.ctx.unalias(alias);
                    self.did(Deed::Unaliased(owner, number, ended));
                }
            }
            _ => {}
        }
    }
}
