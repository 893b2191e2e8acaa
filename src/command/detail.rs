//! One process as people read it: what `top` shows at Enter and `attach` at `info`.

use rusm_observe::protocol::{Detail, Oldest};

use crate::text::{bytes, count, micros};
use rusm_observe::quiet;

/// The message that waits longest.
fn oldest(message: &Oldest) -> String {
    let text = quiet(&message.text);
    match &message.from {
        Some(pid) => format!("{text} from {}", quiet(pid)),
        None => text,
    }
}

/// The lines of it.
pub(super) fn lines(process: &Detail) -> Vec<String> {
    let row = &process.row;
    let none = || "-".to_owned();
    let text = |text: &Option<String>| text.as_deref().map_or_else(none, quiet);
    let list = |all: &[String]| match all {
        [] => none(),
        all => quiet(&all.join(", ")),
    };
    let state = match &row.waits_for {
        Some(what) => format!("{}, for {what}", row.state),
        None => row.state.clone(),
    };
    let time = |time: Option<f64>| time.map_or_else(none, micros);
    let mut all = vec![
        ("process", quiet(&row.pid)),
        ("name", text(&row.name)),
        ("label", text(&process.label)),
        ("body", quiet(&row.body)),
        ("started at", text(&row.place)),
        ("started by", text(&row.parent)),
        ("supervisor", text(&process.supervisor)),
        ("state", quiet(&state)),
        ("priority", quiet(&row.priority)),
        ("mailbox", count(row.mailbox)),
        ("reductions", count(row.reductions)),
        ("cpu", time(row.cpu)),
        ("memory", bytes(row.memory_bytes)),
        ("groups", list(&row.groups)),
        ("host call", text(&process.last_call)),
    ];
    if process.answered {
        all.extend([
            ("oldest", process.oldest.as_ref().map_or_else(none, oldest)),
            ("traps exits", process.traps_exits.to_string()),
            ("links", list(&process.links)),
            ("monitors", list(&process.monitors)),
            ("monitored by", list(&process.monitored_by)),
            ("aliases", process.aliases.to_string()),
        ]);
    } else {
        let busy = "it did not come to say within a second";
        all.push(("links", busy.to_owned()));
    }
    let line = |(key, value): &(&str, String)| format!("{key:14}{value}");
    all.iter().map(line).collect()
}
