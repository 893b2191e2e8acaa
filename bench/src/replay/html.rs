//! A view as one page that needs nothing else: the data as JSON, and a script that draws the lanes and zooms.

use rusm_observe::recording::{Recorded, end_number, ends, task_name};
use serde_json::{Value, json};

use super::crash::who;
use super::view::{Mark, Row, View};

/// Turns and marks that a page may hold: about 30 MB, which browsers still take.
const PAGE_EVENTS_MAX: usize = 500_000;

const PAGE: &str = include_str!("page.html");
const PLACE: &str = "/*RECORDING*/null";

/// The page.
pub(super) fn page(view: &View, recorded: &Recorded) -> Result<String, String> {
    let size = |row: &Row| row.blocks.len() + row.marks.len() + row.asleep.len();
    let events: usize = view.workers.iter().map(size).sum();
    if events > PAGE_EVENTS_MAX {
        return Err(format!(
            "{events} events are too many for a page, which takes {PAGE_EVENTS_MAX}. Choose less with `from` and `to`"
        ));
    }
    let lanes: Vec<Value> = view.workers.iter().map(|row| lane(view, row)).collect();
    let names = view.tasks.iter().map(|sum| {
        let name = task_name(sum.task);
        match recorded.process(sum.task) {
            Some(row) => format!("{name} {}", who(row)),
            None => name,
        }
    });
    let tasks: Vec<String> = names.collect();
    let data = json!({
        "scenario": recorded.scenario,
        "crash": recorded.crash.as_ref().map(|crash| &crash.end.reason),
        "start": view.from - recorded.recording.began,
        "span": view.to - view.from,
        "ends": ends().collect::<Vec<_>>(),
        "tasks": tasks,
        "lanes": lanes,
    });
    // A script ends at its closing tag, wherever that stands.
    Ok(PAGE.replace(PLACE, &data.to_string().replace('<', "\\u003c")))
}

/// Times from the view's begin; turns as begin, length, task, end and reductions.
fn lane(view: &View, row: &Row) -> Value {
    let blocks = row.blocks.iter().map(|block| {
        let why = block.why.map(end_number);
        let (at, lasted) = (block.begin - view.from, block.end - block.begin);
        json!([at, lasted, block.task, why, block.reductions])
    });
    let asleep = row.asleep.iter();
    let asleep = asleep.map(|(begin, end)| json!([begin - view.from, end - begin]));
    let marks = row.marks.iter();
    let marks = marks.map(|(at, mark)| json!([at - view.from, sign(*mark), says(*mark)]));
    json!({
        "unknown": row.known_from.saturating_sub(view.from),
        "turns": blocks.collect::<Vec<_>>(),
        "asleep": asleep.collect::<Vec<_>>(),
        "marks": marks.collect::<Vec<_>>(),
    })
}

/// Which of the page's colours a mark has.
fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::Overrun { .. } => "overrun",
        Mark::Steal { .. } => "steal",
        Mark::Park => "park",
        Mark::Unpark => "unpark",
        Mark::Timers { .. } => "timers",
        Mark::Spawn => "spawn",
    }
}

fn says(mark: Mark) -> String {
    match mark {
        Mark::Overrun { rescued: true } => "a turn too long: the worker got a new thread".into(),
        Mark::Overrun { rescued: false } => "a turn too long, and no thread was left".into(),
        Mark::Steal { from, tasks } => format!("{tasks} stolen from worker {from}"),
        Mark::Park => "went to sleep".into(),
        Mark::Unpark => "was up again".into(),
        Mark::Timers { fired } => format!("{fired} timers fired"),
        Mark::Spawn => "started a task".into(),
    }
}
