#!/usr/bin/env bash
# Moves a store of a country's size from SQLite into a PostgreSQL 15 of its own while its broker is asked, at the lowest priority, and
# prints what each pass and the finish took (tests/bench/bench_move.c). The rows are made up and sealed with nothing; the log is a real one.
#
# usage: tests/national/move.sh [PLANS [RECORDS [PASSES]]]     (250000, 1000000, 3); run from anywhere, with $BUILD or build/
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
make --no-print-directory BUILD="$BUILD" programs "$BUILD/tests/bench/bench_move"
echo "$(date -u +%FT%TZ), $(nproc) processors, load average $(cut -d' ' -f1-3 /proc/loadavg)"
exec nice -n 19 "$BUILD/tests/bench/bench_move" "${1:-250000}" "${2:-1000000}" "${3:-3}"
