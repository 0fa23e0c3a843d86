#!/usr/bin/env bash
# The hot loops, as the compiler makes them: compares the instructions of each with the listings in ci/codegen/. A change
# there is either meant, and then a measurement comes with it, or it is what this script is for.
#
#   ci/codegen.sh            compares
#   ci/codegen.sh --update   writes the listings anew
#
# The compiler is pinned, for this alone: the instructions are its choice, and another one's choice is no fault.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly RUST=1.95.0
readonly TARGETS=(x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu wasm32-wasip1)
export CARGO_TERM_COLOR=never CARGO_PROFILE_RELEASE_DEBUG=0

case $* in
--update | '') ;;
*) echo "usage: ci/codegen.sh [--update]" >&2 && exit 2 ;;
esac

cargo "+$RUST" --version >/dev/null 2>&1 || rustup toolchain install "$RUST" --profile minimal
failed=0
for target in "${TARGETS[@]}"; do
    rustup target add --toolchain "$RUST" "$target" >/dev/null 2>&1
    flags="-C symbol-mangling-version=v0 -C codegen-units=1 -C llvm-args=--x86-asm-syntax=intel"
    [[ $target != wasm32* ]] || flags+=" -C target-feature=+simd128"
    rm -rf "target/codegen/$target" # of a library that is fresh, cargo writes no listing
    RUSTFLAGS=$flags cargo "+$RUST" rustc --locked --quiet --lib --release --no-default-features \
        --target "$target" --target-dir target/codegen -- --emit asm
    python3 ci/codegen.py "${1:-}" "$RUST" "${target%%-*}" "target/codegen/$target"/release/deps/websocket_wire-*.s \
        "ci/codegen/${target%%-*}.txt" || failed=$((failed + 1))
done
echo "ci/codegen.sh: ${#TARGETS[@]} targets, $failed differ"
((failed == 0))
