#!/usr/bin/env bash
# The tests on other CPUs: 32 bits, NEON, big endian, wasm with and without vectors, x86-64 without AVX2. What is missing,
# it installs; all but i686 is emulated, wasm by Node.
#
#   ci/targets.sh            every target, all tests, with the default features and with none
#   ci/targets.sh --quick    32 bits, NEON, wasm's vectors and big endian, only the tests that reach what differs there; ci/test.sh runs it
set -euo pipefail
cd "$(dirname "$0")/.."

# The code that is chosen by target: kernels, and lengths in `usize`.
readonly QUICK=(--lib --test masking --test utf8 --test header_exhaustive --test limits --test rfc6455 --test vectors
    --features deflate --test rfc7692)

# Emulated code without optimisation takes minutes, and so does optimising what the tests depend on.
readonly PROFILE=(--config profile.test.opt-level=1 --config 'profile.test.package."*".opt-level=0' --config profile.test.debug=0)

export CARGO_TERM_COLOR=never
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_LINKER=s390x-linux-gnu-gcc
export CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_RUNNER="qemu-s390x -L /usr/s390x-linux-gnu"
export CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings $PWD/ci/wasi.mjs"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
table=()
failed=0
skipped=0

# need TEST PACKAGE...: installs Debian's packages unless the test, a command, passes.
need() {
    if ! eval "$1" >/dev/null 2>&1; then
        { apt-get update -qq && apt-get install -qqy --no-install-recommends "${@:2}" && eval "$1"; } >/dev/null 2>&1
    fi
}

# cross ARCHITECTURE DEBIAN_NAME: an emulator, a linker and a C library.
cross() {
    need "command -v qemu-$1 && $1-linux-gnu-gcc -dumpversion && ls /usr/$1-linux-gnu/lib/libc.so.6" \
        qemu-user "gcc-$1-linux-gnu" "libc6-dev-$2-cross"
}

# A linker for 32 bits. gcc-multilib would bring it as well, but excludes the cross compilers.
i686() {
    need "echo 'int main() {}' | gcc -m32 -x c -o /dev/null -" libc6-dev-i386 "lib32gcc-$(gcc -dumpversion)-dev"
}

node() {
    need "command node --version" nodejs
}

# cpu MODEL: an older one of this architecture; what qemu emulates when not told has AVX2.
cpu() {
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="qemu-x86_64 -cpu $1"
    need "command -v qemu-x86_64" qemu-user
}

# row TITLE FEATURES VERDICT PASSED FAILED IGNORED SECONDS
row() {
    table+=("$(printf '%-26s %-9s %-8s %7s %7s %8s %8s' "$@")")
}

# count WORD: the sum of the numbers in front of the word over all `test result` lines.
count() {
    awk -v word="$1;" '/^test result/ { for (i = 2; i <= NF; i++) if ($i == word) n += $(i - 1) } END { print n + 0 }' "$log"
}

# tests TITLE FEATURES OPTION...: one run of cargo test, and its row.
tests() {
    local start=$SECONDS verdict=ok options=("${@:3}")
    [[ $2 == default ]] || options+=(--no-default-features)
    local title="$1, $2 features"
    echo "=== $title"
    # Warnings count: code that only this target compiles is seen by no other step.
    if ! RUSTFLAGS="-D warnings $rustflags" nice cargo "${PROFILE[@]}" test --locked --quiet --no-fail-fast \
        --target "$target" "${options[@]}" >"$log" 2>&1 </dev/null; then
        verdict=FAILED
        failed=$((failed + 1))
        cut -c 1-400 "$log" # an assertion prints its bytes, all of them
    fi
    row "$1" "$2" "$verdict" "$(count passed)" "$(count failed)" "$(count ignored)" "$((SECONDS - start))"
    echo "--- $title: $verdict, $(count passed) passed, $(count failed) failed, $((SECONDS - start)) s"
}

# on TITLE TARGET RUSTFLAGS PREPARE...: all its tests, if its tools can be had.
on() {
    local target=$2 rustflags=$3 reason=
    if ! rustup target add "$target" >/dev/null 2>&1; then
        reason="rustup cannot install the target $target"
    elif ! "${@:4}"; then
        reason="apt-get cannot install what it takes: ${*:4}"
    fi
    if [[ $reason ]]; then
        echo "SKIPPED: $1: $reason"
        row "$1" - SKIPPED - - - -
        skipped=$((skipped + 1))
    elif [[ $quick ]]; then
        tests "$1" default "${QUICK[@]}"
    else
        tests "$1" default --features deflate --lib --tests
        tests "$1" no --lib --tests
    fi
}

case $* in
--quick) quick=1 ;;
'') quick= ;;
*) echo "usage: ci/targets.sh [--quick]" >&2 && exit 2 ;;
esac
row target features verdict passed failed ignored seconds

on "i686 (32 bits)" i686-unknown-linux-gnu "" i686
on "aarch64 (NEON)" aarch64-unknown-linux-gnu "" cross aarch64 arm64
# Rust's test harness ignores `should_panic` on wasm: a panic ends the program there.
on "wasm32 (simd128)" wasm32-wasip1 "-C target-feature=+simd128" node
on "s390x (big endian)" s390x-unknown-linux-gnu "" cross s390x s390x
if [[ ! $quick ]]; then
    on "wasm32 (no vectors)" wasm32-wasip1 "" node
    on "x86-64 Nehalem (SSSE3)" x86_64-unknown-linux-gnu "" cpu Nehalem
    on "x86-64 (SSE2 alone)" x86_64-unknown-linux-gnu "" cpu qemu64,-ssse3
fi

printf '%s\n' "" "${table[@]}"
echo "ci/targets.sh: $failed runs failed, $skipped targets skipped, in $SECONDS s"
((failed == 0))
