//! A recording as text, one JSON value a line: a header, what each worker came to, its events, and how many lines
//! there should have been. Whatever else a file holds is refused with the number of the line.

use std::io::{self, BufRead, Write};

use rusm_sched::{
    Address, Config, Event, Lane, RECORD_EVENTS_MAX, Recording, TurnEnd, WORKERS_MAX, What,
};
use serde_json::{Map, Value, json};

/// Of this format. Files of others are refused.
pub(super) const VERSION: u64 = 1;

/// The longest line that a file may have, in bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;

const ENDS: [(TurnEnd, &str); 6] = [
    (TurnEnd::Waiting, "waiting"),
    (TurnEnd::Woken, "woken"),
    (TurnEnd::Spent, "spent"),
    (TurnEnd::Yielded, "yielded"),
    (TurnEnd::Moved, "moved"),
    (TurnEnd::Ended, "ended"),
];

/// Every way a turn can end, in a fixed order.
pub(super) fn ends() -> impl Iterator<Item = &'static str> {
    ENDS.iter().map(|(_, name)| *name)
}

/// Where `end` is among [`ends`].
pub(super) fn end_number(end: TurnEnd) -> usize {
    let at = ENDS.iter().position(|(it, _)| *it == end);
    at.expect("the table names every end")
}

/// Index and generation, as the scheduler prints them.
pub(super) fn task_name(task: Address) -> String {
    format!("{}.{}", task.index(), task.generation())
}

/// Writes all of `recording`; `scenario` says where it is from.
pub(super) fn write(out: &mut impl Write, recording: &Recording, scenario: &str) -> io::Result<()> {
    let fields = Config::fields().iter();
    let config: Map<String, Value> = fields
        .map(|field| (field.to_string(), json!(recording.config.get(field))))
        .collect();
    let header = json!({
        "rusm_recording": VERSION,
        "scenario": scenario,
        "workers": recording.workers.len(),
        "events_max": recording.events_max,
        "seed": recording.seed,
        "start": recording.began,
        "end": recording.taken,
        "config": config,
    });
    writeln!(out, "{header}")?;
    let mut events = 0;
    let lanes = recording.workers.iter().enumerate();
    let lanes = lanes.map(|(index, lane)| (json!(index), lane));
    for (name, lane) in lanes.chain([(json!("ticker"), &recording.ticker)]) {
        let running = lane.running.map(|(task, _)| task_name(task));
        let since = lane.running.map(|(_, since)| since);
        writeln!(
            out,
            "{}",
            json!({"lane": name, "missed": lane.missed, "running": running, "since": since})
        )?;
        for event in &lane.events {
            writeln!(out, "{}", event_line(event))?;
            events += 1;
        }
    }
    writeln!(out, "{}", json!({"events": events}))
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

/// A recording and the scenario that it says it is from.
pub(super) fn read(input: impl BufRead) -> Result<(Recording, String), String> {
    let mut lines = Lines { input, number: 0 };
    let header = lines.next()?.ok_or("the file is empty")?;
    let (mut recording, scenario) = read_header(&header).map_err(|why| lines.blame(&why))?;
    let (mut lane, mut lanes, mut events) = (None, 0, 0);
    while let Some(line) = lines.next()? {
        if let Some(promised) = line.get("events") {
            return if promised.as_u64() != Some(events) {
                Err(format!(
                    "{promised} events were written, and {events} are there"
                ))
            } else if lanes <= recording.workers.len() {
                Err("not all workers are in it".to_string())
            } else {
                Ok((recording, scenario))
            };
        }
        let read = if line.get("lane").is_some() {
            lanes += 1;
            read_lane(&mut recording, &line).map(|begun| lane = Some(begun))
        } else {
            events += 1;
            let whose = lane_mut(&mut recording, lane);
            read_event(&line).and_then(|event| {
                let whose = whose.ok_or("an event without a worker")?;
                whose.events.push(event);
                Ok(())
            })
        };
        read.map_err(|why| lines.blame(&why))?;
    }
    Err(format!(
        "it breaks off after line {}; record it again",
        lines.number
    ))
}

/// One JSON object after the other.
struct Lines<R> {
    input: R,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<Map<String, Value>>, String> {
        let mut line = Vec::new();
        let mut limited = io::Read::take(&mut self.input, LINE_BYTES_MAX);
        let read = limited.read_until(b'\n', &mut line);
        read.map_err(|error| error.to_string())?;
        if line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let whole = line.last() == Some(&b'\n');
        match serde_json::from_slice(&line) {
            Ok(Value::Object(object)) => Ok(Some(object)),
            Err(_) if !whole && self.number > 1 => Err(format!(
                "it breaks off in line {}; record it again",
                self.number
            )),
            _ => Err(self.blame("that is no JSON object")),
        }
    }

    fn blame(&self, why: &str) -> String {
        format!("line {}: {why}", self.number)
    }
}

fn read_header(line: &Map<String, Value>) -> Result<(Recording, String), String> {
    let version = line.get("rusm_recording").and_then(Value::as_u64);
    let version = version.ok_or("this is no header of a recording")?;
    if version != VERSION {
        return Err(format!(
            "the recording has version {version}, and this program reads {VERSION}; record it again"
        ));
    }
    let workers = number(line, "workers")? as usize;
    if !(1..=WORKERS_MAX).contains(&workers) {
        return Err(format!(
            "`workers` is {workers}, not from 1 to {WORKERS_MAX}"
        ));
    }
    let events_max = number(line, "events_max")? as usize;
    if !(1..=RECORD_EVENTS_MAX).contains(&events_max) {
        return Err(format!("`events_max` is not from 1 to {RECORD_EVENTS_MAX}"));
    }
    let (began, taken) = (number(line, "start")?, number(line, "end")?);
    if began > taken {
        return Err("it ends before it starts".to_string());
    }
    let mut config = Config::default();
    for (field, value) in line
        .get("config")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        // A simulation has a queue that nobody can ask for.
        if field != "queue" {
            config.set(field, value.as_str().unwrap_or_default())?;
        }
    }
    let recording = Recording {
        began,
        taken,
        events_max,
        config,
        seed: line.get("seed").and_then(Value::as_u64),
        workers: vec![Lane::default(); workers],
        ticker: Lane::default(),
    };
    let scenario = line.get("scenario").and_then(Value::as_str);
    Ok((recording, scenario.unwrap_or("?").to_string()))
}

