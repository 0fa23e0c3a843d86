#!/usr/bin/env bash
# Instructions of fixed work, counted by valgrind: a guard that noise cannot shake. Fails above +3 % of ci/instructions/x86_64.tsv.
#
#   ci/instructions.sh            compares
#   ci/instructions.sh --update   writes the figures down
#
# valgrind hides AVX-512, so the kernels are those for AVX2 on every machine that has it. The compiler and the make of the CPU,
# by which the C library chooses its copies, stand in the file: with others the figures are shown and not judged.
set -euo pipefail
cd "$(dirname "$0")/.."
figures=ci/instructions/x86_64.tsv

if ! command -v valgrind >/dev/null; then
    echo "installing valgrind" >&2
    apt-get install -y --no-install-recommends valgrind >&2
fi
grep -qw avx2 /proc/cpuinfo || { echo "no AVX2 here: the figures are for another kernel" >&2; exit 1; }

bin=$(cargo bench --quiet --no-run --bench instructions --message-format=json |
    sed -n 's/.*"name":"instructions".*"executable":"\([^"]*\)".*/\1/p')

count() {
    local log
    log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
        --toggle-collect="*instructions*$1*" "$bin" "$1" 2>&1) || { echo "$log" >&2; return 1; }
    sed -n 's/.*Collected *: *\([0-9]*\).*/\1/p' <<<"$log"
}

measured=$(mktemp)
trap 'rm -f "$measured"' EXIT
printf '# instructions for 100 operations; %s; %s\n' "$(rustc --version | cut -d' ' -f1,2)" \
    "$(awk '/^vendor_id/ { print $3; exit }' /proc/cpuinfo)" >"$measured"
for case in $("$bin" --list); do
    printf '%s\t%s\n' "$case" "$(count "$case")" >>"$measured"
done

if [ "${1:-}" = --update ]; then
    cp "$measured" "$figures"
    cat "$figures"
    exit
fi
awk -F '\t' '
    /^#/ && NR == FNR { head = $0; next }
    /^#/ { if ($0 != head) { other = 1; print "committed: " head "\nhere:      " $0 } next }
    NR == FNR { committed[$1] = $2; next }
    !($1 in committed) { print $1 ": no figure is committed"; failed = 1; next }
    {
        change = 100 * ($2 / committed[$1] - 1)
        verdict = $2 == 0 ? "NOTHING COUNTED" : change > 3 ? "MORE" : change < -3 ? "less: --update" : ""
        printf "%-22s %9d %9d %+7.1f %%  %s\n", $1, committed[$1], $2, change, verdict
        if (change > 3 && !other || $2 == 0) failed = 1
        delete committed[$1]
    }
    END { for (name in committed) { print name ": not measured"; failed = 1 } exit failed }
' "$figures" "$measured"
