//! Every key of rusm.toml: what it is, what it may hold, and what it is for. The reader, the schema
//! for editors and the test of docs/manifest.md all go by this list.

use rusm_sched::WORKERS_MAX;

/// A table of the manifest with fixed keys.
#[derive(Debug)]
pub(super) struct Section {
    /// What the table is for, as editors show it.
    pub(super) doc: &'static str,
    pub(super) keys: &'static [Key],
}

/// One key of a section.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) doc: &'static str,
}

/// What a key may hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    /// Of this machine, relative to the manifest.
    Path,
    /// `"64M"`, or a number of bytes.
    Size,
    /// `"20ms"`.
    Time,
    Count {
        min: u64,
        max: u64,
    },
    Flag,
    Word(&'static [&'static str]),
    Texts,
    /// A list of some of these words.
    Words(&'static [&'static str]),
    /// Keys of the user's choice, with texts.
    TextMap,
    Table(&'static Section),
    Tables(&'static Section),
    /// Names of the user's choice, with tables.
    Named(&'static Section),
}

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, doc }
}

/// The largest number of anything that is counted.
pub(super) const COUNT_MAX: u64 = u32::MAX as u64;
/// Processes of one component that are started with the node.
pub(super) const RESIDENTS_MAX: u64 = 100_000;
/// Instances a node may have room for.
const INSTANCES_MAX: u64 = 10_000_000;

pub(super) const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];
pub(super) const LEVELS_OR_NONE: &[&str] = &["none", "error", "warn", "info", "debug", "trace"];
pub(super) const RESTARTS: &[&str] = &["permanent", "transient", "temporary"];
pub(super) const STRATEGIES: &[&str] = &["one-for-one", "one-for-all", "rest-for-one"];
pub(super) const KINDS: &[&str] = &["module", "component"];
pub(super) const FLAVOURS: &[&str] = &["spawn", "compute"];
pub(super) const STREAMS: &[&str] = &["stdin", "stdout", "stderr"];
pub(super) const ACCESSES: &[&str] = &["read", "read-write"];
pub(super) const CPU_POLICIES: &[&str] = &["throttle", "kill"];
pub(super) const MAILBOX_POLICIES: &[&str] = &["shed-newest", "shed-oldest", "refuse", "kill"];

/// The whole manifest.
pub(super) static ROOT: Section = Section {
    doc: "An app of RUSM: its components, what they may do, and who restarts them.",
    keys: &[
        key("node", Kind::Table(&NODE), "The node that the app runs on."),
        key("log", Kind::Table(&LOG), "What is told on stderr."),
        key(
            "components",
            Kind::Named(&COMPONENT),
            "The programs of the app, by name.",
        ),
        key(
            "capabilities",
            Kind::Named(&CAPABILITY),
            "Profiles: what components may do, by name.",
        ),
        key(
            "supervisors",
            Kind::Named(&SUPERVISOR),
            "Who restarts residents, by name; without any there is `main`.",
        ),
    ],
};

static NODE: Section = Section {
    doc: "The node that the app runs on.",
    keys: &[
        key(
            "workers",
            Kind::Count {
                min: 1,
                max: WORKERS_MAX as u64,
            },
            "Threads that run processes; otherwise as many as CPUs.",
        ),
        key(
            "memory",
            Kind::Size,
            "The most memory any guest of the node may have; otherwise what the profiles need, at least 64M.",
        ),
        key(
            "instances",
            Kind::Count {
                min: 1,
                max: INSTANCES_MAX,
            },
            "Guests that may be alive at a time; otherwise 10000.",
        ),
        key(
            "stop",
            Kind::Time,
            "How long the node may take to stop; what is left then is killed. Otherwise 10s.",
        ),
        key(
            "store",
            Kind::Path,
            "The file of the durable store of keys and values; it is made if it is not there, in a folder that is. Otherwise there is no store.",
        ),
    ],
};

static LOG: Section = Section {
    doc: "What is told on stderr.",
    keys: &[key(
        "level",
        Kind::Word(LEVELS),
        "The quietest lines that are shown; otherwise `info`.",
    )],
};

static COMPONENT: Section = Section {
    doc: "A program of the app.",
    keys: &[
        key(
            "source",
            Kind::Path,
            "A .wasm or .wat file, or a folder that `rusm build` builds; otherwise components/NAME.",
        ),
        key(
            "kind",
            Kind::Word(KINDS),
            "What the file must be; otherwise whatever it is.",
        ),
        key(
            "profile",
            Kind::Text,
            "What it may do: one of [capabilities], or `sandboxed` (if none is named), `network-client`, `trusted`.",
        ),
        key(
            "entry",
            Kind::Text,
            "The export of a module that is called; otherwise `_start`, `main` or `run`.",
        ),
        key("args", Kind::Texts, "Its arguments, behind its name."),
        key("env", Kind::TextMap, "Its environment."),
        key(
            "resident",
            Kind::Count {
                min: 0,
                max: RESIDENTS_MAX,
            },
            "Processes of it that are started with the node; otherwise 0, and others may spawn it.",
        ),
        key(
            "restart",
            Kind::Word(RESTARTS),
            "When a resident is started again: always (`permanent`, the default), after failures (`transient`), never (`temporary`).",
        ),
        key(
            "stop",
            Kind::Time,
            "How long a resident may take to stop before it is killed; otherwise 5s.",
        ),
        key(
            "supervisor",
            Kind::Text,
            "Who restarts its residents; otherwise the first of [supervisors].",
        ),
        key(
            "flavour",
            Kind::Word(FLAVOURS),
            "How it is compiled: for cheap starts (`spawn`, the default) or for fast loops (`compute`).",
        ),
    ],
};

