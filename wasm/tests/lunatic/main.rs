//! Guests of the Lunatic layer, written as text: every import module by what a guest sees of it.
//! Real guests, built with the `lunatic` crate, are run by `tests/lunatic/run.py` of the root.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod deaths;
mod guest;
mod messages;
mod modules;
mod network;
mod settings;
mod timers;
