#!/usr/bin/env bash
# tests/national/generate.py: the same arguments make the same bytes, the numbers are numbers of the range kept for tests, what
# is said to be in the data is in it, and bad arguments make nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d /tmp/cpis-national-XXXXXX)
trap 'rm -rf "$work"' EXIT
checks=0

expect() {
	checks=$((checks + 1))
	if ! "$@" > "$work/said" 2>&1; then
		echo "national_data.sh: failed: $*" >&2
		cat "$work/said" >&2
		echo "0%: Checks: $checks, Failures: 1, Errors: 0"
		exit 1
	fi
}
refuses() { # words, then the arguments
	local words=$1
	shift
	checks=$((checks + 1))
	if tests/national/generate.py --out "$work/none" "$@" > /dev/null 2> "$work/said" || ! grep -q "$words" "$work/said" ||
		[ -e "$work/none" ]; then
		echo "national_data.sh: not refused, or not with '$words': $*" >&2
		cat "$work/said" >&2
		echo "0%: Checks: $checks, Failures: 1, Errors: 0"
		exit 1
	fi
}
generate() {
	tests/national/generate.py --date 2026-11-25 --authorities 12 --plans 6000 --errors 20 "$@"
}
differ() { ! diff -rq "$1" "$2"; }

expect generate --out "$work/a" --seed 7
expect generate --out "$work/b" --seed 7
expect generate --out "$work/c" --seed 8
expect generate --out "$work/next" --seed 7 --change 1
expect diff -r "$work/a" "$work/b"
expect differ "$work/a/plans" "$work/c/plans"
expect differ "$work/a/plans" "$work/next/plans"

# Counted again by other means: what stands in the files, against what is said to stand there.
expect python3 - "$work/a" << 'END_OF_PROGRAM'
import csv, glob, json, os, sys
directory = sys.argv[1]
expected = json.load(open(f"{directory}/expected.json"))
people = {p["nhs_number"]: p for p in csv.DictReader(open(f"{directory}/people.csv", encoding="utf-8", newline=""))}
def good(number):
    return sum(int(c) * w for c, w in zip(number, range(10, 0, -1))) % 11 == 0
seen, found = 0, {}
for path in glob.glob(f"{directory}/plans/*.csv"):
    rows = list(csv.DictReader(open(path, encoding="utf-8", newline="")))
    ods = os.path.basename(path)[:-4]
    assert len(rows) == expected["authorities"][ods]["records"]
    seen += len(rows)
    for row in rows:
        number = row["nhs_number"]
        person = people.get(number)
        assert len(number) == 10 and number.startswith("999")
        if not good(number):
            kind = "CPR04"
        elif person is None:
            kind = "CPR01"
        elif person["status"] == "sensitive":
            kind = "CPR02"
        elif person["status"] == "superseded":
            kind = "CPR05"
        elif row["birth_date"] and (person["family_name"], person["birth_date"]) != (row["family_name"], row["birth_date"]):
            kind = "CPR03"
        elif (row["plan_type"] == "CIN" or not row["birth_date"] or (row["end_date"] and row["end_date"] < row["start_date"])
              or ("" < row["end_date"] < "2025-11-25") or (row["plan_type"] == "UCPP" and person["sex"] == "male")
              or (row["plan_type"] != "UCPP" and row["birth_date"] <= "2008-11-25" and not row["end_date"])):
            kind = "CPR07"
        else:
            kind = "CPR06"
        found[kind] = found.get(kind, 0) + 1
assert seen == expected["all"]["records"] == 6000, seen
assert found == expected["all"]["outcomes"], (found, expected["all"]["outcomes"])
assert all(good(number) for number in people)
assert len(expected["authorities"]) == 12
END_OF_PROGRAM

refuses "not a date" --seed 1 --date tomorrow
refuses "1 to 500" --seed 1 --date 2026-11-25 --authorities 0
refuses "no more NHS numbers" --seed 1 --date 2026-11-25 --plans 5000000
refuses "0 to 100" --seed 1 --date 2026-11-25 --errors 101
refuses "required" --date 2026-11-25
mkdir "$work/full" && touch "$work/full/kept"
expect bash -c "! tests/national/generate.py --seed 1 --date 2026-11-25 --out '$work/full'"
expect test -e "$work/full/kept"
expect bash -c "test \$(ls '$work' | grep -c '\.new\$') = 0"
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
