#!/usr/bin/env bash
# Injects every fault for real and prints what came of it as a table. UPDATE=1: into tests/README.md, between its two marks, besides.
# usage: BUILD=build [UPDATE=1] tests/drill/drill.sh PROGRAM...
set -eu -o pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
. tests/drill/into_readme.sh
first='<!-- fault table: make drill UPDATE=1 -->'
last='<!-- end of the fault table -->'
export CPIS_DRILL_ROWS=$PWD/$BUILD/drill.rows
table=$BUILD/drill.md
rm -f "$CPIS_DRILL_ROWS" "$table"

tests/run.sh "$@" | tee "$BUILD/drill.log"

# Each test writes a row: a table that lacks one would claim less than it seems to.
rows=$(wc -l < "$CPIS_DRILL_ROWS")
checks=$(awk 'END { print $(NF - 1) }' "$BUILD/drill.log")
if [ "$rows" -ne "$checks" ]; then
	echo "drill: $checks faults were rehearsed and $rows rows were written" >&2
	exit 1
fi
{
	echo '| fault | how it was made | what the peer sees | what the operator sees | recovery | lost |'
	echo '| --- | --- | --- | --- | --- | --- |'
	sort -n "$CPIS_DRILL_ROWS" | sed 's/^[0-9]* //'
} > "$table"
cat "$table"

if [ -n "${UPDATE:-}" ]; then
	into_readme "$first" "$last" "$table"
fi
