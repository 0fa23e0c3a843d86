#!/usr/bin/env bash
# The whole test suite under the address sanitizer, with every instruction set of this machine, and the kernels as they are
# optimised under valgrind, which takes each byte that a vector reads too far for an error. What is missing, it installs.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TARGET=x86_64-unknown-linux-gnu
export CARGO_TERM_COLOR=never

cargo +nightly --version >/dev/null 2>&1 || rustup toolchain install nightly --profile minimal
if ! command -v valgrind >/dev/null; then
    { apt-get update -qq && apt-get install -qqy --no-install-recommends valgrind; } >/dev/null
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# report TITLE MINIMUM: the number of tests that the log says have passed; fewer than the minimum are a failure.
report() {
    local passed
    passed=$(awk '/^test result/ { n += $4 } END { print n + 0 }' "$log")
    echo "--- $1: $passed passed, $SECONDS s"
    ((passed >= $2))
}

echo "=== address sanitizer: $(sed -n 's/^flags.*/&/p' /proc/cpuinfo | head -n 1 | grep -ow 'ssse3\|avx2\|avx512bw\|avx512vl\|avx512_*vbmi' | paste -sd ' ')"
sanitized() {
    RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/sanitize CARGO_PROFILE_TEST_DEBUG=line-tables-only \
        cargo +nightly "$@" --locked --quiet --all-features --target "$TARGET"
}
# One test runs an example, and would build it for the wrong target.
sanitized build --example embedded_echo
sanitized test --lib --tests 2>&1 </dev/null | tee "$log"
report "address sanitizer" 200

echo "=== valgrind, optimised"
tests=$(cargo test --locked --quiet --release --lib --no-run --message-format=json 2>/dev/null </dev/null |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
# The test of the guard pages themselves reads what it must not, by way of the system.
valgrind --quiet --error-exitcode=99 --partial-loads-ok=no "$tests" mask:: utf8:: --test-threads 1 --skip every_form_at \
    2>&1 </dev/null | tee "$log"
report valgrind 8
echo "ci/sanitize.sh: passed, in $SECONDS s"
