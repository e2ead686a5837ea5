#!/usr/bin/env bash
# tests/model/answer.pml, searched to the end by SPIN: the promises hold for what the broker does, and each broken
# variant is found to break the promise that it should.
set -euo pipefail
cd "$(dirname "$0")/../.."
model=$PWD/tests/model/answer.pml
stage=$(mktemp -d /tmp/cpis-model-XXXXXX)
trap 'wait; rm -rf "$stage"' EXIT
checks=0

fail() {
	echo "model.sh: $1" >&2
	echo "0%: Checks: $((checks + 1)), Failures: 1, Errors: 0"
	exit 1
}

command -v spin > /dev/null || fail "spin is not installed (make deps)"

# make_pan NAME "GCC OPTIONS" [DEFINES]: a verifier of its own in $stage/NAME. Its memory is bounded.
make_pan() {
	local name=$1 options=$2
	shift 2
	mkdir "$stage/$name"
	cd "$stage/$name"
	printf '%s\n' -DSEARCHED "$@" > defines
	# shellcheck disable=SC2086
	spin "$@" -a "$model" > made 2>&1 && gcc -w $options -DMEMLIM=1024 -o pan pan.c >> made 2>&1
}

# search NAME LOG [PAN OPTIONS]
search() {
	local name=$1 log=$2
	shift 2
	cd "$stage/$name"
	./pan -m20000 "$@" > "$log" 2>&1
}

# Without an error, and to the end: a search cut short by memory or depth has also found none.
holds() {
	grep -q 'errors: 0$' "$1" && ! grep -Eq 'not completed|too small|reached -DMEMLIM' "$1"
}

expect_holds() {
	checks=$((checks + 1))
	if ! holds "$stage/$1/$2"; then
		cat "$stage/$1/made" "$stage/$1/$2" >&2 || true
		# How it comes to that: the last steps.
		(cd "$stage/$1" && mapfile -t defines < defines && spin "${defines[@]}" -k answer.pml.trail -p -g "$model" |
			tail -80) >&2 || true
		fail "$1: a promise does not hold, or the search did not end"
	fi
}

# expect_found VARIANT PROMISE "LIMITS" [CLAIM]: with VARIANT defined, that promise breaks. Not optimised: an error
# is found long before gcc would be done.
expect_found() {
	local variant=$1 promise=$2 claim=${4:-}
	checks=$((checks + 1))
	# shellcheck disable=SC2086
	if [ -z "$claim" ]; then
		(make_pan "$variant" "-O0 -DSAFETY -DNOCLAIM" "-D$variant" $3 && search "$variant" log -w18) || true
	else
		(make_pan "$variant" "-O0 -DNFAIR=4" "-D$variant" -DNO_FAILURES $3 &&
			search "$variant" log -w18 -a -f -N "$claim") || true
	fi
	if ! grep -Fq "$promise" "$stage/$variant/log" || ! grep -q 'errors: 1$' "$stage/$variant/log"; then
		cat "$stage/$variant/made" "$stage/$variant/log" >&2 || true
		fail "$variant is not found, or not as '$promise'"
	fi
	echo "$variant: found ($promise)"
}

# More sendings with one crash and one fault; fewer with two of each, where reading back after a failed commit can
# fail too. Beside the rest, for they take the longest.
(
	(make_pan one "-O1 -DSAFETY -DNOCLAIM" && search one log)
	(make_pan two "-O1 -DSAFETY -DNOCLAIM" -DSENDS=3 -DCRASHES=2 -DFAULTS=2 && search two log)
	(make_pan progress "-O1 -DNFAIR=4" -DNO_FAILURES -DSENDS=3 &&
		search progress answered -a -f -N answered && search progress in_force -a -f -N in_force)
) &

after='!((late&(1<<serial)))'
unrecorded='(disk_records&(1<<serial))'
unnotified='||(disk_notes[what]==1))'
twice='((disk_notes[0]<=1)&&(disk_notes[1]<=1))'
forked='!(log_unread)'
restarted='!(revoked_at_start)'
never='acceptance cycle'
well="-DSENDS=3 -DCRASHES=0 -DFAULTS=0"
ill="-DSENDS=3"
expect_found JUDGE_SYSTEM_AT_HANDSHAKE "$after" "$well"
expect_found JUDGE_PERSON_AT_OPENING "$after" "$well"
expect_found JUDGE_PROFILE_AT_OPENING "$after" "$well"
expect_found JUDGE_QUARANTINE_AT_OPENING "$after" "$well"
expect_found RETRY_WITHOUT_JUDGING "$after" "$well"
expect_found REFRESH_AFTER_TAKING "$after" "$well"
expect_found REPLY_BEFORE_COMMIT "$unrecorded" "$ill"
expect_found FAILED_IS_DONE "$unrecorded" "$ill"
expect_found NO_RELOAD "$forked" "$ill"
expect_found SECOND_TRANSACTION "$unnotified" "$ill"
expect_found KEEP_NOTHING "$twice" "$well"
expect_found START_FROM_A_COPY "$restarted" "$ill"
expect_found START_WITHOUT_QUARANTINE "$restarted" "$ill"
expect_found LOSE_WHEN_FULL "$never" "-DSENDS=3" answered
expect_found FINGERPRINT_AFTER_LOAD "$never" "-DSENDS=3" in_force

wait
expect_holds one log
expect_holds two log
expect_holds progress answered
expect_holds progress in_force

# A promise about what is never reached would be an empty one: each statement is, but for the end of an endless loop.
checks=$((checks + 1))
for run in one two; do
	grep -F answer.pml: "$stage/$run/log" | grep -Fv -- '"-end-"' | sort > "$stage/$run/unreached" || true
done
comm -12 "$stage/one/unreached" "$stage/two/unreached" > "$stage/unreached"
[ ! -s "$stage/unreached" ] || {
	cat "$stage/unreached" >&2
	fail "these statements are never reached"
}
grep -hE 'states, stored|elapsed' "$stage"/{one,two}/log "$stage"/progress/{answered,in_force}
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
