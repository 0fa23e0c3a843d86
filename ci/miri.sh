#!/usr/bin/env bash
# Miri, with strict provenance: undefined behaviour in the kernels of every instruction set, and in what is built on them, on
# machines of 64 and of 32 bits, of both byte orders. What is missing, it installs.
#
#   ci/miri.sh            every machine, the kernels and the codec
#   ci/miri.sh --kernels  every machine, the kernels alone
#   ci/miri.sh --quick    x86-64, the kernels alone
set -euo pipefail
cd "$(dirname "$0")/.."

# What decides how far a kernel reads, and what hands it memory. Long loops are short under Miri (`cfg!(miri)`). The handshake
# has no unsafe code, and memchr, which it calls, finds alignment by arithmetic, which the symbolic check takes for a fault.
readonly KERNELS=(--lib -- mask:: utf8:: simd::)
readonly CODEC=(--lib --test masking --test utf8 --test vectors --test encoder --test message --test assembling --test raw_frames --test roundtrip
    -- --skip handshake::)

# Miri has no CPU to ask; a test checks that each kernel of what this names is run.
readonly AVX512="-C target-feature=+avx2,+fma,+avx512f,+avx512bw,+avx512vl,+avx512vbmi"

export CARGO_TERM_COLOR=never PROPTEST_CASES=2
# The tests' own random numbers need the system. Nothing else of it is used.
export MIRIFLAGS="-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check -Zmiri-disable-isolation"
CARGO_TARGET_DIR=$PWD/target/miri
export CARGO_TARGET_DIR
# A dependency of the benches compiles C for each machine. Miri runs none of it and links nothing, so that the compiler of this
# machine, without the flags of the other, does as well.
export TARGET_CC=cc TARGET_AR=ar CRATE_CC_NO_DEFAULTS=1
# Emulators of other scripts are not for Miri.
unset "${!CARGO_TARGET_AARCH64@}" "${!CARGO_TARGET_X86@}" "${!CARGO_TARGET_S390X@}" 2>/dev/null || true

if ! cargo +nightly miri --version >/dev/null 2>&1; then
    rustup toolchain install nightly --profile minimal --component miri,rust-src
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
table=()
failed=0

# on TITLE TARGET RUSTFLAGS MINIMUM OPTION...: one run, and its row; fewer tests than the minimum are a failure too.
on() {
    local title=$1 target=$2 flags=$3 minimum=$4 start=$SECONDS verdict=ok
    echo "=== $title"
    if ! RUSTFLAGS=$flags cargo +nightly miri test --locked --target "$target" "${@:5}" >"$log" 2>&1 </dev/null; then
        verdict=FAILED
        grep -v '^   Compiling' "$log" | cut -c 1-400 | tail -n 80
    fi
    local passed
    passed=$(awk '/^test result/ { n += $4 } END { print n + 0 }' "$log")
    ((passed >= minimum)) || verdict=FAILED
    [[ $verdict == ok ]] || failed=$((failed + 1))
    table+=("$(printf '%-34s %-8s %6s %6s' "$title" "$verdict" "$passed" "$((SECONDS - start))")")
    echo "--- ${table[-1]}"
}

table+=("$(printf '%-34s %-8s %6s %6s' machine verdict passed seconds)")
case $* in
'') minimum=80 tests=("${CODEC[@]}") ;;
--kernels | --quick) minimum=10 tests=("${KERNELS[@]}") ;;
*) echo "usage: ci/miri.sh [--kernels | --quick]" >&2 && exit 2 ;;
esac

on "x86-64 (SSE2 to AVX-512)" x86_64-unknown-linux-gnu "$AVX512" "$minimum" "${tests[@]}"
if [[ $* != --quick ]]; then
    on "aarch64 (NEON)" aarch64-unknown-linux-gnu "" "$minimum" "${tests[@]}"
    on "i686 (32 bits)" i686-unknown-linux-gnu "" "$minimum" "${tests[@]}"
    on "s390x (big endian)" s390x-unknown-linux-gnu "" "$minimum" "${tests[@]}"
    on "mips (32 bits, big endian)" mips-unknown-linux-gnu "" 10 "${KERNELS[@]}"
fi

printf '%s\n' "" "${table[@]}" "$(cargo +nightly miri --version)"
echo "ci/miri.sh: $failed runs failed, in $SECONDS s"
((failed == 0))
