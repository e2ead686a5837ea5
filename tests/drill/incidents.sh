#!/usr/bin/env bash
# Rehearses every incident, as root: those of `cpis drill`, and the loss of the database's primary under load in the cluster of
# tests/cluster. Prints the table and keeps the report in build/drill-report.json. UPDATE=1: the table into tests/README.md besides.
# usage: BUILD=build [UPDATE=1] tests/drill/incidents.sh
set -eu -o pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
. tests/drill/into_readme.sh
primary=$BUILD/drill-primary.json
started=$(date -u +%FT%T.000Z)

FAULTS=kill-primary ROUNDS=1 PAUSE_S=5 tests/cluster/rounds.sh | tee "$BUILD/drill-primary.log"
# What tests/cluster/load printed: nobody answered for, the longest wait, requests, attempts, answered, retried, failed, records,
# notifications, plans, lost, doubled.
/usr/bin/python3 - "$started" "$BUILD/drill-primary.log" > "$primary" << 'END'
import json
import re
import sys

line = next(line for line in open(sys.argv[2], encoding="utf-8") if line.startswith("kill-primary, round 1"))
numbers = [int(word) for word in re.search(r": ([\d ]+)$", line.strip()).group(1).split()]
gap, wait, requests, attempts, answered, retried, failed, records, notifications, plans, lost, doubled = numbers
json.dump({"exercises": [{
    "started": sys.argv[1], "exercise": "primary-lost", "severity": 2,
    "title": "The database's primary is killed, under load", "steps": "Patroni; nothing to contain; another primary, by itself",
    "outcome": "passed" if answered == requests and failed == lost == doubled == 0 else "failed",
    "detect_ms": None, "contain_ms": None, "recover_ms": gap, "requests": requests, "failed_requests": failed, "longest_ms": wait,
    "note": f"three brokers before three PostgreSQL; {retried} requests were sent again; lost {lost}, done twice {doubled}"}]}, sys.stdout)
END

code=0
"$BUILD/cpis" drill --policy broker/policy.yaml --also "$primary" --report "$BUILD/drill-report.json" > "$BUILD/incidents.md" || code=$?
cat "$BUILD/incidents.md"
[ "$code" = 0 ]
if [ -n "${UPDATE:-}" ]; then
	into_readme '<!-- incident table: make drill UPDATE=1 -->' '<!-- end of the incident table -->' "$BUILD/incidents.md"
fi
