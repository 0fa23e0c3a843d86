#!/usr/bin/env bash
# This crate and its peers side by side. Prints `case | ours | best peer (name) | ratio` for each case.
#
#   ci/bench.sh            writes docs/benchmarks.md and its charts
#   ci/bench.sh --quick    under two minutes after the build; every mark, fewer samples; writes to benches/peers/target/report
#   ci/bench.sh --only G   the cases of groups whose name contains G; writes nothing
set -euo pipefail
cd "$(dirname "$0")/.."

if ! [ -e /usr/include/wslay/wslay.h ]; then
    echo "installing libwslay-dev, the C peer" >&2
    apt-get install -y --no-install-recommends libwslay-dev >&2
fi

source ci/interop/install.sh
cargo build --release --quiet --manifest-path benches/peers/Cargo.toml
bin=benches/peers/target/release
growth=$(mktemp)
websockets=$(mktemp)
trap 'rm -f "$growth" "$websockets"' EXIT

case " $* " in
*" --only "*)
    only=$(sed 's/.*--only //; s/ --.*//' <<<"$*")
    "$PYTHON" benches/peers/websockets_python.py "$only" >"$websockets"
    "$bin/peers" "$@" --websockets "$websockets"
    exit
    ;;
*" --quick "*) out=benches/peers/target/report ;;
*) out=docs ;;
esac
mkdir -p "$out"

"$PYTHON" benches/peers/websockets_python.py >"$websockets"
"$bin/growth" "$@" >"$growth"

revision=$(git rev-parse --short HEAD)
# Of what is measured: the document itself may have changed.
git diff --quiet HEAD -- src benches Cargo.toml || revision="$revision, changed"
command="ci/bench.sh${*:+ $*}"
"$bin/peers" "$@" --websockets "$websockets" --out "$out" --growth "$growth" --date "$(date -u +%F)" --revision "$revision" --command "$command"
cat "$growth"
