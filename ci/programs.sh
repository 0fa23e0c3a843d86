#!/usr/bin/env bash
# The programs of examples/net: formatted, without warnings, tested, and `console` against real servers over 127.0.0.1: one
# line a check, and at the end `N passed, N failed`.
#
# The servers are PyPI `websockets` and npm `ws`, as pinned in ci/interop/.
set -euo pipefail
cd "$(dirname "$0")/.."

# How many checks there are.
readonly CHECKS=19

export CARGO_TERM_COLOR=never

package=(--manifest-path examples/net/Cargo.toml --locked)
cargo fmt --manifest-path examples/net/Cargo.toml --check
cargo clippy "${package[@]}" --quiet --all-targets -- -D warnings
tests=$(mktemp)
logs=$(mktemp -d)
server=
trap 'stop; rm -rf "$tests" "$logs"' EXIT
cargo test "${package[@]}" </dev/null | tee "$tests"
grep -qE '^test result: ok\. [1-9][0-9]* passed' "$tests" || { echo "no test of examples/net has run"; exit 1; }

cargo build "${package[@]}" --quiet
target=$(cargo metadata "${package[@]}" --no-deps --format-version 1 | sed -E 's/.*"target_directory":"([^"]*)".*/\1/')
console=$target/debug/console

source ci/interop/install.sh
declare -A SERVER=([websockets]="$PYTHON ci/interop/server.py" [ws]="node ci/interop/server.js")
passed=0
failed=0

stop() {
    if [[ -n $server ]]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    fi
}

# start COMMAND...: starts a server, its output in $logs/server, and sets `url` to where it listens.
start() {
    : >"$logs/server"
    timeout 120 "$@" >>"$logs/server" 2>&1 </dev/null &
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

# check WHAT COMMAND...: reports one check, passed when the command is.
check() {
    if "${@:2}"; then
        passed=$((passed + 1))
        echo "ok $1"
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        tail -n 5 "$logs"/{server,out,err} | cut -c 1-200
    fi
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

echo "$passed passed, $failed failed"
# A check that never ran must not pass.
((failed == 0 && passed == CHECKS)) || { echo "$CHECKS checks were to pass"; exit 1; }
