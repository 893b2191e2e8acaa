//! Who may look: anybody on this machine, or who knows the token.

use std::fmt;
use std::net::SocketAddr;

use rusm_net::Request;

use crate::protocol::{Code, Refusal, Right};

/// A token shorter than this is refused: it could be found by trying.
pub const TOKEN_BYTES_MIN: usize = 16;

/// Who may look at a node, and who may act on it: two rights.
#[derive(Clone)]
pub struct Access {
    /// Whoever knows it may look; nobody needs to if there is none.
    look: Option<String>,
    act: Act,
}

/// Who may act on a node. Whoever may act may look.
#[derive(Clone, PartialEq, Eq)]
pub enum Act {
    /// Nobody.
    Nobody,
    /// Everybody who may look.
    Lookers,
    /// Whoever knows this.
    Token(String),
}

/// Why nobody would be let look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// Others than those on this machine could look, and there is no token.
    NeedsToken(SocketAddr),
    /// A token is too short, or holds what cannot stand in a header.
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
        let look = match self.look {
            Some(_) => "by token",
            None => "by anybody here",
        };
        write!(f, "Access(look {look}, act {:?})", self.act)
    }
}

/// Secrets are not written down.
impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Act::Nobody => "by nobody",
            Act::Lookers => "by lookers",
            Act::Token(_) => "by token",
        })
    }
}

impl Access {
    /// To a node that is looked at through `at`. Nobody may act.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn new(at: SocketAddr, look: Option<String>) -> Result<Self, AccessError> {
        match &look {
            None if !at.ip().is_loopback() => Err(AccessError::NeedsToken(at)),
            Some(token) if !is_good(token) => Err(AccessError::BadToken),
            _ => Ok(Access {
                look,
                act: Act::Nobody,
            }),
        }
    }

    /// With the right to act.
    ///
    /// # Errors
    /// A bad token.
    pub fn acting(self, act: Act) -> Result<Self, AccessError> {
        match &act {
            Act::Token(token) if !is_good(token) => Err(AccessError::BadToken),
            _ => Ok(Access { act, ..self }),
        }
    }

    /// The status of a refusal; `None`: this client may look.
    pub(crate) fn refuses(&self, request: &Request) -> Option<u16> {
        if self.is_foreign(request) {
            return Some(403);
        }
        let said = request.header("authorization").unwrap_or_default();
        let said = said.strip_prefix(b"Bearer ");
        let said = said.map(|token| std::str::from_utf8(token).unwrap_or_default());
        self.rights(said).is_err().then_some(401)
    }

    /// Does a page of another site ask, in the browser of somebody here? It may ask, from this very machine, what its
    /// author may not.
    pub(crate) fn is_foreign(&self, request: &Request) -> bool {
        let foreign = |origin: &[u8]| {
            let host = request.header("host").unwrap_or_default();
            origin.strip_prefix(b"http://") != Some(host)
        };
        request.header("origin").is_some_and(foreign)
            || self.look.is_none() && named_otherwise(request)
    }

    /// What a client may do that says this token.
    ///
    /// # Errors
    /// The token is wrong, or one is needed.
    pub(crate) fn rights(&self, token: Option<&str>) -> Result<Vec<Right>, Refusal> {
        let is = |known: &str| token.is_some_and(|token| same(token.as_bytes(), known.as_bytes()));
        if matches!(&self.act, Act::Token(known) if is(known)) {
            return Ok(vec![Right::Read, Right::Act]);
        }
        let looks = match &self.look {
            Some(known) => is(known),
            None => token.is_none(),
        };
        let wrong = match token {
            Some(_) => "the token is not the one that opens this node",
            None => "this node is opened by a token only",
        };
        match (looks, &self.act) {
            (true, Act::Lookers) => Ok(vec![Right::Read, Right::Act]),
            (true, _) => Ok(vec![Right::Read]),
            (false, _) => Err(Refusal::fatal(Code::NotAllowed, wrong)),
        }
    }
}

fn is_good(token: &str) -> bool {
    token.len() >= TOKEN_BYTES_MIN && token.bytes().all(|byte| byte.is_ascii_graphic())
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
    fn looking_and_acting_are_two_rights() {
        let (look, act) = ("look-0123456789abc", "act-0123456789abcd");
        let here = || Access::new(at("127.0.0.1:1"), None).expect("it is this machine");
        let rights = |access: &Access, token| access.rights(token).ok().map(|all| all.len());
        assert_eq!(rights(&here(), None), Some(1));
        assert_eq!(rights(&here(), Some("a token that opens nothing")), None);
        let lookers = here().acting(Act::Lookers).expect("it needs none");
        assert_eq!(rights(&lookers, None), Some(2));
        let both = Access::new(at("0.0.0.0:1"), Some(look.into())).expect("it has a token");
        let both = both.acting(Act::Token(act.into())).expect("a good one");
        assert_eq!(rights(&both, Some(act)), Some(2));
        assert_eq!(rights(&both, Some(look)), Some(1));
        assert_eq!(rights(&both, None), None);
        let short = here().acting(Act::Token("short".into()));
        assert_eq!(short.err(), Some(AccessError::BadToken));
        assert!(!format!("{both:?}").contains("0123"));
    }

    #[test]
    fn a_token_is_the_same_only_as_a_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd") && !same(b"ab", b"abc") && !same(b"", b"abc"));
    }
}
