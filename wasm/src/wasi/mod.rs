//! WASI preview 1 for core modules: `wasmtime-wasi` for the parts that neither wait nor block,
//! ours for the others. Components share the context (`wasi2/`).
//!
//! `files.rs` moves what may block off the workers, `poll.rs` waits on our timers. **Invariant:**
//! the context is built with `allow_blocking_current_thread(true)` and `poll_oneoff` is replaced;
//! without either, `wasmtime-wasi` starts a Tokio runtime.

mod files;
mod poll;

pub(crate) use files::leave_worker;

use std::path::PathBuf;

use wasmtime::component::ResourceTable;
use wasmtime::{Caller, Extern, Linker, Result};
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self as stock, WasiSnapshotPreview1};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, HostMonotonicClock, I32Exit, WasiCtxBuilder, WasiCtxView, WasiView};
use wiggle::GuestMemory;

use crate::error::ProgramError;
use crate::grant::{Access, Grants, StdioGrant};
use crate::guest::State;
use crate::limit::{FILES_MAX, PREVIEW1_CALL_BYTES_MAX};
use crate::link::{opaque, waits};
use crate::net::Net;
use crate::program::{Program, Stdio};

/// The module that guests import from.
const MODULE: &str = "wasi_snapshot_preview1";
/// WASI's `errno` as a guest receives it.
type Errno = i32;

/// What WASI knows about one process.
pub(crate) struct Wasi {
    ctx: WasiP1Ctx,
    /// Whether its stdin is that of this program, for which one may have to wait.
    stdin_waits: bool,
    /// Whether its stdout or stderr is that of this program, which may block.
    output_blocks: bool,
    net: Net,
}

impl Wasi {
    /// Opens the directories of `program` and of its grants.
    pub(crate) fn new(program: Program, memory_bytes_max: u64) -> Result<Self, ProgramError> {
        let mut builder = builder(memory_bytes_max);
        builder.args(&program.args).envs(&program.env);
        for dir in program.dirs {
            open(&mut builder, dir.host, &dir.guest, FsPerms::ReadWrite)?;
        }
        let granted = program.grants.as_ref();
        for dir in granted.map(Grants::dirs).unwrap_or_default() {
            let perms = match dir.access {
                Access::Read => FsPerms::ReadOnly,
                Access::ReadWrite => FsPerms::ReadWrite,
            };
            open(&mut builder, dir.host.clone(), &dir.guest, perms)?;
        }
        let granted = granted.map_or(StdioGrant::ALL, Grants::stdio);
        let stdin_waits = granted.stdin && matches!(program.stdio, Stdio::Inherit);
        let output_blocks = matches!(program.stdio, Stdio::Inherit);
        // Streams that nobody opens are empty, and swallow what is written.
        match program.stdio {
            Stdio::Inherit => {
                let each = [
                    (
                        granted.stdin,
                        WasiCtxBuilder::inherit_stdin as fn(&mut _) -> &mut _,
                    ),
                    (granted.stdout, WasiCtxBuilder::inherit_stdout),
                    (granted.stderr, WasiCtxBuilder::inherit_stderr),
                ];
                for (_, inherit) in each.into_iter().filter(|(granted, _)| *granted) {
                    inherit(&mut builder);
                }
            }
            Stdio::Captured(buffers) => {
                if granted.stdin {
                    builder.stdin(buffers.stdin);
                }
                if granted.stdout {
                    builder.stdout(buffers.stdout);
                }
                if granted.stderr {
                    builder.stderr(buffers.stderr);
                }
            }
        }
        let net = Net::new(program.grants);
        Ok(Self::build(builder, stdin_waits, output_blocks, net))
    }

    /// No arguments, no directories, an empty stdin, output that goes nowhere; of the network what
    /// was granted.
    fn closed(memory_bytes_max: u64, grants: Option<Grants>) -> Self {
        let net = Net::new(grants);
        Self::build(builder(memory_bytes_max), false, false, net)
    }

