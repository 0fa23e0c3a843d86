# Sourced from the repository root: installs the Autobahn|Testsuite under target/autobahn/suite and sets WSTEST.
#
# The suite needs Python 2.7, of which Debian 11 was the last release to have packages. They are unpacked there, not
# installed, with a list of sources of their own, so that the machine's own packages stay as they are.

readonly SUITE=$PWD/target/autobahn/suite
readonly PYTHON2=$SUITE/python2.7
readonly PYTHON2_PACKAGES=(
    python2.7 python2.7-minimal python2.7-dev libpython2.7 libpython2.7-minimal libpython2.7-stdlib libpython2.7-dev
    libssl1.1 libffi7
)
WSTEST=("$PYTHON2" -u ci/autobahn/wstest.py)

# need COMMAND PACKAGE...: Debian's packages by name, for a machine that lacks a command.
need() {
    command -v "$1" >/dev/null || { apt-get update -qq && apt-get install -qqy --no-install-recommends "${@:2}"; }
}

unpack_python2() {
    local apt=$SUITE/apt root=$SUITE/root package site
    mkdir -p "$apt/lists/partial" "$apt/packages" "$root"
    [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || apt-get install -qqy debian-archive-keyring
    # The site that the machine's own packages of Debian come from.
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' | sed -n 1p)
    [[ $site ]] || { echo "apt has no list of Debian's packages" >&2 && return 1; }
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site bullseye main" >"$apt/sources.list"
    local options=(
        -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root
    )
    apt-get "${options[@]}" -qq update
    (cd "$apt/packages" && apt-get "${options[@]}" -qq download "${PYTHON2_PACKAGES[@]}")
    for package in "$apt"/packages/*.deb; do
        dpkg -x "$package" "$root"
    done
    rm -rf "$apt"
}

install_suite() {
    local root=$SUITE/root libraries
    libraries=$root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
    python3 -m venv "$SUITE/boot"
    "$SUITE/boot/bin/pip" install --quiet --disable-pip-version-check virtualenv==20.21.1
    export LD_LIBRARY_PATH=$libraries CPATH=$root/usr/include/python2.7:$root/usr/include
    "$SUITE/boot/bin/virtualenv" --quiet --python "$root/usr/bin/python2.7" "$SUITE/venv"
    # Two of them are compiled: without them the suite itself would take most of the time.
    "$SUITE/venv/bin/pip" install --quiet --no-deps -r ci/autobahn/requirements.txt 2>&1 | (grep -v DEPRECATION || true)
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/venv/bin/python2.7 "$@"\n' "$libraries" "$SUITE" >"$PYTHON2"
    chmod +x "$PYTHON2"
}

# What makes it is the stamp: another pin installs anew.
if ! cat ci/autobahn/requirements.txt ci/autobahn/install.sh | cmp -s - "$SUITE/installed"; then
    need python3 python3 python3-venv
    need cc gcc libc6-dev
    need dpkg-architecture dpkg-dev
    rm -rf "$SUITE"
    (unpack_python2)
    (install_suite)
    "${WSTEST[@]}" --autobahnversion
    cat ci/autobahn/requirements.txt ci/autobahn/install.sh >"$SUITE/installed"
fi
