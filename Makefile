# What a developer types. `make run` and `make test` need nothing but Rust on the machine; `.ci/setup`
# installs the rest or says what to install.
#
# Both use the development profile, in which the dependencies are optimised: the compiler for WebAssembly
# is most of the build, and this way it is built once for the two. `make release` builds what to measure.

.POSIX:
.PHONY: run test release bench dashboard fmt lint guests ci setup clean

# A fresh installation of Rust is not in the path of shells that were open before.
CARGO = PATH="$$PATH:$$HOME/.cargo/bin" cargo

# Counts the words of the sample texts: one WebAssembly process with one directory.
run: setup
	$(CARGO) run -- run --dir examples/wordfreq/texts::/texts examples/wordfreq/wordfreq.wasm -n 10 /texts

test: setup
	$(CARGO) test --workspace

release: setup
	$(CARGO) build --release

# Which scenario, and for how long: make bench BENCH="run ping-pong 5"
BENCH = list
bench: setup
	$(CARGO) run --release -p rusm-bench -- $(BENCH)

# The dashboard, with every scenario behind it, until Ctrl-C.
dashboard: setup
	.ci/web build
	$(CARGO) run --release -p rusm-bench -- start

fmt:
	$(CARGO) fmt --all

lint: setup
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# Rebuilds the committed example programs; needs clang for WebAssembly, see examples/build.sh.
guests:
	examples/build.sh

ci:
	.ci/run

setup:
	@.ci/setup

clean:
	$(CARGO) clean
