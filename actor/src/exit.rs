//! Why a process ended.

use std::fmt;
use std::sync::Arc;

use crate::text::Text;

/// Why a process ended. Cheap to copy: long texts are shared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitReason {
    /// Its body returned, or said so.
    Normal,
    /// It was asked to stop in order.
    Shutdown,
    /// As `Shutdown`, and this is what it has to say about it.
    ShutdownWith(Arc<Term>),
    /// It was killed: no process can refuse that.
    Killed,
    /// Sent by `exit`, it kills, and the victim says `Killed`. As a process's own reason it is
    /// a reason like others, and may be trapped by those who are linked to it.
    Kill,
    /// There is no such process.
    NoProcess,
    /// The node it is on cannot be reached.
    NoConnection,
    /// It waited in vain.
    Timeout,
    /// A reason of the application's own, as text.
    Error(Text),
    /// A reason of the application's own, with content.
    Term(Arc<Term>),
    /// A program's own exit status, not zero.
    Status(i32),
    /// Its native body panicked.
    Panic(Arc<Fault>),
    /// Its WebAssembly body trapped.
    Trap(Arc<Fault>),
}

/// What an application says of an end: a tag, and bytes that mean something to those who know
/// the tag. Bytes, since it may have to cross to guests and to other nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Term {
    /// What kind of content this is.
    pub tag: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Term {
    /// A tag with content.
    pub fn new(tag: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Term {
            tag: tag.into(),
            bytes: bytes.into(),
        }
    }
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
    /// A reason of the application's own. A literal costs nothing to make and to copy.
    pub fn error(text: impl Into<Text>) -> Self {
        ExitReason::Error(text.into())
    }

    /// A reason of the application's own, with content.
    pub fn term(tag: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        ExitReason::Term(Arc::new(Term::new(tag, bytes)))
    }

    /// An orderly stop with something to say.
    pub fn shutdown_with(tag: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        ExitReason::ShutdownWith(Arc::new(Term::new(tag, bytes)))
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
        matches!(
            self,
            ExitReason::Normal | ExitReason::Shutdown | ExitReason::ShutdownWith(_)
        )
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
            ExitReason::ShutdownWith(term) => write!(f, "shutdown: {term}"),
            ExitReason::Killed => f.write_str("killed"),
            ExitReason::Kill => f.write_str("kill"),
            ExitReason::NoProcess => f.write_str("no such process"),
            ExitReason::NoConnection => f.write_str("no connection"),
            ExitReason::Timeout => f.write_str("timeout"),
            ExitReason::Error(text) => f.write_str(text),
            ExitReason::Term(term) => fmt::Display::fmt(term, f),
            ExitReason::Status(status) => write!(f, "exit status {status}"),
            ExitReason::Panic(fault) => write!(f, "panic: {}", fault.text),
            ExitReason::Trap(fault) => write!(f, "trap: {}", fault.text),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match str::from_utf8(&self.bytes) {
            Ok("") => f.write_str(&self.tag),
            Ok(text) => write!(f, "{} {text:?}", self.tag),
            Err(_) => write!(f, "{} ({} bytes)", self.tag, self.bytes.len()),
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
