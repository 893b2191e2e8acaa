//! From the tables of a manifest to the app, and whether what they say of each other is there.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use rusm_actor::supervisor::{Restart, Strategy};
use rusm_wasm::Flavour;
use rusm_wasm::grant::{LogLevel, Pattern, Profile, ProfileError, Profiles, Word};

use super::mistake::shown;
use super::read::{At, Reader, Table};
use super::{
    Component, DEFAULT_SUPERVISOR, FileKind, Manifest, NAME_CHARS_MAX, NodeSettings,
    STOP_TIME_DEFAULT, SupervisorSettings, capability,
};
use crate::suggest::closest;

/// Restarts that a supervisor allows in [`WITHIN_DEFAULT`].
const RESTARTS_DEFAULT: u32 = 3;
const WITHIN_DEFAULT: Duration = Duration::from_secs(5);
/// The least and the most memory a node's guests can be given.
const MEMORY_BYTES_MIN: u64 = 64 << 10;
const MEMORY_BYTES_MAX: u64 = 4 << 30;

/// The app, if all of it makes sense.
pub(super) fn manifest(reader: &Reader, root: &Table) -> Option<Manifest> {
    let node = node(root);
    let log_level = root.table("log").and_then(|log| log.word("level"));
    let log_level = log_level.and_then(|(word, _)| LogLevel::from_word(word));
    let profiles = profiles(reader, root, &node);
    let supervisors = supervisors(reader, root);
    let tables = root.named("components");
    let names: Vec<&str> = tables.iter().map(|((name, _), _)| *name).collect();
    let see = See {
        reader,
        profiles: profiles.as_ref(),
        supervisors: &supervisors,
    };
    let components = tables
        .iter()
        .filter_map(|(name, table)| see.component(name, table));
    let components = components.collect();
    if reader.whole {
        spawns_are_there(reader, root, &names);
    }
    Some(Manifest {
        dir: reader.path(""),
        node,
        log_level: log_level.unwrap_or(LogLevel::Info),
        components,
        profiles: profiles?,
        supervisors,
    })
}

fn node(root: &Table) -> NodeSettings {
    let table = root.table("node");
    let table = table.as_ref();
    let memory = table.and_then(|table| table.size("memory"));
    if let (Some(table), Some((bytes, span))) = (table, &memory)
        && !(MEMORY_BYTES_MIN..=MEMORY_BYTES_MAX).contains(bytes)
    {
        table.wrong("memory", span, "is not between 64K and 4G");
    }
    let count = |key| {
        table
            .and_then(|table| table.count(key))
            .map(|(count, _)| count)
    };
    NodeSettings {
        workers: count("workers").map(|count| count as usize),
        memory_bytes_max: memory.map(|(bytes, _)| bytes),
        instances_max: count("instances").map(|count| count as u32),
        stop_time_max: table
            .and_then(|table| table.time("stop"))
            .map_or(STOP_TIME_DEFAULT, |(time, _)| time),
        store: table
            .and_then(|table| table.path("store"))
            .map(|(path, _)| path),
    }
}

fn profiles(reader: &Reader, root: &Table, node: &NodeSettings) -> Option<Profiles> {
    let mut written = BTreeMap::new();
    let mut places: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for ((name, span), table) in root.named("capabilities") {
        check_name(reader, "profile", name, &span);
        if let Some((bytes, span)) = table.size("memory")
            && let Some(max) = node.memory_bytes_max
            && bytes > max
        {
            table.wrong("memory", &span, "is more than [node] allows any guest");
        }
        written.insert(name.to_owned(), capability::changes(&table));
        let place = table.text("extends").map_or(span, |(_, span)| span);
        places.insert(name.to_owned(), place);
    }
    match Profiles::new(&written) {
        Ok(profiles) => Some(profiles),
        Err(_) if !reader.whole => None,
        Err(errors) => {
            for error in errors {
                let about = match &error {
                    ProfileError::BuiltIn(name) => name,
                    ProfileError::Missing { profile, .. } => profile,
                    ProfileError::Cycle(names) => &names[0],
                };
                let span = places.get(about).cloned().unwrap_or_default();
                reader.mistake(span, error.to_string());
            }
            None
        }
    }
}

fn supervisors(reader: &Reader, root: &Table) -> Vec<SupervisorSettings> {
    let mut found = Vec::new();
    let mut unders: Vec<(usize, Range<usize>)> = Vec::new();
    for ((name, span), table) in root.named("supervisors") {
        check_name(reader, "supervisor", name, &span);
        let strategy = match table.word("strategy") {
            Some(("one-for-all", _)) => Strategy::OneForAll,
            Some(("rest-for-one", _)) => Strategy::RestForOne,
            _ => Strategy::OneForOne,
        };
        let under = table.text("under");
        if let Some((_, span)) = &under {
            unders.push((found.len(), span.clone()));
        }
        found.push(SupervisorSettings {
            name: name.to_owned(),
            strategy,
            restarts_max: table
                .count("restarts")
                .map_or(RESTARTS_DEFAULT, |(count, _)| count as u32),
            within: table
                .time("within")
                .map_or(WITHIN_DEFAULT, |(time, _)| time),
            under: under.map(|(name, _)| name.to_owned()),
        });
    }
    for (index, span) in unders.into_iter().filter(|_| reader.whole) {
        if let Err(why) = hangs_together(&found, index) {
            reader.mistake(span, why);
        }
    }
    if found.is_empty() {
        found.push(SupervisorSettings {
            name: DEFAULT_SUPERVISOR.to_owned(),
            strategy: Strategy::OneForOne,
            restarts_max: RESTARTS_DEFAULT,
            within: WITHIN_DEFAULT,
            under: None,
        });
    }
    found
}

