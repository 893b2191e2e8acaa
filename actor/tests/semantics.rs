//! Erlang's rules, each tested under its number in the rule table, on many seeds of the
//! simulation and on real workers.

mod semantics {
    pub(crate) mod everywhere;
    pub(crate) mod tools;

    mod bad_input;
    mod calls;
    mod envelopes;
    mod groups;
    mod links;
    mod messages;
    mod monitors;
    mod processes;
    mod registry;
    mod signals;
    mod supervisors;
    mod timers;
}
