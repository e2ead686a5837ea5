#!/usr/bin/env bash
# Runs the benchmarks one after the other: a text report on the terminal, JSON in $BUILD/bench.json.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
echo "cpis bench: $(nproc) processors, $(uname -r), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
"$BUILD/tests/bench/bench_decision" "$BUILD/bench-decision.json"
"$BUILD/tests/bench/bench_query" "$BUILD/bench-query.json"
"$BUILD/tests/bench/bench_audit" "$BUILD/bench-audit.json"
"$BUILD/tests/bench/bench_verify" "$BUILD/bench-verify.json"
"$BUILD/tests/bench/bench_publication" "$BUILD/bench-publication.json"
"$BUILD/tests/bench/bench_detection" "$BUILD/bench-detection.json"
python3 - "$BUILD/bench.json" "$BUILD/bench-query.json" "$BUILD/bench-decision.json" "$BUILD/bench-audit.json" "$BUILD/bench-verify.json" \
	"$BUILD/bench-publication.json" "$BUILD/bench-detection.json" << 'END'
import json
import sys
reports = [json.load(open(path, encoding="utf-8")) for path in sys.argv[2:]]
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump({"rows": [row for report in reports for row in report["rows"]]}, file, indent=2)
END
echo "JSON: $BUILD/bench.json"
