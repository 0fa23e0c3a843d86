#!/usr/bin/env bash
# The programs of examples/net: formatted, without warnings, tested, and `console` against real servers over 127.0.0.1: one
# line a check, and at the end `N passed, N failed`.
#
# The servers are PyPI `websockets` and `aiohttp` and npm `ws`, as pinned in ci/interop/, Debian's Protocol::WebSocket for Perl
# and libwebsockets' test server, and `server_tokio`.
set -euo pipefail
cd "$(dirname "$0")/.."

# How many checks there are.
readonly CHECKS=25

export CARGO_TERM_COLOR=never

package=(--manifest-path examples/net/Cargo.toml --locked)
cargo fmt --manifest-path examples/net/Cargo.toml --check
cargo clippy "${package[@]}" --quiet --all-targets -- -D warnings
source ci/interop/checks.sh
cargo test "${package[@]}" </dev/null | tee "$logs/tests"
grep -qE '^test result: ok\. [1-9][0-9]* passed' "$logs/tests" || { echo "no test of examples/net has run"; exit 1; }

cargo build "${package[@]}" --quiet
target=$(cargo metadata "${package[@]}" --no-deps --format-version 1 | sed -E 's/.*"target_directory":"([^"]*)".*/\1/')
console=$target/debug/console

source ci/interop/install.sh
declare -A SERVER=([websockets]="$PYTHON ci/interop/server.py" [ws]="node ci/interop/server.js")

# check WHAT COMMAND...: reports one check, passed when the command is.
check() {
    local status=0
    "${@:2}" || status=$?
    verdict "$status" "$1"
    ((status == 0)) || tail -n 5 "$logs"/{server,out,err} | cut -c 1-200
}

# console STATUS OPTION... URL: runs the program on $logs/in; its exit status is to be STATUS.
console() {
    local status=0
    timeout 30 "$console" "${@:2}" <"$logs/in" >"$logs/out" 2>"$logs/err" || status=$?
    ((status == $1))
}

# echoed OPTION... URL: sends $logs/lines, and ends the input once all of it has come back: a server need not send what it
# still has when it reads a close frame.
echoed() {
    local status=0
    mkfifo "$logs/fifo"
    timeout 30 "$console" "$@" <"$logs/fifo" >"$logs/out" 2>"$logs/err" &
    exec 8>"$logs/fifo"
    rm "$logs/fifo"
    cat "$logs/lines" >&8
    for _ in {1..100}; do
        if cmp -s "$logs/lines" "$logs/out"; then break; fi
        sleep 0.05
    done
    exec 8>&-
    wait $! || status=$?
    ((status == 0)) && cmp "$logs/lines" "$logs/out"
}

# says FILE PATTERN: a line of the file, which may still be on its way, is to match the extended expression.
says() {
    for _ in {1..50}; do
        if grep -qE -- "$2" "$logs/$1"; then return; fi
        sleep 0.1
    done
    return 1
}

for peer in websockets ws; do
    start ${SERVER[$peer]}
    : >"$logs/in"
    check "$peer: nothing is sent, and the connection closed" console 0 "$url"
    check "$peer: the server sees 1000" says server '^connection 1: sent close 1000 "", received close 1000 ""$'
    printf 'one\n\ngrößer 😀\n%070000d\n' 7 >"$logs/lines"
    check "$peer: every byte of the lines is echoed" echoed "$url"
    check "$peer: the same, compressed" echoed --deflate --hex "$url"
    check "$peer: frames were compressed" grep -qE '^< c1' "$logs/err"
    check "$peer: the same in fragments with pings between" echoed "${url}fragments"
    if [[ $peer == websockets ]]; then
        check "$peer: all its pings are answered" says server '^connection 4: ([0-9]+) of \1 pings answered$'
    fi
    # From here on standard input stays open.
    rm "$logs/in"
    mkfifo "$logs/in"
    exec 9<>"$logs/in"
    check "$peer: a close by the server ends with status 1" console 1 "${url}close/1011/broken"
    check "$peer: and says its code and reason" grep -qE '^the server closed the connection: 1011 .*"broken"$' "$logs/err"
    # `timeout` has status 124 whatever the program says, so that what the server saw is asked.
    timeout -s TERM 1 "$console" "$url" <"$logs/in" >"$logs/out" 2>"$logs/err" || true
    check "$peer: SIGTERM closes with 1001" says server '^connection [0-9]+: sent close 1001 "", received close 1001 ""$'
    exec 9>&-
    rm "$logs/in"
    stop
done

perl -MProtocol::WebSocket -e 1 2>/dev/null && command -v libwebsockets-test-server >/dev/null || {
    apt-get update -qq
    apt-get install -qqy --no-install-recommends libprotocol-websocket-perl libwebsockets-test-server
}
printf 'one\n\ngrößer 😀\n' >"$logs/lines"
start "$PYTHON" ci/interop/aiohttp_server.py
check "aiohttp: every byte of the lines is echoed" echoed "$url"
check "aiohttp: the same, compressed" echoed --deflate "$url"
stop
start perl ci/interop/echo_server.pl
check "Protocol::WebSocket: every byte of the lines is echoed" echoed "$url"
stop
start "$target/debug/server_tokio" --listen 127.0.0.1:0
check "server_tokio: every byte of the lines is echoed" echoed "$url"
check "server_tokio: the same, compressed" echoed --deflate "$url"
stop
# libwebsockets takes no port 0, says nothing when it listens, and mirrors no empty message.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
libwebsockets-test-server --interface lo --port="$port" >"$logs/server" 2>&1 </dev/null &
server=$!
for _ in {1..50}; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    sleep 0.1
done
printf 'one\ngrößer 😀\n' >"$logs/lines"
check "libwebsockets: every byte of the lines is mirrored" \
    echoed --protocol lws-mirror-protocol "ws://127.0.0.1:$port/"
stop

echo "$passed passed, $failed failed"
# A check that never ran must not pass.
((failed == 0 && passed == CHECKS)) || { echo "$CHECKS checks were to pass"; exit 1; }
