#!/usr/bin/env python3
"""Runs the public WASI conformance suite against `rusm run`, and says of each failure why.

    git clone -b prod/testsuite-base https://github.com/WebAssembly/wasi-testsuite
    RUSM=target/debug/rusm tests/wasi/run.py wasi-testsuite [--version wasm32-wasip1] [WORD...]

A test is a .wasm file and, where it needs something, a .json file beside it that names arguments,
environment, directory, expected output and status, or the steps of a conversation. Each one gets a
copy of its directory, so a run leaves nothing behind in the suite. WORDs choose the tests whose names
contain one of them. Ends with 0 if all that ran passed, with 1 if not, with 2 if nothing could run.

The suite's own runner does the same with `rusm.py` as its adapter; this one needs no packages.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import rusm

# Seconds one test may take; the longest one sleeps for less than a second.
TEST_SECONDS_MAX = 20
# Proposals that tests may ask for and `rusm run` can give.
PROPOSALS = {"sockets"}
# Lines of a failed program's output that are shown.
SHOWN_LINES_MAX = 12


class Mismatch(Exception):
    """What a test did and should not have done."""


def steps_of(spec):
    """The steps of a test; the older form, without steps, is three of them."""
    if "operations" in spec or "proposals" in spec or "servers" in spec:
        return spec.get("operations", [{"type": "run"}, {"type": "wait"}])
    steps = [{"type": "run", **{key: spec[key] for key in ("args", "env", "root") if key in spec}}]
    for stream in ("stdout", "stderr"):
        if stream in spec:
            steps.append({"type": "read", "id": stream, "payload": spec[stream]})
    return steps + [{"type": "wait", "exit_code": spec.get("exit_code", 0)}]


class Conversation:
    """One program, and what is said to it and heard of it."""

    def __init__(self, wasm, version, spec, scratch):
        self.wasm, self.version, self.spec, self.scratch = wasm, version, spec, scratch
        self.process = None
        self.argv = []
        self.sockets = {}

    def hold(self):
        timer = threading.Timer(TEST_SECONDS_MAX, self.stop)
        timer.start()
        started = time.monotonic()
        try:
            for step in steps_of(self.spec):
                getattr(self, "step_" + step["type"])(step)
        except Mismatch as why:
            if time.monotonic() - started >= TEST_SECONDS_MAX:
                raise Mismatch(f"did not end within {TEST_SECONDS_MAX} s") from why
            raise
        finally:
            timer.cancel()
            self.stop()
            for connection in self.sockets.values():
                connection.close()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()

    def step_run(self, step):
        root = step.get("root")
        if root:
            copy = self.scratch / "root"
            # What other runs left behind goes by this name.
            left = shutil.ignore_patterns("*.cleanup")
            shutil.copytree(self.wasm.parent / root, copy, symlinks=True, ignore=left)
            root = copy
        self.argv = rusm.compute_argv(
            self.wasm, (step.get("args", []), step.get("env", {}), root),
            self.spec.get("proposals", []), "wasi:cli/command", self.version)
        pipe = subprocess.PIPE
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(self.argv, stdin=pipe, stdout=pipe, stderr=pipe)

    def step_read(self, step):
        stream = getattr(self.process, step.get("id", "stdout"))
        expected = step.get("payload", "").encode()
        heard = stream.read(len(expected))
        if heard != expected:
            raise Mismatch(f"{step.get('id')}: expected {expected!r}, got {heard!r}{self.rest()}")

    def step_write(self, step):
        self.process.stdin.write(step.get("payload", "").encode())
        self.process.stdin.flush()

    def step_wait(self, step):
        expected = step.get("exit_code", 0)
        rest = self.rest()
        if self.process.returncode != expected:
            raise Mismatch(f"status: expected {expected}, got {self.process.returncode}{rest}")

    def step_connect(self, step):
        line = self.process.stdout.readline().decode().strip()
        host, _, port = line.rpartition(":")
        if not port.isdigit():
            raise Mismatch(f"expected its address on stdout, got {line!r}{self.rest()}")
        name = step.get("id", "server")
        try:
            self.sockets[name] = socket.create_connection((host, int(port)), TEST_SECONDS_MAX)
        except OSError as why:
            raise Mismatch(f"cannot connect to {line}: {why}") from why

    def step_send(self, step):
        self.sockets[step["id"]].sendall(step.get("payload", "").encode())

    def step_recv(self, step):
        expected, heard = step.get("payload", "").encode(), b""
        while len(heard) < len(expected):
            part = self.sockets[step["id"]].recv(len(expected) - len(heard))
            if not part:
                break
            heard += part
        if heard != expected:
            raise Mismatch(f"{step['id']}: expected {expected!r}, got {heard!r}")

    def rest(self):
        """Ends its stdin, waits for it to end, and gives back the end of what it still wrote."""
        out, err = self.process.communicate()
        lines = (out + err).decode(errors="replace").splitlines()[-SHOWN_LINES_MAX:]
        return "".join(f"\n      {line}" for line in lines)


def needs_what_we_lack(spec):
    """Why a test is not run, if it asks for something this runner cannot give it."""
    lacking = set(spec.get("proposals", [])) - PROPOSALS
    if lacking:
        return "needs wasi:" + ", wasi:".join(sorted(lacking))
    if spec.get("world", "wasi:cli/command") != "wasi:cli/command":
        return f"is a {spec['world']}, not a program"
    return None


def run_suite(folder, manifest, words):
    """Runs the tests of one folder; counts passed, failed and left out."""
    passed, failed, left_out = 0, 0, {}
    for wasm in sorted(folder.glob("*.wasm")):
        if words and not any(word in wasm.stem for word in words):
            continue
        path = wasm.with_suffix(".json")
        spec = json.loads(path.read_text()) if path.exists() else {}
        lacking = needs_what_we_lack(spec)
        if lacking:
            left_out.setdefault(lacking, []).append(wasm.stem)
            continue
        with tempfile.TemporaryDirectory(prefix="rusm-wasi-") as scratch:
            test = Conversation(wasm.absolute(), manifest["version"], spec, Path(scratch))
            try:
                test.hold()
                passed += 1
            except Mismatch as why:
                failed += 1
                print(f"FAILED {wasm.stem}: {why}\n      command: {' '.join(test.argv)}", flush=True)
    print(f"{manifest['name']}: {passed} passed, {failed} failed", flush=True)
    for lacking, names in left_out.items():
        print(f"  {len(names)} not run: each {lacking}: {' '.join(names)}")
    return passed, failed


def main():
    """Reads the command line and runs the folders it names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("suite", type=Path, help="a copy of the suite with its prebuilt programs")
    parser.add_argument("words", nargs="*", metavar="WORD", help="run only tests with this in their names")
    parser.add_argument("--version", help="run only one version of WASI, as in wasm32-wasip1")
    asked = parser.parse_intermixed_args()
    passed = failed = 0
    for path in sorted(asked.suite.glob("tests/*/testsuite/*/manifest.json")):
        manifest = json.loads(path.read_text())
        if asked.version in (None, manifest["version"]):
            counts = run_suite(path.parent, manifest, asked.words)
            passed, failed = passed + counts[0], failed + counts[1]
    print(f"{passed} passed, {failed} failed")
    if passed + failed == 0:
        print(f"no test to run below {asked.suite}: is it the branch with the prebuilt programs?", file=sys.stderr)
        sys.exit(2)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    os.environ.setdefault("RUSM_CACHE_DIR", "")
    main()
