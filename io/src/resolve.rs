//! Decides how a name becomes addresses: by the system's resolver, which blocks, hence on the
//! blocking pool.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use rusm_sched::blocking;

/// Addresses of one name that are used; what the resolver returns beyond is dropped.
const ADDRESSES_MAX: usize = 32;

/// The addresses of `name`, which is `host:port`; at least one. An address in digits is answered at
/// once, a host name takes a thread of the blocking pool for as long as the system's resolver
/// takes.
pub async fn resolve(name: &str) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let owned = name.to_owned();
    let look_up = move || -> io::Result<Vec<SocketAddr>> {
        Ok(owned.to_socket_addrs()?.take(ADDRESSES_MAX).collect())
    };
    let found = blocking::run(look_up).await.map_err(io::Error::other)?;
    match found {
        Ok(addresses) if addresses.is_empty() => {
            let text = format!("cannot resolve `{name}`: the name is known but has no address");
            Err(io::Error::new(io::ErrorKind::NotFound, text))
        }
        Ok(addresses) => Ok(addresses),
        Err(error) => {
            let text = format!("cannot resolve `{name}`: {error}");
            Err(io::Error::new(error.kind(), text))
        }
    }
}
