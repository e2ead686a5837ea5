#!/usr/bin/env bash
# Runs the benchmarks one after the other: a text report on the terminal, JSON in $BUILD/bench.json.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
echo "cpis bench: $(nproc) processors, $(uname -r), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
"$BUILD/tests/bench/bench_query" "$BUILD/bench.json"
echo "JSON: $BUILD/bench.json"
