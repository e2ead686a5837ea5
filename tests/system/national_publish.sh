#!/usr/bin/env bash
# A small synthetic country on real processes: every planted error comes back with its code, and the same files again change
# nothing (tests/national/publish.sh; its full size is run by hand).
set -euo pipefail
cd "$(dirname "$0")/../.."
said=$(mktemp)
trap 'rm -f "$said"' EXIT
if ! tests/national/publish.sh 2000 6 > "$said" 2>&1; then
	cat "$said" >&2
	echo "0%: Checks: 2, Failures: 1, Errors: 0"
	exit 1
fi
cat "$said"
echo "100%: Checks: 2, Failures: 0, Errors: 0"
