//! Why a process ended.

use std::fmt;
use std::sync::Arc;

/// Why a process ended. Cheap to copy: long texts are shared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitReason {
    /// Its body returned, or said so.
    Normal,
    /// It was asked to stop in order.
    Shutdown,
    /// It was killed: no process can refuse that.
    Killed,
    /// A reason of the application's own.
    Error(Arc<str>),
    /// A program's own exit status, not zero.
    Status(i32),
    /// Its native body panicked.
    Panic(Arc<Fault>),
    /// Its WebAssembly body trapped.
    Trap(Arc<Fault>),
}

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happened: the panic's text, or the kind of the trap.
    pub text: String,
    /// The call stack with names where they are known; may be empty.
    pub backtrace: String,
}

impl ExitReason {
    /// A reason of the application's own.
    pub fn error(text: impl Into<Arc<str>>) -> Self {
        ExitReason::Error(text.into())
    }

    /// A trap of a WebAssembly body.
    pub fn trap(text: impl Into<String>, backtrace: impl Into<String>) -> Self {
        ExitReason::Trap(Arc::new(Fault {
            text: text.into(),
            backtrace: backtrace.into(),
        }))
    }

    pub(crate) fn panic(text: String, backtrace: String) -> Self {
        ExitReason::Panic(Arc::new(Fault { text, backtrace }))
    }

    /// Ended as intended: normally, or by an orderly stop.
    pub fn is_orderly(&self) -> bool {
        matches!(self, ExitReason::Normal | ExitReason::Shutdown)
    }

    /// Where it happened, if that is known.
    pub fn backtrace(&self) -> Option<&str> {
        match self {
            ExitReason::Panic(fault) | ExitReason::Trap(fault) => Some(&fault.backtrace),
            _ => None,
        }
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitReason::Normal => f.write_str("normal"),
            ExitReason::Shutdown => f.write_str("shutdown"),
            ExitReason::Killed => f.write_str("killed"),
            ExitReason::Error(text) => f.write_str(text),
            ExitReason::Status(status) => write!(f, "exit status {status}"),
            ExitReason::Panic(fault) => write!(f, "panic: {}", fault.text),
            ExitReason::Trap(fault) => write!(f, "trap: {}", fault.text),
        }
    }
}

impl std::error::Error for ExitReason {}

/// What a process's body may return.
pub trait Outcome {
    /// The reason it stands for.
    fn reason(self) -> ExitReason;
}

impl Outcome for () {
    fn reason(self) -> ExitReason {
        ExitReason::Normal
    }
}

impl Outcome for ExitReason {
    fn reason(self) -> ExitReason {
        self
    }
}

impl<T: Outcome> Outcome for Result<T, ExitReason> {
    fn reason(self) -> ExitReason {
        match self {
            Ok(outcome) => outcome.reason(),
            Err(reason) => reason,
        }
    }
}

/// The type of a body that loops for ever. It has no stable name of its own yet.
type Never = <fn() -> ! as Function>::Output;

trait Function {
    type Output;
}

impl<T> Function for fn() -> T {
    type Output = T;
}

// The private names stand for `!`, which everybody can write as a return type.
#[allow(private_interfaces)]
impl Outcome for Never {
    fn reason(self) -> ExitReason {
        self
    }
}
