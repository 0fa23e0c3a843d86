#!/usr/bin/env bash
# Talks permessage-deflate with real peers over 127.0.0.1, in both roles and with every combination of parameters that
# they have: one line a check, and at the end `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."

# How many checks there are: 80 combinations and the end of each peer's client, and ten runs against its server.
readonly CHECKS=182

source ci/interop/install.sh
cargo build --quiet --locked --release --features deflate --example echo
readonly ECHO=target/release/examples/echo

declare -A PEER=([websockets]="$PYTHON ci/interop/deflate.py" [ws]="node ci/interop/deflate.js")

# What a peer's server asks for, and what our client offers it.
readonly PARAMS=(
    ""
    "server_no_context_takeover; client_no_context_takeover"
    "server_max_window_bits=9; client_max_window_bits=9"
    "server_no_context_takeover; server_max_window_bits=12"
    "client_no_context_takeover; client_max_window_bits=10"
)

source ci/interop/checks.sh

peer_as_client() {
    start "$ECHO" --listen 127.0.0.1:0
    local status=0
    timeout 240 ${PEER[$1]} client "$url" </dev/null >"$logs/client" 2>&1 || status=$?
    count client
    verdict "$status" "$1/client runs to its end"
    stop
}

# peer_as_server PEER ITS-PARAMS OUR-OFFER
peer_as_server() {
    start ${PEER[$1]} serve "$2"
    local what="$1/server asks \"$2\", offered \"$3\""
    if timeout 60 "$ECHO" --connect "$url" --offer "$3" </dev/null >"$logs/out" 2>&1 &&
        grep -q '^agreed on permessage-deflate' "$logs/out"; then
        verdict 0 "$what: $(sed -n '1s/^agreed on //p' "$logs/out")"
    else
        verdict 1 "$what"
        tail -n 20 "$logs/out"
    fi
    stop
}

for peer in websockets ws; do
    peer_as_client "$peer"
    for params in "${PARAMS[@]}"; do
        peer_as_server "$peer" "$params" ""
        peer_as_server "$peer" "" "$params"
    done
done

conclude "$CHECKS"
