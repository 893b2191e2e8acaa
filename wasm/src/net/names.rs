//! Names and their addresses: what is a name, who may look it up, and what its failure is called.

use std::net::{IpAddr, Ipv6Addr};

use rusm_io::LookUpError;
use url::Host;

use super::Net;

/// Bytes of a text that is looked at as a name; no name is longer than 253 in ASCII, and few take
/// four bytes for each of these.
const NAME_BYTES_MAX: usize = 1024;

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameError {
    AccessDenied,
    /// It is no name and no address.
    InvalidArgument,
    /// There is no such name, or it has no address.
    Unresolvable,
    Temporary,
    Permanent,
}

/// What was asked, understood and allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// Digits are their own answer.
    Address(IpAddr),
    /// In ASCII.
    Name(String),
}

impl Query {
    pub(crate) fn new(net: &Net, text: &str) -> Result<Self, NameError> {
        if text.len() > NAME_BYTES_MAX {
            return Err(NameError::InvalidArgument);
        }
        // As in a URL: Unicode becomes ASCII, and what looks like an address is one.
        match Host::parse(text) {
            Ok(Host::Ipv4(address)) => Ok(Self::Address(address.into())),
            Ok(Host::Ipv6(address)) => Ok(Self::Address(address.into())),
            Ok(Host::Domain(name)) => match net.may_resolve(&name) {
                Ok(()) => Ok(Self::Name(name)),
                Err(_) => Err(NameError::AccessDenied),
            },
            // In a URL an IPv6 address stands in brackets.
            Err(_) => match text.parse::<Ipv6Addr>() {
                Ok(address) => Ok(Self::Address(address.into())),
                Err(_) => Err(NameError::InvalidArgument),
            },
        }
    }

    /// What [`Net::note_answer`] is to be told with the answer, if this is a name.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Address(_) => None,
            Self::Name(name) => Some(name),
        }
    }

    /// Asks the system's resolver.
    pub(crate) async fn answer(self) -> Result<Vec<IpAddr>, NameError> {
        match self {
            Self::Address(address) => Ok(vec![address]),
            Self::Name(name) => rusm_io::look_up(&name).await.map_err(|error| match error {
                LookUpError::NoSuchName => NameError::Unresolvable,
                LookUpError::TryAgain => NameError::Temporary,
                LookUpError::Failed => NameError::Permanent,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::{Grants, Profile};

    #[test]
    fn texts_are_names_addresses_or_neither() {
        let net = Net::new(Some(Grants::new(Profile::trusted())));
        let query = |text: &str| Query::new(&net, text);
        let address = |text: &str| Ok(Query::Address(text.parse().unwrap()));
        assert_eq!(query("127.0.0.1"), address("127.0.0.1"));
        assert_eq!(query("::1"), address("::1"));
        assert_eq!(query("[::1]"), address("::1"));
        assert_eq!(
            query("Bücher.example"),
            Ok(Query::Name("xn--bcher-kva.example".into()))
        );
        let long = "a".repeat(NAME_BYTES_MAX + 1);
        for text in ["", "a b", "a:80", "http://a", "a\0b", "127.0.0.1.2", &long] {
            assert_eq!(query(text), Err(NameError::InvalidArgument), "{text}");
        }
        assert_eq!(
            Query::new(&Net::default(), "localhost"),
            Err(NameError::AccessDenied)
        );
        assert!(Query::new(&Net::default(), "127.0.0.1").is_ok());
    }
}
