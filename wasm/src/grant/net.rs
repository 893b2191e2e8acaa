//! Which hosts and ports a list of a profile means: `example.com:443`, `*.example.com:*`,
//! `10.0.0.0/8:5432-5439`, `[::1]:80`, `*:443`.
//!
//! Guests connect to addresses, not to names. A name of the list is therefore what a guest may look
//! up, and the addresses that came of it are those it may connect to: whoever links sockets keeps
//! them ([`Resolved`]).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::pattern::{PATTERN_BYTES_MAX, Pattern};

/// Addresses of looked-up names that are kept for one process; the oldest goes first.
pub const RESOLVED_MAX: usize = 256;

/// Some hosts and some of their ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetPattern {
    host: Host,
    first_port: u16,
    last_port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    /// In lower case, without the root's dot.
    Name(Pattern),
    Addresses(IpNet),
}

/// Why a text means no host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetPatternError {
    /// No port stands behind the last colon.
    NoPort,
    /// Neither a port, a range of them nor `*`.
    Port(String),
    /// Neither a name, an address, a network nor `*`.
    Host(String),
    /// A name where only addresses of this machine make sense.
    ListenName(String),
}

impl NetPattern {
    /// Hosts and ports to connect to.
    pub fn connect(text: &str) -> Result<Self, NetPatternError> {
        let (host, ports) = text.rsplit_once(':').ok_or(NetPatternError::NoPort)?;
        // Without brackets the last part of an IPv6 address would pass for a port.
        if text.parse::<IpAddr>().is_ok() || host.matches(':').count() > 0 && !bracketed(host) {
            return Err(NetPatternError::NoPort);
        }
        let (first_port, last_port) = ports_of(ports)?;
        let host = host_of(host)?;
        Ok(Self {
            host,
            first_port,
            last_port,
        })
    }

    /// Addresses and ports of this machine to listen on: no names but `localhost`, which is
    /// `127.0.0.1`.
    pub fn listen(text: &str) -> Result<Self, NetPatternError> {
        let mut pattern = Self::connect(text)?;
        if let Host::Name(name) = &pattern.host {
            if name.as_str() != "localhost" {
                return Err(NetPatternError::ListenName(name.to_string()));
            }
            pattern.host = Host::Addresses(IpNet::from(IpAddr::from([127, 0, 0, 1])));
        }
        Ok(pattern)
    }

    /// Every host, every port.
    pub fn any() -> Self {
        Self {
            host: Host::Any,
            first_port: 0,
            last_port: u16::MAX,
        }
    }

    /// Whether it means this port of an address, of which `names` were looked up.
    pub(super) fn means<'a>(
        &self,
        address: IpAddr,
        port: u16,
        mut names: impl Iterator<Item = &'a str>,
    ) -> bool {
        (self.first_port..=self.last_port).contains(&port)
            && match &self.host {
                Host::Any => true,
                Host::Addresses(net) => net.contains(&address.to_canonical()),
                Host::Name(name) => names.any(|looked_up| name.matches(&normal(looked_up))),
            }
    }

    /// Whether addresses of this name may be connected to on some port.
    pub(super) fn means_name(&self, name: &str) -> bool {
        match &self.host {
            Host::Any => true,
            Host::Name(pattern) => pattern.matches(&normal(name)),
            // A look-up of an address is no look-up.
            Host::Addresses(net) => name
                .parse::<IpAddr>()
                .is_ok_and(|address| net.contains(&address.to_canonical())),
        }
    }
}

/// Names compare in lower case and without the root's dot.
fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn bracketed(host: &str) -> bool {
    host.starts_with('[') && host.ends_with(']')
}

fn ports_of(text: &str) -> Result<(u16, u16), NetPatternError> {
    let wrong = || NetPatternError::Port(text.to_string());
    let port = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    if text == "*" {
        return Ok((0, u16::MAX));
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (port(first), port(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err(wrong()),
    }
}

fn host_of(text: &str) -> Result<Host, NetPatternError> {
    let wrong = || NetPatternError::Host(text.to_string());
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = inner.unwrap_or(text);
    if text == "*" {
        return Ok(Host::Any);
    }
    if let Ok(net) = address.parse::<IpNet>() {
        return Ok(Host::Addresses(net.trunc()));
    }
    if let Ok(address) = address.parse::<IpAddr>() {
        return Ok(Host::Addresses(address.to_canonical().into()));
    }
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '*');
    // All digits and dots was meant as an address.
    let numeric = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if text.len() > PATTERN_BYTES_MAX || numeric || !text.chars().all(named) {
        return Err(wrong());
    }
    Pattern::new(&normal(text))
        .map(Host::Name)
        .map_err(|_| wrong())
}

impl fmt::Display for NetPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Any => f.write_str("*")?,
            Host::Name(name) => write!(f, "{name}")?,
            Host::Addresses(net) => {
                let whole = net.prefix_len() == net.max_prefix_len();
                match (net, whole) {
                    (IpNet::V4(net), true) => write!(f, "{}", net.addr())?,
                    (IpNet::V4(net), false) => write!(f, "{net}")?,
                    (IpNet::V6(net), true) => write!(f, "[{}]", net.addr())?,
                    (IpNet::V6(net), false) => write!(f, "[{net}]")?,
                }
            }
        }
        match (self.first_port, self.last_port) {
            (0, u16::MAX) => f.write_str(":*"),
            (first, last) if first == last => write!(f, ":{first}"),
            (first, last) => write!(f, ":{first}-{last}"),
        }
    }
}

