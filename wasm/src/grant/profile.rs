//! A named set of grants, as `[capabilities.NAME]` of rusm.toml writes it down, and those that need
//! not be written.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusm_actor::{MailboxLimit, MailboxPolicy};

use super::limits::{CpuRate, Limits};
use super::net::NetPattern;
use super::pattern::Pattern;

/// The profile that a profile begins with if it does not say otherwise.
pub const DEFAULT_PROFILE: &str = "sandboxed";
/// The profiles that are there without being written down, from the narrowest on.
pub const BUILT_IN: [&str; 3] = ["sandboxed", "network-client", "trusted"];

const SANDBOXED_MEMORY_BYTES: u64 = 16 << 20;
const SANDBOXED_TABLE_ELEMENTS: u32 = 10_000;
const SANDBOXED_MESSAGES: usize = 10_000;

/// Where a profile was written down, which is where it can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// One of [`BUILT_IN`].
    BuiltIn,
    /// A `[capabilities.NAME]`.
    Manifest,
    /// The flags of a program that is run by hand.
    Flags,
}

/// A directory of this machine, under the name a guest knows it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    /// The directory here.
    pub host: PathBuf,
    /// Its name there.
    pub guest: String,
    /// What may be done with what is in it.
    pub access: Access,
}

/// Buckets of the key-value store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketGrant {
    /// Which.
    pub bucket: Pattern,
    /// What may be done with them.
    pub access: Access,
}

/// What may be done with files or keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Looking.
    Read,
    /// Looking and changing.
    ReadWrite,
}

/// Some of the other processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those it started.
    Children,
    /// Those it started, those they started, and so on, as long as all between are alive.
    Descendants,
    /// Those registered under such a name.
    Named(Pattern),
    /// Everybody.
    All,
}

/// The standard streams that a guest may use; the others are empty or swallow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StdioGrant {
    /// Whether it may read the program's stdin.
    pub stdin: bool,
    /// Whether it may write to the program's stdout.
    pub stdout: bool,
    /// Whether it may write to the program's stderr.
    pub stderr: bool,
}

/// How loud a line of the log is; the louder the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Something went wrong.
    Error,
    /// Something may go wrong.
    Warn,
    /// Something happened.
    Info,
    /// For whoever looks for a fault.
    Debug,
    /// Everything.
    Trace,
}

