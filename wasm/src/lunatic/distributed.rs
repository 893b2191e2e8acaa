//! `lunatic::distributed` on a node that stands alone: what asks about it is answered as
//! Lunatic's own runtime does without a control node, what would leave it ends the guest.

use wasmtime::{Linker, Result, bail};

use super::Call;
use crate::guest::State;

const MODULE: &str = "lunatic::distributed";

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(MODULE, "nodes_count", || 0_u32)?;
    linker.func_wrap(MODULE, "get_nodes", |_: u32, _: u32| 0_u32)?;
    linker.func_wrap(MODULE, "node_id", || 0_u64)?;
    linker.func_wrap(MODULE, "module_id", || 0_u64)?;
    linker.func_wrap(
        MODULE,
        "spawn",
        |_: Call<'_>,
         _: u64,
         _: i64,
         _: u64,
         _: u32,
         _: u32,
         _: u32,
         _: u32,
         _: u32|
         -> Result<u32> { alone("spawn") },
    )?;
    linker.func_wrap(MODULE, "send", |_: u64, _: u64| -> Result<u32> {
        alone("send")
    })?;
    linker.func_wrap(
        MODULE,
        "send_receive_skip_search",
        |_: u64, _: u64, _: i64, _: u64| -> Result<u32> { alone("send_receive_skip_search") },
    )?;
    linker.func_wrap(
        MODULE,
        "exec_lookup_nodes",
        |_: u32, _: u32, _: u32, _: u32, _: u32| -> Result<u32> { alone("exec_lookup_nodes") },
    )?;
    linker.func_wrap(
        MODULE,
        "copy_lookup_nodes_results",
        |_: u64, _: u32, _: u32, _: u32| -> Result<i32> { alone("copy_lookup_nodes_results") },
    )?;
    Ok(())
}

fn alone<T>(function: &str) -> Result<T> {
    bail!("`{MODULE}::{function}`: this node stands alone; there is no other one to reach")
}
