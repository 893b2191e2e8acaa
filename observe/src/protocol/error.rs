//! Why something was not done.

use serde::{Deserialize, Serialize};

/// The kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No JSON, or not the fields that it should have.
    BadFrame,
    /// Another version of the protocol.
    BadVersion,
    /// There is no such command.
    UnknownType,
    /// The right to do that is missing.
    NotAllowed,
    /// The client does not read.
    TooSlow,
    /// A frame is longer than `FRAME_BYTES_MAX`.
    TooLong,
    /// One more than there may be.
    TooMany,
    /// A value that makes no sense where it stands.
    BadValue,
    /// It has ended, or never was.
    UnknownProcess,
    /// The laboratory has none of that name.
    UnknownScenario,
    /// The app has none of that name.
    UnknownComponent,
    /// The laboratory is running something.
    Busy,
    /// This node has no scenarios.
    NoLab,
    /// No `hello` came in time.
    Late,
    /// It was tried, and did not work.
    Failed,
}

/// A longer sentence is cut.
const MESSAGE_BYTES_MAX: usize = 500;

/// An error as a sentence: what, why, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind.
    pub code: Code,
    /// For people.
    pub message: String,
    /// The connection ends with it.
    pub fatal: bool,
}

impl Refusal {
    /// One after which the connection stays.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let mut message = message.into();
        // It may quote what a client has sent.
        if message.len() > MESSAGE_BYTES_MAX {
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
            message.push_str(" ...");
        }
        Refusal {
            code,
            message,
            fatal: false,
        }
    }

    /// One after which it is closed.
    pub fn fatal(code: Code, message: impl Into<String>) -> Self {
        Refusal {
            fatal: true,
            ..Refusal::new(code, message)
        }
    }
}
