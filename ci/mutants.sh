#!/usr/bin/env bash
# Mutation testing: every operator, constant and return value of the protocol's files is changed, one at a time, and a test has
# to notice. Fails when a mutant survives that ci/mutants/equivalent.tsv does not explain. Takes an hour or two on two cores.
#
#   ci/mutants.sh            all of the files below
#   ci/mutants.sh NAME...    those: header sequence decoder close utf8 encoder frame config
#   TIMEOUT=300 ci/...       on a slow machine: the seconds that the tests of a mutant may take, 60 unless given
#
# Each mutant meets the tests that know its file best; what survives these and is not explained meets all tests. Out of time is as
# good as caught where the mutant is an endless loop: those that were are named, to be judged.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VERSION=27.1.0
readonly EXPLAINED=$PWD/ci/mutants/equivalent.tsv
readonly OUT=$PWD/target/mutants

# The longest unit tests know nothing of frames.
readonly FRAMES="-- --skip mask::tests --skip utf8::tests --skip handshake::"
declare -A quick=(
    [header]="--test=header_exhaustive --test=vectors --test=encoder"
    [sequence]="--lib --test=rfc6455 --test=limits --test=encoder $FRAMES"
    [decoder]="--test=assembling --test=message --test=rfc6455 --test=vectors --test=limits --test=split_invariance"
    [close]="--lib --test=rfc6455 $FRAMES"
    [utf8]="--lib -- utf8::"
    [encoder]="--test=encoder --test=rfc6455"
    [frame]="--test=raw_frames --test=rfc6455 --test=slice_assembler --test=assembling"
    [config]="--lib --test=rfc6455 --test=limits --test=extension $FRAMES"
)

# Optimised a little, tests take a tenth of the time and as long to build again, and still check for overflow.
export CARGO_TERM_COLOR=never CARGO_PROFILE_TEST_DEBUG=0 CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_OPT_LEVEL=1
# One job builds the crates that tests are linked with once for all files; several would take one another's mutants.
unset CARGO_TARGET_DIR
((${JOBS:-1} > 1)) || export CARGO_TARGET_DIR=$OUT/target

if ! cargo-mutants mutants --version 2>/dev/null | grep -w "$VERSION" >/dev/null; then
    cargo install --locked "cargo-mutants@$VERSION"
fi

# mutants NAME CARGO_OPTION... [-- TEST_OPTION...]: exit status 2 means that some survived, 3 that some ran out of time.
mutants() {
    local name=$1 status=0 path=src/$1.rs options=()
    [[ -d src/$1 ]] && path=src/$1/*.rs
    shift
    while (($#)) && [[ $1 != -- ]]; do
        options+=("--cargo-arg=$1")
        shift
    done
    (($#)) && options+=(-- "$@")
    # What was built last is a mutant, and cargo may take it for what is now to be built: it looks at times alone.
    [[ ! ${CARGO_TARGET_DIR:-} ]] || cargo clean --quiet --package websocket-wire
    [[ ! ${iterate:-} ]] || options=(--iterate --baseline skip "${options[@]}")
    cargo-mutants mutants --no-shuffle --no-times --colors never --gitignore true --jobs "${JOBS:-1}" --file "$path" \
        --output "$OUT/$name" --timeout "${TIMEOUT:-60}" --build-timeout 600 "${options[@]}" || status=$?
    ((status == 0 || status == 2 || status == 3))
}

# Prints the survivors that are explained (1), or those that are not (0). Places move with every line and names do not; a name is
# explained where it has a line for each of its mutants that survived.
survivors() {
    awk -F'\t' -v explained="$1" '
        FNR == 1 { file++ }
        { name = $1; sub(/:[0-9]+:[0-9]+:/, ":", name) }
        file == 1 { lines[name]++; next }
        file == 2 { survived[name]++; next }
        (survived[name] <= lines[name]) == explained' "$EXPLAINED" "$results/missed.txt" "$results/missed.txt"
}

files=("$@")
((${#files[@]})) || files=(header sequence decoder close utf8 encoder frame config)
count=0
for name in "${files[@]}"; do
    [[ ${quick[$name]:-} ]] || { echo "ci/mutants.sh: no file $name" >&2; exit 2; }
    began=$SECONDS
    rm -rf "${OUT:?}/$name"
    mkdir -p "$OUT/$name"
    # shellcheck disable=SC2086
    mutants "$name" ${quick[$name]}
    results=$OUT/$name/mutants.out
    survivors 1 >"$OUT/$name/explained.txt"
    if [[ $(survivors 0) ]]; then
        # All tests take half a minute to build: what is explained passes for caught.
        cat "$OUT/$name/explained.txt" >>"$results/caught.txt"
        iterate=1 mutants "$name" --all-features --lib --tests
    fi
    survived=$(sort -u "$OUT/$name/explained.txt" "$results/missed.txt" | wc -l)
    tested=$(cat "$OUT/$name"/mutants.out*/{caught,missed,timeout}.txt | sort -u | wc -l)
    ((tested > 0)) || { echo "ci/mutants.sh: no mutants of $name were tested" >&2; exit 1; }
    table+=("$(printf '%-10s %4d tested, %3d survived, %5d s' "$name" "$tested" "$survived" $((SECONDS - began)))")
    while read -r mutant; do
        table+=("  out of time: $mutant")
    done < <(sort -u "$OUT/$name"/mutants.out*/timeout.txt)
    while read -r mutant; do
        table+=("  NOT EXPLAINED: $mutant")
        count=$((count + 1))
    done < <(survivors 0)
done
printf '%s\n' "${table[@]}"
echo "ci/mutants.sh: $count survivors without an explanation, in $SECONDS s"
((count == 0))
