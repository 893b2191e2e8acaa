//! One client of the control protocol: what it has asked to see, when the next of it is due, and when it has had enough.
//!
//! A session is one process, the connection's. What takes time (a walk over all processes, a question to one) is done by
//! processes of their own, linked to it, which hand in the frame; so a slow answer never holds up another one. What a
//! client costs is limited by what may wait for it.

mod act;
mod greet;
mod produce;
mod trace;

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rusm_actor::{Context, Message, Pid, Tracer};
use rusm_net::{Received, WebSocket};
use rusm_sched::Sleep;

use crate::overview::Looker;
use crate::protocol::{
    Ask, BACKLOG_BYTES_MAX, Code, FRAME_BYTES_MAX, Frame, HZ_DEFAULT, Refusal, Right, RowsWanted,
    Section, Tick,
};
use crate::shared::{Client, Shared};
use produce::{Produced, What};

/// From so many bytes that wait for it on, a client is told only what it must hear.
const BACKLOG_CALM: usize = 1 << 20;
/// A client for which something has waited for so long does not read.
const SLOW_TIME_MAX: Duration = Duration::from_secs(10);
/// Between two tables, or two looks at one process.
const PRODUCED_EVERY: Duration = Duration::from_millis(500);
/// Between two looks at the same section.
const SECTIONS_EVERY: Duration = Duration::from_secs(1);
/// Nothing is due: a session looks around this often all the same.
const IDLE: Duration = Duration::from_secs(1);

/// Codes of goodbyes, as in RFC 6455 (7.4.1).
mod goodbye {
    pub(super) const POLICY: u16 = 1008;
    pub(super) const TOO_LARGE: u16 = 1009;
    pub(super) const UNSUPPORTED: u16 = 1003;
    pub(super) const TRY_LATER: u16 = 1013;
}

pub(crate) struct Session {
    shared: Arc<Shared>,
    ctx: Context,
    socket: WebSocket,
    acts: bool,
    looker: Looker,
    seq: u64,
    hz: u32,
    next_tick: Duration,
    rows: Option<RowsWanted>,
    detail: Option<Pid>,
    sections: Vec<Section>,
    /// When each of what is selected is due; what is being made is not there.
    due: HashMap<What, Duration>,
    making: HashMap<Pid, What>,
    warnings_told: u64,
    /// There is one while anybody is traced for the client.
    tracer: Option<Tracer>,
    next_trace: Duration,
    /// Since when something has waited for the client.
    slow_since: Option<Duration>,
    _client: Client,
}

/// What happens next.
enum Event {
    Received(Received),
    Told(Message),
    Due,
}

/// Why a session ends.
enum End {
    /// The client has gone, or the server ends.
    Gone,
    Refused(Refusal),
}

/// Talks to a client to the end.
pub(crate) async fn talk(shared: Arc<Shared>, mut ctx: Context, mut socket: WebSocket) {
    ctx.set_label("control client");
    let Some(client) = shared.enter() else {
        let text = "there are as many clients as there may be; close one, or try again later";
        let refusal = Refusal::fatal(Code::TooMany, text);
        return refuse(socket, None, refusal).await;
    };
    let rights = match greet::hear_hello(&shared, &mut socket).await {
        Ok(rights) => rights,
        Err(Some(refusal)) => return refuse(socket, None, refusal).await,
        Err(None) => return,
    };
    ctx.trap_exit(true);
    socket.send(greet::hello(&shared, &rights).encode());
    let mut session = Session {
        acts: rights.contains(&Right::Act),
        looker: Looker::default(),
        seq: 0,
        hz: HZ_DEFAULT,
        next_tick: Duration::ZERO,
        rows: None,
        detail: None,
        sections: Vec::new(),
        due: HashMap::new(),
        making: HashMap::new(),
        warnings_told: shared.warnings.end(),
        tracer: None,
        next_trace: Duration::ZERO,
        slow_since: None,
        _client: client,
        shared,
        ctx,
        socket,
    };
    session.greet_warnings();
    if let End::Refused(refusal) = session.run().await {
        refuse(session.socket, None, refusal).await;
    }
}

/// Says why it is over, and ends it.
async fn refuse(mut socket: WebSocket, id: Option<u64>, refusal: Refusal) {
    let code = match refusal.code {
        Code::TooLong => goodbye::TOO_LARGE,
        Code::BadFrame | Code::BadVersion => goodbye::UNSUPPORTED,
        Code::TooMany => goodbye::TRY_LATER,
        _ => goodbye::POLICY,
    };
    let reason = refusal.message.clone();
    socket.send(Frame::Error { id, refusal }.encode());
    socket.close(code, &reason).await;
}

fn too_long() -> Refusal {
    let text = format!("a frame may have {FRAME_BYTES_MAX} bytes, and this one has more");
    Refusal::fatal(Code::TooLong, text)
}

fn no_text() -> Refusal {
    Refusal::fatal(
        Code::BadFrame,
        "frames are of text, by the rules of RFC 6455",
    )
}

impl Session {
    async fn run(&mut self) -> End {
        loop {
            let event = self.next().await;
            // Now: what could go has just gone, and nothing new has come.
            if let Some(end) = self.check_backlog() {
                return end;
            }
            let step = match event {
                Event::Received(Received::Text(text)) => {
                    self.hear(&text);
                    None
                }
                Event::Received(Received::TooLong) => Some(End::Refused(too_long())),
                Event::Received(Received::Malformed) => Some(End::Refused(no_text())),
                Event::Received(Received::Closed) => Some(End::Gone),
                Event::Told(message) => self.told(message),
                Event::Due => {
                    self.do_due().await;
                    None
                }
            };
            if let Some(end) = step {
                return end;
            }
        }
    }

