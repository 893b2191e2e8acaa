//! The durable store, tested as its users see it: on real files in a directory that is gone afterwards.

#[path = "../support/mod.rs"]
#[allow(dead_code)]
mod support;

mod bad_input;
mod basics;
mod durable;
mod groups;
mod listing;
mod model;
mod place;
