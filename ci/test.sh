#!/usr/bin/env bash
# Everything that has to hold before a change lands, run the same here and in CI. What is missing, it installs.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly MSRV=1.89.0
readonly FEATURES=(std alloc handshake http deflate tokio-util embedded-io embedded-io-async)
# Cortex-M0 has no atomic compare-and-swap and Cortex-M4F no std; the last has neither an operating system nor SSE.
readonly BARE_TARGETS=(thumbv6m-none-eabi thumbv7em-none-eabihf riscv32imac-unknown-none-elf x86_64-unknown-none)

export CARGO_TERM_COLOR=never
passed=0
skipped=0
title=

trap '[[ $? == 0 ]] || echo "FAILED: ${title:-setting up}"' EXIT

# step TITLE COMMAND...: ends the run when the command fails.
step() {
    local start=$SECONDS
    title=$1
    echo "=== $title"
    "${@:2}" </dev/null
    echo "--- $title: $((SECONDS - start)) s"
    passed=$((passed + 1))
}

install_component() {
    cargo "$1" --version >/dev/null 2>&1 || rustup component add "$2"
}

format() {
    install_component fmt rustfmt
    cargo fmt --check
}

# Warnings are errors here, rustc's among them.
clippy() {
    install_component clippy clippy
    cargo clippy --locked --quiet "$@" -- -D warnings
}

docs() {
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --all-features
}

msrv() {
    cargo "+$MSRV" --version >/dev/null 2>&1 || rustup toolchain install "$MSRV" --profile minimal
    cargo "+$MSRV" check --locked --quiet --all-features
}

# bare TARGET OPTION...: builds for a target without an operating system, if rustup can bring its core.
bare() {
    local target=$1
    if ! rustup target add "$target" >/dev/null 2>&1; then
        echo "SKIPPED: rustup cannot install the target $target"
        skipped=$((skipped + 1))
        return
    fi
    # Warnings count here too: code that only these targets compile is seen by no other step.
    RUSTFLAGS="-D warnings" cargo build --locked --quiet --lib --target "$target" --no-default-features "${@:2}"
}

step "cargo test" cargo test --locked
step "the README's first command" cargo run --locked --release --example echo
step "format" format
step "lints, all features, all targets" clippy --all-features --all-targets
step "documentation" docs
step "layers" ci/layers.sh
step "capabilities and their tests" ci/coverage.sh

step "lints, no features" clippy --no-default-features --lib
for feature in "${FEATURES[@]}"; do
    step "lints, only $feature" clippy --no-default-features --features "$feature" --lib
done
step "tests, no features" cargo test --locked --no-default-features --lib --tests
step "tests, all features" cargo test --locked --all-features --lib --tests

step "Rust $MSRV" msrv
for target in "${BARE_TARGETS[@]}"; do
    step "build for $target" bare "$target"
done
step "build for thumbv7em-none-eabihf, with handshake" bare thumbv7em-none-eabihf --features handshake
step "build for thumbv7em-none-eabihf, with embedded-io" \
    bare thumbv7em-none-eabihf --features embedded-io,embedded-io-async

step "instructions" ci/instructions.sh
step "hot loops" ci/codegen.sh
step "undefined behaviour, the kernels" ci/miri.sh --quick
step "fuzzing, ten seconds a target" ci/fuzz.sh 10

step "other CPUs, a selection" ci/targets.sh --quick

step "real peers" ci/interop.sh
step "real peers, compressed" ci/interop-deflate.sh
step "server_tokio and its peers, a browser among them" ci/interop-servers.sh
step "programs" ci/programs.sh
step "Autobahn|Testsuite" ci/autobahn.sh
step "firmware" ci/firmware.sh

echo "ci/test.sh: $((passed - skipped)) steps passed, $skipped skipped, in $SECONDS s"
