//! What clients see of the app that a node runs: its components, its store, and the streams between its processes.

mod client;

use std::sync::Arc;

use rusm_actor::{Context, Node, Pid, StreamView, StreamWriter, open_stream};
use rusm_io::kv::{Store, StoreConfig};
use rusm_observe::protocol::{Code, Refusal};
use rusm_observe::{App, Observe, Observer};
use serde_json::{Value, json};

use client::{Client, access, node, waiting};

struct Shop {
    store: Option<Store>,
    streams: Vec<StreamView>,
}

impl App for Shop {
    fn components(&self) -> Vec<(String, u64)> {
        vec![("till".into(), 2)]
    }

    fn spawn(&self, _: &str, _: &[String]) -> Result<Pid, Refusal> {
        Err(Refusal::new(Code::Failed, "it is closed"))
    }

    fn store(&self) -> Option<Store> {
        self.store.clone()
    }

    fn streams(&self) -> Vec<StreamView> {
        self.streams.clone()
    }
}

fn observed(app: impl FnOnce(&Node) -> Shop) -> (Node, Observer) {
    let (node, reactor) = node();
    let at = "127.0.0.1:0".parse().expect("an address");
    let observe = Observe::new(at, access(None)).with_app(Arc::new(app(&node)));
    let observer = observe.start(&node, reactor).expect("it listens");
    (node, observer)
}

/// The next snapshot of a section, once it holds.
#[track_caller]
fn section(client: &mut Client, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
    client.ask(json!({"type": "select", "sections": [name]}));
    let is = |it: &Value| it["section"] == name && holds(&it["items"]);
    client.until("snapshot", is)
}

#[test]
fn the_store_of_the_app_is_shown_with_its_file_and_its_buckets() {
    let folder = std::env::temp_dir().join(format!("rusm-observe-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("shop.kv");
    let mut kept = None;
    let (node, observer) = observed(|node| {
        let open = file.clone();
        let made = node.block_on(move |_: Context| async move {
            let store = Store::open(open, StoreConfig::default()).await?;
            store.create_bucket("stock").await?;
            store.create_bucket("empty").await?;
            store.bucket("stock").set("pears", "12").await?;
            Ok::<Store, rusm_io::kv::KvError>(store)
        });
        let store = made.expect("it ends").expect("a store");
        kept = Some(store.clone());
        Shop {
            store: Some(store),
            streams: Vec::new(),
        }
    });
    let mut client = Client::new(&observer);
    let seen = section(&mut client, "kv", |_| true);
    let length = std::fs::metadata(&file).expect("it is there").len();
    assert_eq!(
        seen["items"],
        json!([
            {"kind": "file", "name": file.to_str(), "keys": null, "bytes": length},
            {"kind": "bucket", "name": "empty", "keys": 0, "bytes": 0},
            {"kind": "bucket", "name": "stock", "keys": 1, "bytes": 7},
        ])
    );
    assert_eq!(seen["total"], 3);
    let store = kept.expect("it was made");
    let set = node.block_on(move |_: Context| async move {
        let stock = store.bucket("stock");
        stock.set("figs", "7").await
    });
    set.expect("it ends").expect("it is set");
    section(&mut client, "kv", |items| {
        items[2] == json!({"kind": "bucket", "name": "stock", "keys": 2, "bytes": 12})
    });
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn the_streams_of_the_app_are_shown_from_their_opening_to_their_end() {
    let mut ends = None;
    let (node, observer) = observed(|node| {
        let reads = waiting(node);
        let opened = node.block_on(move |ctx: Context| async move {
            let (mut writer, reader) = open_stream(64).expect("a capacity");
            reader.offered_to(reads);
            writer.write_all(b"hello").await.expect("there is room");
            (ctx.pid(), writer, reader)
        });
        let (opener, writer, reader) = opened.expect("it ends");
        let view = writer.view();
        ends = Some((opener, reads, writer, reader));
        Shop {
            store: None,
            streams: vec![view],
        }
    });
    let (opener, reads, writer, mut reader) = ends.expect("it was opened");
    let mut client = Client::new(&observer);
    let mut expected = json!([{"writer": opener.to_string(), "reader": reads.to_string(), "state": "offered",
        "waits": null, "waiting": 5, "capacity": 64, "passed": 0}]);
    section(&mut client, "streams", |items| *items == expected);
    let read = node.block_on(move |_: Context| async move {
        reader.read(&mut [0; 2]).await.expect("it was written");
        reader
    });
    let reader = read.expect("it ends");
    drop::<StreamWriter>(writer);
    expected[0]["state"] = "ended".into();
    expected[0]["waiting"] = 3.into();
    expected[0]["passed"] = 2.into();
    section(&mut client, "streams", |items| *items == expected);
    drop(reader);
    let none = section(&mut client, "streams", |items| *items == json!([]));
    assert_eq!(none["total"], 0);
    // An app without a store has nothing in it.
    assert_eq!(section(&mut client, "kv", |_| true)["items"], json!([]));
    let living = section(&mut client, "wasm", |_| true);
    assert_eq!(
        living["items"],
        json!([{"component": "till", "instances": 2}])
    );
}