/// The index of a lane; the ticker's is one more than the last worker's.
fn read_lane(recording: &mut Recording, line: &Map<String, Value>) -> Result<usize, String> {
    let workers = recording.workers.len();
    let index = match &line["lane"] {
        Value::String(name) if name == "ticker" => workers,
        Value::Number(index) if index.as_u64().is_some_and(|it| it < workers as u64) => {
            index.as_u64().unwrap_or_default() as usize
        }
        other => return Err(format!("there is no worker {other}")),
    };
    let lane = lane_mut(recording, Some(index)).ok_or("there is no such worker")?;
    lane.missed = number(line, "missed")?;
    if line.get("running").is_some_and(|it| !it.is_null()) {
        lane.running = Some((task(line, "running")?, number(line, "since")?));
    }
    Ok(index)
}

fn lane_mut(recording: &mut Recording, index: Option<usize>) -> Option<&mut Lane> {
    let index = index?;
    if index == recording.workers.len() {
        return Some(&mut recording.ticker);
    }
    recording.workers.get_mut(index)
}

fn read_event(line: &Map<String, Value>) -> Result<Event, String> {
    let has = |key: &str| line.contains_key(key);
    let what = if has("turn") {
        let end = line.get("end").and_then(Value::as_str).unwrap_or_default();
        let known = ENDS.iter().find(|(_, name)| *name == end);
        What::Turn {
            task: task(line, "turn")?,
            lasted: number(line, "ns")?,
            end: known.ok_or(format!("no turn ends by `{end}`"))?.0,
            reductions: small(line, "reductions")?,
        }
    } else if has("steal") {
        What::Steal {
            from: number(line, "from")? as usize,
            tasks: small(line, "steal")?,
        }
    } else if has("spawn") {
        What::Spawn {
            task: task(line, "spawn")?,
            by: task(line, "by")?,
        }
    } else if has("overrun") {
        What::Overrun {
            task: task(line, "overrun")?,
            worker: number(line, "worker")? as usize,
            lasted: number(line, "ns")?,
            rescued: line.get("rescued") == Some(&Value::Bool(true)),
        }
    } else if has("timers") {
        What::Timers {
            fired: small(line, "timers")?,
        }
    } else if has("park") {
        What::Park
    } else if has("unpark") {
        What::Unpark
    } else {
        return Err("that is no event".to_string());
    };
    let at = number(line, "at")?;
    Ok(Event { at, what })
}

fn number(line: &Map<String, Value>, key: &str) -> Result<u64, String> {
    let number = line.get(key).and_then(Value::as_u64);
    number.ok_or(format!("`{key}` is not a whole number"))
}

fn small(line: &Map<String, Value>, key: &str) -> Result<u32, String> {
    u32::try_from(number(line, key)?).map_err(|_| format!("`{key}` is too large"))
}

fn task(line: &Map<String, Value>, key: &str) -> Result<Address, String> {
    let text = line.get(key).and_then(Value::as_str).unwrap_or_default();
    let parts = text.split_once('.').and_then(|(index, generation)| {
        let (index, generation): (u32, u32) = (index.parse().ok()?, generation.parse().ok()?);
        Some(u64::from(generation) << 32 | u64::from(index))
    });
    let bits = parts.ok_or(format!("`{key}` names no task; `12.3` would"))?;
    Ok(Address::from_bits(bits))
}
