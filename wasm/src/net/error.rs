//! What a socket's failure is called: the system's numbers in the words that all versions of
//! `wasi:sockets` share.

use std::io;

/// Why a call on a socket failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetError {
    AccessDenied,
    NotSupported,
    InvalidArgument,
    OutOfMemory,
    Timeout,
    InvalidState,
    AddressNotBindable,
    AddressInUse,
    RemoteUnreachable,
    ConnectionRefused,
    /// Nobody reads what is written any more.
    ConnectionBroken,
    ConnectionReset,
    ConnectionAborted,
    DatagramTooLarge,
    /// The process, or this program, has as many sockets as it may.
    SocketLimit,
    Unknown,
}

impl From<io::Error> for NetError {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&io::Error> for NetError {
    fn from(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) => Self::from_code(code),
            None => Self::from_kind(error.kind()),
        }
    }
}

impl NetError {
    fn from_code(code: i32) -> Self {
        match code {
            libc::EACCES | libc::EPERM => Self::AccessDenied,
            libc::EOPNOTSUPP
            | libc::ENOPROTOOPT
            | libc::EPFNOSUPPORT
            | libc::EPROTONOSUPPORT
            | libc::EPROTOTYPE
            | libc::ESOCKTNOSUPPORT
            | libc::EAFNOSUPPORT => Self::NotSupported,
            libc::EINVAL => Self::InvalidArgument,
            libc::ENOMEM | libc::ENOBUFS => Self::OutOfMemory,
            libc::ETIMEDOUT => Self::Timeout,
            libc::EISCONN | libc::ENOTCONN | libc::EDESTADDRREQ => Self::InvalidState,
            libc::EADDRNOTAVAIL => Self::AddressNotBindable,
            libc::EADDRINUSE => Self::AddressInUse,
            libc::EHOSTUNREACH | libc::EHOSTDOWN | libc::ENETDOWN | libc::ENETUNREACH => {
                Self::RemoteUnreachable
            }
            #[cfg(target_os = "linux")]
            libc::ENONET => Self::RemoteUnreachable,
            libc::ECONNREFUSED => Self::ConnectionRefused,
            libc::EPIPE => Self::ConnectionBroken,
            libc::ECONNRESET => Self::ConnectionReset,
            libc::ECONNABORTED => Self::ConnectionAborted,
            libc::EMSGSIZE => Self::DatagramTooLarge,
            libc::EMFILE | libc::ENFILE => Self::SocketLimit,
            _ => Self::Unknown,
        }
    }

    fn from_kind(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::PermissionDenied => Self::AccessDenied,
            io::ErrorKind::InvalidInput => Self::InvalidArgument,
            io::ErrorKind::OutOfMemory => Self::OutOfMemory,
            _ => Self::Unknown,
        }
    }
}

/// Whether a call would have had to wait.
pub(super) fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_numbers_have_the_standards_names() {
        for (code, name) in [
            (libc::EACCES, NetError::AccessDenied),
            (libc::EADDRINUSE, NetError::AddressInUse),
            (libc::EADDRNOTAVAIL, NetError::AddressNotBindable),
            (libc::ECONNREFUSED, NetError::ConnectionRefused),
            (libc::ENETUNREACH, NetError::RemoteUnreachable),
            (libc::EMSGSIZE, NetError::DatagramTooLarge),
            (libc::EMFILE, NetError::SocketLimit),
            (libc::EPIPE, NetError::ConnectionBroken),
            (libc::EIO, NetError::Unknown),
        ] {
            assert_eq!(
                NetError::from(io::Error::from_raw_os_error(code)),
                name,
                "{code}"
            );
        }
        assert_eq!(
            NetError::from(io::Error::other("no number")),
            NetError::Unknown
        );
    }
}
