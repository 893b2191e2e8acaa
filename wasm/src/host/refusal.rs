//! Why an operation was refused: what a guest gets as a code, or as a variant of an error type, and
//! as a sentence.

use std::fmt;

use rusm_actor::{ExitReason, Pid};
use rusm_io::kv::KvError;

/// A condition that a correct program may meet. Its number is its code in the flat functions;
/// numbers are never used again for something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such process.
    NoProcess,
    /// No component of this node has that name.
    NoComponent(String),
    /// A limit with a name has been reached.
    Limit { what: &'static str, max: usize },
    /// What was given is longer than may be.
    TooLong {
        what: &'static str,
        len: usize,
        max: usize,
    },
    /// The process holds nothing under that reference.
    NotHeld,
    /// Text that is not UTF-8.
    NotText(&'static str),
    /// An argument that makes no sense.
    Invalid(String),
    /// Another process has that name.
    NameTaken(Pid),
    /// The process has a name already.
    Named(String),
    /// Nobody has that name.
    NoName(String),
    /// A name that cannot be given.
    BadName,
    /// What was opened or verified is not what was sealed.
    NotAuthentic,
    /// The store has no such key.
    NoKey,
    /// The store could not do it.
    Store(KvError),
    /// What was to be compiled is no code that can be started: why.
    BadModule(String),
    /// A supervisor could not do it: why.
    Supervision(String),
    /// The supervisor has no such child.
    NoChild,
    /// Nobody reads the stream any more.
    StreamBroken,
    /// Whoever wrote to the stream has not come to its end: why.
    StreamAborted(ExitReason),
    /// The process was not granted this: which grant is missing, and where to give it.
    Denied(String),
    /// The machine or the node has not done its part: why.
    Failed(String),
}

impl Refusal {
    /// The result of a flat function that refused.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Refusal::NoProcess => -1,
            Refusal::NoComponent(_) => -2,
            Refusal::Limit { .. } => -3,
            Refusal::TooLong { .. } => -4,
            Refusal::NotHeld => -5,
            Refusal::NotText(_) => -6,
            Refusal::Invalid(_) => -7,
            Refusal::NameTaken(_) => -8,
            Refusal::Named(_) => -9,
            Refusal::NoName(_) => -10,
            Refusal::BadName => -11,
            Refusal::Denied(_) => -12,
            Refusal::NotAuthentic => -20,
            Refusal::StreamBroken => -21,
            Refusal::StreamAborted(_) => -22,
            Refusal::NoKey => -23,
            Refusal::Store(error) => code_of(error),
            Refusal::BadModule(_) => -28,
            Refusal::Supervision(_) => -29,
            Refusal::NoChild => -30,
            Refusal::Failed(_) => -13,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProcess => f.write_str("no such process; it may have ended"),
            Self::NoComponent(name) => write!(
                f,
                "this node has no component `{name}`. Add it to [components] in rusm.toml, or \
                 correct the name."
            ),
            Self::Limit { what, max } => {
                write!(f, "a process may have {max} {what}. Give some back first.")
            }
            Self::TooLong { what, len, max } => {
                write!(f, "{what} of {len} bytes; {max} is the most. Send less.")
            }
            Self::NotHeld => f.write_str(
                "the process holds nothing under that reference: it was used up, given back, or \
                 never its own",
            ),
            Self::NotText(what) => write!(f, "{what} is not UTF-8"),
            Self::Invalid(why) | Self::Denied(why) | Self::Failed(why) => f.write_str(why),
            Self::NoKey => f.write_str("the bucket has no such key"),
            Self::Store(error) => error.fmt(f),
            Self::BadModule(why) => write!(f, "the module cannot be started: {why}"),
            Self::Supervision(why) => f.write_str(why),
            Self::NoChild => f.write_str("the supervisor has no child of that id"),
            Self::StreamBroken => {
                f.write_str("nobody reads the stream any more; close it, nothing more will arrive")
            }
            Self::StreamAborted(reason) => write!(
                f,
                "the stream ended before its writer was done: {reason}. What was read is not all."
            ),
            Self::NotAuthentic => f.write_str(
                "it is not authentic: it was changed, or sealed with another key, nonce or \
                 additional data. Do not use it.",
            ),
            Self::NameTaken(pid) => write!(f, "{pid} has that name; unregister it first"),
            Self::Named(name) => write!(
                f,
                "the process is named `{name}` already, and may have one name only"
            ),
            Self::NoName(name) => write!(f, "nobody is named `{name}`"),
            Self::BadName => f.write_str("a name has 1 to 255 bytes and is not `undefined`"),
        }
    }
}

/// What a store says, as a code.
fn code_of(error: &KvError) -> i32 {
    match error {
        KvError::TooManyBuckets { .. } => -3,
        KvError::BucketName { .. }
        | KvError::KeyTooLarge { .. }
        | KvError::ValueTooLarge { .. }
        | KvError::BatchTooLarge { .. } => -4,
        KvError::PageSize { .. } => -7,
        KvError::NoBucket(_) => -24,
        KvError::Busy { .. } => -25,
        KvError::DiskFull { .. } => -26,
        _ => -27,
    }
}
