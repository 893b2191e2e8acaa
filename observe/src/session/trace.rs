//! Processes that are traced for a client.
//!
//! A session has a tracer of its own while anybody is traced for it, and looks into it ten times a second; it ends with
//! the session, and so do the traces.

use std::collections::BTreeSet;
use std::time::Duration;

use rusm_actor::{Pid, TraceError, TraceLimits, Traced, Tracer};
use serde_json::Value;

use super::Session;
use super::act::{Outcome, living};
use crate::overview::micros;
use crate::protocol::{
    Code, Frame, Refusal, TRACE_EVENTS_MAX, TRACED_MAX, TraceEvent, TraceKind, TraceOrder,
};

/// Between two looks at what was traced.
const TRACE_EVERY: Duration = Duration::from_millis(100);
/// Events of one look: as many as come in that time at the highest rate.
const EVENTS_MAX: usize = 1_000;

impl Session {
    /// Traces these processes and no others. All of it or nothing.
    pub(super) fn trace(&mut self, order: &TraceOrder) -> Outcome {
        let rate = order.per_second;
        if rate == 0 || rate > TRACE_EVENTS_MAX {
            let text = format!("`per_second` is {rate}; it may be 1 to {TRACE_EVENTS_MAX}");
            return Err(Refusal::new(Code::BadValue, text));
        }
        if order.pids.len() > TRACED_MAX {
            let text = format!(
                "{} processes are too many; {TRACED_MAX} may be traced for a client",
                order.pids.len()
            );
            return Err(Refusal::new(Code::TooMany, text));
        }
        let wanted = order.pids.iter().map(|pid| living(pid));
        let wanted: BTreeSet<Pid> = wanted.collect::<Result<_, _>>()?;
        if wanted.is_empty() {
            self.tracer = None;
            return Ok(Value::Null);
        }
        let limits = TraceLimits {
            // For a moment both the old and the new ones.
            processes_max: 2 * TRACED_MAX,
            events_max: EVENTS_MAX,
            events_per_second_max: rate,
        };
        let tracer = self.tracer.get_or_insert_with(|| {
            self.next_trace = rusm_sched::now() + TRACE_EVERY;
            let tracer = self.shared.node.tracer(limits);
            self.shared
                .log
                .iter()
                .for_each(|log| log.follow(tracer.view()));
            tracer
        });
        trace_these(tracer, &wanted).map_err(refusal)?;
        tracer.set_events_per_second_max(rate);
        Ok(Value::Null)
    }

    /// Tells what was traced, if it is time to.
    pub(super) fn tell_traced(&mut self, now: Duration) {
        let Some(tracer) = self.tracer.as_mut().filter(|_| self.next_trace <= now) else {
            return;
        };
        // Asked first: who is not traced any more has told its end.
        let over = tracer.traced().is_empty();
        let Traced { events, dropped } = tracer.take();
        if over {
            self.tracer = None;
        }
        self.next_trace = now + TRACE_EVERY;
        if !events.is_empty() || dropped > 0 {
            let events: Vec<TraceEvent> = events.into_iter().map(TraceEvent::from).collect();
            self.shared.log.iter().for_each(|log| log.keep(&events));
            self.socket.send(Frame::Trace { dropped, events }.encode());
        }
    }
}

/// Traces `wanted` and nobody else; as before if that fails.
fn trace_these(tracer: &mut Tracer, wanted: &BTreeSet<Pid>) -> Result<(), TraceError> {
    let before = tracer.traced();
    for pid in wanted {
        if let Err(why) = tracer.trace(*pid) {
            let new = wanted.iter().filter(|pid| !before.contains(pid));
            new.for_each(|pid| {
                tracer.untrace(*pid);
            });
            return Err(why);
        }
    }
    let old = before.iter().filter(|pid| !wanted.contains(pid));
    old.for_each(|pid| {
        tracer.untrace(*pid);
    });
    Ok(())
}

fn refusal(why: TraceError) -> Refusal {
    let code = match why {
        TraceError::NoProcess(_) => Code::UnknownProcess,
        TraceError::TooMany(_) => Code::TooMany,
    };
    Refusal::new(code, why.to_string())
}

impl From<rusm_actor::TraceEvent> for TraceEvent {
    fn from(event: rusm_actor::TraceEvent) -> Self {
        TraceEvent {
            at: micros(event.at),
            kind: match event.kind {
                rusm_actor::TraceKind::Send => TraceKind::Send,
                rusm_actor::TraceKind::Receive => TraceKind::Receive,
                rusm_actor::TraceKind::Spawn => TraceKind::Spawn,
                rusm_actor::TraceKind::Exit => TraceKind::Exit,
            },
            pid: event.pid.to_string(),
            other: event.other.map(|pid| pid.to_string()),
            text: event.text,
        }
    }
}