    async fn next(&mut self) -> Event {
        let now = rusm_sched::now();
        let mut sleep: Sleep = rusm_sched::sleep(self.next_due().saturating_sub(now));
        let socket = &mut self.socket;
        let mut told = pin!(self.ctx.receive());
        poll_fn(|cx| {
            if let Poll::Ready(received) = socket.poll_next(cx) {
                return Poll::Ready(Event::Received(received));
            }
            if let Poll::Ready(message) = told.as_mut().poll(cx) {
                return Poll::Ready(Event::Told(message));
            }
            Pin::new(&mut sleep).poll(cx).map(|()| Event::Due)
        })
        .await
    }

    fn next_due(&self) -> Duration {
        let tick = (self.hz > 0).then_some(self.next_tick);
        let traced = self.tracer.as_ref().map(|_| self.next_trace);
        let all = self.due.values().copied().chain(tick).chain(traced);
        all.min().unwrap_or(rusm_sched::now() + IDLE)
    }

    /// Something is due: does all of it that is.
    async fn do_due(&mut self) {
        let now = rusm_sched::now();
        self.tell_warnings();
        if self.socket.backlog() > BACKLOG_CALM {
            // It has enough to read. What would come now is told later, as it is then.
            self.next_tick = now + self.tick_every();
            self.next_trace = now + IDLE;
            self.due.values_mut().for_each(|due| *due = now + IDLE);
            return;
        }
        if self.hz > 0 && self.next_tick <= now {
            self.tick().await;
            let next = self.next_tick + self.tick_every();
            // Ticks that were missed are not made up for.
            self.next_tick = next.max(now);
        }
        self.tell_traced(now);
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        let due: Vec<What> = due.map(|(what, _)| what.clone()).collect();
        for what in due {
            self.due.remove(&what);
            let pid = produce::start(&mut self.ctx, &self.shared, what.clone());
            self.making.insert(pid, what);
        }
    }

    fn tick_every(&self) -> Duration {
        Duration::from_secs(1) / self.hz.max(1)
    }

    async fn tick(&mut self) {
        self.seq += 1;
        let system = self.shared.system().await;
        let target = self.shared.target();
        let lab = self.shared.lab.as_ref();
        let tick = Tick {
            seq: self.seq,
            overview: self.looker.look(&target, system),
            run: lab.and_then(|lab| lab.run_now()),
            sweep: lab.and_then(|lab| lab.sweep_now()),
        };
        self.socket.send(Frame::Tick(Box::new(tick)).encode());
    }

    /// A message of another process: a frame that was made, or the end of somebody.
    fn told(&mut self, message: Message) -> Option<End> {
        let ended = message.linked_end();
        if let Some(what) = ended.and_then(|pid| self.making.remove(&pid)) {
            self.again(what);
            return None;
        }
        if message.exit().is_some() {
            return Some(End::Gone);
        }
        if let Ok(made) = message.downcast::<Produced>()
            && self.wants(&made.what)
        {
            self.socket.send(made.frame.to_string());
        }
        None
    }

    /// Is it still selected?
    fn wants(&self, what: &What) -> bool {
        match what {
            What::Rows(wanted) => self.rows.as_ref() == Some(wanted),
            What::Detail(pid) => self.detail == Some(*pid),
            What::Section(section) => self.sections.contains(section),
        }
    }

    /// It has been made: it is to be made again.
    fn again(&mut self, what: What) {
        if self.wants(&what) {
            let every = match what {
                What::Section(_) => SECTIONS_EVERY,
                What::Rows(_) | What::Detail(_) => PRODUCED_EVERY,
            };
            self.due.insert(what, rusm_sched::now() + every);
        }
    }

    /// It is selected: it is to be made at once, unless that is being done.
    fn want(&mut self, what: What) {
        if !self.making.values().any(|making| *making == what) {
            self.due.insert(what, Duration::ZERO);
        }
    }

    fn hear(&mut self, text: &str) {
        let (id, outcome) = match Ask::parse(text) {
            Ok(ask) => (ask.id, self.act(ask.command)),
            Err(not) => (not.id, Err(not.refusal)),
        };
        let frame = match outcome {
            Ok(result) => Frame::Done { id, result },
            Err(refusal) => Frame::Error { id, refusal },
        };
        self.socket.send(frame.encode());
    }

    /// Warnings that were there before the client came.
    fn greet_warnings(&mut self) {
        for warning in self.shared.warnings.active() {
            self.socket.send(Frame::Warning(warning).encode());
        }
    }

    fn tell_warnings(&mut self) {
        let (new, told) = self.shared.warnings.since(self.warnings_told);
        self.warnings_told = told;
        for warning in new {
            self.socket.send(Frame::Warning(warning).encode());
        }
    }

    fn check_backlog(&mut self) -> Option<End> {
        let backlog = self.socket.backlog();
        let now = rusm_sched::now();
        if backlog == 0 {
            self.slow_since = None;
            return None;
        }
        let since = *self.slow_since.get_or_insert(now);
        let slow = backlog > BACKLOG_BYTES_MAX || now - since > SLOW_TIME_MAX;
        slow.then(|| {
            let text = format!("{backlog} bytes wait for this client, which does not read them");
            End::Refused(Refusal::fatal(Code::TooSlow, text))
        })
    }
}
