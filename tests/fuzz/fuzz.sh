#!/usr/bin/env bash
# Runs the fuzz harnesses that `make fuzz` has built, two at a time (JOBS=n), from the root.
#
# usage: tests/fuzz/fuzz.sh replay [HARNESS...]       the corpora alone, and the line coverage that they reach
#        tests/fuzz/fuzz.sh run SECONDS [HARNESS...]  the same, then so many seconds of each
#        tests/fuzz/fuzz.sh merge [HARNESS...]        what was found in runs goes into the corpora, and what is needless leaves them
#
# A harness is a word: envelope is tests/fuzz/fuzz_envelope.c. Exit code 1: something was found, or a decoder is covered less than
# tests/fuzz/decoders.txt says. Everything that is made lies in build/fuzz/work.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=build/fuzz
work=$build/work
jobs_max=${JOBS:-2}
# The slowest input of the corpora takes a tenth of a second; the broker may have 1 GiB under these sanitizers.
export ASAN_OPTIONS=${ASAN_OPTIONS:-malloc_context_size=8:quarantine_size_mb=32}
limits=(-timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256)

usage() {
	sed -n '4,6s/^# *//p' "$0" >&2
	exit 2
}

[[ $# -ge 1 ]] || usage
mode=$1
shift
seconds=0
case $mode in
replay | merge) ;;
run)
	[[ ${1:-} =~ ^[1-9][0-9]*$ ]] || usage
	seconds=$1
	shift
	;;
*) usage ;;
esac
harnesses=("$@")
if [[ $# -eq 0 ]]; then
	for source in tests/fuzz/fuzz_*.c; do
		name=${source##*/fuzz_}
		harnesses+=("${name%.c}")
	done
fi
for name in "${harnesses[@]}"; do
	if [[ ! -x $build/tests/fuzz/fuzz_$name ]]; then
		echo "fuzz: there is no $build/tests/fuzz/fuzz_$name: is it one of tests/fuzz/fuzz_*.c, and has \`make fuzz-built\` run?" >&2
		exit 2
	fi
	mkdir -p "tests/fuzz/corpus/$name" "$work/$name/found"
done

# In memory, where there is that: harnesses make databases by the thousand.
CPIS_FUZZ_SCRATCH=$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo /tmp)" cpis-fuzz-XXXXXX)
export CPIS_FUZZ_SCRATCH
trap 'rm -rf "$CPIS_FUZZ_SCRATCH"' EXIT

# One harness into its log. Its exit code says whether it has found something.
fuzz_one() {
	local name=$1 profile=$2 code=0
	shift 2
	local dictionary=()
	[[ ! -e tests/fuzz/dict/$name.dict ]] || dictionary=("-dict=tests/fuzz/dict/$name.dict")
	LLVM_PROFILE_FILE=$profile "$build/tests/fuzz/fuzz_$name" "${limits[@]}" "${dictionary[@]}" -print_final_stats=1 -close_fd_mask=1 \
		-artifact_prefix="$work/$name/" "$@" > "$work/$name/log" 2>&1 < /dev/null || code=$?
	if [[ $code -ne 0 ]]; then
		local input
		input=$(sed -n 's/.*Test unit written to //p' "$work/$name/log" | tail -1)
		echo "fuzz: $name: FOUND, exit code $code; the last of its log, $work/$name/log:"
		tail -n 40 "$work/$name/log"
		[[ -z $input ]] || echo "fuzz: run it again: $build/tests/fuzz/fuzz_$name $input"
		return 1
	fi
	awk -v name="$name" '
		/^stat::number_of_executed_units:/ { runs = $2 }
		/^stat::peak_rss_mb:/ { rss = $2 }
		/^stat::slowest_unit_time_sec:/ { slowest = $2 }
		{ for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
		{ for (i = 1; i < NF; i++) if ($i == "corp:") corpus = $(i + 1) }
		END { printf "fuzz: %-13s ok  %9d inputs, %5d edges, corpus %s, %d MiB, slowest %d s\n", name, runs, edges, corpus, rss, slowest }
	' "$work/$name/log"
}

# Each as a job: name, then the arguments behind the profile's path. Nothing found: 0.
all() {
	local failed=0 what=$1 name
	for name in "${harnesses[@]}"; do
		while [[ $(jobs -rp | wc -l) -ge $jobs_max ]]; do
			wait -n || failed=1
		done
		if [[ $what == replay ]]; then
			fuzz_one "$name" "$work/$name/profraw" -runs=0 "tests/fuzz/corpus/$name" &
		else
			fuzz_one "$name" /dev/null -max_total_time="$seconds" "$work/$name/found" "tests/fuzz/corpus/$name" &
		fi
	done
	while [[ $(jobs -p | wc -l) -gt 0 ]]; do
		wait -n || failed=1
	done
	return $failed
}

coverage() {
	local name objects=() profiles=()
	for name in "${harnesses[@]}"; do
		objects+=(-object "$build/tests/fuzz/fuzz_$name")
		profiles+=("$work/$name/profraw")
	done
	llvm-profdata merge -sparse -o "$work/profdata" "${profiles[@]}"
	llvm-cov export -summary-only -instr-profile="$work/profdata" "${objects[@]}" > "$work/coverage.json"
	python3 tests/fuzz/coverage.py "$work/coverage.json" tests/fuzz/decoders.txt "${harnesses[@]}"
}

# The fewest that reach every edge: how often one is passed makes no difference to a replay.
merge() {
	local name
	for name in "${harnesses[@]}"; do
		rm -rf "$work/$name/merged"
		mkdir "$work/$name/merged"
		LLVM_PROFILE_FILE=/dev/null "$build/tests/fuzz/fuzz_$name" "${limits[@]}" -set_cover_merge=1 \
			-use_counters=0 "$work/$name/merged" \
			"tests/fuzz/corpus/$name" "$work/$name/found" > "$work/$name/log" 2>&1 || {
			tail -n 40 "$work/$name/log" >&2
			return 1
		}
		find "tests/fuzz/corpus/$name" -type f ! -name 'found-*' -delete
		mv "$work/$name/merged"/* "tests/fuzz/corpus/$name/"
		echo "fuzz: $name: $(find "tests/fuzz/corpus/$name" -type f | wc -l) inputs," \
			"$(du -sb --apparent-size "tests/fuzz/corpus/$name" | cut -f1) bytes"
	done
}

if [[ $mode == merge ]]; then
	merge
	exit
fi
all replay || exit 1
coverage
[[ $mode == replay ]] || all run
