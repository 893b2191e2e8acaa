//! Writing a recording, line by line.

use std::io::{self, Write};

use rusm_sched::{Config, Event, Lane, What};
use serde_json::{Map, Value, json};

use super::{Crash, ENDS, Recorded, VERSION, end_number, task_name};

impl Recorded {
    /// Writes all of it.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", self.header())?;
        for (task, row) in &self.processes {
            writeln!(out, "{}", json!({"task": task_name(*task), "process": row}))?;
        }
        let workers = self.recording.workers.iter().enumerate();
        let workers = workers.map(|(index, lane)| (json!(index), lane));
        let mut events = 0;
        for (name, lane) in workers.chain([(json!("ticker"), &self.recording.ticker)]) {
            write_lane(out, &name, lane)?;
            events += lane.events.len();
        }
        if let Some(crash) = &self.crash {
            write_crash(out, crash)?;
        }
        writeln!(out, "{}", json!({"events": events}))
    }

    fn header(&self) -> Value {
        let recording = &self.recording;
        let fields = Config::fields().iter();
        let config: Map<String, Value> = fields
            .map(|field| (field.to_string(), json!(recording.config.get(field))))
            .collect();
        json!({
            "rusm_recording": VERSION,
            "scenario": self.scenario,
            "workers": recording.workers.len(),
            "events_max": recording.events_max,
            "seed": recording.seed,
            "start": recording.began,
            "end": recording.taken,
            "config": config,
            "crash": self.crash.as_ref().map(|crash| &crash.end),
        })
    }
}

fn write_crash(out: &mut impl Write, crash: &Crash) -> io::Result<()> {
    writeln!(out, "{}", json!({"overview": crash.overview}))?;
    for warning in &crash.warnings {
        writeln!(out, "{}", json!({"warning": warning}))?;
    }
    for event in &crash.traced {
        writeln!(out, "{}", json!({"traced": event}))?;
    }
    Ok(())
}

fn write_lane(out: &mut impl Write, name: &Value, lane: &Lane) -> io::Result<()> {
    let running = lane.running.map(|(task, _)| task_name(task));
    let since = lane.running.map(|(_, since)| since);
    let head = json!({"lane": name, "missed": lane.missed, "running": running, "since": since});
    writeln!(out, "{head}")?;
    for event in &lane.events {
        writeln!(out, "{}", event_line(event))?;
    }
    Ok(())
}

fn event_line(event: &Event) -> Value {
    let at = event.at;
    match event.what {
        What::Turn {
            task,
            lasted,
            end,
            reductions,
        } => {
            let end = ENDS[end_number(end)].1;
            json!({"at": at, "turn": task_name(task), "ns": lasted, "end": end, "reductions": reductions})
        }
        What::Steal { from, tasks } => json!({"at": at, "steal": tasks, "from": from}),
        What::Park => json!({"at": at, "park": true}),
        What::Unpark => json!({"at": at, "unpark": true}),
        What::Spawn { task, by } => {
            json!({"at": at, "spawn": task_name(task), "by": task_name(by)})
        }
        What::Timers { fired } => json!({"at": at, "timers": fired}),
        What::Overrun {
            task,
            worker,
            lasted,
            rescued,
        } => {
            json!({"at": at, "overrun": task_name(task), "worker": worker, "ns": lasted, "rescued": rescued})
        }
    }
}
