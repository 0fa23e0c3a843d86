#!/usr/bin/env bash
# Runs the Autobahn|Testsuite against examples/echo, as a server and as a client, with permessage-deflate. Every case
# has to be OK and to close OK; NON-STRICT does not pass, and the suite judges nobody in 7.1.6, 7.13.1 and 7.13.2.
#
#   ci/autobahn.sh          sections 1 to 7, 9 and 10, under a minute behind the installation
#   ci/autobahn.sh --all    12 and 13, compression, too: a quarter of an hour; writes docs/conformance.md
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
--all) excluded='' cases=517 seconds=3000 document=docs/conformance.md ;;
'') excluded='"12.*", "13.*"' cases=301 seconds=300 document=target/autobahn/conformance.md ;;
*)
    sed -n '2,/^set/{/^#/p}' "$0"
    exit 2
    ;;
esac

source ci/autobahn/install.sh
cargo build --quiet --locked --release --features deflate --example echo
readonly ECHO=target/release/examples/echo

out=$(mktemp -d)
background=
trap 'stop; rm -rf "$out"' EXIT

stop() {
    if [[ -n $background ]]; then
        kill "$background" 2>/dev/null || true
        wait "$background" 2>/dev/null || true
        background=
    fi
}

# start LOG COMMAND...: starts a server and sets `url` to where it listens.
start() {
    "${@:2}" >"$1" 2>&1 </dev/null &
    background=$!
    for _ in {1..100}; do
        url=$(sed -n 's/^listening on //p' "$1")
        if [[ -n $url ]]; then return; fi
        sleep 0.1
    done
    echo "FAILED: ${*:2} does not listen"
    tail -n 20 "$1"
    exit 1
}

# spec ROLE FIELD: what wstest is to do, and where it leaves its report.
spec() {
    mkdir "$out/$1"
    printf '{%s, "outdir": "%s", "cases": ["*"], "exclude-cases": [%s], "exclude-agent-cases": {}}\n' \
        "$2" "$out/$1" "$excluded" >"$out/$1.json"
}

our_server() {
    start "$out/echo.log" "$ECHO" --listen 127.0.0.1:0
    spec server "\"servers\": [{\"agent\": \"websocket-wire\", \"url\": \"$url\"}]"
    timeout "$seconds" "${WSTEST[@]}" --mode fuzzingclient --spec "$out/server.json" >"$out/wstest.log" 2>&1 </dev/null ||
        tail -n 20 "$out/wstest.log"
    # The end of a connection is reported as it comes; a panic would be another line.
    if grep -n panicked "$out/echo.log"; then exit 1; fi
    stop
}

our_client() {
    local case status port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    spec client "\"url\": \"ws://127.0.0.1:$port\""
    start "$out/wstest.log" timeout "$seconds" "${WSTEST[@]}" --mode fuzzingserver --webport 0 --spec "$out/client.json"
    for ((case = 1; case <= cases; case++)); do
        status=0
        timeout 300 "$ECHO" --mirror "${url}runCase?case=$case&agent=websocket-wire" --offer "" \
            >"$out/echo.log" 2>&1 </dev/null || status=$?
        # 1 is an error that the server has provoked, and the report says whether it had to be; more is no verdict.
        if ((status > 1)); then
            echo "FAILED: the client ended with status $status"
            tail -n 20 "$out/echo.log"
            exit 1
        fi
    done
    "$ECHO" --mirror "${url}updateReports?agent=websocket-wire" >/dev/null </dev/null
    stop
}

our_server
our_client

revision=$(git rev-parse --short HEAD)
# Of what is tested: the document itself may have changed.
git diff --quiet HEAD -- src examples Cargo.toml || revision="$revision, changed"
python3 ci/autobahn/report.py --cases "$cases" --date "$(date -u +%F)" --revision "$revision" \
    --command "ci/autobahn.sh${*:+ $*}" --out "$document" "$out/server/index.json" "$out/client/index.json"
