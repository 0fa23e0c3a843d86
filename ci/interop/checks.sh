# Sourced: starts and stops servers, and counts checks. Their output goes to files in $logs.

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

# start COMMAND...: starts a server, its output in $logs/server, and sets `url` to where it listens.
start() {
    : >"$logs/server" # the one before has left its address here
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

# verdict STATUS WHAT: reports one check.
verdict() {
    if (($1 == 0)); then
        passed=$((passed + 1))
        echo "ok $2"
    else
        failed=$((failed + 1))
        echo "FAIL $2"
    fi
}

# count FILE: shows the checks that a peer has reported itself, and adds them.
count() {
    cat "$logs/$1"
    passed=$((passed + $(grep -c '^ok ' "$logs/$1" || true)))
    failed=$((failed + $(grep -c '^FAIL ' "$logs/$1" || true)))
}

# conclude CHECKS: a peer that ends early without a word must not pass, so that there have to be as many.
conclude() {
    echo "$passed passed, $failed failed"
    ((failed == 0 && passed >= $1)) || { echo "$1 checks were to pass"; exit 1; }
}
