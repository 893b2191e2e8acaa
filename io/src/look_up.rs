//! Decides how a host name becomes addresses for a user who must tell one failure from another:
//! by the system's resolver, on the blocking pool.

use std::fmt;
use std::net::IpAddr;

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind, SockType};
use rusm_sched::blocking;

/// Addresses of one name that are used; what the resolver returns beyond is dropped.
const ADDRESSES_MAX: usize = 32;

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookUpError {
    /// There is no such name, or it has no address.
    NoSuchName,
    /// The resolver could not say for now: ask again later. Also said when the scheduler's
    /// blocking pool has no thread left.
    TryAgain,
    /// The resolver failed for good.
    Failed,
}

impl fmt::Display for LookUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchName => "there is no such name, or it has no address. Check its spelling.",
            Self::TryAgain => "the resolver has no answer for now. Try again later.",
            Self::Failed => "the system's resolver failed. Check its configuration.",
        })
    }
}

impl std::error::Error for LookUpError {}

/// The addresses of `host`, at least one, each once, in the order in which they are best tried.
///
/// Takes a thread of the blocking pool for as long as the resolver takes; an address in digits is
/// answered at once.
pub async fn look_up(host: &str) -> Result<Vec<IpAddr>, LookUpError> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let owned = host.to_owned();
    let found = blocking::run(move || ask(&owned)).await;
    found.unwrap_or(Err(LookUpError::TryAgain))
}

fn ask(host: &str) -> Result<Vec<IpAddr>, LookUpError> {
    // Without a type every address comes once for each type there is.
    let hints = AddrInfoHints {
        socktype: SockType::Stream.into(),
        ..AddrInfoHints::default()
    };
    let found =
        dns_lookup::getaddrinfo(Some(host), None, Some(hints)).map_err(|error| why(&error))?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for info in found.flatten() {
        let address = info.sockaddr.ip().to_canonical();
        if addresses.len() < ADDRESSES_MAX && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(LookUpError::NoSuchName);
    }
    Ok(addresses)
}

fn why(error: &LookupError) -> LookUpError {
    match error.kind() {
        LookupErrorKind::NoName | LookupErrorKind::NoData => LookUpError::NoSuchName,
        LookupErrorKind::Again | LookupErrorKind::Memory => LookUpError::TryAgain,
        _ => LookUpError::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_that_has_no_answer_yet_is_told_from_one_that_says_no() {
        for (code, expected) in [
            (libc::EAI_NONAME, LookUpError::NoSuchName),
            (libc::EAI_AGAIN, LookUpError::TryAgain),
            (libc::EAI_FAIL, LookUpError::Failed),
            (libc::EAI_SYSTEM, LookUpError::Failed),
        ] {
            assert_eq!(why(&LookupError::new(code)), expected, "{code}");
        }
    }

    #[test]
    fn a_name_with_a_zero_byte_is_a_failure_and_no_panic() {
        assert_eq!(ask("local\0host"), Err(LookUpError::Failed));
    }
}
