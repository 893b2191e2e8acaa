//! Whatever a rusm.toml says, reading it ends with an app or with mistakes, never with a panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use rusm::manifest::Manifest;

fuzz_target!(|text: &str| {
    if let Err(mistakes) = Manifest::read(text, Path::new("/app")) {
        assert!(!mistakes.told.is_empty());
        let _ = mistakes.with_file("rusm.toml").to_string();
    }
});
