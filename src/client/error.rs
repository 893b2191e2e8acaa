//! Why a node was not heard, as a sentence.

use std::fmt;

use rusm_observe::protocol::Refusal;

use crate::token::CONTROL_VARIABLE;
use rusm_observe::quiet;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum ClientError {
    /// Nobody is there.
    Unreachable { at: String, why: String },
    /// Somebody else is there.
    NotANode { at: String, why: String },
    /// It does not let us in.
    Token { at: String, refusal: Refusal },
    /// It speaks otherwise.
    Version { at: String, refusal: Refusal },
    /// It does not want us now.
    Refused { at: String, refusal: Refusal },
    /// It was there, and is no more.
    Lost { at: String, why: String },
    /// It answers that it does not do that.
    Said(Refusal),
}

/// Sentences of a node come from elsewhere: a terminal must not obey them.
impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Unreachable { at, why } => write!(
                f,
                "cannot reach `{at}`: {why}. Is a node observed there? `rusm node start` starts one."
            ),
            ClientError::NotANode { at, why } => write!(
                f,
                "what listens at `{at}` is not a RUSM node: {}. Name another address.",
                quiet(why)
            ),
            ClientError::Token { at, refusal } => write!(
                f,
                "the node at `{at}` does not let us in: {}. Set {CONTROL_VARIABLE} to its control \
                 token.",
                quiet(&refusal.message)
            ),
            ClientError::Version { at, refusal } => write!(
                f,
                "cannot speak with the node at `{at}`: {}. Use the `rusm` that the node was \
                 started with.",
                quiet(&refusal.message)
            ),
            ClientError::Refused { at, refusal } => write!(
                f,
                "the node at `{at}` refuses us: {}.",
                quiet(&refusal.message)
            ),
            ClientError::Lost { at, why } => {
                write!(f, "lost the node at `{at}`: {}.", quiet(why))
            }
            ClientError::Said(refusal) => write!(f, "{}.", quiet(&refusal.message)),
        }
    }
}
