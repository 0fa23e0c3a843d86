#!/usr/bin/env bash
# Fuzzes: every target, or those that are named, for so many seconds each, two at a time. A crash fails it.
#
#   ci/fuzz.sh SECONDS [TARGET...]
#
# What was found goes on growing in fuzz/corpus/; a crash lies in fuzz/artifacts/TARGET/.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly SECONDS_EACH=${1:?usage: ci/fuzz.sh SECONDS [TARGET...]}
mapfile -t targets < <(sed -n '/^\[\[bin\]\]$/{n;s/^name = "\(.*\)"$/\1/p}' fuzz/Cargo.toml)
if (($# > 1)); then targets=("${@:2}"); fi
((${#targets[@]} > 0)) || { echo "no targets"; exit 1; }

rustc +nightly --version >/dev/null 2>&1 || rustup toolchain install nightly --profile minimal
cargo fuzz --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-fuzz --version 0.13.2
cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
for command in c++ python3; do
    command -v "$command" >/dev/null ||
        { apt-get update -qq && apt-get install -qqy --no-install-recommends g++ python3; }
done

cargo fmt --check --manifest-path fuzz/Cargo.toml
start=$EPOCHSECONDS
cargo +nightly fuzz build
echo "built in $((EPOCHSECONDS - start)) s"
python3 fuzz/seeds.py >/dev/null

host=$(rustc +nightly -vV | sed -n 's/^host: //p')
readonly host

# fuzz TARGET: one line of what was reached, or the end of the log.
fuzz() {
    local corpus=fuzz/corpus/$1 artifacts=fuzz/artifacts/$1 log=fuzz/target/$1.log
    mkdir -p "$corpus" "$artifacts"
    # A frame may declare what it likes: nothing here has a reason to allocate 64 MiB.
    if ! "fuzz/target/$host/release/$1" "$corpus" -artifact_prefix="$artifacts/" -dict=fuzz/websocket.dict \
        -max_total_time="$SECONDS_EACH" -timeout=10 -malloc_limit_mb=64 >"$log" 2>&1 </dev/null; then
        echo "FAILED: $1"
        tail -n 60 "$log"
        return 1
    fi
    local reached='^#([0-9]+)[[:space:]]+DONE[[:space:]]+cov: ([0-9]+) ft: ([0-9]+) corp: ([0-9]+).*'
    # A target that runs nothing, or is blind, would find nothing.
    if ! [[ $(grep -E "$reached" "$log") =~ $reached ]] || ((BASH_REMATCH[1] < 1000 || BASH_REMATCH[2] < 100)); then
        echo "FAILED: $1 has run too little"
        tail -n 3 "$log"
        return 1
    fi
    printf '%-18s %10d executions in %d s, coverage %d, features %d, %d inputs kept\n' \
        "$1" "${BASH_REMATCH[1]}" "$SECONDS_EACH" "${BASH_REMATCH[@]:2:3}"
}
export -f fuzz
export SECONDS_EACH host

printf '%s\n' "${targets[@]}" | xargs -P "${FUZZ_JOBS:-2}" -I{} bash -euo pipefail -c 'fuzz {}'
echo "ci/fuzz.sh: ${#targets[@]} targets passed"