    fn build(
        mut builder: WasiCtxBuilder,
        stdin_waits: bool,
        output_blocks: bool,
        net: Net,
    ) -> Self {
        let mut ctx = builder.build_p1();
        ctx.ctx().table.set_max_capacity(FILES_MAX);
        Self {
            ctx,
            stdin_waits,
            output_blocks,
            net,
        }
    }

    /// Whether writing to its stdout or stderr may block.
    pub(crate) fn output_blocks(&self) -> bool {
        self.output_blocks
    }

    /// What components see of it.
    pub(crate) fn view(&mut self) -> WasiCtxView<'_> {
        self.ctx.ctx()
    }

    /// What sockets see of it.
    pub(crate) fn table_and_net(&mut self) -> (&mut ResourceTable, &mut Net) {
        (self.ctx.ctx().table, &mut self.net)
    }
}

fn open(
    builder: &mut WasiCtxBuilder,
    host: PathBuf,
    guest: &str,
    perms: FsPerms,
) -> Result<(), ProgramError> {
    match builder.preopened_dir(&host, guest, perms) {
        Ok(_) => Ok(()),
        Err(error) => Err(ProgramError::Dir {
            host,
            why: error.root_cause().to_string(),
        }),
    }
}

fn builder(memory_bytes_max: u64) -> WasiCtxBuilder {
    let mut builder = WasiCtxBuilder::new();
    builder
        .allow_blocking_current_thread(true)
        .monotonic_clock(SchedulerClock)
        // A guest cannot hold more; asking for it must not make the host hold it.
        .max_random_size(memory_bytes_max);
    builder
}

/// The guest's monotonic clock is the one its sleeps are measured by.
struct SchedulerClock;

impl HostMonotonicClock for SchedulerClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(rusm_sched::now().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Everything a core module may import of WASI.
pub(crate) fn add(linker: &mut Linker<State>) -> Result<()> {
    p1::add_to_linker_async(linker, |state: &mut State| &mut of(state).ctx)?;
    linker.allow_shadowing(true);
    files::add(linker)?;
    poll::add(linker)?;
    // The stock one refuses statuses above 125; a status is the program's own business.
    linker.func_wrap(MODULE, "proc_exit", |status: i32| -> Result<()> {
        Err(I32Exit(status).into())
    })?;
    waits(
        linker,
        MODULE,
        "sched_yield",
        |_: Caller<'_, State>, (): ()| {
            opaque(async {
                rusm_sched::yield_now().await;
                0
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The WASI of a process, made now if it is its first call.
pub(crate) fn of(state: &mut State) -> &mut Wasi {
    if state.wasi.is_none() {
        state.wasi = Some(Box::new(made(state)));
    }
    state.wasi.as_mut().expect("it was made above")
}

#[cold]
fn made(state: &State) -> Wasi {
    let memory_bytes_max = state.limit.memory_bytes_max();
    let given = state.lunatic.as_ref();
    if let Some(wasi) = given.and_then(|guest| guest.wasi(memory_bytes_max)) {
        return wasi;
    }
    let Some(standing) = &state.standing else {
        return Wasi::closed(memory_bytes_max, state.grants.clone());
    };
    let program = &standing.component.program;
    let program = program.with(state.arguments(), state.grants());
    let wasi = Wasi::new(program, memory_bytes_max);
    wasi.expect("only directories can fail, and a program with some has its WASI from the start")
}

/// The caller's memory and context, as the stock functions want them.
fn view<'a>(caller: &'a mut Caller<'_, State>) -> Result<(GuestMemory<'a>, &'a mut WasiP1Ctx)> {
    let (memory, wasi) = memory_and_wasi(caller)?;
    wasi.ctx.set_hostcall_fuel(PREVIEW1_CALL_BYTES_MAX);
    Ok((GuestMemory::Unshared(memory), &mut wasi.ctx))
}

fn memory_and_wasi<'a>(caller: &'a mut Caller<'_, State>) -> Result<(&'a mut [u8], &'a mut Wasi)> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => {
            let (bytes, state) = memory.data_and_store_mut(caller);
            Ok((bytes, of(state)))
        }
        _ => wasmtime::bail!("the guest calls WASI but exports no memory named `memory`"),
    }
}
