//! Who may look: anybody on this machine, or who knows the token.

use std::fmt;
use std::net::SocketAddr;

use rusm_net::Request;

/// A token shorter than this is refused: it could be found by trying.
pub const TOKEN_BYTES_MIN: usize = 16;

/// Who may look at a node.
#[derive(Clone)]
pub struct Access {
    token: Option<String>,
}

/// Why nobody would be let look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// Others than those on this machine could look, and there is no token.
    NeedsToken(SocketAddr),
    /// The token is too short, or holds what cannot stand in a header.
    BadToken,
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccessError::NeedsToken(at) => write!(
                f,
                "{at} can be reached from other machines, and there is no token"
            ),
            AccessError::BadToken => write!(
                f,
                "the token is not {TOKEN_BYTES_MIN} or more letters, digits and signs without spaces"
            ),
        }
    }
}

impl std::error::Error for AccessError {}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.token {
            Some(_) => "Access(by token)",
            None => "Access(by anybody here)",
        })
    }
}

impl Access {
    /// To a node that is looked at through `at`.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn new(at: SocketAddr, token: Option<String>) -> Result<Self, AccessError> {
        let graphic = |token: &String| token.bytes().all(|byte| byte.is_ascii_graphic());
        match &token {
            None if !at.ip().is_loopback() => Err(AccessError::NeedsToken(at)),
            Some(bad) if bad.len() < TOKEN_BYTES_MIN || !graphic(bad) => Err(AccessError::BadToken),
            _ => Ok(Access { token }),
        }
    }

    /// The status of a refusal; `None`: this client may look.
    ///
    /// A page of another origin in somebody's browser is refused: it may ask, from that very machine,
    /// what its author may not.
    pub(crate) fn refuses(&self, request: &Request) -> Option<u16> {
        let foreign = |origin: &[u8]| {
            let host = request.header("host").unwrap_or_default();
            origin.strip_prefix(b"http://") != Some(host)
        };
        if request.header("origin").is_some_and(foreign) {
            return Some(403);
        }
        let Some(token) = &self.token else {
            return named_otherwise(request).then_some(403);
        };
        let said = request.header("authorization").unwrap_or_default();
        let said = said.strip_prefix(b"Bearer ").unwrap_or_default();
        (!same(said, token.as_bytes())).then_some(401)
    }
}

/// Does the client call us by a name that is not this machine's? Then that name is somebody else's who
/// has it lead here, for a browser to take his pages and ours for one.
fn named_otherwise(request: &Request) -> bool {
    let Some(host) = request.header("host") else {
        return false;
    };
    let Ok(host) = std::str::from_utf8(host) else {
        return true;
    };
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        match port.bytes().all(|byte| byte.is_ascii_digit()) {
            true => name,
            false => host,
        }
    });
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let address: Option<std::net::IpAddr> = bare.parse().ok();
    !(name.eq_ignore_ascii_case("localhost") || address.is_some_and(|ip| ip.is_loopback()))
}

/// Compares in a time that tells nothing but the lengths.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differ = one
        .iter()
        .zip(other)
        .fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn others_than_this_machine_need_a_token_that_cannot_be_guessed() {
        let token = || Some("0123456789abcdef".to_owned());
        assert!(Access::new(at("127.0.0.1:1"), None).is_ok());
        assert!(Access::new(at("[::1]:1"), None).is_ok());
        let open = at("0.0.0.0:1");
        assert_eq!(
            Access::new(open, None).err(),
            Some(AccessError::NeedsToken(open))
        );
        assert!(Access::new(open, token()).is_ok());
        for bad in ["", "short", "0123456789abcde ", "0123456789abcdeß"] {
            let refused = Access::new(open, Some(bad.to_owned())).err();
            assert_eq!(refused, Some(AccessError::BadToken), "{bad}");
        }
    }

    #[test]
    fn a_token_is_the_same_only_as_a_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd") && !same(b"ab", b"abc") && !same(b"", b"abc"));
    }
}
