//! What an app lets those do who look at its node. Here it is only asked: `rusm` has one.

use rusm_actor::{Pid, StreamView};
use rusm_io::kv::Store;

use crate::protocol::Refusal;

/// The app that a node runs.
pub trait App: Send + Sync + 'static {
    /// Its components, and how many processes of each live.
    fn components(&self) -> Vec<(String, u64)>;

    /// Starts a process of a component, with the rights that the app gives it. Called by a process of the node.
    ///
    /// # Errors
    /// `unknown_component`, `failed`.
    fn spawn(&self, component: &str, args: &[String]) -> Result<Pid, Refusal>;

    /// The store of keys and values that its processes use, if there is one. Called on a thread for blocking work.
    fn store(&self) -> Option<Store>;

    /// The streams between its processes, the oldest first. Called on a thread for blocking work.
    fn streams(&self) -> Vec<StreamView>;
}
