#!/usr/bin/env bash
# The guides of clients/guides/, each in its world. GUIDES="operator ..." runs some of them, KEEP=1 keeps the worlds when one fails,
# SHOW=1 prints what each block of commands says.
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
build=$(realpath "${BUILD:-build}")
export PATH=$build:$repository/clients/hl7:$repository/clients/mesh:$PATH
export PYTHONPATH=$repository/clients/python:$build/python PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8 TZ=UTC
export GUIDES_TESTS=$repository/tests/guides
work=$(mktemp -d /tmp/cpis-guides-XXXXXX)
broker= checks=0

. tests/guides/world.sh

finish() {
	local code=$?
	world_stop
	if [ -n "${KEEP:-}" ] && [ "$code" != 0 ]; then
		echo "guides: the worlds are in $work" >&2
	else
		rm -rf "$work"
	fi
	exit "$code"
}
trap finish EXIT

# guide NAME [GUIDE-BEFORE]: runs it in the world that stands; the text may mention commands of the others.
guide() {
	local name=$1 other mentioned=() log=$work/$1.log
	shift
	for other in $all; do
		[ "$other" = "$name" ] || mentioned+=(--also-run "$repository/clients/guides/$other/README.md")
	done
	cd "$WORLD/reader"
	if ! "$repository/tests/guides/run.py" ${SHOW:+--print} --others "$repository/tests/guides/world.sh" "${mentioned[@]}" "$@" "$repository/clients/guides/$name/README.md" > "$log" 2>&1; then
		cat "$log"
		[ ! -s ../broker.log ] || tail -n 20 ../broker.log
		exit 1
	fi
	checks=$((checks + $(sed -n 's/^100%: Checks: \([0-9]*\),.*/\1/p' "$log")))
	cat "$log"
	cd "$repository"
}

all="unscheduled-care local-authority audit-reviewer operator"
joining=$repository/clients/guides/README.md
wanted=${GUIDES:-$all}

# What can be seen without running anything first, and that the runner sees what it should.
documents=("$joining")
for name in $all; do
	documents+=("$repository/clients/guides/$name/README.md")
done
tests/guides/run.py --check-only "${documents[@]}"
tests/guides/mutations.py "${documents[@]}" > "$work/mutations.log" 2>&1 || { cat "$work/mutations.log"; exit 1; }
checks=$(sed -n 's/^100%: Checks: \([0-9]*\),.*/\1/p' "$work/mutations.log")

if [ "$wanted" != operator ]; then
	KEEP=1 tests/demo/demo.sh > "$work/demo.log" 2>&1 || { cat "$work/demo.log"; exit 1; }
	demo=$(sed -n 's/^ *cd \(\/tmp\/cpis-demo-[A-Za-z0-9]*\)$/\1/p' "$work/demo.log")
	broker=$(sed -n 's/^ *kill \([0-9]*\); rm -r .*/\1/p' "$work/demo.log")
	world_stop
	mv "$demo" "$work/demo"
fi
for name in $wanted; do
	export WORLD=$work/$name
	world_"${name//-/_}"
	if [ "$name" = operator ]; then guide "$name"; else guide "$name" "$joining"; fi
	world_stop
done
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
