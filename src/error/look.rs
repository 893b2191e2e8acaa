//! What can go wrong when a node is to be looked at: on the side that is shown, and on the side that looks.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use rusm_observe::{AccessError, FlightError, OtlpError, TOKEN_BYTES_MIN};

use crate::client::ClientError;
use crate::door::DoorError;
use crate::observe::TOKEN_VARIABLE;
use crate::token::{CONTROL_VARIABLE, TokenError};

/// Why a node is not shown, or not seen.
#[derive(Debug)]
pub(crate) enum LookFailure {
    Listen {
        at: SocketAddr,
        why: io::Error,
    },
    Access(AccessError),
    /// What should be the control token is none.
    ControlToken(AccessError),
    Token(TokenError),
    /// What the environment says of a collector makes no sense.
    Export(OtlpError),
    Door(DoorError),
    /// There is no flight recorder.
    Flight(FlightError),
    /// The terminal does not do what a full screen needs.
    Terminal(io::Error),
}

impl From<TokenError> for LookFailure {
    fn from(why: TokenError) -> Self {
        LookFailure::Token(why)
    }
}

impl From<DoorError> for LookFailure {
    fn from(why: DoorError) -> Self {
        LookFailure::Door(why)
    }
}

impl From<ClientError> for LookFailure {
    fn from(why: ClientError) -> Self {
        LookFailure::Door(why.into())
    }
}

impl fmt::Display for LookFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookFailure::Listen { at, why } => write!(
                f,
                "cannot show the node on {at}: {why}. Name another address with `--observe`."
            ),
            LookFailure::Access(why) => write!(
                f,
                "cannot show the node: {why}. Set {TOKEN_VARIABLE} to a secret of {TOKEN_BYTES_MIN} or \
                 more characters, or observe on 127.0.0.1 without it."
            ),
            LookFailure::Export(why) => write!(f, "cannot export metrics: {why}."),
            LookFailure::ControlToken(why) => write!(
                f,
                "cannot show the node: {why}. Correct {CONTROL_VARIABLE}, or delete the file of the \
                 control token."
            ),
            LookFailure::Token(why) => why.fmt(f),
            LookFailure::Door(why) => why.fmt(f),
            LookFailure::Flight(why) => {
                write!(
                    f,
                    "{why}. Name another file with `--flight-recorder`, or leave it away."
                )
            }
            LookFailure::Terminal(why) => {
                write!(f, "cannot use the terminal: {why}. Try `rusm top --once`.")
            }
        }
    }
}
