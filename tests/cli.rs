//! The real binary, from outside: what a user types, and what comes out.
//!
//! Each test states a run with the builder in `cli/run.rs` and what has to come of it. Modules are text,
//! so no test needs a WebAssembly toolchain.

mod cli {
    mod app;
    mod attach;
    mod bad_input;
    mod build;
    mod cache;
    mod components;
    mod endings;
    mod examples;
    mod fake_node;
    mod flight;
    mod guests;
    mod inspect;
    mod looks;
    mod node;
    mod observe;
    mod run;
    mod signals;
    mod store;
    mod top;
    mod usage;
    mod world;
}
