#!/usr/bin/env bash
# `cpis drill`: every exercise that it has passes, in a service of its own; what cannot be rehearsed is said, and nothing is left behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
cpis=$(realpath "${BUILD:-build}")/cpis
folder=$(mktemp -d /tmp/cpis-drill-test-XXXXXX)
trap 'rm -rf "$folder"' EXIT
checks=0

fail() {
	echo "drill.sh: $1" >&2
	cat "$folder/said" >&2
	exit 1
}

# expect CODE WORDS COMMAND...
expect() {
	local wanted=$1 words=$2 code=0
	shift 2
	"$@" > "$folder/said" 2>&1 || code=$?
	checks=$((checks + 1))
	[ "$code" = "$wanted" ] || fail "$*: exits with $code, should with $wanted"
	grep -qF -- "$words" "$folder/said" || fail "$*: does not say '$words'"
}

drill=("$cpis" drill --policy broker/policy.yaml --directory "$folder")
expect 0 "lost-authority" "$cpis" drill --list
expect 1 "there is no exercise flood: see \`cpis drill --list\`" "${drill[@]}" --only flood
expect 1 "nowhere.yaml" "$cpis" drill --policy nowhere.yaml --only rogue-staff
expect 1 "name the policy with --policy" "$cpis" drill --only rogue-staff
expect 1 "nowhere.json" "${drill[@]}" --only rogue-staff --also "$folder/nowhere.json"
echo '{"exercises": [{"exercise": "paper"}]}' > "$folder/short.json"
expect 1 "exercise 1 lacks what a report has" "${drill[@]}" --only rogue-staff --also "$folder/short.json"
expect 6 "no folder can be made there" "$cpis" drill --policy broker/policy.yaml --directory "$folder/nowhere" --only rogue-staff
expect 6 "the report could not be written" "${drill[@]}" --only rogue-staff --report "$folder/nowhere/report.json"

# All of them, in one run; then one of another machine, of which its report is.
expect 0 "| The store's disk is full" "${drill[@]}" --report "$folder/report.json"
expect 0 "bare-machine" "${drill[@]}" --only rogue-staff --also "$folder/report.json" --report "$folder/both.json"
names=$("$cpis" drill --list | awk '{ print $1 }' | sort)
passed=$(/usr/bin/python3 -c 'import json, sys; print("\n".join(sorted(e["exercise"] for e in json.load(open(sys.argv[1]))["exercises"] if e["outcome"] == "passed")))' "$folder/report.json")
checks=$((checks + 1))
[ "$names" = "$passed" ] || fail "passed: $passed"
checks=$((checks + 1))
if compgen -G "$folder/cpis-drill-*" > /dev/null; then fail "a folder was left behind"; fi
# Without root a small file system cannot be mounted.
cp -R "$cpis" "$(dirname "$cpis")/cpis-broker" broker/policy.yaml "$folder"
chmod 755 "$folder"
expect 5 "not_rehearsed: a small file system has to be mounted, which needs root" setpriv --reuid=65534 --regid=65534 --clear-groups \
	"$folder/cpis" drill --policy "$folder/policy.yaml" --only disk-full
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
