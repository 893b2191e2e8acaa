//! Reading a recording, which may be anything.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use rusm_sched::{Address, Config, Event, Lane, RECORD_EVENTS_MAX, Recording, WORKERS_MAX, What};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Crash, CrashEnd, ENDS, LINE_BYTES_MAX, Recorded, VERSION};
use crate::protocol::{Overview, TraceEvent, Warning};

impl Recorded {
    /// Reads what [`Recorded::write`] wrote.
    ///
    /// # Errors
    /// A sentence without its full stop, with the number of the line that makes no sense.
    pub fn read(input: impl BufRead) -> Result<Recorded, String> {
        let mut lines = Lines { input, number: 0 };
        let header = lines.next()?.ok_or("the file is empty")?;
        let mut reading = Reading::new(&header).map_err(|why| lines.blame(&why))?;
        while let Some(mut line) = lines.next()? {
            if let Some(promised) = line.get("events") {
                return reading.end(promised);
            }
            let read = reading.take(&mut line);
            read.map_err(|why| lines.blame(&why))?;
        }
        Err(format!(
            "it breaks off after line {}; record it again",
            lines.number
        ))
    }
}

/// What was read so far.
struct Reading {
    recorded: Recorded,
    /// Whose events come now.
    lane: Option<usize>,
    lanes: usize,
    events: u64,
    /// What a flight recorder adds.
    end: Option<CrashEnd>,
    overview: Option<Overview>,
    warnings: Vec<Warning>,
    traced: Vec<TraceEvent>,
}

impl Reading {
    fn new(header: &Map<String, Value>) -> Result<Self, String> {
        Ok(Reading {
            recorded: read_header(header)?,
            lane: None,
            lanes: 0,
            events: 0,
            end: match header.get("crash") {
                None | Some(Value::Null) => None,
                Some(end) => Some(typed(end.clone(), "crash")?),
            },
            overview: None,
            warnings: Vec::new(),
            traced: Vec::new(),
        })
    }

    fn take(&mut self, line: &mut Map<String, Value>) -> Result<(), String> {
        if line.contains_key("lane") {
            self.lanes += 1;
            self.lane = Some(read_lane(&mut self.recorded.recording, line)?);
        } else if let Some(row) = line.remove("process") {
            let (task, row) = (task(line, "task")?, typed(row, "process")?);
            self.recorded.processes.insert(task, row);
        } else if let Some(overview) = line.remove("overview") {
            self.overview = Some(typed(overview, "overview")?);
        } else if let Some(warning) = line.remove("warning") {
            self.warnings.push(typed(warning, "warning")?);
        } else if let Some(event) = line.remove("traced") {
            self.traced.push(typed(event, "traced")?);
        } else {
            self.events += 1;
            let event = read_event(line)?;
            let lane = lane_mut(&mut self.recorded.recording, self.lane);
            lane.ok_or("an event without a worker")?.events.push(event);
        }
        Ok(())
    }

    /// So many events should have been there.
    fn end(mut self, promised: &Value) -> Result<Recorded, String> {
        let events = self.events;
        if promised.as_u64() != Some(events) {
            return Err(format!(
                "{promised} events were written, and {events} are there"
            ));
        }
        if self.lanes <= self.recorded.recording.workers.len() {
            return Err("not all workers are in it".to_string());
        }
        if let Some(end) = self.end {
            self.recorded.crash = Some(Crash {
                end,
                overview: self.overview.ok_or("the overview is not in it")?,
                warnings: self.warnings,
                traced: self.traced,
            });
        }
        Ok(self.recorded)
    }
}

fn typed<T: DeserializeOwned>(value: Value, key: &str) -> Result<T, String> {
    serde_json::from_value(value).map_err(|why| format!("`{key}` is not what it should be: {why}"))
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

/// All but what the other lines say.
fn read_header(line: &Map<String, Value>) -> Result<Recorded, String> {
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
    Ok(Recorded {
        scenario: scenario.unwrap_or("?").to_string(),
        recording,
        processes: BTreeMap::new(),
        crash: None,
    })
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
