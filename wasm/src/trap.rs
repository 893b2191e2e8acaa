//! What the end of a guest means for those who watch its process: an exit, a status, or a trap
//! with the guest's own frames.

use rusm_actor::ExitReason;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::{I32Exit, ResourceTableError};

use crate::host::process::Exit;
use crate::limit::FILES_MAX;

/// The reason of a guest that returned from its entry, or left through `proc_exit`, with `status`.
pub(crate) fn exit(status: i32) -> ExitReason {
    match status {
        0 => ExitReason::Normal,
        status => ExitReason::Status(status),
    }
}

/// The reason of a guest that was stopped by `error`.
pub(crate) fn reason(error: &wasmtime::Error) -> ExitReason {
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return exit(*status);
    }
    if let Some(Exit(reason)) = error.downcast_ref() {
        return reason.clone();
    }
    ExitReason::trap(
        text(error),
        error.downcast_ref().map(backtrace).unwrap_or_default(),
    )
}

/// The same, unless the guest never began because its pool has no room for it. Later there is no
/// such error: what an instance takes of the pool it has once it runs.
pub(crate) fn reason_or_full(
    error: wasmtime::Error,
) -> Result<ExitReason, PoolConcurrencyLimitError> {
    match error.downcast() {
        Ok(full) => Err(full),
        Err(error) => Ok(reason(&error)),
    }
}

fn text(error: &wasmtime::Error) -> String {
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return format!("too many open files: a guest may have {FILES_MAX}");
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return "no stack is left for another task of the guest: other guests have them all".into();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => "call stack exhausted: the guest calls itself without end, \
                                      or needs too much stack"
            .into(),
        Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").into(),
        None => error.root_cause().to_string(),
    }
}

/// The guest's frames, innermost first, a line each with offset, module and demangled name, and
/// the line of source if the module carries debug information.
fn backtrace(frames: &WasmBacktrace) -> String {
    let printed = frames.to_string();
    let lines = printed.split('\n').skip(1);
    let mut frames = frames.frames().iter();
    // Names from debug information come without the module's.
    let mut with_module = |line: &str| {
        let (place, function) = line.split_once(" - ")?;
        place
            .trim_start()
            .starts_with(|c: char| c.is_ascii_digit())
            .then_some(())?;
        let module = frames.next()?.module().name()?;
        let known = function
            .strip_prefix(module)
            .is_some_and(|rest| rest.starts_with('!'));
        (!known).then(|| format!("{place} - {module}!{function}"))
    };
    let lines: Vec<String> = lines
        .map(|line| with_module(line).unwrap_or_else(|| line.to_owned()))
        .collect();
    lines.join("\n")
}
