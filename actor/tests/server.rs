//! Servers: what they answer, how they start and end, and what can be seen of them, on many
//! seeds of the simulation and on real workers.

#[path = "semantics/everywhere.rs"]
mod everywhere;

mod server {
    mod answers;
    mod ends;
    mod looks;
    pub(crate) mod probe;
    mod starts;
}
