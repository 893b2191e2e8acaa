//! Carries out what was typed at `rusm attach`: asks the node, and says what came of it.
//!
//! Each order has a connection of its own. None is idle between two of them, a node that was restarted
//! meanwhile is simply there again, and the secret for acting is told only when somebody acts.

use rusm_observe::protocol::{Command, Frame, Section, Select};
use serde_json::{Value, json};

use super::order::{Order, VERBS, wanted};
use super::tree;
use crate::client::{Client, ClientError};
use crate::command::{detail, ps, rows, top};
use crate::door::{Door, DoorError};
use crate::text::{Column, cut, micros, table};
use rusm_observe::quiet;

/// Columns of a text in a list.
const WIDTH: usize = 60;

/// What came of an order: for people, and for programs.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) json: Value,
}

impl Answer {
    fn lines(lines: &[String], json: Value) -> Answer {
        let text = lines.iter().map(|line| format!("{line}\n")).collect();
        Answer { text, json }
    }

    /// Whether there is a line every second from now on.
    pub(super) fn detail(on: bool) -> Answer {
        let text = if on { "detail is on" } else { "detail is off" };
        Answer::line(text, json!({"detail": on}))
    }

    fn line(line: &str, json: Value) -> Answer {
        Answer::lines(&[line.to_owned()], json)
    }
}

/// Why nothing came of it.
pub(super) enum CarryError {
    Door(DoorError),
    /// A sentence.
    Said(String),
}

impl From<DoorError> for CarryError {
    fn from(why: DoorError) -> Self {
        CarryError::Door(why)
    }
}

impl From<ClientError> for CarryError {
    fn from(why: ClientError) -> Self {
        CarryError::Door(why.into())
    }
}

impl std::fmt::Display for CarryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CarryError::Door(why) => why.fmt(f),
            CarryError::Said(why) => f.write_str(why),
        }
    }
}

/// Carries an order out. `Detail` and `Quit` are for whoever reads them.
pub(super) fn carry(door: &Door, order: Order) -> Result<Answer, CarryError> {
    match order {
        Order::Help | Order::Detail(_) | Order::Quit => Ok(help()),
        Order::Ps(wanted) => {
            let frame = rows::ask(&mut door.look()?, &wanted)?;
            let json = value(&frame);
            let text = ps::table(&frame);
            Ok(Answer { text, json })
        }
        Order::Top => {
            let (text, json) = top::screen(&mut door.look()?, &wanted(&[]))?;
            Ok(Answer { text, json })
        }
        Order::Info(who) => info(&mut door.look()?, &who),
        Order::Tree => section(door, Section::Tree),
        Order::Components => section(door, Section::Wasm),
        Order::Names => section(door, Section::Names),
        Order::Groups => section(door, Section::Groups),
        Order::Kv => section(door, Section::Kv),
        Order::Streams => section(door, Section::Streams),
        Order::Warnings => section(door, Section::Warnings),
        Order::Runs => section(door, Section::Runs),
        Order::Config(field, None) => config(&door.look()?, field.as_deref()),
        order => act(&mut door.act()?, order),
    }
}

/// What is done, and not only looked at.
fn act(client: &mut Client, order: Order) -> Result<Answer, CarryError> {
    let (command, done) = match order {
        Order::Send { to, text } => {
            let done = format!("sent to {}", quiet(&to));
            (Command::Send { to, text }, done)
        }
        Order::Kill(who) => {
            let pid = pid_of(client, &who)?;
            let done = format!("{pid} is killed");
            (Command::Kill { pid }, done)
        }
        Order::Spawn { component, args } => {
            (Command::Spawn { component, args }, "started".to_owned())
        }
        Order::Config(Some(field), Some(value)) => {
            let done = format!("{} is {} now", quiet(&field), quiet(&value));
            (Command::SetConfig { field, value }, done)
        }
        Order::Run(order) => (Command::Run(order), "runs".to_owned()),
        _ => (Command::Stop {}, "stopped".to_owned()),
    };
    let json = client.ask(command)?;
    let told = ["pid", "run"].iter().find_map(|key| json.get(key));
    let text = match told {
        Some(Value::String(what)) => format!("{done}: {}", quiet(what)),
        Some(what) => format!("{done}: {what}"),
        None => done,
    };
    Ok(Answer::line(&text, json))
}

fn help() -> Answer {
    let lines: Vec<String> = VERBS
        .iter()
        .map(|verb| format!("{:30}{}", format!("{} {}", verb.name, verb.rest), verb.help))
        .collect();
    let all = VERBS
        .iter()
        .map(|verb| json!({"command": verb.name, "rest": verb.rest, "help": verb.help}));
    Answer::lines(&lines, all.collect())
}

fn value(frame: &Frame) -> Value {
    serde_json::to_value(frame).expect("these types have nothing that JSON has not")
}

/// Who is meant by a pid or a name.
fn pid_of(client: &mut Client, who: &str) -> Result<String, CarryError> {
    if who.starts_with('<') {
        return Ok(who.to_owned());
    }
    let (_, _, items) = items(client, Section::Names)?;
    let found = items.iter().find(|item| item["name"] == who);
    let pid = found.and_then(|item| item["pid"].as_str());
    let nobody = || CarryError::Said(format!("no process has the name `{}`.", quiet(who)));
    pid.map(str::to_owned).ok_or_else(nobody)
}

fn info(client: &mut Client, who: &str) -> Result<Answer, CarryError> {
    let wanted = pid_of(client, who)?;
    client.select(Select {
        detail: Some(Some(wanted.clone())),
        ..Select::default()
    })?;
    let process = client.wait_for(|frame| match frame {
        Frame::Detail { process, .. } => Some(process),
        _ => None,
    })?;
    let nobody = || {
        let who = quiet(&wanted);
        CarryError::Said(format!(
            "there is no process {who}: it has ended, or never was."
        ))
    };
    let process = process.ok_or_else(nobody)?;
    let json = serde_json::to_value(&process).unwrap_or_default();
    Ok(Answer::lines(&detail::lines(&process), json))
}

