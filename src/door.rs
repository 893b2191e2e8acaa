//! Which node is meant, and with which token it is opened.
//!
//! The token in the file is told to nodes of this user on this machine and to nobody else: whoever listens
//! at some address may be anybody. One in a variable was set for the node that is named.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};

use crate::client::{Client, ClientError, PORT, with_port};
use crate::nodes::{self, Here};
use crate::observe::TOKEN_VARIABLE;
use crate::token::{self, TokenError};
use rusm_observe::quiet;

/// The way to a node.
pub(crate) struct Door {
    at: String,
    /// It is one of this user's, on this machine.
    own: bool,
}

/// Why there is no way.
#[derive(Debug)]
pub(crate) enum DoorError {
    /// Several nodes run here, and none was named.
    Several(Vec<Here>),
    Token(TokenError),
    Client(ClientError),
}

impl From<ClientError> for DoorError {
    fn from(why: ClientError) -> Self {
        DoorError::Client(why)
    }
}

impl fmt::Display for DoorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DoorError::Several(nodes) => {
                f.write_str("several nodes run here. Name one of them:")?;
                nodes.iter().try_for_each(|node| {
                    let name = quiet(&node.name);
                    write!(f, "\n    {}  {name}, process {}", node.at, node.os_pid)
                })
            }
            DoorError::Token(why) => why.fmt(f),
            DoorError::Client(why) => why.fmt(f),
        }
    }
}

impl Door {
    /// To the node at `at`, or to the one that runs here.
    pub(crate) fn find(at: Option<&str>) -> Result<Door, DoorError> {
        let here = nodes::here();
        match (at, &here[..]) {
            (Some(at), _) => {
                let at = with_port(at);
                let own = is_one_of(&at, &here);
                Ok(Door { at, own })
            }
            (None, []) => Ok(Door {
                at: format!("127.0.0.1:{PORT}"),
                own: false,
            }),
            (None, [one]) => Ok(Door {
                at: reachable(one.at).to_string(),
                own: true,
            }),
            (None, _) => Err(DoorError::Several(here)),
        }
    }

    /// Opens it for looking: no secret is told where none is needed.
    pub(crate) fn look(&self) -> Result<Client, DoorError> {
        self.open([None, looking()].into_iter().chain([self.acting()?]))
    }

    /// Opens it for acting, or for looking if there is no token: then the node says what is missing.
    pub(crate) fn act(&self) -> Result<Client, DoorError> {
        self.open([self.acting()?, looking(), None].into_iter())
    }

    fn acting(&self) -> Result<Option<String>, DoorError> {
        match (token::said(), self.own) {
            (None, true) => token::kept().map_err(DoorError::Token),
            (said, _) => Ok(said),
        }
    }

    fn open(&self, tokens: impl Iterator<Item = Option<String>>) -> Result<Client, DoorError> {
        let mut tried: Vec<Option<String>> = Vec::new();
        let mut refused = None;
        for token in tokens {
            if tried.contains(&token) {
                continue;
            }
            match Client::connect(&self.at, token.as_deref()) {
                Err(why @ ClientError::Token { .. }) => refused = Some(why),
                other => return Ok(other?),
            }
            tried.push(token);
        }
        Err(refused.expect("one was tried").into())
    }
}

/// The secret of those who look.
fn looking() -> Option<String> {
    let token = std::env::var(TOKEN_VARIABLE).ok();
    token.filter(|token| !token.is_empty())
}

fn is_one_of(at: &str, here: &[Here]) -> bool {
    let Ok(mut places) = at.to_socket_addrs() else {
        return false;
    };
    places.any(|place| here.iter().any(|node| reachable(node.at) == place))
}

/// Who listens on all addresses is reached on this machine's own.
fn reachable(at: SocketAddr) -> SocketAddr {
    let ip = match at {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        at => at.ip(),
    };
    SocketAddr::new(ip, at.port())
}
