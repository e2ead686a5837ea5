#!/usr/bin/env bash
# Starts the peers, runs the benchmarks one after the other, and reports: text on the terminal and in $BUILD/bench.txt, JSON in
# $BUILD/bench.json (bench_ENGINE with an engine). Whatever happens, peers and files are gone afterwards.
#
#   CPIS_BENCH_QUICK=1   the most important rows only, within a minute
#   CPIS_BENCH_ENGINE=postgres   brokers before a PostgreSQL, in place of everything else
#   CPIS_BENCH_FULL=1    also what takes longer than the ten minutes that the whole is bounded to otherwise
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/bench/peers.sh
export BUILD=${BUILD:-build}
quick=${CPIS_BENCH_QUICK:-} full=${CPIS_BENCH_FULL:-} engine=${CPIS_BENCH_ENGINE:-}
if [[ -n $engine && $engine != postgres ]]; then
	echo "bench: there is no engine '$engine': say postgres, or leave it out" >&2
	exit 2
fi
# The reports of several engines stand side by side.
report=$BUILD/bench${engine:+_$engine}
# The peer's cluster lies on the file system that the broker's store is on, or the two could not be compared.
directory=$(mktemp -d /tmp/cpis-bench-XXXXXX)
running=
finish() {
	local code=$?
	trap - EXIT
	if [[ -n $running ]]; then
		kill -TERM "$running" 2> /dev/null || true
		wait "$running" || true
	fi
	peers_stop "$directory"
	rm -rf "$directory"
	[[ $code -eq 0 ]] || echo "bench: ended with exit code $code" >&2
	exit $code
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

environment() {
	echo "cpis bench, $(date -u +%FT%TZ), $(git rev-parse --short HEAD 2> /dev/null || echo unknown version)"
	echo "$(nproc) processors, shared with the load generator: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1); Linux $(uname -r)"
	echo "store and cluster on $(findmnt -n -o FSTYPE,SOURCE,OPTIONS -T "$directory"); load average $(cut -d' ' -f1-3 /proc/loadavg)"
	echo "$(dpkg-query -W -f='${Package} ${Version}\n' libzmq5 libssl3 libsodium23 libsqlite3-0 libprotobuf-c1 nats-server \
		postgresql-15 nginx 2> /dev/null | paste -sd ';' | sed 's/;/; /g')"
}

# Bounded in time, each and all of them together; a benchmark that is told to end takes its broker with it.
reports=()
whole_s=$([[ $full == 1 ]] && echo 9000 || echo 600)
run() {
	local name=$1 bound_s=$2 left_s=$((whole_s - SECONDS)) code=0
	shift 2
	echo
	echo "== $name"
	if [[ $left_s -lt 10 ]]; then
		echo "left out: the time is over"
		return
	fi
	timeout --kill-after=20 $((bound_s < left_s ? bound_s : left_s)) \
		"$BUILD/tests/bench/bench_$name" "$directory/$name.json" "$@" &
	running=$!
	wait "$running" || code=$?
	running=
	if [[ $code -eq 124 && $left_s -le $bound_s ]]; then
		echo "broken off: the time is over"
		return
	fi
	[[ $code -eq 0 ]] || { echo "bench: bench_$name failed, exit code $code (124: it took longer than $bound_s s)" >&2; exit 1; }
	reports+=("$directory/$name.json")
}

main() {
	environment
	if [[ $(findmnt -n -o FSTYPE -T "$directory") == tmpfs ]]; then
		echo "/tmp is memory: no figure below says anything about durable writes"
	fi
	environment > "$directory/environment"
	if [[ $engine == postgres ]]; then
		run postgres 300
		python3 tests/bench/report.py merge "$report.json" "$directory/environment" "${reports[@]}"
		echo "text: $report.txt  JSON: $report.json"
		return
	fi
	peers_start "$directory"
	run query $([[ $full == 1 ]] && echo 700 || echo 240) "$directory"
	if [[ $quick != 1 ]]; then
		run connections 120
		run latency 120
		run overload 120
		run inbox 60
		run sessions 120
		run publication $([[ $full == 1 ]] && echo 1800 || echo 120)
		run decision 60
		run core 60
		run verify $([[ $full == 1 ]] && echo 1200 || echo 90)
		run audit $([[ $full == 1 ]] && echo 1800 || echo 120)
		run detection 60
		run growth $([[ $full == 1 ]] && echo 3600 || echo 120)
	fi
	echo
	[[ ${#reports[@]} -gt 0 ]] || { echo "bench: nothing was measured in $whole_s s" >&2; exit 1; }
	python3 tests/bench/report.py merge "$report.json" "$directory/environment" "${reports[@]}"
	python3 tests/bench/report.py targets "$report.json"
	python3 tests/bench/report.py plots "$report.json" "$BUILD"
	echo "text: $report.txt  JSON: $report.json"
}

main > >(tee "$report.txt")
