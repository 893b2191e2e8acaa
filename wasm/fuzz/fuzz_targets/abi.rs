//! The flat functions with any numbers; see `abi.rs`.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

#[path = "../abi.rs"]
mod abi;

fuzz_target!(|input: &[u8]| {
    static TARGET: OnceLock<abi::Target> = OnceLock::new();
    TARGET.get_or_init(abi::Target::new).run(input);
});
