//! Which addresses make sense where, before anybody is asked whether they are allowed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::Domain;

use super::NetError;

/// IPv4 or IPv6; a socket is of one of them for life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) fn domain(self) -> Domain {
        match self {
            Self::V4 => Domain::IPV4,
            Self::V6 => Domain::IPV6,
        }
    }

    /// Any address of the machine, any free port.
    pub(super) fn unspecified(self) -> SocketAddr {
        match self {
            Self::V4 => (Ipv4Addr::UNSPECIFIED, 0).into(),
            Self::V6 => (Ipv6Addr::UNSPECIFIED, 0).into(),
        }
    }

    /// An address of this family, and of no other in disguise.
    pub(super) fn has(self, address: SocketAddr) -> Result<(), NetError> {
        let fits = match (self, address.ip()) {
            (Self::V4, IpAddr::V4(_)) => true,
            (Self::V6, IpAddr::V6(ip)) => ip.to_ipv4_mapped().is_none() && !is_compatible(ip),
            _ => false,
        };
        valid(fits)
    }
}

/// An address to send to: of this family, not all of the machine's, with a port.
pub(super) fn remote(family: Family, address: SocketAddr) -> Result<(), NetError> {
    family.has(address)?;
    valid(!address.ip().is_unspecified() && address.port() != 0)
}

/// An address of one machine, as TCP needs.
pub(super) fn unicast(address: SocketAddr) -> Result<(), NetError> {
    valid(match address.ip() {
        IpAddr::V4(ip) => !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_multicast(),
    })
}

/// `::a.b.c.d`, which was given up in 2006 and which systems treat as they like.
fn is_compatible(ip: Ipv6Addr) -> bool {
    matches!(ip.segments(), [0, 0, 0, 0, 0, 0, _, _])
        && ip != Ipv6Addr::UNSPECIFIED
        && ip != Ipv6Addr::LOCALHOST
}

fn valid(yes: bool) -> Result<(), NetError> {
    if yes {
        Ok(())
    } else {
        Err(NetError::InvalidArgument)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_another_family_or_in_disguise_is_no_argument() {
        for (family, address, ok) in [
            (Family::V4, "1.2.3.4:5", true),
            (Family::V4, "[::1]:5", false),
            (Family::V6, "[::1]:5", true),
            (Family::V6, "[::]:5", true),
            (Family::V6, "1.2.3.4:5", false),
            (Family::V6, "[::ffff:1.2.3.4]:5", false),
            (Family::V6, "[::1.2.3.4]:5", false),
        ] {
            assert_eq!(
                family.has(address.parse().unwrap()).is_ok(),
                ok,
                "{address}"
            );
        }
    }

    #[test]
    fn one_sends_to_somebody_on_some_port() {
        for (address, ok) in [
            ("1.2.3.4:5", true),
            ("0.0.0.0:5", false),
            ("1.2.3.4:0", false),
        ] {
            assert_eq!(
                remote(Family::V4, address.parse().unwrap()).is_ok(),
                ok,
                "{address}"
            );
        }
        for (address, ok) in [
            ("1.2.3.4:5", true),
            ("224.0.0.1:5", false),
            ("255.255.255.255:5", false),
            ("[ff02::1]:5", false),
        ] {
            assert_eq!(unicast(address.parse().unwrap()).is_ok(), ok, "{address}");
        }
    }
}
