//! What the tests of this crate share: a node, and patience.

use std::time::{Duration, Instant};

use rusm_actor::{Config, Node};
use rusm_io::Reactor;

/// A hang ends here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn node() -> Node {
    let config = Config {
        workers: 2,
        ..Config::default()
    };
    Node::start_with(config, Reactor::new().expect("a reactor")).expect("a node")
}

/// Waits for something that is to come, and is named if it does not.
#[track_caller]
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}
