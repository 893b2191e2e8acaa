//! The house rules that a program can check; docs/style.md gives their reasons.
//!
//! Each check is a function from a path and a text to sentences about what is wrong, tested beside it
//! on texts that break the rule. This file points them at the tree.

mod tidy {
    pub(crate) mod floors;
    pub(crate) mod leftovers;
    pub(crate) mod lengths;
    pub(crate) mod links;
    pub(crate) mod security;
    pub(crate) mod source;
    pub(crate) mod tree;
    pub(crate) mod unsafety;
}

use tidy::{floors, leftovers, lengths, links, security, tree, unsafety};

/// The only files that may hold `unsafe` code. Each says why in a `JUSTIFICATION:` note.
const UNSAFE_FILES: [&str; 19] = [
    "actor/src/signal.rs",
    "observe/src/flight/fault.rs",
    "sched/src/arena.rs",
    "sched/src/inbox.rs",
    "sched/src/inbox/chain.rs",
    "sched/src/inbox/parcel.rs",
    "sched/src/lease.rs",
    "sched/src/queue/ring.rs",
    "sched/src/seat.rs",
    "sched/src/task.rs",
    "sched/src/task/own.rs",
    "sched/src/task/slot.rs",
    "sched/src/task/state_models.rs",
    "sched/src/task/tests.rs",
    "wasm/src/cache.rs",
    "wasm/src/core.rs",
    "wasm/src/dense.rs",
    "wasm/src/dense/slab.rs",
    "wasm/src/dense/tests.rs",
];

#[test]
fn arrows_between_crates_only_point_down_and_no_manifest_names_tokio() {
    report(tree::files("Cargo.toml"), floors::check);
}

#[test]
fn files_and_functions_are_short_and_files_say_what_they_decide() {
    report(tree::files(".rs"), lengths::check);
}

#[test]
fn no_leftovers_stay_in_the_code() {
    report(tree::files(".rs"), leftovers::check);
}

#[test]
fn unsafe_code_is_listed_and_argued() {
    report(tree::files(".rs"), |path, text| {
        unsafety::check(path, text, &UNSAFE_FILES)
    });
    for path in UNSAFE_FILES {
        assert!(
            tree::root().join(path).is_file(),
            "`{path}` is on the list of unsafe files, and is gone"
        );
    }
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    report(tree::files(".md"), |path, text| {
        links::check(path, text, |target| tree::root().join(target).exists())
    });
}

#[test]
fn the_tests_that_the_security_table_names_are_there() {
    report(tree::files("SECURITY.md"), |path, text| {
        security::check(path, text, |file| {
            std::fs::read_to_string(tree::root().join(file)).ok()
        })
    });
}

/// Fails with everything that is wrong, not with the first.
fn report(files: Vec<tree::File>, check: impl Fn(&str, &str) -> Vec<String>) {
    let wrong: Vec<String> = files
        .iter()
        .flat_map(|file| check(&file.path, &file.text))
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
