#!/usr/bin/env bash
# The program server_tokio and its peers over 127.0.0.1: one line a check, and at the end `N passed, N failed`.
#
# Clients of our server: PyPI `websockets` and `aiohttp`, npm `ws`, Perl's Protocol::WebSocket, and a page in headless
# Chromium. Servers for our clients: `aiohttp`, Protocol::WebSocket, libwebsockets; ci/interop.sh has the others.
set -euo pipefail
cd "$(dirname "$0")/.."

# How many checks there are.
readonly CHECKS=180

source ci/interop/install.sh
need chromium chromium
need libwebsockets-test-server libwebsockets-test-server
perl -MProtocol::WebSocket -e 1 2>/dev/null ||
    { apt-get update -qq && apt-get install -qqy --no-install-recommends libprotocol-websocket-perl; }
source ci/interop/checks.sh

readonly NET=(--quiet --locked --manifest-path examples/net/Cargo.toml)
cargo build "${NET[@]}" --bin server_tokio
cargo build --quiet --locked --features deflate --example echo
readonly SERVER=examples/net/target/debug/server_tokio
readonly ECHO=target/debug/examples/echo

# peer WHAT COMMAND...: runs a client to its end, which reports its checks itself.
peer() {
    local status=0
    timeout 150 "${@:2}" </dev/null >"$logs/client" 2>&1 || status=$?
    count client
    verdict "$status" "$1 runs to its end"
}

# our_server ARG...: starts it.
our_server() {
    start "$SERVER" --listen 127.0.0.1:0 "$@"
}

clients() {
    local mode
    for mode in deflate plain broadcast; do
        case $mode in
            deflate) our_server --protocol chat ;;
            plain) our_server --protocol chat --no-deflate ;;
            broadcast) our_server --broadcast ;;
        esac
        peer "websockets/client, $mode" "$PYTHON" ci/interop/echoed.py websockets "$url" "$mode"
        peer "aiohttp/client, $mode" "$PYTHON" ci/interop/echoed.py aiohttp "$url" "$mode"
        peer "ws/client, $mode" node ci/interop/echoed.js "$url" "$mode"
        if [[ $mode != broadcast ]]; then
            peer "Protocol::WebSocket/client, $mode" perl ci/interop/echoed.pl "$url"
            peer "browser, $mode" "$PYTHON" ci/interop/browser.py "$url" "$mode" 0
        fi
        stop
    done
    our_server --origin https://example.com
    peer "browser, refused" "$PYTHON" ci/interop/browser.py "$url" refused 0
    stop
}

# their_server WHAT COMMAND...: our client talks to a server that echoes.
their_server() {
    local offer status=0
    start "${@:2}"
    for offer in none deflate; do
        status=0
        if [[ $offer == none ]]; then
            timeout 150 "$ECHO" --connect "$url" </dev/null >"$logs/out" 2>&1 || status=$?
        else
            timeout 150 "$ECHO" --connect "$url" --offer "" </dev/null >"$logs/out" 2>&1 || status=$?
        fi
        verdict "$status" "$1/server, offered $offer"
        ((status == 0)) || tail -n 20 "$logs/out"
    done
    stop
}

# libwebsockets takes no port 0 and says nothing when it listens.
libwebsockets_server() {
    local port status=0
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    libwebsockets-test-server --interface lo --port="$port" >"$logs/server" 2>&1 </dev/null &
    server=$!
    for _ in {1..50}; do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
        sleep 0.1
    done
    MIRROR=127.0.0.1:$port timeout 150 cargo test "${NET[@]}" --test mirror -- --ignored >"$logs/out" 2>&1 || status=$?
    grep -q '1 passed' "$logs/out" || status=1
    verdict "$status" "libwebsockets/server mirrors our messages"
    ((status == 0)) || cat "$logs/out" "$logs/server"
    stop
}

clients
their_server aiohttp "$PYTHON" ci/interop/aiohttp_server.py
their_server Protocol::WebSocket perl ci/interop/echo_server.pl
libwebsockets_server

conclude "$CHECKS"
