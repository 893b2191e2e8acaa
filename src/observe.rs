//! `--observe`: the pages of a node, for whoever may look.

use std::net::SocketAddr;

use rusm_observe::{Access, Observe, Observer};

use crate::error::Failure;
use crate::host::Host;
use crate::report;

/// The variable of our own environment with the secret that others must know to look.
pub(crate) const TOKEN_VARIABLE: &str = "RUSM_OBSERVE_TOKEN";

/// Shows the node at `at`, if anywhere, and says where.
pub(crate) fn start(host: &Host, at: Option<SocketAddr>) -> Result<Option<Observer>, Failure> {
    let Some(at) = at else {
        return Ok(None);
    };
    let token = std::env::var(TOKEN_VARIABLE).ok();
    let token = token.filter(|token| !token.is_empty());
    let access = Access::new(at, token).map_err(Failure::ObserveAccess)?;
    let observer = Observe::new(at, access)
        .start(&host.node, host.reactor.clone())
        .map_err(|why| Failure::Observe { at, why })?;
    report::event(&format!(
        "info observe listens url=http://{}/metrics",
        observer.local_addr()
    ));
    Ok(Some(observer))
}
