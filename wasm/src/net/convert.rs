//! Addresses in the words of the standard, which are the same in each of its versions but for their
//! Rust types.

/// Converts between the families and addresses of generated bindings, in `$types`, and ours.
macro_rules! convert_addresses {
    ($types:ident) => {
        impl From<$types::IpAddressFamily> for crate::net::Family {
            fn from(family: $types::IpAddressFamily) -> Self {
                match family {
                    $types::IpAddressFamily::Ipv4 => Self::V4,
                    $types::IpAddressFamily::Ipv6 => Self::V6,
                }
            }
        }

        impl From<crate::net::Family> for $types::IpAddressFamily {
            fn from(family: crate::net::Family) -> Self {
                match family {
                    crate::net::Family::V4 => Self::Ipv4,
                    crate::net::Family::V6 => Self::Ipv6,
                }
            }
        }

        impl From<$types::IpSocketAddress> for std::net::SocketAddr {
            fn from(address: $types::IpSocketAddress) -> Self {
                match address {
                    $types::IpSocketAddress::Ipv4(v4) => {
                        let (a, b, c, d) = v4.address;
                        (std::net::Ipv4Addr::new(a, b, c, d), v4.port).into()
                    }
                    $types::IpSocketAddress::Ipv6(v6) => {
                        let (a, b, c, d, e, f, g, h) = v6.address;
                        let ip = std::net::Ipv6Addr::new(a, b, c, d, e, f, g, h);
                        std::net::SocketAddrV6::new(ip, v6.port, v6.flow_info, v6.scope_id).into()
                    }
                }
            }
        }

        impl From<std::net::SocketAddr> for $types::IpSocketAddress {
            fn from(address: std::net::SocketAddr) -> Self {
                match address {
                    std::net::SocketAddr::V4(v4) => Self::Ipv4($types::Ipv4SocketAddress {
                        port: v4.port(),
                        address: v4.ip().octets().into(),
                    }),
                    std::net::SocketAddr::V6(v6) => Self::Ipv6($types::Ipv6SocketAddress {
                        port: v6.port(),
                        flow_info: v6.flowinfo(),
                        address: v6.ip().segments().into(),
                        scope_id: v6.scope_id(),
                    }),
                }
            }
        }

        impl From<std::net::IpAddr> for $types::IpAddress {
            fn from(address: std::net::IpAddr) -> Self {
                match address {
                    std::net::IpAddr::V4(v4) => Self::Ipv4(v4.octets().into()),
                    std::net::IpAddr::V6(v6) => Self::Ipv6(v6.segments().into()),
                }
            }
        }
    };
}

pub(crate) use convert_addresses;
