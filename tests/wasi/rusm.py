"""How the WASI conformance suite starts `rusm`: the adapter that its own runner loads.

    ./run-tests --runtime-adapter /path/to/rusm/tests/wasi/rusm.py

The binary is $RUSM, or `rusm` on PATH. `run.py` beside this file needs nothing but Python and uses the
same command lines.
"""

import os
import shlex
import subprocess

RUSM = shlex.split(os.environ.get("RUSM", "rusm"))


def get_name():
    return "rusm"


def get_version():
    said = subprocess.run(RUSM + ["--version"], check=True, capture_output=True, text=True)
    return said.stdout.split()[1]


def get_wasi_versions():
    return ["wasm32-wasip1", "wasm32-wasip3"]


def get_wasi_worlds():
    return ["wasi:cli/command"]


def compute_argv(test_path, args_env_root, proposals, wasi_world, wasi_version):
    args, env, root = args_env_root
    argv = RUSM + ["run"]
    for key, value in env.items():
        argv += ["--env", f"{key}={value}"]
    if root:
        argv += ["--dir", f"{root}::/"]
    # Two programs make sockets without asking for the proposal; here that takes a grant.
    if "sockets" in proposals or "sockets" in os.path.basename(test_path):
        argv += ["--connect", "*:*", "--listen", "*:*"]
    return argv + [str(test_path), "--"] + list(args)
