//! What a node says by itself while somebody types: its warnings, and its overview if that is wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusm_observe::protocol::{Command, Frame, Warning};

use super::carry::overview;
use crate::client::{Client, ClientError};
use rusm_observe::quiet;

/// Between two looks at whether something else is wanted.
const LOOK: Duration = Duration::from_millis(200);

/// What is wanted of it.
#[derive(Default)]
pub(super) struct Wanted {
    /// A line about the node every second.
    pub(super) detail: AtomicBool,
}

/// Has `tell` called for each line, from a thread of its own, until the node is lost.
pub(super) fn start(
    client: Client,
    wanted: Arc<Wanted>,
    mut tell: impl FnMut(String) + Send + 'static,
) {
    let listen = move || {
        if let Err(why) = listen(client, &wanted, &mut tell) {
            tell(format!("{why} What is typed connects anew."));
        }
    };
    // Without it there are no warnings, and everything else.
    let _ = thread::Builder::new()
        .name("rusm-attach".to_owned())
        .spawn(listen);
}

fn listen(
    mut client: Client,
    wanted: &Wanted,
    tell: &mut impl FnMut(String),
) -> Result<(), ClientError> {
    let mut hz = 0;
    client.ask(Command::SetObserverDetail { hz })?;
    loop {
        let now = u32::from(wanted.detail.load(Ordering::Relaxed));
        if now != hz {
            hz = now;
            client.ask(Command::SetObserverDetail { hz })?;
        }
        match client.next(Instant::now() + LOOK)? {
            Some(Frame::Warning(warning)) => tell(line(&warning)),
            Some(frame) => overview(&frame).into_iter().for_each(&mut *tell),
            None => {}
        }
    }
}

fn line(warning: &Warning) -> String {
    let begun = match warning.active {
        true => "warning",
        false => "over",
    };
    let kind = serde_json::to_value(warning.kind).unwrap_or_default();
    let kind = kind.as_str().unwrap_or_default();
    format!("{begun} {kind}: {}", quiet(&warning.evidence))
}
