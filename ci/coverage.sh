#!/usr/bin/env bash
# Every row of docs/coverage.md names a test or an example that exists, or why it is out.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 ci/coverage.py --self-check
python3 ci/coverage.py .
