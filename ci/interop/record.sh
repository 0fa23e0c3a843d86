#!/usr/bin/env bash
# Records the sessions of tests/vectors/captures/ anew (see the README there). Run by hand, not in CI.
set -euo pipefail
cd "$(dirname "$0")/../.."

source ci/interop/install.sh
timeout 120 "$PYTHON" ci/interop/record.py tests/vectors/captures