/// The frame, how many items there are, and those that came.
fn items(client: &mut Client, section: Section) -> Result<(Value, u64, Vec<Value>), ClientError> {
    client.select(Select {
        sections: Some(vec![section]),
        ..Select::default()
    })?;
    client.wait_for(|frame| {
        let whole = value(&frame);
        match frame {
            Frame::Snapshot {
                section: of,
                total,
                items,
                ..
            } if of == section => Some((whole, total, items)),
            _ => None,
        }
    })
}

fn section(door: &Door, section: Section) -> Result<Answer, CarryError> {
    let (frame, total, items) = items(&mut door.look()?, section)?;
    let columns: &[(&str, &str)] = match section {
        Section::Names => &[("name", "name"), ("pid", "pid")],
        Section::Groups => &[("group", "name"), ("members", "members"), ("pids", "pids")],
        Section::Wasm => &[("component", "component"), ("living", "instances")],
        Section::Kv => &[
            ("kind", "kind"),
            ("name", "name"),
            ("keys", "keys"),
            ("bytes", "bytes"),
        ],
        Section::Streams => &[
            ("writer", "writer"),
            ("reader", "reader"),
            ("state", "state"),
            ("waits", "waits"),
            ("waiting", "waiting"),
            ("capacity", "capacity"),
            ("passed", "passed"),
        ],
        Section::Warnings => &[
            ("kind", "kind"),
            ("subject", "subject"),
            ("evidence", "evidence"),
        ],
        Section::Runs => &[
            ("run", "id"),
            ("scenario", "scenario"),
            ("state", "state"),
            ("value", "value"),
            ("unit", "unit"),
        ],
        Section::Tree | Section::Sockets | Section::Config => &[],
    };
    let mut lines = match (section, &items[..]) {
        (_, []) => vec!["none".to_owned()],
        (Section::Tree, items) => tree::draw(items),
        (_, items) => list(columns, items),
    };
    if total > items.len() as u64 {
        lines.push(format!("and {} more", total - items.len() as u64));
    }
    Ok(Answer::lines(&lines, frame))
}

/// A table of these fields, as they are called for people and in the frame.
fn list(fields: &[(&str, &str)], items: &[Value]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => quiet(text),
        Value::Null => "-".to_owned(),
        Value::Array(all) => {
            let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
            quiet(&all.join(" "))
        }
        other => quiet(&other.to_string()),
    };
    let columns: Vec<Column> = fields
        .iter()
        .map(|(head, field)| Column::text(head, if *field == "evidence" { 200 } else { WIDTH }))
        .collect();
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            fields
                .iter()
                .map(|(_, field)| text(&item[*field]))
                .collect()
        })
        .collect();
    table(&columns, &rows)
}

fn config(client: &Client, field: Option<&str>) -> Result<Answer, CarryError> {
    let all = client.hello().config.iter();
    let wanted: Vec<_> = all
        .filter(|known| field.is_none_or(|field| known.field == field))
        .collect();
    if let (Some(field), []) = (field, &wanted[..]) {
        let field = quiet(field);
        return Err(CarryError::Said(format!(
            "there is no field `{field}`. `config` lists them."
        )));
    }
    let columns = ["field", "value", "default", ""].map(|head| Column::text(head, WIDTH));
    let live = |live| if live { "can be set now" } else { "" };
    let rows: Vec<Vec<String>> = wanted
        .iter()
        .map(|it| {
            let texts = [&it.field, &it.value, &it.default].map(|text| quiet(text));
            texts
                .into_iter()
                .chain([live(it.live).to_owned()])
                .collect()
        })
        .collect();
    let json = serde_json::to_value(&wanted).unwrap_or_default();
    Ok(Answer::lines(&table(&columns, &rows), json))
}

/// What the user may want to name: for completion.
#[derive(Default)]
pub(super) struct Known {
    pub(super) who: Vec<String>,
    pub(super) fields: Vec<String>,
    pub(super) components: Vec<String>,
    pub(super) scenarios: Vec<String>,
}

/// Asks the node for it.
pub(super) fn known(client: &mut Client) -> Result<Known, ClientError> {
    let hello = client.hello();
    let fields = hello.config.iter().map(|field| field.field.clone());
    let fields = fields.collect();
    let lab = hello.lab.iter().flat_map(|lab| lab.scenarios.iter());
    let scenarios = lab.map(|scenario| scenario.name.clone()).collect();
    let mut texts = |section, key: &str| -> Result<Vec<String>, ClientError> {
        let (_, _, items) = items(client, section)?;
        let texts = items.iter().filter_map(|item| item[key].as_str());
        Ok(texts.map(str::to_owned).collect())
    };
    Ok(Known {
        who: texts(Section::Names, "name")?,
        components: texts(Section::Wasm, "component")?,
        fields,
        scenarios,
    })
}

/// The overview in a line, for those who want one every second.
pub(super) fn overview(frame: &Frame) -> Option<String> {
    let Frame::Tick(tick) = frame else {
        return None;
    };
    let (all, times) = (&tick.overview, &tick.overview.wake_to_run.times);
    let line = format!(
        "{} processes, {} running, {} runnable; {} spawns and {} turns so far; woken to run p99 {}",
        all.processes.alive,
        all.processes.running,
        all.processes.runnable,
        all.counters.spawns,
        all.counters.turns,
        if times.count > 0 {
            micros(times.p99)
        } else {
            "-".into()
        }
    );
    Some(cut(&line, 200))
}
