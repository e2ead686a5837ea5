#!/usr/bin/env bash
# Runs test programs and scripts, one line each, everything they print into $BUILD/test-logs.
# usage: BUILD=build tests/run.sh [lint] PROGRAM_OR_SCRIPT...     (JOBS=n at a time, 2 by default)
# What a sanitizer finds in any process of a test fails it, also in one that is killed or whose output nobody reads.
set -u
cd "$(dirname "$0")/.."
export BUILD=${BUILD:-build}
timeout_s=${TEST_TIMEOUT_S:-600}
jobs_max=${JOBS:-2}
logs=$(realpath -m "$BUILD")/test-logs
rm -rf "$logs"
mkdir -p "$logs"
# A test that hangs is ended; one that is slow on a busy machine, or with a sanitizer in it, is not. Check's own default is 4 s.
export CK_DEFAULT_TIMEOUT=${CK_DEFAULT_TIMEOUT:-60}
case $BUILD in
*/*) export CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-5} ;;
esac

# Adds up check's summary lines ("100%: Checks: 12, Failures: 0, Errors: 0"): checks, failures and errors.
count_checks() {
	awk 'match($0, /Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/) {
		split(substr($0, RSTART, RLENGTH), part, /[^0-9]+/)
		checks += part[2]; bad += part[3] + part[4]
	} END { print checks + 0, bad + 0 }' "$1"
}

run_one() {
	local name=$1 log=$2 started=$EPOCHREALTIME code=0
	local found=$log.found
	shift 2
	# TSan waits a second at each exit for threads that go on; ours are joined.
	TSAN_OPTIONS="log_path=$found suppressions=$PWD/tests/tsan.supp atexit_sleep_ms=0" \
	ASAN_OPTIONS="log_path=$found" LSAN_OPTIONS=print_suppressions=0 UBSAN_OPTIONS="log_path=$found print_stacktrace=1" \
		timeout --kill-after=10 "$timeout_s" "$@" > "$log" 2>&1 < /dev/null || code=$?
	local checks bad verdict=ok
	read -r checks bad < <(count_checks "$log")
	if [ "$code" -eq 124 ] || [ "$code" -eq 137 ]; then
		verdict="TIMEOUT"
	elif [ "$code" -ne 0 ] || [ "$bad" -ne 0 ]; then
		verdict="FAILED"
	elif compgen -G "$found.*" > /dev/null; then
		verdict="FAILED"
	elif [ "$name" != lint ] && [ "$checks" -eq 0 ]; then
		# A program that checked nothing has not passed.
		verdict="FAILED"
	fi
	local took
	took=$(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
	{
		printf '%-8s %6s s %5s checks  %s\n' "$verdict" "$took" "$checks" "$name"
		if [ "$verdict" != ok ]; then
			echo "---- $name exited with $code; its output:"
			cat "$log" "$found".* 2> /dev/null
			echo "---- end of $name"
		fi
	} > "$log.line"
	cat "$log.line"
	echo "$verdict $checks" > "$log.result"
}

for test in "$@"; do
	while [ "$(jobs -rp | wc -l)" -ge "$jobs_max" ]; do
		wait -n
	done
	if [ "$test" = lint ]; then
		run_one lint "$logs/lint.log" tests/lint/lint.sh &
	else
		name=${test#"$BUILD"/}
		name=${name#tests/}
		run_one "$name" "$logs/${name//\//-}.log" "$test" &
	fi
done
wait

cat "$logs"/*.result 2> /dev/null | awk -v wanted=$# '
	{ ran++; checks += $2; if ($1 != "ok") failed++ }
	END {
		printf "%d of %d tests passed, %d checks\n", ran - failed, wanted, checks
		exit (failed > 0 || ran != wanted)
	}'