macro_rules! profile {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty,)*) => {
        /// A named set of grants.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Profile {
            /// What the components of a manifest know it by.
            pub name: Arc<str>,
            /// Where it was written down.
            pub origin: Origin,
            /// How much of what runs out.
            pub limits: Limits,
            $($(#[doc = $doc])+ pub $name: $type,)*
        }

        /// What a profile says that differs from the one it extends. What is `None` is inherited.
        #[derive(Clone, Debug, Default)]
        pub struct ProfileChanges {
            /// The profile it begins with; [`DEFAULT_PROFILE`] if it names none.
            pub extends: Option<String>,
            /// Bytes of linear memory.
            pub memory_bytes_max: Option<u64>,
            /// Tables.
            pub tables_max: Option<u32>,
            /// Elements of each table.
            pub table_elements_max: Option<u32>,
            /// Processes, itself and those it starts together.
            pub processes_max: Option<u32>,
            /// Messages that may wait.
            pub mailbox: Option<MailboxLimit>,
            /// Time on a processor in each period.
            pub cpu: Option<CpuRate>,
            /// Time on a processor in all.
            pub cpu_total_max: Option<Duration>,
            $($(#[doc = $doc])+ pub $name: Option<$type>,)*
        }

        impl ProfileChanges {
            pub(super) fn apply(&self, name: &str, base: &Profile) -> Profile {
                Profile {
                    name: name.into(),
                    origin: Origin::Manifest,
                    limits: self.limits(&base.limits),
                    $($name: self.$name.clone().unwrap_or_else(|| base.$name.clone()),)*
                }
            }
        }
    };
}

profile! {
    /// Directories.
    dirs: Vec<DirGrant>,
    /// Variables of the node's environment that it inherits.
    env: Vec<Pattern>,
    /// Hosts and ports to connect and send to.
    connect: Vec<NetPattern>,
    /// Addresses and ports of this machine to listen on.
    listen: Vec<NetPattern>,
    /// Buckets of the key-value store.
    kv: Vec<BucketGrant>,
    /// Components to start.
    spawn: Vec<Pattern>,
    /// Names to take.
    register: Vec<Pattern>,
    /// Groups to join.
    join: Vec<Pattern>,
    /// Processes to end.
    kill: Vec<Reach>,
    /// Processes to see in lists.
    list: Vec<Reach>,
    /// Processes to look into.
    inspect: Vec<Reach>,
    /// Groups whose members it may end.
    kill_groups: Vec<Pattern>,
    /// Whether it may compile code at run time.
    modules: bool,
    /// Standard streams.
    stdio: StdioGrant,
    /// The quietest lines it may log; `None` is none at all.
    log: Option<LogLevel>,
}

impl ProfileChanges {
    fn limits(&self, base: &Limits) -> Limits {
        Limits {
            memory_bytes_max: self.memory_bytes_max.unwrap_or(base.memory_bytes_max),
            tables_max: self.tables_max.unwrap_or(base.tables_max),
            table_elements_max: self.table_elements_max.unwrap_or(base.table_elements_max),
            processes_max: self.processes_max.unwrap_or(base.processes_max),
            mailbox: self.mailbox.or(base.mailbox),
            cpu: self.cpu.or(base.cpu),
            cpu_total_max: self.cpu_total_max.or(base.cpu_total_max),
        }
    }
}

impl Profile {
    /// Computes, receives, and answers whom it knows: no file, no variable, no network, no process
    /// of its own, no name, no output.
    pub fn sandboxed() -> Self {
        Self {
            name: "sandboxed".into(),
            origin: Origin::BuiltIn,
            limits: Limits {
                memory_bytes_max: SANDBOXED_MEMORY_BYTES,
                table_elements_max: SANDBOXED_TABLE_ELEMENTS,
                processes_max: 1,
                mailbox: Some(MailboxLimit {
                    messages_max: SANDBOXED_MESSAGES,
                    policy: MailboxPolicy::ShedNewest,
                }),
                ..Limits::none()
            },
            dirs: Vec::new(),
            env: Vec::new(),
            connect: Vec::new(),
            listen: Vec::new(),
            kv: Vec::new(),
            spawn: Vec::new(),
            register: Vec::new(),
            join: Vec::new(),
            kill: Vec::new(),
            list: Vec::new(),
            inspect: Vec::new(),
            kill_groups: Vec::new(),
            modules: false,
            stdio: StdioGrant::NONE,
            log: Some(LogLevel::Info),
        }
    }

    /// As [`Profile::sandboxed`], and connects to every host.
    pub fn network_client() -> Self {
        Self {
            name: "network-client".into(),
            connect: vec![NetPattern::any()],
            ..Self::sandboxed()
        }
    }

    /// All that can be granted without being named: every limit is the engine's or the node's. No
    /// directory, for nobody can say which one, and no reserved name.
    pub fn trusted() -> Self {
        let all = || vec![Pattern::any()];
        Self {
            name: "trusted".into(),
            limits: Limits::none(),
            env: all(),
            connect: vec![NetPattern::any()],
            listen: vec![NetPattern::any()],
            kv: vec![BucketGrant {
                bucket: Pattern::any(),
                access: Access::ReadWrite,
            }],
            spawn: all(),
            register: all(),
            join: all(),
            kill: vec![Reach::All],
            list: vec![Reach::All],
            inspect: vec![Reach::All],
            kill_groups: all(),
            modules: true,
            stdio: StdioGrant::ALL,
            log: Some(LogLevel::Trace),
            ..Self::sandboxed()
        }
    }

    /// What a program has that is run by hand, on a node of its own: full power over the processes
    /// of that node, its three streams, and of the machine nothing. The flags add what they name.
    pub fn by_hand() -> Self {
        Self {
            name: "by-hand".into(),
            origin: Origin::Flags,
            env: Vec::new(),
            connect: Vec::new(),
            listen: Vec::new(),
            kv: Vec::new(),
            ..Self::trusted()
        }
    }

    pub(super) fn built_in(name: &str) -> Option<Self> {
        match name {
            "sandboxed" => Some(Self::sandboxed()),
            "network-client" => Some(Self::network_client()),
            "trusted" => Some(Self::trusted()),
            _ => None,
        }
    }
}

impl StdioGrant {
    /// No stream.
    pub const NONE: Self = Self {
        stdin: false,
        stdout: false,
        stderr: false,
    };
    /// All three.
    pub const ALL: Self = Self {
        stdin: true,
        stdout: true,
        stderr: true,
    };
}
