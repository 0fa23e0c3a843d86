#!/usr/bin/env bash
# The echo server of examples/firmware on emulated microcontrollers, a Cortex-M3 and a 32-bit RISC-V, and the crates that it
# is compared with: every answer is checked, instructions are counted and must repeat. What is missing, it installs.
#
#   ci/firmware.sh            checks, and prints the table
#   ci/firmware.sh --update   writes the table to docs/firmware.md as well
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TARGETS=(thumbv7m-none-eabi riscv32imac-unknown-none-elf)
readonly CODECS=(websocket_wire embedded_websocket websocket_sans_io ws_framer)
# The workloads that every codec is asked for.
readonly WORKLOADS=8

case $* in
--update) update=1 ;;
'') update= ;;
*) echo "usage: ci/firmware.sh [--update]" >&2 && exit 2 ;;
esac

have_qemu() {
    command -v qemu-system-arm >/dev/null && command -v qemu-system-riscv32 >/dev/null
}

# QEMU as the distribution has it; or from its backports, which lie on the same site, where that conflicts with what is
# installed.
install_qemu() {
    local packages=(qemu-system-arm qemu-system-misc)
    apt-get update -qq && apt-get install -qqy --no-install-recommends "${packages[@]}" && return
    local codename site list
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Codename: $codename" | sed -n 1p)
    list=$(mktemp --suffix=.list)
    echo "deb $site $codename-backports main" >"$list"
    apt-get -o Dir::Etc::sourcelist="$list" update -qq &&
        apt-get -o Dir::Etc::sourcelist="$list" install -qqy --no-install-recommends -t "$codename-backports" "${packages[@]}"
}

if ! have_qemu && ! install_qemu >/dev/null 2>&1; then
    echo "SKIPPED: apt-get cannot install qemu-system-arm and qemu-system-misc"
    exit 0
fi
if ! rustup target add "${TARGETS[@]}" >/dev/null 2>&1; then
    echo "SKIPPED: rustup cannot install the targets ${TARGETS[*]}"
    exit 0
fi

out=$PWD/examples/firmware/target/report
rm -rf "$out"
mkdir -p "$out"

# build FEATURES OPTION...: every firmware, for both machines, to $out/FEATURES/.
build() {
    local target codec
    for target in "${TARGETS[@]}"; do
        (cd examples/firmware && cargo build --quiet --locked --release --target "$target" "${@:2}")
        mkdir -p "$out/$1/$target"
        for codec in none "${CODECS[@]}"; do
            cp "examples/firmware/target/$target/release/$codec" "$out/$1/$target/"
        done
    done
}

# emulate TARGET: sets `machine` to the command that runs a firmware, up to the file.
emulate() {
    case $1 in
    # 1024 ns an instruction: what the count of instructions by a timer takes for granted.
    thumb*) machine=(qemu-system-arm -machine mps2-an385 -icount "shift=10,sleep=off") ;;
    riscv*) machine=(qemu-system-riscv32 -machine virt -bios none -icount "shift=0,sleep=off") ;;
    esac
    machine+=(-display none -monitor none)
}

# start FIRMWARE WORD OPTION...: runs it; what it prints comes on standard error.
start() {
    timeout 60 "${machine[@]}" "${@:3}" -semihosting-config "enable=on,target=native,arg=firmware,arg=$2" -kernel "$1"
}

checks=0

# expect STATUS WHAT: compares the status of the command before.
expect() {
    local status=$?
    if ((status != $1)); then
        echo "FAILED: $2: exit status $status, not $1"
        exit 1
    fi
    echo "ok $2"
    checks=$((checks + 1))
}

# answers TARGET CODEC: the script, twice, with the same figures.
answers() {
    local firmware=$out/handshake/$1/$2 figures=$out/$1-$2.tsv
    set +e
    start "$firmware" script -serial none 2>"$figures" && start "$firmware" script -serial none 2>"$figures.again"
    expect 0 "$1 $2: answers the script"
    cmp "$figures" "$figures.again" && (($(grep -c $'\t' "$figures") >= WORKLOADS))
    expect 0 "$1 $2: the same figures again"
    set -e
}

build frames --no-default-features
build handshake
for target in "${TARGETS[@]}"; do
    emulate "$target"
    for codec in "${CODECS[@]}"; do
        answers "$target" "$codec"
    done
    set +e
    start "$out/handshake/$target/websocket_wire" corrupt -serial none 2>/dev/null
    expect 1 "$target websocket_wire: one wrong byte is found"
    start "$out/handshake/$target/none" script -serial none 2>/dev/null
    expect 1 "$target none: no codec does not pass"
    set -e
done

# serves STATUS CODEC: one client over the serial port of $target.
serves() {
    timeout 100 "$PYTHON" ci/firmware/peer.py "${machine[@]}" -serial stdio \
        -semihosting-config "enable=on,target=native,arg=firmware,arg=serial" -kernel "$out/handshake/$target/$2" 2>"$out/serial.log"
    expect "$1" "$target $2: PyPI websockets over the serial port, exit status $1"
}

source ci/interop/install.sh
for target in "${TARGETS[@]}"; do
    emulate "$target"
    set +e
    serves 0 websocket_wire
    serves 1 none
    set -e
done

python3 ci/firmware/report.py "$out" "${TARGETS[*]}" "${CODECS[*]}" >"$out/table.md"
cat "$out/table.md"
if [[ $update ]]; then
    {
        sed '/<!-- figures -->/q' docs/firmware.md
        echo
        echo "$(date -u +%F), revision $(git describe --always --dirty --exclude '*'), $(rustc --version | cut -d' ' -f1,2)," \
            "$(qemu-system-arm --version | sed -n '1s/ *(.*//p'); \`ci/firmware.sh --update\`."
        echo
        cat "$out/table.md"
    } >"$out/firmware.md"
    cp "$out/firmware.md" docs/firmware.md
fi
echo "ci/firmware.sh: $checks checks passed, in $SECONDS s"
