//! Which atomics the modelled protocols use: the real ones, or loom's when a model is checked.
//!
//! Only `task/state.rs`, `idle.rs`, `lease.rs` and `record/ring.rs` go through this file; the rest of the crate
//! is not compiled under `--cfg loom`.

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex,
    atomic::{AtomicU32, AtomicU64, Ordering, fence},
};
#[cfg(loom)]
pub(crate) use std::sync::PoisonError;

#[cfg(not(loom))]
pub(crate) fn spin_loop() {
    std::hint::spin_loop();
}

#[cfg(loom)]
pub(crate) fn spin_loop() {
    loom::thread::yield_now();
}
