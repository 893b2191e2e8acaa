//! The committed example programs, as `make run` and the README run them.

use std::path::Path;

use super::run::Run;

fn example(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(path)
}

#[test]
fn the_word_counter_counts_the_sample_texts() {
    let texts = format!("{}::/texts", example("wordfreq/texts").display());
    let run = Run::new()
        .args("run --dir")
        .arg(texts)
        .arg(example("wordfreq/wordfreq.wasm"))
        .args("-n 3 /texts");
    let expected = "\
5 files, 2510 bytes, 494 words, 221 of them distinct
      51  the
      21  a
      21  and
";
    run.status(0).stdout(expected).stderr("");
}

#[test]
fn the_sieve_finds_the_primes() {
    let run = Run::new()
        .arg("run")
        .arg(example("sieve/sieve.wasm"))
        .arg("1000000");
    let expected = "\
primes up to 1000000: 78498
the last ones: 999953 999959 999961 999979 999983
checksum: 3b73dce6391a5404
";
    run.status(0).stdout(expected).stderr("");
}

#[test]
fn the_sieve_runs_for_ever_until_it_is_stopped() {
    let run = Run::new()
        .arg("run")
        .arg(example("sieve/sieve.wasm"))
        .args("100000 0");
    run.starts()
        .says("checksum")
        .signal("INT")
        .ends()
        .status(130)
        .stderr("");
}

#[test]
fn an_example_explains_itself_and_its_status_goes_through() {
    Run::new()
        .arg("run")
        .arg(example("sieve/sieve.wasm"))
        .arg("many")
        .status(2)
        .stderr_has("usage: sieve");
}

#[test]
fn a_guest_starts_itself_again_and_plays_with_it() {
    let run = Run::new()
        .arg("run")
        .arg(example("ping-pong/ping-pong.wat"));
    run.status(0)
        .stdout("")
        .stderr_has("info ping-pong <0.")
        .stderr_has(" ns for each of 200000 round trips\n");
}