impl fmt::Display for NetPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPort => f.write_str(
                "it names no port. Write HOST:PORT, for example `example.com:443`, \
                 `[::1]:80` or `*:*`",
            ),
            Self::Port(text) => write!(
                f,
                "`{text}` is no port. Write 0 to 65535, a range like `8000-8100`, or `*`"
            ),
            Self::Host(text) => write!(
                f,
                "`{text}` is no host. Write a name, an address, a network like `10.0.0.0/8`, \
                 or `*`"
            ),
            Self::ListenName(text) => write!(
                f,
                "`{text}` is a name. Listening takes an address of this machine, `localhost` \
                 or `*`"
            ),
        }
    }
}

impl std::error::Error for NetPatternError {}

/// What one process has looked up: which names its addresses go by. At most [`RESOLVED_MAX`].
#[derive(Clone, Debug, Default)]
pub struct Resolved(std::collections::VecDeque<(IpAddr, Arc<str>)>);

impl Resolved {
    /// Notes the answer to a look-up that was granted.
    pub fn note(&mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        let name: Arc<str> = name.into();
        for address in addresses.into_iter().take(RESOLVED_MAX) {
            let entry = (address.to_canonical(), name.clone());
            if self.0.contains(&entry) {
                continue;
            }
            if self.0.len() == RESOLVED_MAX {
                self.0.pop_front();
            }
            self.0.push_back(entry);
        }
    }

    /// The names that an address was looked up by.
    pub fn names(&self, address: IpAddr) -> impl Iterator<Item = &str> {
        let address = address.to_canonical();
        let known = self.0.iter().filter(move |(known, _)| *known == address);
        known.map(|(_, name)| &**name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(pattern: &str, address: &str, port: u16, name: Option<&str>) -> bool {
        let pattern = NetPattern::connect(pattern).unwrap();
        pattern.means(address.parse().unwrap(), port, name.into_iter())
    }

    #[test]
    fn addresses_networks_ports_and_ranges_are_told_apart() {
        for (pattern, address, port, yes) in [
            ("127.0.0.1:80", "127.0.0.1", 80, true),
            ("127.0.0.1:80", "127.0.0.1", 81, false),
            ("127.0.0.1:80", "127.0.0.2", 80, false),
            ("127.0.0.1:80", "::ffff:127.0.0.1", 80, true),
            ("10.0.0.0/8:1-3", "10.9.8.7", 3, true),
            ("10.0.0.0/8:1-3", "10.9.8.7", 4, false),
            ("10.0.0.0/8:1-3", "11.0.0.0", 1, false),
            ("[::1]:*", "::1", 9, true),
            ("[fd00::/8]:5", "fd12::1", 5, true),
            ("[fd00::/8]:5", "fe12::1", 5, false),
            ("*:443", "1.2.3.4", 443, true),
            ("*:443", "1.2.3.4", 80, false),
            ("*:*", "::2", 1, true),
        ] {
            assert_eq!(
                means(pattern, address, port, None),
                yes,
                "{pattern} {address}"
            );
        }
    }

    #[test]
    fn a_name_means_the_addresses_it_was_looked_up_to() {
        assert!(means("Example.com:1", "1.2.3.4", 1, Some("example.COM.")));
        assert!(means(
            "*.example.com:1",
            "1.2.3.4",
            1,
            Some("a.example.com")
        ));
        assert!(!means("*.example.com:1", "1.2.3.4", 1, Some("example.com")));
        assert!(!means(
            "*.example.com:1",
            "1.2.3.4",
            1,
            Some("a.example.com.evil")
        ));
        assert!(!means("example.com:1", "1.2.3.4", 1, None));
        assert!(!means("1.2.3.4:1", "1.2.3.5", 1, Some("1.2.3.4")));
    }

    #[test]
    fn texts_that_mean_nothing_are_refused_and_others_print_as_written() {
        for text in [
            "",
            "example.com",
            "::1",
            "::1:80",
            "[::1]",
            "a:b",
            "a:70000",
            "a:9-3",
            "a:-1",
            "a:+1",
            ":80",
            "a b:80",
            "300.1.1.1:80",
            "10.0.0.0/33:80",
            "http://a:80",
            "[a]:80",
            "a:1-2-3",
        ] {
            assert!(NetPattern::connect(text).is_err(), "{text}");
        }
        for text in [
            "*:*",
            "a.b:1",
            "*.a:1-2",
            "10.0.0.0/8:5",
            "10.0.0.1:5",
            "[::1]:5",
        ] {
            assert_eq!(NetPattern::connect(text).unwrap().to_string(), text);
        }
        assert!(NetPattern::listen("example.com:80").is_err());
        assert_eq!(
            NetPattern::listen("localhost:1").unwrap().to_string(),
            "127.0.0.1:1"
        );
    }

    #[test]
    fn what_was_looked_up_is_kept_up_to_its_limit() {
        let mut resolved = Resolved::default();
        let address = |n: usize| IpAddr::from([10, 0, (n / 256) as u8, (n % 256) as u8]);
        resolved.note("first", [address(0)]);
        resolved.note("first", [address(0)]);
        assert_eq!(resolved.names(address(0)).collect::<Vec<_>>(), ["first"]);
        for n in 1..=RESOLVED_MAX {
            resolved.note("more", [address(n)]);
        }
        assert_eq!(resolved.names(address(0)).count(), 0);
        assert_eq!(resolved.0.len(), RESOLVED_MAX);
    }
}
