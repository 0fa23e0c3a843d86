#!/usr/bin/env bash
# Checks that the modules of src/ use only modules below them (ARCHITECTURE.md), and that no line there is too long.
set -euo pipefail
cd "$(dirname "$0")/.."

for check in layers widths; do
    python3 "ci/$check.py" --self-check
    python3 "ci/$check.py" src
done
