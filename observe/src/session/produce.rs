//! Frames that take time: each is made by a process of its own, which hands it in and ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rusm_actor::supervisor::{ChildKind, ChildState, SupervisorRef};
use rusm_actor::{Config, Context, Message, Pid, send};
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::listing::{self, Listed, Listing};
use crate::overview::micros;
use crate::protocol::{Field, Frame, ROWS_MAX, RowsWanted, Section};
use crate::row;
use crate::shared::{Shared, Target};

/// For a supervisor to say whom it supervises. One that is busy is shown without its children.
const SUPERVISOR_TIME_MAX: Duration = Duration::from_millis(200);
/// Members of a group that are told by their pids.
const MEMBERS_MAX: usize = 20;
/// For all of them.
const TREE_TIME_MAX: Duration = Duration::from_secs(2);

/// What is to be made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    Rows(RowsWanted),
    Detail(Pid),
    Section(Section),
}

/// What was made, as it goes over the wire.
pub(super) struct Produced {
    pub(super) what: What,
    pub(super) frame: Arc<str>,
}

/// Has it made by a process that is linked to the caller.
pub(super) fn start(ctx: &mut Context, shared: &Arc<Shared>, what: What) -> Pid {
    let (session, shared) = (ctx.pid(), shared.clone());
    ctx.spawn_link(move |mut ctx| async move {
        let target = shared.target();
        let frame = match &what {
            What::Rows(wanted) => shared.table.rows(target, wanted).await,
            What::Detail(pid) => detail(&ctx, &shared, &target, *pid).await.encode().into(),
            What::Section(section) => {
                let (total, items) = items(&mut ctx, &shared, &target, *section).await;
                let at = micros(target.node.handle().now());
                let section = *section;
                let frame = Frame::Snapshot {
                    at,
                    section,
                    total,
                    items,
                };
                frame.encode().into()
            }
        };
        send(session, Message::native(Produced { what, frame }));
    })
}

async fn detail(ctx: &Context, shared: &Shared, target: &Target, pid: Pid) -> Frame {
    let info = ctx.process_info(pid).await;
    let supervisors = target.node.supervisors();
    Frame::Detail {
        at: micros(target.node.handle().now()),
        pid: pid.to_string(),
        process: info
            .map(|info| Box::new(row::detail(&info, shared.table.pace(pid), &supervisors))),
    }
}

/// The items of a section, and how many there were before they were cut.
async fn items(
    ctx: &mut Context,
    shared: &Shared,
    target: &Target,
    section: Section,
) -> (u64, Vec<Value>) {
    let items = match section {
        Section::Names => names(target),
        Section::Groups => groups(target),
        Section::Tree => tree(ctx, target).await,
        Section::Sockets => sockets(shared),
        Section::Wasm => wasm(shared),
        Section::Kv => return walked(shared, &shared.kv, listing::kv).await,
        Section::Streams => return walked(shared, &shared.streams, listing::streams).await,
        Section::Warnings => values(&shared.warnings.active()),
        Section::Config => values(&fields(&target.node.handle().config())),
        Section::Runs => {
            let lab = shared.lab.as_ref();
            lab.map_or(Vec::new(), |lab| values(&lab.finished()))
        }
    };
    let total = items.len() as u64;
    (total, items.into_iter().take(ROWS_MAX).collect())
}

fn values(items: &[impl Serialize]) -> Vec<Value> {
    let value =
        |item| serde_json::to_value(item).expect("these types have nothing that JSON has not");
    items.iter().map(value).collect()
}

/// The configuration of a scheduler, field by field.
pub(super) fn fields(config: &Config) -> Vec<Field> {
    let default = Config::default();
    let field = |name: &&str| Field {
        field: (*name).into(),
        value: config.get(name),
        default: default.get(name),
        live: Config::live_fields().contains(name),
    };
    Config::fields().iter().map(field).collect()
}

fn names(target: &Target) -> Vec<Value> {
    let named = target.node.registered().into_iter();
    let item = |(name, pid): (Arc<str>, Pid)| json!({"name": *name, "pid": pid.to_string()});
    named.map(item).collect()
}

fn groups(target: &Target) -> Vec<Value> {
    let item = |name: Arc<str>| {
        let members = target.node.members(&name);
        let pids = members.iter().take(MEMBERS_MAX).map(Pid::to_string);
        let pids: Vec<String> = pids.collect();
        json!({"name": *name, "pids": pids, "members": members.len()})
    };
    target.node.groups().into_iter().map(item).collect()
}

fn sockets(shared: &Shared) -> Vec<Value> {
    let server = shared.server.get().into_iter();
    let item = |server: &rusm_net::Server| json!({"kind": "http", "address": server.local_addr().to_string(), "open": server.connections()});
    server.map(item).collect()
}

fn wasm(shared: &Shared) -> Vec<Value> {
    let all = shared.app.iter().flat_map(|app| app.components());
    let item = |(component, instances)| json!({"component": component, "instances": instances});
    all.map(item).collect()
}

/// What takes a walk, for all who ask.
async fn walked(
    shared: &Shared,
    listing: &Listing,
    walk: fn(&dyn App) -> Listed,
) -> (u64, Vec<Value>) {
    let Some(app) = shared.app.clone() else {
        return (0, Vec::new());
    };
    let listed = listing.list(move || walk(&*app)).await;
    (listed.total, listed.items.clone())
}

/// Who supervises whom, supervisors first, each child behind.
async fn tree(ctx: &mut Context, target: &Target) -> Vec<Value> {
    let supervisors = target.node.supervisors();
    let mut children = Vec::new();
    let begun = rusm_sched::now();
    for supervisor in &supervisors {
        if children.len() > ROWS_MAX || rusm_sched::now() - begun > TREE_TIME_MAX {
            break;
        }
        let asked = SupervisorRef::of(supervisor.pid).which_children(ctx);
        let said = rusm_sched::within(SUPERVISOR_TIME_MAX, asked).await;
        let said = said.and_then(Result::ok).unwrap_or_default();
        children.extend(said.into_iter().map(|child| (supervisor.pid, child)));
    }
    let running = |state| match state {
        ChildState::Running(pid) => Some(pid),
        ChildState::Restarting | ChildState::Stopped => None,
    };
    let placed: HashMap<Pid, ()> = children
        .iter()
        .filter_map(|(_, child)| Some((running(child.state)?, ())))
        .collect();
    let name = |pid: Option<Pid>| pid.and_then(|pid| target.node.name_of(pid));
    let tops = supervisors
        .iter()
        .filter(|it| !placed.contains_key(&it.pid));
    let tops = tops.map(|it| {
        let name = name(Some(it.pid));
        json!({"pid": it.pid.to_string(), "parent": null, "id": null, "name": name.as_deref(),
               "kind": "supervisor", "state": "running"})
    });
    let below = children.iter().map(|(parent, child)| {
        let (state, kind) = words(child.state, child.kind);
        let pid = running(child.state);
        json!({"pid": pid.map(|pid| pid.to_string()), "parent": parent.to_string(), "id": child.id.as_deref(),
               "name": name(pid).as_deref(), "kind": kind, "state": state})
    });
    tops.chain(below).collect()
}

fn words(state: ChildState, kind: ChildKind) -> (&'static str, &'static str) {
    let state = match state {
        ChildState::Running(_) => "running",
        ChildState::Restarting => "restarting",
        ChildState::Stopped => "stopped",
    };
    let kind = match kind {
        ChildKind::Supervisor => "supervisor",
        ChildKind::Worker => "worker",
    };
    (state, kind)
}
