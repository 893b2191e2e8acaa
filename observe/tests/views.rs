//! What clients of a real node see of it: tables, single processes, sections and warnings.

mod client;

use std::time::Instant;

use rusm_actor::supervisor::{Child, Strategy, Supervisor};
use rusm_actor::{Context, Pid, send};
use serde_json::{Value, json};

use client::{Client, PATIENCE, busy_node, observed, rows, waiting_for_good};

#[test]
fn the_table_has_those_who_have_most_and_says_how_many_there_are() {
    let (node, observer) = observed(None);
    let pids: Vec<Pid> = (0..20).map(|_| waiting_for_good(&node)).collect();
    for (messages, pid) in pids.iter().enumerate() {
        (0..messages).for_each(|_| send(*pid, b"x"));
    }
    let mut client = Client::new(&observer);
    client.ask(rows("mailbox", false, 3, ""));
    let table = client.until("rows", |rows| rows["rows"][0]["mailbox"] == 19);
    let best: Vec<&Value> = table["rows"].as_array().expect("rows").iter().collect();
    let expected: Vec<Value> = pids[17..]
        .iter()
        .rev()
        .map(|pid| json!(pid.to_string()))
        .collect();
    assert_eq!(
        best.iter()
            .map(|row| row["pid"].clone())
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(best[0]["state"], "waiting");
    assert_eq!(table["alive"], table["matched"]);
    assert!(table["alive"].as_u64() >= Some(20));
    // All ways to look at the node say the same: these, and the one that accepts, the one that watches and this
    // client's; but the process that makes the table is in the table.
    let others = 3;
    client.until("rows", |rows| rows["alive"] == pids.len() + others + 1);
    client.until("tick", |tick| {
        tick["processes"]["alive"] == pids.len() + others
    });
}

#[test]
fn a_table_may_be_of_some_processes_only() {
    let (node, observer) = observed(None);
    busy_node(&node);
    let spinner = node.spawn(|ctx: Context| async move {
        loop {
            ctx.reductions(1).await;
        }
    });
    let mut client = Client::new(&observer);
    let is = |pid: Pid| move |table: &Value| table["rows"][0]["pid"] == pid.to_string();
    client.ask(rows("mailbox", false, 10, "busy_node"));
    let by_body = client.until("rows", |table| table["filter"] == "busy_node");
    assert_eq!(by_body["matched"], 2);
    client.ask(rows("mailbox", false, 10, "a name that only one has"));
    node.register("a name that only one has", busy_of(&by_body))
        .expect("it is free");
    let by_name = client.until("rows", |table| table["matched"] == 1);
    assert!(by_name["alive"].as_u64() > Some(2));
    client.ask(rows("memory", false, 10, &spinner.to_string()));
    assert_eq!(client.until("rows", is(spinner))["matched"], 1);
    client.ask(rows("reductions", true, 1, ""));
    let table = client.until("rows", |table| {
        table["rows"][0]["reductions_window"].as_u64() > Some(1000)
    });
    assert_eq!(table["rows"][0]["pid"], spinner.to_string());
    assert!(table["rows"][0]["cpu_window"].as_f64() > Some(1000.0));
    node.kill(spinner);
}

/// The process of the table that has no name yet.
fn busy_of(table: &Value) -> Pid {
    let rows = table["rows"].as_array().expect("rows");
    let unnamed = rows.iter().find(|row| row["name"].is_null());
    let pid = unnamed.expect("one has none")["pid"]
        .as_str()
        .expect("text");
    pid.parse().expect("a pid")
}

#[test]
fn a_process_is_described_as_long_as_it_lives() {
    let (node, observer) = observed(None);
    let busy = busy_node(&node);
    let mut client = Client::new(&observer);
    client.ask(json!({"type": "select", "detail": busy.to_string()}));
    let detail = client.frame("detail");
    let process = &detail["process"];
    assert_eq!(process["name"], "busy");
    assert_eq!(process["label"], "as busy as can be");
    assert_eq!(process["groups"], json!(["busy ones"]));
    assert_eq!(process["links"], process["monitors"]);
    assert_eq!(process["answered"], true);
    assert_eq!(process["supervisor"], Value::Null);
    assert_eq!(process["oldest"], Value::Null);
    // It is no guest.
    assert_eq!(process["last_call"], Value::Null);
    assert!(
        process["place"]
            .as_str()
            .is_some_and(|place| place.contains("client/mod.rs"))
    );
    client.ask(json!({"type": "kill", "pid": busy.to_string()}));
    client.until("detail", |detail| detail["process"].is_null());
}

#[test]
fn a_process_is_described_with_its_supervisor_and_its_oldest_message() {
    let (node, observer) = observed(None);
    let child = Child::worker("worker", |ctx: Context| async move {
        send(ctx.pid(), b"do this");
        send(ctx.pid(), b"and then this");
        ctx.register("busy").expect("it is free");
        std::future::pending::<()>().await
    });
    let top = Supervisor::new(Strategy::OneForOne).child(child);
    let top = node.start_supervisor(top).expect("it starts");
    let begun = Instant::now();
    let worker = loop {
        assert!(begun.elapsed() < PATIENCE, "the worker starts");
        if let Some(pid) = node.whereis("busy") {
            break pid;
        }
    };
    let mut client = Client::new(&observer);
    client.ask(json!({"type": "select", "detail": worker.to_string()}));
    let process = client.frame("detail")["process"].clone();
    assert_eq!(process["supervisor"], top.pid().to_string());
    assert_eq!(process["mailbox"], 2);
    let oldest = json!({"from": null, "text": "7 bytes \"do this\""});
    assert_eq!(process["oldest"], oldest);
}

#[test]
fn sections_show_names_groups_sockets_and_the_tree() {
    let (node, observer) = observed(None);
    busy_node(&node);
    let inner = Supervisor::new(Strategy::OneForAll)
        .child(Child::worker("leaf", |_| std::future::pending::<()>()));
    let top = Supervisor::new(Strategy::OneForOne)
        .named("top")
        .child(Child::supervisor("inner", inner))
        .child(Child::worker("worker", |_| std::future::pending::<()>()));
    let top = node.start_supervisor(top).expect("it starts");
    let mut client = Client::new(&observer);
    client.ask(json!({"type": "select", "sections": ["names", "groups", "sockets", "tree", "wasm", "kv", "streams", "warnings", "runs"]}));
    let mut section = |name: &str| {
        let found = client.until("snapshot", |it| it["section"] == name);
        assert_eq!(
            found["total"],
            found["items"].as_array().expect("items").len()
        );
        found["items"].clone()
    };
    let names = section("names");
    assert!(
        names
            .as_array()
            .expect("items")
            .iter()
            .any(|it| it["name"] == "busy")
    );
    assert_eq!(section("groups")[0]["members"], 1);
    assert_eq!(
        section("sockets")[0]["address"],
        observer.local_addr().to_string()
    );
    let tree = section("tree");
    let ids: Vec<&str> = tree
        .as_array()
        .expect("items")
        .iter()
        .map(|it| it["id"].as_str().unwrap_or("top"))
        .collect();
    assert_eq!(ids.len(), 4, "{tree}");
    assert_eq!(tree[0]["pid"], top.pid().to_string());
    assert_eq!(
        (&tree[0]["name"], &tree[0]["parent"]),
        (&json!("top"), &Value::Null)
    );
    for id in ["inner", "worker", "leaf"] {
        assert!(ids.contains(&id), "{tree}");
    }
}

#[test]
fn a_turn_that_lasts_too_long_is_told_and_is_over_later() {
    let (node, observer) = observed(None);
    let mut client = Client::new(&observer);
    client.frame("tick");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let hog = node.spawn(move |_| async move {
        // No turn of a good process.
        let _ = stopped.recv();
    });
    let is = |kind: &'static str| move |it: &Value| it["kind"] == kind && it["active"] == true;
    let warning = client.until("warning", is("hog"));
    assert_eq!(warning["subject"], hog.to_string());
    client.until("warning", is("stuck"));
    // Who comes later is told what is so still.
    Client::new(&observer).until("warning", is("stuck"));
    drop(stop);
    client.until("warning", |it| {
        it["kind"] == "stuck" && it["active"] == false
    });
}

#[test]
fn a_name_that_is_tried_for_while_another_has_it_is_told_and_is_over_with_its_holder() {
    let (node, observer) = observed(None);
    let [holder, other] = [waiting_for_good(&node), waiting_for_good(&node)];
    node.register("orders", holder).expect("it is free");
    let mut client = Client::new(&observer);
    client.frame("tick");
    for _ in 0..3 {
        node.register("orders", other).expect_err("it is taken");
    }
    let is = |active: bool| move |it: &Value| it["kind"] == "name" && it["active"] == active;
    let warning = client.until("warning", is(true));
    assert_eq!(warning["subject"], "orders");
    let evidence = warning["evidence"].as_str().expect("text");
    let said =
        format!("`orders` is held by {holder}; others tried to register it 3 times, last {other} ");
    assert!(evidence.starts_with(&said), "{evidence}");
    node.kill(holder);
    client.until("warning", is(false));
}

#[test]
fn a_mailbox_that_grows_and_grows_is_told() {
    let (node, observer) = observed(None);
    let pid = waiting_for_good(&node);
    let mut client = Client::new(&observer);
    client.ask(json!({"type": "set_observer_detail", "hz": 20}));
    let begun = Instant::now();
    let warning = loop {
        (0..500).for_each(|_| send(pid, b"x"));
        let frame = client.next().expect("it goes on");
        if frame["kind"] == "mailbox" {
            break frame;
        }
        assert!(begun.elapsed() < PATIENCE, "nobody is warned");
    };
    assert_eq!(
        (&warning["kind"], &warning["subject"]),
        (&json!("mailbox"), &json!(pid.to_string()))
    );
}