/// Whether the supervisor above one is there, and so on up to the app's own.
fn hangs_together(all: &[SupervisorSettings], index: usize) -> Result<(), String> {
    let mut at = &all[index];
    for _ in 0..all.len() {
        let Some(above) = &at.under else {
            return Ok(());
        };
        match all.iter().find(|one| one.name == *above) {
            Some(one) => at = one,
            // Whoever names it is told.
            None if at.name != all[index].name => return Ok(()),
            None => return Err(not_there("supervisor", above, all.iter().map(|s| &*s.name))),
        }
    }
    let name = &all[index].name;
    Err(format!(
        "the supervisor `{name}` is, in the end, under itself. Leave out one `under` of the circle."
    ))
}

/// What a component is looked at with.
struct See<'a> {
    reader: &'a Reader<'a>,
    profiles: Option<&'a Profiles>,
    supervisors: &'a [SupervisorSettings],
}

impl See<'_> {
    fn component(&self, (name, span): &At<&str>, table: &Table) -> Option<Component> {
        check_name(self.reader, "component", name, span);
        let source = table.path("source").map(|(path, _)| path);
        let entry = table.text("entry");
        if let Some(("", span)) = &entry {
            table.wrong("entry", span, "is no name");
        }
        Some(Component {
            name: (*name).to_owned(),
            source: source.unwrap_or_else(|| self.reader.path("components").join(name)),
            kind: table.word("kind").map(|(word, _)| match word {
                "module" => FileKind::Module,
                _ => FileKind::Component,
            }),
            profile: self.profile(table)?,
            entry: entry.map(|(name, _)| name.to_owned()),
            args: args(table),
            env: env(table),
            residents: table.count("resident").map_or(0, |(count, _)| count as u32),
            restart: match table.word("restart") {
                Some(("transient", _)) => Restart::Transient,
                Some(("temporary", _)) => Restart::Temporary,
                _ => Restart::Permanent,
            },
            stop_time_max: table.time("stop").map(|(time, _)| time),
            supervisor: self.supervisor(table),
            flavour: match table.word("flavour") {
                Some(("compute", _)) => Flavour::Compute,
                _ => Flavour::Spawn,
            },
        })
    }

    fn profile(&self, table: &Table) -> Option<Arc<Profile>> {
        let Some((name, span)) = table.text("profile") else {
            return Some(Arc::new(Profile::sandboxed()));
        };
        // Without profiles something is wrong with them, and has been told.
        let profiles = self.profiles?;
        let found = profiles.get(name).cloned();
        if found.is_none() && self.reader.whole {
            let why = not_there("profile", name, profiles.names());
            self.reader.mistake(span, why);
        }
        found
    }

    fn supervisor(&self, table: &Table) -> String {
        let Some((name, span)) = table.text("supervisor") else {
            return self.supervisors[0].name.clone();
        };
        let names = self.supervisors.iter().map(|one| &*one.name);
        if self.reader.whole && !names.clone().any(|known| known == name) {
            let why = not_there("supervisor", name, names);
            self.reader.mistake(span, why);
        }
        name.to_owned()
    }
}

fn args(table: &Table) -> Vec<String> {
    let args = table.texts("args").unwrap_or_default();
    for (_, span) in args.iter().filter(|(arg, _)| arg.contains('\0')) {
        table.wrong("args", span, "holds a zero, which no argument can");
    }
    args.into_iter().map(|(arg, _)| arg.to_owned()).collect()
}

fn env(table: &Table) -> Vec<(String, String)> {
    let pairs = table.text_map("env");
    for ((key, span), value) in &pairs {
        if key.is_empty() || key.contains(['=', '\0']) {
            table.wrong("env", span, "holds a name that no variable can have");
        } else if value.contains('\0') {
            table.wrong("env", span, "holds a zero, which no variable can");
        }
    }
    let owned = |((key, _), value): (At<&str>, &str)| (key.to_owned(), value.to_owned());
    pairs.into_iter().map(owned).collect()
}

/// A component that may be started must be one, unless it is meant by a pattern.
fn spawns_are_there(reader: &Reader, root: &Table, components: &[&str]) {
    for (_, table) in root.named("capabilities") {
        for (name, span) in table.texts("spawn").unwrap_or_default() {
            let literal = Pattern::new(name).is_ok() && !name.contains('*');
            if literal && !components.contains(&name) {
                let why = not_there("component", name, components.iter().copied());
                reader.mistake(span, why);
            }
        }
    }
}

/// Names become file names and keys of messages: nothing in them may mean something else there.
fn check_name(reader: &Reader, what: &str, name: &str, span: &Range<usize>) {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let fits = name.chars().count() <= NAME_CHARS_MAX;
    if !(begins && fits && name.chars().all(inside)) {
        let name = shown(name);
        reader.mistake(
            span.clone(),
            format!(
                "`{name}` is no name for a {what}. Use letters, digits, `-`, `_` and `.`, beginning \
                 with a letter or digit, up to {NAME_CHARS_MAX}."
            ),
        );
    }
}

fn not_there<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let listed: Vec<&str> = known.collect();
    let hint = match closest(name, listed.iter().copied()) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None if listed.is_empty() => format!("There is no {what} at all."),
        None => format!("There are `{}`.", listed.join("`, `")),
    };
    format!("there is no {what} `{}`. {hint}", shown(name))
}