static CAPABILITY: Section = Section {
    doc: "A profile: what components may do. What it does not say it has from the profile it extends.",
    keys: &[
        key(
            "extends",
            Kind::Text,
            "The profile it begins with; otherwise `sandboxed`.",
        ),
        key("memory", Kind::Size, "Bytes of linear memory."),
        key(
            "tables",
            Kind::Count { min: 0, max: 32 },
            "Tables, of all modules of a component together.",
        ),
        key(
            "table-elements",
            Kind::Count {
                min: 0,
                max: 100_000,
            },
            "Elements of each table.",
        ),
        key(
            "cpu",
            Kind::Table(&CPU),
            "Time on a processor in each period.",
        ),
        key(
            "cpu-total",
            Kind::Time,
            "Time on a processor in its whole life; then it is killed.",
        ),
        key(
            "processes",
            Kind::Count {
                min: 1,
                max: COUNT_MAX,
            },
            "Processes it and those it starts may be at a time, itself included.",
        ),
        key(
            "mailbox",
            Kind::Table(&MAILBOX),
            "How many messages may wait for it.",
        ),
        key("dirs", Kind::Tables(&DIR), "Directories it may use."),
        key(
            "env",
            Kind::Texts,
            "Variables of rusm's own environment that it inherits; `*` stands for any run of characters.",
        ),
        key(
            "connect",
            Kind::Texts,
            "Hosts and ports it may connect and send to: `example.com:443`, `*.example.com:*`, `10.0.0.0/8:5432-5439`, `[::1]:80`.",
        ),
        key(
            "listen",
            Kind::Texts,
            "Addresses and ports of this machine it may listen on: `127.0.0.1:8080`, `*:8000-8100`.",
        ),
        key(
            "kv",
            Kind::Tables(&BUCKET),
            "Buckets of the key-value store it may use.",
        ),
        key("spawn", Kind::Texts, "Components it may start."),
        key(
            "register",
            Kind::Texts,
            "Names it may take. Those that begin with `rusm.` need a pattern that does, too.",
        ),
        key("join", Kind::Texts, "Groups it may join."),
        key(
            "kill",
            Kind::Texts,
            "Processes it may end: `children`, `descendants`, `name:PATTERN`, `all`.",
        ),
        key(
            "list",
            Kind::Texts,
            "Processes it sees in lists, written like `kill`.",
        ),
        key(
            "inspect",
            Kind::Texts,
            "Processes it may look into, written like `kill`.",
        ),
        key(
            "kill-groups",
            Kind::Texts,
            "Groups whose members it may end.",
        ),
        key(
            "modules",
            Kind::Flag,
            "Whether it may compile and start code at run time.",
        ),
        key(
            "stdio",
            Kind::Words(STREAMS),
            "Standard streams it may use.",
        ),
        key(
            "log",
            Kind::Word(LEVELS_OR_NONE),
            "The quietest lines it may log; `none` for no line.",
        ),
    ],
};

static CPU: Section = Section {
    doc: "Time on a processor in each period.",
    keys: &[
        key("time", Kind::Time, "Time on a processor."),
        key("every", Kind::Time, "The period; otherwise 1s."),
        key(
            "over",
            Kind::Word(CPU_POLICIES),
            "What is done when the time is used up: it sleeps for the rest of the period (`throttle`, the default), or ends (`kill`).",
        ),
    ],
};

static MAILBOX: Section = Section {
    doc: "How many messages may wait.",
    keys: &[
        key(
            "messages",
            Kind::Count {
                min: 0,
                max: COUNT_MAX,
            },
            "Messages that may wait.",
        ),
        key(
            "over",
            Kind::Word(MAILBOX_POLICIES),
            "What is done with one more; otherwise `shed-newest`.",
        ),
    ],
};

static DIR: Section = Section {
    doc: "A directory that may be used.",
    keys: &[
        key("path", Kind::Path, "The directory."),
        key(
            "as",
            Kind::Text,
            "The name the guest knows it by; otherwise `path` as it is written.",
        ),
        key(
            "access",
            Kind::Word(ACCESSES),
            "`read` (the default) or `read-write`.",
        ),
    ],
};

static BUCKET: Section = Section {
    doc: "Buckets that may be used.",
    keys: &[
        key(
            "bucket",
            Kind::Text,
            "Their name; `*` stands for any run of characters.",
        ),
        key(
            "access",
            Kind::Word(ACCESSES),
            "`read` (the default) or `read-write`.",
        ),
    ],
};

static SUPERVISOR: Section = Section {
    doc: "Who restarts residents.",
    keys: &[
        key(
            "strategy",
            Kind::Word(STRATEGIES),
            "Who is restarted with one that failed; otherwise `one-for-one`.",
        ),
        key(
            "restarts",
            Kind::Count {
                min: 0,
                max: COUNT_MAX,
            },
            "Restarts it allows within the period; otherwise 3. One more, and it stops all and gives up.",
        ),
        key("within", Kind::Time, "The period; otherwise 5s."),
        key(
            "under",
            Kind::Text,
            "The supervisor that restarts this one with all its residents; otherwise the app's own, which ends the app.",
        ),
    ],
};
