#!/usr/bin/env bash
# Talks permessage-deflate with real peers over 127.0.0.1, in both roles and with every combination of parameters that
# they have: one line a check, and at the end `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."

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

passed=0
failed=0
server=
logs=$(mktemp -d)
trap 'stop; rm -rf "$logs"' EXIT

stop() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    fi
}

# start COMMAND...: starts a server and sets `url` to where it listens.
start() {
    : >"$logs/server"
    timeout 300 "$@" >>"$logs/server" 2>&1 </dev/null &
    server=$!
    url=
    for _ in {1..100}; do
        url=$(sed -n '1s/^listening on //p' "$logs/server")
        if [[ -n $url ]]; then return; fi
        sleep 0.1
    done
    echo "FAIL $*: does not listen"
    cat "$logs/server"
    exit 1
}

peer_as_client() {
    start "$ECHO" --listen 127.0.0.1:0
    timeout 240 ${PEER[$1]} client "$url" </dev/null >"$logs/client" 2>&1 || true
    cat "$logs/client"
    passed=$((passed + $(grep -c '^ok ' "$logs/client" || true)))
    # A client that ends early has not shown what it did not say: there are 80 combinations.
    failed=$((failed + 80 - $(grep -c '^ok ' "$logs/client" || true)))
    stop
}

# peer_as_server PEER ITS-PARAMS OUR-OFFER
peer_as_server() {
    start ${PEER[$1]} serve "$2"
    local what="$1/server asks \"$2\", offered \"$3\""
    if timeout 60 "$ECHO" --connect "$url" --offer "$3" </dev/null >"$logs/out" 2>&1 &&
        grep -q '^agreed on permessage-deflate' "$logs/out"; then
        passed=$((passed + 1))
        echo "ok $what: $(sed -n '1s/^agreed on //p' "$logs/out")"
    else
        failed=$((failed + 1))
        echo "FAIL $what"
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

echo "$passed passed, $failed failed"
((failed == 0))
