//! The first words: who the client is, and who we are.

use std::time::{Duration, UNIX_EPOCH};

use rusm_net::{Received, WebSocket};

use super::produce::fields;
use super::{no_text, too_long};
use crate::protocol::{
    About, Ask, BACKLOG_BYTES_MAX, Code, Command, FRAME_BYTES_MAX, Frame, HZ_MAX, Hello, Limits,
    PROTOCOL, ROWS_MAX, Refusal, Right,
};
use crate::shared::Shared;
use crate::system;

/// For a client to say `hello`.
const HELLO_TIME_MAX: Duration = Duration::from_secs(5);

/// What the client may do; or why it may not stay, unless it has gone.
pub(super) async fn hear_hello(
    shared: &Shared,
    socket: &mut WebSocket,
) -> Result<Vec<Right>, Option<Refusal>> {
    let text = match rusm_sched::within(HELLO_TIME_MAX, socket.next()).await {
        Some(Received::Text(text)) => text,
        Some(Received::TooLong) => return Err(Some(too_long())),
        Some(Received::Malformed) => return Err(Some(no_text())),
        Some(Received::Closed) => return Err(None),
        None => {
            let text = format!("no `hello` came within {HELLO_TIME_MAX:?}");
            return Err(Some(Refusal::fatal(Code::Late, text)));
        }
    };
    rights(shared, &text).map_err(Some)
}

fn rights(shared: &Shared, text: &str) -> Result<Vec<Right>, Refusal> {
    let fatal = |refusal: Refusal| Refusal {
        fatal: true,
        ..refusal
    };
    let ask = Ask::parse(text).map_err(|not| fatal(not.refusal))?;
    let Command::Hello { protocol, token } = ask.command else {
        let text = "the first frame is a `hello`";
        return Err(Refusal::fatal(Code::BadFrame, text));
    };
    if protocol != PROTOCOL {
        let text = format!("this node speaks protocol {PROTOCOL}, not {protocol}");
        return Err(Refusal::fatal(Code::BadVersion, text));
    }
    shared.access.rights(token.as_deref())
}

pub(super) fn hello(shared: &Shared, rights: &[Right]) -> Frame {
    let handle = shared.node.handle();
    let since = shared.since.duration_since(UNIX_EPOCH).unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    Frame::Hello(Box::new(Hello {
        protocol: PROTOCOL,
        node: About {
            name: shared.name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            os_pid: std::process::id(),
            started_unix_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            workers: handle.workers(),
            cpus,
            cpu: system::cpu_name(),
            os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        },
        rights: rights.to_vec(),
        config: fields(&handle.config()),
        lab: shared.lab.as_ref().map(|lab| lab.about()),
        limits: Limits {
            hz_max: HZ_MAX,
            rows_max: ROWS_MAX,
            frame_bytes_max: FRAME_BYTES_MAX,
            backlog_bytes_max: BACKLOG_BYTES_MAX,
        },
    }))
}
