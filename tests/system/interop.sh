#!/usr/bin/env bash
# Clients in C, Python and TypeScript: all of tests/vectors, and the same cases against the real broker and against one that lies. Prints
# a table of cases by clients.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec /usr/bin/python3 -B tests/interop/interop.py "${BUILD:-build}"
