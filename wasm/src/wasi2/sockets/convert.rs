//! Our words as the standard's. Addresses are converted in `net/convert.rs`.

use std::fmt;

use wasmtime::component::ResourceTableError;

use super::bindings::wasi::sockets::network::{self, ErrorCode};
use crate::net::{NameError, NetError};

/// Why a call did not answer what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The guest is told.
    Code(ErrorCode),
    /// The guest broke a rule, and ends.
    Trap(wasmtime::Error),
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        Self::Code(error.into())
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::Code(match error {
            NameError::AccessDenied => ErrorCode::AccessDenied,
            NameError::InvalidArgument => ErrorCode::InvalidArgument,
            NameError::Unresolvable => ErrorCode::NameUnresolvable,
            NameError::Temporary => ErrorCode::TemporaryResolverFailure,
            NameError::Permanent => ErrorCode::PermanentResolverFailure,
        })
    }
}

impl From<ResourceTableError> for Failure {
    fn from(error: ResourceTableError) -> Self {
        Self::Trap(error.into())
    }
}

impl From<NetError> for ErrorCode {
    fn from(error: NetError) -> Self {
        match error {
            NetError::AccessDenied => Self::AccessDenied,
            NetError::NotSupported => Self::NotSupported,
            NetError::InvalidArgument => Self::InvalidArgument,
            NetError::OutOfMemory => Self::OutOfMemory,
            NetError::Timeout => Self::Timeout,
            NetError::InvalidState => Self::InvalidState,
            NetError::AddressNotBindable => Self::AddressNotBindable,
            NetError::AddressInUse => Self::AddressInUse,
            NetError::RemoteUnreachable => Self::RemoteUnreachable,
            NetError::ConnectionRefused => Self::ConnectionRefused,
            NetError::ConnectionReset => Self::ConnectionReset,
            NetError::ConnectionAborted => Self::ConnectionAborted,
            NetError::DatagramTooLarge => Self::DatagramTooLarge,
            NetError::SocketLimit => Self::NewSocketLimit,
            NetError::ConnectionBroken | NetError::Unknown => Self::Unknown,
        }
    }
}

/// What a stream's last operation failed with, as its error resource keeps it.
#[derive(Debug)]
pub(super) struct StreamFailure(pub(super) NetError);

impl fmt::Display for StreamFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection failed: {:?}", self.0)
    }
}

impl std::error::Error for StreamFailure {}

/// The code in the error of a stream, if it is a socket's.
pub(super) fn code_of(error: &wasmtime::Error) -> Option<ErrorCode> {
    error
        .downcast_ref()
        .map(|StreamFailure(error)| (*error).into())
}

crate::net::convert_addresses!(network);
