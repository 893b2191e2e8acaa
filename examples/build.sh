#!/usr/bin/env bash
# Builds the example guests from their C sources, as WASI preview 1 modules.
#
#   examples/build.sh            rebuilds the committed .wasm files in place
#   examples/build.sh --check    rebuilds into a temporary folder and compares byte for byte
#
# The toolchain is Debian's: apt-get install clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32
# Any clang with a WASI sysroot will do for building; set CLANG, and SYSROOT when it is not built in.
# Two toolchains never agree on every byte, so --check compares only where `toolchain.txt`, written by
# the last build, names the one found here. Without a toolchain --check says so and succeeds.
set -euo pipefail
cd "$(dirname "$0")"

programs=(wordfreq sieve)
clang=${CLANG:-clang-19}
flags=(--target=wasm32-wasi -O2 -s -std=c11 -Wall -Wextra -Werror ${SYSROOT:+--sysroot="$SYSROOT"})

case ${1-} in
  '' | --check) mode=${1-} ;;
  *) echo "usage: examples/build.sh [--check]" >&2; exit 2 ;;
esac

# What the bytes depend on: the compiler's version, and the C library's object code.
describe_toolchain() {
  "$clang" --version | head -n 1
  local library
  library=$("$clang" "${flags[@]}" -print-file-name=libc.a)
  echo "libc.a $(cksum <"$library")"
}

links() {
  command -v "$clang" >/dev/null && echo 'int main(void) { return 0; }' | "$clang" "${flags[@]}" -x c - -o "$scratch/probe.wasm" 2>"$scratch/error"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if ! links; then
  what="\`$clang\` with a WASI library is not on this machine"
  how="Install it with 'apt-get install clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32', or set CLANG and SYSROOT."
  if [ "$mode" = --check ]; then
    echo "guests: comparison skipped, $what. $how"
    exit 0
  fi
  echo "guests: cannot build, $what. $how" >&2
  [ -s "$scratch/error" ] && cat "$scratch/error" >&2
  exit 1
fi

for program in "${programs[@]}"; do
  # Run beside the source, so that no path of this machine can get into the bytes.
  (cd "$program" && "$clang" "${flags[@]}" "$program.c" -o "$scratch/$program.wasm")
  chmod 644 "$scratch/$program.wasm"
done

if [ -z "$mode" ]; then
  for program in "${programs[@]}"; do mv "$scratch/$program.wasm" "$program/$program.wasm"; done
  describe_toolchain >toolchain.txt
  echo "guests: built ${programs[*]}"
  exit 0
fi

if [ "$(describe_toolchain)" != "$(cat toolchain.txt)" ]; then
  echo "guests: the sources build; comparison skipped, the committed files were built with another toolchain:"
  diff toolchain.txt <(describe_toolchain) || true
  exit 0
fi
for program in "${programs[@]}"; do
  if ! cmp -s "$scratch/$program.wasm" "$program/$program.wasm"; then
    echo "guests: \`examples/$program/$program.wasm\` is not what its source builds to. Run examples/build.sh and commit the result." >&2
    exit 1
  fi
done
echo "guests: ${programs[*]} are what their sources build to"
