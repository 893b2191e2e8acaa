//! `--observe`: a node that can be looked at and acted on, by whoever may; and metrics for a collector.
//!
//! Who may look: anybody on this machine, or whoever knows the token in a variable. Who may act: whoever knows
//! the control token.

use std::net::SocketAddr;
use std::sync::Arc;

use rusm_observe::{Access, Act, App, Observe, Observer, Otlp};

use crate::error::{Failure, LookFailure};
use crate::host::Host;
use crate::nodes::{self, Sign};
use crate::report;
use crate::token;

/// The variable of our own environment with the secret that others must know to look.
pub(crate) const TOKEN_VARIABLE: &str = "RUSM_OBSERVE_TOKEN";

/// A node that is shown, and the sign that says where.
pub(crate) struct Shown {
    observer: Observer,
    _sign: Option<Sign>,
}

impl Shown {
    /// What the node is there for has started.
    pub(crate) fn set_ready(&self) {
        self.observer.set_ready();
    }
}

/// Shows the node at `at`, if anywhere, and says where.
pub(crate) fn start(
    host: &Host,
    at: Option<SocketAddr>,
    name: &str,
    app: Option<Arc<dyn App>>,
) -> Result<Option<Shown>, Failure> {
    export(host)?;
    let Some(at) = at else {
        return Ok(None);
    };
    let mut observe = Observe::new(at, access(at)?).named(name);
    if let Some(flight) = &host.flight {
        observe = observe.with_flight(flight);
    }
    if let Some(app) = app {
        observe = observe.with_app(app);
    }
    let observer = observe
        .start(&host.node, host.reactor.clone())
        .map_err(|why| LookFailure::Listen { at, why })?;
    let at = observer.local_addr();
    // Without a sign the node must be named to be found: that is no reason not to run.
    let sign = nodes::put_up(at, name).unwrap_or_else(|why| {
        report::event(&format!("warn observe no-sign reason={why}"));
        None
    });
    report::event(&format!("info observe listens url=http://{at}/metrics"));
    Ok(Some(Shown {
        observer,
        _sign: sign,
    }))
}

/// Has the metrics sent to a collector, if the environment names one.
fn export(host: &Host) -> Result<(), Failure> {
    if let Some(otlp) = Otlp::from_env().map_err(LookFailure::Export)? {
        otlp.start(&host.node, host.reactor.clone(), |why| {
            report::event(&format!("warn otlp not-exported reason={why}"));
        });
    }
    Ok(())
}

fn access(at: SocketAddr) -> Result<Access, Failure> {
    let look = std::env::var(TOKEN_VARIABLE).ok();
    let look = look.filter(|token| !token.is_empty());
    let access = Access::new(at, look).map_err(LookFailure::Access)?;
    match token::made()? {
        Some(token) => {
            let acting = access.acting(Act::Token(token));
            Ok(acting.map_err(LookFailure::ControlToken)?)
        }
        None => {
            let why = "there is no home for a token, and no variable";
            report::event(&format!("warn observe nobody-acts reason={why}"));
            Ok(access)
        }
    }
}
