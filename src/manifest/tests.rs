//! Whole manifests that are right, and the two documents about them.

use std::path::Path;
use std::time::Duration;

use rusm_actor::supervisor::{Restart, Strategy};
use rusm_actor::{MailboxLimit, MailboxPolicy};
use rusm_wasm::grant::{Access, CpuPolicy, Grants, LogLevel};

use super::schema::{Kind, ROOT, Section};
use super::*;

mod mistakes;
mod schema;

const FULL: &str = r#"
[node]
workers = 2
memory = "128M"
instances = 500
stop = "3s"
store = "data/app.redb"

[log]
level = "debug"

[components.web]
source = "web.wat"
kind = "module"
profile = "shop"
entry = "main"
args = ["a", "b c"]
env = { LANG = "en", EMPTY = "" }
resident = 2
restart = "transient"
stop = "500ms"
supervisor = "front"
flavour = "compute"

[components.job]

[capabilities.base]
memory = 1_048_576
tables = 2
table-elements = 50
cpu = { time = "20ms", every = "100ms", over = "kill" }
cpu-total = "1h"
processes = 10
mailbox = { messages = 100, over = "refuse" }
modules = true

[capabilities.shop]
extends = "base"
dirs = [{ path = "data", as = "/data", access = "read-write" }, { path = "texts" }]
env = ["APP_*"]
connect = ["example.com:443", "10.0.0.0/8:*"]
listen = ["127.0.0.1:8080"]
kv = [{ bucket = "carts", access = "read-write" }, { bucket = "prices" }]
spawn = ["job", "plug-*"]
register = ["web.*"]
join = ["workers"]
kill = ["children", "name:job-*"]
list = ["all"]
inspect = ["descendants"]
kill-groups = ["workers"]
stdio = ["stdout", "stderr"]
log = "trace"

[supervisors.back]
strategy = "one-for-all"
restarts = 7
within = "1m"

[supervisors.front]
strategy = "rest-for-one"
under = "back"
"#;

fn read(text: &str) -> Result<Manifest, Mistakes> {
    Manifest::read(text, Path::new("/app"))
}

#[test]
fn every_key_says_something() {
    let manifest = read(FULL).expect("it makes sense");
    assert_eq!(
        manifest.node,
        NodeSettings {
            workers: Some(2),
            memory_bytes_max: Some(128 << 20),
            instances_max: Some(500),
            stop_time_max: Duration::from_secs(3),
            store: Some("/app/data/app.redb".into()),
        }
    );
    assert_eq!(manifest.log_level, LogLevel::Debug);
    let [web, job] = &manifest.components[..] else {
        panic!("{manifest:?}")
    };
    assert_eq!(
        (&*web.name, &*web.source),
        ("web", Path::new("/app/web.wat"))
    );
    assert_eq!(web.kind, Some(FileKind::Module));
    assert_eq!(web.entry.as_deref(), Some("main"));
    assert_eq!(web.args, ["a", "b c"]);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(web.env, [pair("EMPTY", ""), pair("LANG", "en")]);
    assert_eq!((web.residents, web.restart), (2, Restart::Transient));
    assert_eq!(web.stop_time_max, Some(Duration::from_millis(500)));
    assert_eq!((&*web.supervisor, web.flavour), ("front", Flavour::Compute));
    assert_eq!(job.source, Path::new("/app/components/job"));
    assert_eq!((job.residents, job.restart), (0, Restart::Permanent));
    assert_eq!(
        (&*job.profile.name, &*job.supervisor),
        ("sandboxed", "back")
    );
    let [back, front] = &manifest.supervisors[..] else {
        panic!("{manifest:?}")
    };
    assert_eq!((back.strategy, back.restarts_max), (Strategy::OneForAll, 7));
    assert_eq!(back.within, Duration::from_secs(60));
    assert_eq!(front.strategy, Strategy::RestForOne);
    assert_eq!(front.under.as_deref(), Some("back"));
}

#[test]
fn every_capability_says_something() {
    let manifest = read(FULL).expect("it makes sense");
    let grants = Grants::new(manifest.components[0].profile.clone());
    let limits = grants.limits();
    assert_eq!((limits.memory_bytes_max, limits.tables_max), (1 << 20, 2));
    assert_eq!((limits.table_elements_max, limits.processes_max), (50, 10));
    let mailbox = MailboxLimit {
        messages_max: 100,
        policy: MailboxPolicy::Refuse,
    };
    assert_eq!(limits.mailbox, Some(mailbox));
    let cpu = limits.cpu.expect("it was written");
    assert_eq!((cpu.time_max.as_millis(), cpu.every.as_millis()), (20, 100));
    assert_eq!(cpu.over, CpuPolicy::Kill);
    assert_eq!(limits.cpu_total_max, Some(Duration::from_secs(3600)));
    let [data, texts] = grants.dirs() else {
        panic!("{:?}", grants.dirs())
    };
    assert_eq!(
        (&*data.host, &*data.guest),
        (Path::new("/app/data"), "/data")
    );
    assert_eq!(
        (&*texts.host, &*texts.guest),
        (Path::new("/app/texts"), "texts")
    );
    assert_eq!(
        (data.access, texts.access),
        (Access::ReadWrite, Access::Read)
    );
    let stdio = grants.stdio();
    assert_eq!(
        [stdio.stdin, stdio.stdout, stdio.stderr],
        [false, true, true]
    );
    for allowed in [
        grants.may_env("APP_X"),
        grants.may_resolve("example.com"),
        grants.may_listen(([127, 0, 0, 1], 8080).into()),
        grants.may_write_bucket("carts"),
        grants.may_read_bucket("prices"),
        grants.may_spawn("plug-1"),
        grants.may_register("web.1"),
        grants.may_join("workers"),
        grants.may_kill_group("workers"),
        grants.may_load_modules(),
        grants.may_log(LogLevel::Trace),
    ] {
        assert_eq!(allowed, Ok(()));
    }
    assert!(grants.may_write_bucket("prices").is_err());
}

#[test]
fn an_empty_manifest_is_an_app_without_components() {
    let manifest = read("").expect("nothing is wrong with it");
    assert!(manifest.components.is_empty());
    assert_eq!(manifest.supervisors[0].name, DEFAULT_SUPERVISOR);
    assert_eq!(manifest.node.stop_time_max, STOP_TIME_DEFAULT);
    assert_eq!(manifest.node.store, None);
}

fn each_key(section: &Section, visit: &mut impl FnMut(&str, Kind)) {
    for key in section.keys {
        visit(key.name, key.kind);
        if let Kind::Table(inner) | Kind::Tables(inner) | Kind::Named(inner) = key.kind {
            each_key(inner, visit);
        }
    }
}

#[test]
fn the_full_example_and_the_document_know_every_key() {
    let document = include_str!("../../docs/manifest.md");
    each_key(&ROOT, &mut |name, _| {
        assert!(FULL.contains(name), "the test does not know `{name}`");
        assert!(
            document.contains(name),
            "docs/manifest.md does not know `{name}`"
        );
    });
}

#[test]
fn the_schema_for_editors_is_the_one_of_the_reader() {
    let text = serde_json::to_string_pretty(&json_schema()).expect("it is plain data") + "\n";
    let kept = include_str!("../../docs/rusm.schema.json");
    assert!(
        text == kept,
        "run `rusm help schema > docs/rusm.schema.json`"
    );
}
