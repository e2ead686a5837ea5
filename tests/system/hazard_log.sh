#!/usr/bin/env bash
# The hazard log's checker finds what it is for: a control whose test is gone or not run, a rating that is not the matrix's, a hazard
# that is not complete.
set -euo pipefail
checks=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "$1" >&2
	echo "0%: Checks: $checks, Failures: 1, Errors: 0"
	exit 1
}

# A copy with one thing changed, as sed does it, is refused with these words.
finds() {
	local words=$1 script=$2 code=0
	checks=$((checks + 1))
	sed -E "$script" tests/README.md > "$work/log.md"
	! cmp -s tests/README.md "$work/log.md" || fail "nothing was changed by $script"
	python3 tests/lint/hazards.py "$work/log.md" > "$work/out" || code=$?
	[[ $code -eq 1 ]] || fail "$script was not found"
	grep -Fq -- "$words" "$work/out" || fail "$script: not '$words' but $(cat "$work/out")"
}

checks=$((checks + 1))
python3 tests/lint/hazards.py > "$work/out" || fail "$(cat "$work/out")"
finds 'has no test finds_every_mistake that is run' 's/finds_every_single_mistyped_digit/finds_every_mistake/'
finds 'there is no tests/scenario/test_none.c' 's|`scenario/test_files` nothing_of|`scenario/test_none` nothing_of|'
finds 'bench/test_histogram is not a test' 's|`scenario/test_files` nothing_of|`bench/test_histogram` nothing_of|'
finds "has no test 'a no says that it is a proof of safety'" 's/`web\/test_2_lookup` a no says that it is no proof/`web\/test_2_lookup` a no says that it is a proof/'
finds 'by the matrix that is risk 4' 's/(severity major, likelihood high, risk )4/\13/'
finds 'risk 4 is left, which is unacceptable' 's/^After: severity major, likelihood low, risk 3/After: severity major, likelihood high, risk 4/'
finds 'a rating reads' 's/^After: severity major, likelihood low/After: severity major, likelihood rare/'
finds 'a control without a test' 's/^(- A mistyped number is refused and is no "no") .*/\1/'
finds "here stands 'Effect:' of the hazard" '/^Effect: the clinician is not warned/d'
finds "the hazard before lacks 'Left:'" '/^Left: the reader has to read/d'
finds "the last hazard lacks 'Left:'" '/^Left: an authority can end its own/d'
finds 'this is hazard H5' 's/^### H5\./### H6./'
finds 'no matrix of five by five' '/^\| very low \|/d'
finds 'only 14 hazards' '/^### H15\./,$d'
# A test that stands in its file and is not run holds nothing.
mkdir -p "$work/tree/tests"
cp -r tests/README.md tests/lint tests/unit tests/scenario tests/system tests/web "$work/tree/tests/"
cp Makefile "$work/tree/"
sed -i '/tcase_add_test(.*a_deleted_record_is_found)/d' "$work/tree/tests/system/test_tamper.c"
checks=$((checks + 1))
! (cd "$work/tree" && python3 tests/lint/hazards.py) > "$work/out" || fail 'a test that is not run was not found'
grep -q 'test_tamper.c has no test a_deleted_record_is_found that is run' "$work/out" || fail "$(cat "$work/out")"
# Nor does one that the Makefile leaves out.
cp tests/system/test_tamper.c "$work/tree/tests/system/"
sed -i 's|tests/scenario/test_\*.c|tests/scenario/test_a*.c|' "$work/tree/Makefile"
checks=$((checks + 1))
! (cd "$work/tree" && python3 tests/lint/hazards.py) > "$work/out" || fail 'tests that the Makefile leaves out were not found'
grep -q 'make test does not run scenario/test_files' "$work/out" || fail "$(cat "$work/out")"
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
