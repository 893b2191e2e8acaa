#!/usr/bin/env python3
"""Runs the examples and tests of the published `lunatic` crate under `rusm run --lunatic`.

    tests/lunatic/run.py build FOLDER [TOOLCHAIN]     # once: takes some minutes
    RUSM=target/release/rusm tests/lunatic/run.py run FOLDER [WORD...]

`build` gets the crate by cargo and builds its examples and tests for wasm32-wasip1, with a named
toolchain if the usual one lacks that target. `run` runs each example that ends by itself with the
Lunatic runtime as well, if there is one (LUNATIC=PATH, or `lunatic` on the PATH: `cargo install
lunatic-runtime --version 0.13.2`), and compares what they write, line by line in any order, because
lines of processes that do not wait for each other have none. An echo server is spoken to. The crate's
tests run one by one. WORDs choose those whose names contain one of them. Ends with 0 if all passed.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

CRATE, VERSION = "lunatic", "0.14.1"
TARGET = "wasm32-wasip1"
# Seconds one program may take.
SECONDS_MAX = 30
# Those that end by themselves and need no network.
EXAMPLES = ["abstract_process", "configs", "monitor", "print_env", "process_local", "process_name",
            "request_response", "spawn_macro", "spawn_task", "supervised_abstract_process"]
SERVERS = ["tcp_echo_server", "tcp_echo_multi_server"]
# They ask a name server of the internet.
ONLINE = ["resource_serialization"]
FEATURES = "json_serializer,msgpack_serializer"


def build(folder, toolchain):
    """Copies the crate out of cargo's registry and builds it there."""
    folder = Path(folder).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "src").mkdir()
        Path(scratch, "src/lib.rs").touch()
        Path(scratch, "Cargo.toml").write_text(
            f'[package]\nname = "fetch"\nedition = "2021"\n[dependencies]\n{CRATE} = "={VERSION}"\n[workspace]\n')
        subprocess.run(["cargo", "fetch"], cwd=scratch, check=True)
        wanted = [*Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")).glob(
            f"registry/src/*/{CRATE}-{VERSION}")]
    shutil.copytree(wanted[0], folder, dirs_exist_ok=True)
    manifest = (folder / "Cargo.toml").read_text()
    # Its benchmarks want what does not build for this target any more.
    manifest = re.sub(r"\[\[bench\]\]\nname = .*\nharness = false\n", "", manifest)
    (folder / "Cargo.toml").write_text(manifest + "\n[workspace]\n")
    (folder / "Cargo.lock").unlink(missing_ok=True)
    cargo = ["cargo", *([f"+{toolchain}"] if toolchain else []), "build", "--release", "--keep-going",
             "--target", TARGET, "--features", FEATURES]
    # The harness around the tests names threads, which the tests do not use.
    flags = {**os.environ, "RUSTFLAGS": "-Clink-arg=--unresolved-symbols=ignore-all"}
    for what in (["--examples"], ["--tests"]):
        subprocess.run([*cargo, *what], cwd=folder, env=flags, check=False)


def exports(path):
    """The functions a module exports."""
    code = path.read_bytes()

    def number(at):
        value = shift = 0
        while True:
            byte = code[at]
            at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value, at

    at, names = 8, []
    while at < len(code):
        section = code[at]
        size, at = number(at + 1)
        if section == 7:
            count, place = number(at)
            for _ in range(count):
                length, place = number(place)
                name, kind = code[place:place + length].decode(), code[place + length]
                _, place = number(place + length + 1)
                names += [name] if kind == 0 else []
        at += size
    return names


def output(argv, env=None):
    """What a program wrote to stdout and stderr, and its status; None: it took too long."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS_MAX, env=env, check=False)
    except subprocess.TimeoutExpired:
        return "", "", None
    return done.stdout, done.stderr, done.returncode


def example(rusm, lunatic, wasm):
    """None, or what is wrong."""
    out, err, status = output([rusm, "run", "--lunatic", "--dir", ".::.", "--env", "GREETING=hello", wasm])
    if status != 0:
        return f"status {status}\n{err}"
    if lunatic is None:
        return None
    theirs, _, status = output([lunatic, "run", wasm], env={"GREETING": "hello"})
    if status != 0:
        return f"lunatic itself ended with {status}"
    if sorted(out.splitlines()) != sorted(theirs.splitlines()):
        return f"it wrote\n{out}\nand under lunatic\n{theirs}"
    return None


def server(argv):
    """None, or what an echo server did wrong."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            line = process.stdout.readline()
            port = int(line.rsplit(":", 1)[1])
            clients = [socket.create_connection(("127.0.0.1", port), SECONDS_MAX) for _ in range(3)]
            for word, client in zip(("one\n", "two\n", "three\n"), clients):
                client.sendall(word.encode())
                heard = client.makefile().readline()
                if heard != word:
                    return f"it answered {heard!r} to {word!r}"
            for client in clients:
                client.close()
            return None
        except (OSError, ValueError, IndexError) as error:
            return str(error)
        finally:
            process.kill()


def test(rusm, wasm, export):
    """None, or what is wrong."""
    panics = re.match(r"#lunatic_test_#panic_((?:[^#\\]|\\#)*)#", export)
    out, err, status = output([rusm, "run", "--lunatic", "--invoke", export, "--env", "A=1",
                               "--listen", "*:*", "--connect", "*:*", wasm])
    if panics is None:
        return None if status == 0 else f"status {status}\n{err}"
    expected = panics[1].replace("\\#", "#")
    if status in (0, None) or expected not in out + err:
        return f"it should have failed with {expected!r}, and ended with {status}\n{err}"
    return None


def run(folder, words):
    rusm = os.environ.get("RUSM", "target/debug/rusm")
    lunatic = os.environ.get("LUNATIC") or shutil.which("lunatic")
    if lunatic is None:
        print("no `lunatic` found: the examples are run, not compared")
    release = Path(folder, "target", TARGET, "release")
    jobs = [(f"example {name}", lambda name=name: example(rusm, lunatic, str(release / f"examples/{name}.wasm")))
            for name in EXAMPLES]
    jobs += [(f"example {name}", lambda name=name: server([rusm, "run", "--lunatic", "--listen", "127.0.0.1:*", str(release / f"examples/{name}.wasm")]))
             for name in SERVERS]
    for wasm in sorted(release.glob("deps/*.wasm")):
        for export in exports(wasm):
            if export.startswith("#lunatic_test_") and not export.startswith("#lunatic_test_#ignore_"):
                name = export.rsplit("#", 1)[1].removeprefix("lunatic_test_")
                jobs.append((f"test {name}", lambda wasm=wasm, export=export: test(rusm, str(wasm), export)))
    passed, failed, skipped = 0, 0, 0
    for name, job in jobs:
        if words and not any(word in name for word in words):
            continue
        if any(word in name for word in ONLINE) and not words:
            skipped += 1
            continue
        wrong = job()
        passed, failed = passed + (wrong is None), failed + (wrong is not None)
        if wrong is not None:
            print(f"FAILED {name}: {wrong[:1000].strip()}")
    print(f"{passed} passed, {failed} failed, {skipped} left out because they ask a name server of the internet")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["build", folder, *toolchain]:
            build(folder, toolchain[0] if toolchain else None)
        case ["run", folder, *words]:
            sys.exit(run(folder, words))
        case _:
            sys.exit(__doc__)
