//! Our words as the standard's. Addresses are converted in `net/convert.rs`.

use wasmtime::component::ResourceTableError;

use super::bindings::wasi::sockets::ip_name_lookup;
use super::bindings::wasi::sockets::types::{self, ErrorCode};
use crate::net::{NameError, NetError};

/// Why a call did not answer what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The guest is told.
    Code(ErrorCode),
    /// The guest broke a rule, and ends.
    Trap(wasmtime::Error),
}

/// Why a name has no addresses for a guest.
#[derive(Debug)]
pub struct NameFailure(pub(super) NameError);

impl From<NetError> for Failure {
    fn from(error: NetError) -> Self {
        Self::Code(error.into())
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
            NetError::ConnectionBroken => Self::ConnectionBroken,
            NetError::ConnectionReset => Self::ConnectionReset,
            NetError::ConnectionAborted => Self::ConnectionAborted,
            NetError::DatagramTooLarge => Self::DatagramTooLarge,
            NetError::SocketLimit => Self::Other(Some("too many sockets are open".into())),
            NetError::Unknown => Self::Other(None),
        }
    }
}

impl From<NameFailure> for ip_name_lookup::ErrorCode {
    fn from(NameFailure(error): NameFailure) -> Self {
        match error {
            NameError::AccessDenied => Self::AccessDenied,
            NameError::InvalidArgument => Self::InvalidArgument,
            NameError::Unresolvable => Self::NameUnresolvable,
            NameError::Temporary => Self::TemporaryResolverFailure,
            NameError::Permanent => Self::PermanentResolverFailure,
        }
    }
}

crate::net::convert_addresses!(types);
