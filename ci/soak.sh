#!/usr/bin/env bash
# A hostile peer speaks valid and invalid frames and handshakes to a server for a long time, on many connections at
# once, cut, delayed and reset: no panic, no growth of memory, no thread or socket left over, every refusal with the
# right close code, every message back whole. Ends with 0 only if so, and if the peer finds what is planted for it.
#
#   ci/soak.sh [MINUTES [SERVER]]    60 minutes unless said; SERVER is echo, or tokio: examples/net, server_tokio
#
# SEED=N repeats the cases of a run: it is printed. ci/soak/peer.py --case N runs one of them.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly MINUTES=${1:-60} SERVER=${2:-echo}
# Of ci/soak/peer.py: what is planted is the check that has to find it.
readonly PLANTS=(panic close echo status hang leak memory empty)

options=()
case $SERVER in
    echo)
        cargo build --quiet --locked --release --features deflate --example echo
        command=(target/release/examples/echo --listen 127.0.0.1:0)
        ;;
    tokio)
        cargo build --quiet --locked --release --manifest-path examples/net/Cargo.toml --bin server_tokio
        command=(examples/net/target/release/server_tokio --listen 127.0.0.1:0)
        options=(--tolerant)
        ;;
    *)
        echo "ci/soak.sh: no server $SERVER" >&2
        exit 2
        ;;
esac

peer() {
    nice -n 19 python3 -B ci/soak/peer.py "${options[@]}" "$@" -- "${command[@]}"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

for plant in "${PLANTS[@]}"; do
    status=0
    peer --minutes 0.1 --plant "$plant" >"$log" 2>&1 || status=$?
    if ((status != 1)) || ! grep -q "^FAIL $plant: " "$log"; then
        cat "$log"
        echo "ci/soak.sh: what was planted for the check \"$plant\" was not found"
        exit 1
    fi
done
echo "the peer finds what is planted: ${PLANTS[*]}"

peer --minutes "$MINUTES" ${SEED:+--seed "$SEED"}
