# Sourced from the repository root: installs the peers under target/interop/ and sets PYTHON and NODE_PATH for them.

# Debian's packages by name, for a machine that lacks a command.
need() {
    command -v "$1" >/dev/null || { apt-get update -qq && apt-get install -qqy --no-install-recommends "${@:2}"; }
}

need python3 python3 python3-venv
need node nodejs npm

PYTHON=$PWD/target/interop/venv/bin/python
export NODE_PATH=$PWD/target/interop/node_modules

# The pinned versions are the stamp: another pin installs anew.
if ! cat ci/interop/requirements.txt ci/interop/package.json | cmp -s - target/interop/installed; then
    rm -rf target/interop
    mkdir -p target/interop
    python3 -m venv target/interop/venv
    timeout 300 "$PYTHON" -m pip install --quiet --disable-pip-version-check -r ci/interop/requirements.txt
    cp ci/interop/package.json target/interop/
    (cd target/interop && timeout 300 npm install --silent --no-audit --no-fund --ignore-scripts)
    cat ci/interop/requirements.txt ci/interop/package.json >target/interop/installed
fi
