//! Our words and addresses as the standard's, and back.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use wasmtime::component::ResourceTableError;

use super::bindings::wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use crate::net::{Family, NameError, NetError};

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

impl From<IpAddressFamily> for Family {
    fn from(family: IpAddressFamily) -> Self {
        match family {
            IpAddressFamily::Ipv4 => Self::V4,
            IpAddressFamily::Ipv6 => Self::V6,
        }
    }
}

impl From<Family> for IpAddressFamily {
    fn from(family: Family) -> Self {
        match family {
            Family::V4 => Self::Ipv4,
            Family::V6 => Self::Ipv6,
        }
    }
}

impl From<IpSocketAddress> for SocketAddr {
    fn from(address: IpSocketAddress) -> Self {
        match address {
            IpSocketAddress::Ipv4(v4) => {
                let (a, b, c, d) = v4.address;
                (Ipv4Addr::new(a, b, c, d), v4.port).into()
            }
            IpSocketAddress::Ipv6(v6) => {
                let (a, b, c, d, e, f, g, h) = v6.address;
                let ip = Ipv6Addr::new(a, b, c, d, e, f, g, h);
                SocketAddrV6::new(ip, v6.port, v6.flow_info, v6.scope_id).into()
            }
        }
    }
}

impl From<SocketAddr> for IpSocketAddress {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::Ipv4(Ipv4SocketAddress {
                port: v4.port(),
                address: v4.ip().octets().into(),
            }),
            SocketAddr::V6(v6) => Self::Ipv6(Ipv6SocketAddress {
                port: v6.port(),
                flow_info: v6.flowinfo(),
                address: v6.ip().segments().into(),
                scope_id: v6.scope_id(),
            }),
        }
    }
}

impl From<IpAddr> for IpAddress {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::Ipv4(v4.octets().into()),
            IpAddr::V6(v6) => Self::Ipv6(v6.segments().into()),
        }
    }
}
