//! State machines: events, states and timeouts, on many seeds of the simulation and on real
//! workers.

#[path = "semantics/everywhere.rs"]
mod everywhere;

mod statem {
    mod events;
    mod lives;
    pub(crate) mod script;
    mod timeouts;
}
