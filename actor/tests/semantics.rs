//! Erlang's rules, each tested under its number in the rule table, on many seeds of the
//! simulation and on real workers.

mod semantics {
    pub(crate) mod everywhere;
    mod links;
}
