#!/usr/bin/env bash
# Talks to real peers over 127.0.0.1, in both roles: one line a check, and at the end `N passed, N failed`.
#
# The peers are PyPI `websockets` and npm `ws`, as pinned in ci/interop/; our side is examples/echo. ECHO names another
# program with its contract.
set -euo pipefail
cd "$(dirname "$0")/.."

# How many checks there are.
readonly CHECKS=104

source ci/interop/install.sh
if [[ -z ${ECHO:-} ]]; then
    cargo build --quiet --locked --release --example echo
    ECHO=target/release/examples/echo
fi

declare -A CLIENT=([websockets]="$PYTHON ci/interop/client.py" [ws]="node ci/interop/client.js")
declare -A SERVER=([websockets]="$PYTHON ci/interop/server.py" [ws]="node ci/interop/server.js")

source ci/interop/checks.sh

# says FILE PATTERN WHAT: a line of the file, which may still be on its way, is to match the extended expression.
says() {
    for _ in {1..50}; do
        if grep -qE -- "$2" "$logs/$1"; then
            verdict 0 "$3"
            return
        fi
        sleep 0.1
    done
    verdict 1 "$3: no line in its output is like $2"
    tail -n 20 "$logs/$1"
}

# Both sides have to have seen the same close frames; this is what our server says of them.
our_server_reports() {
    local close
    for close in '1000 "bye"' '3000 "größer"' '1012 "restart"' '4321 "countdown"'; do
        says server "^connection [0-9]+: sent close $close, received close $close\$" "$1/client our report of close $close"
    done
    if [[ $1 == ws ]]; then
        says server '^connection [0-9]+: sent close none, received close none$' "$1/client our report of an empty close"
    fi
}

peer_as_client() {
    start "$ECHO" --listen 127.0.0.1:0
    local status=0
    timeout 240 ${CLIENT[$1]} "$url" </dev/null >"$logs/client" 2>&1 || status=$?
    count client
    verdict "$status" "$1/client runs to its end"
    our_server_reports "$1"
    stop
}

# connect STATUS PATH WHAT: runs our client, which is to exit with STATUS.
connect() {
    local status=0
    timeout 120 "$ECHO" --connect "$url$2" </dev/null >"$logs/out" 2>"$logs/err" || status=$?
    verdict $((status == $1 ? 0 : 1)) "$3"
    if ((status != $1)); then
        echo "exit status $status, not $1"
        tail -n 20 "$logs/out" "$logs/err"
    fi
}

peer_as_server() {
    local length close
    start ${SERVER[$1]}
    connect 0 "" "$1/server whole scenario"
    says out '^close: sent 1000 "([^"]*)", received 1000 "\1"' "$1/server answers our close"
    says server '^connection 1: sent close 1000 "([^"]+)", received close 1000 "\1"$' "$1/server sees our close and its reason"
    says server '^connection 1: text of 0$' "$1/server receives an empty text"
    for length in 1 125 126 65535 65536 16777216; do
        says server "^connection 1: binary of $length\$" "$1/server receives a binary of $length"
    done
    if [[ $1 == ws ]]; then
        says server '^connection 1: ping of [0-9]+$' "$1/server receives our pings"
    fi
    connect 0 fragments "$1/server whole scenario, echoed in fragments with pings between"
    says server '^connection 2: ([0-9]+) of \1 pings answered$' "$1/server all its pings are answered"
    for close in 1000/done 1011/broken 4999/own; do
        connect 1 "close/$close" "$1/server closes at once with $close"
        close="${close/\// \"}\""
        says err "^the peer closed the connection: $close\$" "$1/server our report of its close $close"
        says server "^connection [0-9]+: sent close $close, received close $close\$" "$1/server its close $close is answered"
    done
    stop
}

for peer in websockets ws; do
    peer_as_client "$peer"
    peer_as_server "$peer"
done

conclude "$CHECKS"
