#!/usr/bin/env bash
# Checks that the modules of src/ use only modules below them (ARCHITECTURE.md).
set -euo pipefail
cd "$(dirname "$0")/.."

python3 ci/layers.py --self-check
python3 ci/layers.py src
