#!/usr/bin/env bash
# House rules that a machine can hold: exits 1 and names file:line for each violation. Outliers in size are
# listed, not failed. The rules themselves are in lint.py beside this file.
set -eu
cd "$(dirname "$0")/../.."
exec python3 tests/lint/lint.py
