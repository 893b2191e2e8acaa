//! The flags there are: their names, their values, and what the help says about them.

/// A flag of a command.
#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    /// What the help calls its value; empty if it takes none.
    pub(crate) value: &'static str,
    pub(crate) help: &'static str,
    /// A value that makes sense.
    pub(crate) example: &'static str,
    /// Whether it may be given more than once.
    pub(crate) repeats: bool,
}

pub(crate) const ENV: Flag = Flag {
    name: "env",
    value: "K=V",
    help: "Set the variable K of the program's environment to V; it inherits none. Repeatable",
    example: "LANG=en",
    repeats: true,
};
pub(crate) const DIR: Flag = Flag {
    name: "dir",
    value: "HOST::GUEST",
    help: "Let the program read and write the directory HOST, under the name GUEST. Repeatable",
    example: "texts::/texts",
    repeats: true,
};
pub(crate) const CONNECT: Flag = Flag {
    name: "connect",
    value: "HOST:PORT",
    help: "Let the program connect to HOST on PORT and look HOST up: a name, an address, a network \
           like 10.0.0.0/8, ports like 80-99, or * for any. Repeatable",
    example: "example.com:443",
    repeats: true,
};
pub(crate) const LISTEN: Flag = Flag {
    name: "listen",
    value: "ADDR:PORT",
    help: "Let the program take connections and datagrams on this address of the machine; PORT * \
           for any. Repeatable",
    example: "127.0.0.1:8080",
    repeats: true,
};
pub(crate) const MAX_MEMORY: Flag = Flag {
    name: "max-memory",
    value: "SIZE",
    help: "Limit the program's memory: bytes, or with K, M or G, as in 64M",
    example: "64M",
    repeats: false,
};
pub(crate) const MAX_PROCESSES: Flag = Flag {
    name: "max-processes",
    value: "N",
    help: "Let the program and those it starts be so many processes at a time; 10000 otherwise",
    example: "100000",
    repeats: false,
};
pub(crate) const WORKERS: Flag = Flag {
    name: "workers",
    value: "N",
    help: "Threads that run processes; otherwise as many as the CPUs rusm may use",
    example: "2",
    repeats: false,
};
pub(crate) const INVOKE: Flag = Flag {
    name: "invoke",
    value: "NAME",
    help: "Call the export NAME instead of `_start`; in an interface of a component, INTERFACE#NAME",
    example: "main",
    repeats: false,
};

pub(crate) const LUNATIC: Flag = Flag {
    name: "lunatic",
    value: "",
    help: "Run a program that was built for the Lunatic runtime: provide the imports `lunatic::*`",
    example: "",
    repeats: false,
};

pub(crate) const COMPUTE: Flag = Flag {
    name: "compute",
    value: "",
    help: "Compile the program for working on its memory for long, with guard pages, instead of \
           for starting fast",
    example: "",
    repeats: false,
};
pub(crate) const COREDUMP: Flag = Flag {
    name: "coredump",
    value: "FILE",
    help: "If the program traps, keep its memory and frames in FILE, as a WebAssembly core dump",
    example: "core.wasm",
    repeats: false,
};
pub(crate) const PROFILE: Flag = Flag {
    name: "profile",
    value: "FILE",
    help: "Note every millisecond which function runs; FILE is for profiler.firefox.com",
    example: "profile.json",
    repeats: false,
};

pub(crate) const STORE: Flag = Flag {
    name: "store",
    value: "FILE",
    help: "Keep the keys and values of the program in FILE, which is made if it is not there",
    example: "app.redb",
    repeats: false,
};

pub(crate) const OBSERVE: Flag = Flag {
    name: "observe",
    value: "ADDR:PORT",
    help: "Show what the node does on this address of the machine: http://ADDR:PORT/metrics. For \
           others than 127.0.0.1 see RUSM_OBSERVE_TOKEN",
    example: "127.0.0.1:9464",
    repeats: false,
};

pub(crate) const FLIGHT: Flag = Flag {
    name: "flight-recorder",
    value: "FILE",
    help: "If the node crashes, keep its last moments in FILE: what each worker did, and what was \
           traced. See `rusm-bench replay`",
    example: "crash.jsonl",
    repeats: false,
};

/// The flags of `rusm run`, in the order the help lists them.
pub(crate) const RUN_FLAGS: [&Flag; 15] = [
    &ENV,
    &DIR,
    &CONNECT,
    &LISTEN,
    &STORE,
    &MAX_MEMORY,
    &MAX_PROCESSES,
    &WORKERS,
    &OBSERVE,
    &FLIGHT,
    &INVOKE,
    &LUNATIC,
    &COMPUTE,
    &COREDUMP,
    &PROFILE,
];

pub(crate) const BY: Flag = Flag {
    name: "by",
    value: "WHAT",
    help: "Those first that have most of it: reductions (unless said), memory, mailbox or cpu",
    example: "memory",
    repeats: false,
};
pub(crate) const WINDOW: Flag = Flag {
    name: "window",
    value: "",
    help: "What was spent lately, a second, instead of since the start",
    example: "",
    repeats: false,
};
pub(crate) const LIMIT: Flag = Flag {
    name: "limit",
    value: "N",
    help: "Show so many processes, at most 1000; 50 otherwise",
    example: "20",
    repeats: false,
};
pub(crate) const FILTER: Flag = Flag {
    name: "filter",
    value: "TEXT",
    help: "Only those with TEXT in their pid, name, body or state",
    example: "waiting",
    repeats: false,
};
pub(crate) const JSON: Flag = Flag {
    name: "json",
    value: "",
    help: "As JSON, the frames of docs/protocol.md",
    example: "",
    repeats: false,
};
pub(crate) const ONCE: Flag = Flag {
    name: "once",
    value: "",
    help: "Print one screen and end; so it is also where there is no terminal",
    example: "",
    repeats: false,
};
pub(crate) const NO_OPEN: Flag = Flag {
    name: "no-open",
    value: "",
    help: "Only print the address, and open no browser",
    example: "",
    repeats: false,
};
pub(crate) const COMMAND: Flag = Flag {
    name: "command",
    value: "COMMAND",
    help: "Run this one command and end; also `-c COMMAND`",
    example: "ps",
    repeats: false,
};
pub(crate) const NO_TIMES: Flag = Flag {
    name: "no-times",
    value: "",
    help: "Do not time the turns of processes: nothing is known of their time on a processor then",
    example: "",
    repeats: false,
};
