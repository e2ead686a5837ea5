#!/usr/bin/env bash
# Each single rule of broker/policy.yaml, changed: tests/data/policy_table.txt must contradict every change.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
stage=$(mktemp -d /tmp/cpis-policy-mutation-XXXXXX)
trap 'rm -rf "$stage"' EXIT
checks=0

fail() {
	echo "policy_mutation.sh: $1" >&2
	cat "$stage/said" >&2
	echo "0%: Checks: $((checks + 1)), Failures: 1, Errors: 0"
	exit 1
}

mutate() {
	python3 tests/mutation/policy_mutation.py "$@" > "$stage/said" 2>&1
}

# expect_complaint TABLE_TEST WORDS: that test is not enough, and these words say why.
expect_complaint() {
	checks=$((checks + 1))
	if mutate "$stage/$1" "$stage/small.yaml"; then
		fail "a table test that is $1 passes"
	fi
	grep -q "$2" "$stage/said" || fail "a table test that is $1 is not seen for what it is"
}

mutate "$build/tests/unit/broker/test_policy_table" || fail "not every change of a rule is noticed"
cat "$stage/said"
mutants=$(awk '/ mutants: / { print $1 }' "$stage/said")
[ "${mutants:-0}" -gt 0 ] || fail "no mutants"
checks=$((checks + mutants))

cat > "$stage/small.yaml" << 'END'
name: small
activities:
  - {code: L0201, name: Review}
roles:
  - {code: R0001, name: Privacy Officer, activities: [L0201]}
care_settings:
  - {name: ambulance, scheduled: false}
operations:
  - {name: audit_show, activities: [L0201], organisation_types: [care_provider]}
END
# One that notices nothing, one that fails whatever it is given, one that crashes on every change.
cat > "$stage/blind" << 'END'
#!/bin/sh
echo "100%: Checks: 2, Failures: 0, Errors: 0"
END
cat > "$stage/angry" << 'END'
#!/bin/sh
echo "0%: Checks: 2, Failures: 2, Errors: 0"
exit 1
END
cat > "$stage/frail" << 'END'
#!/bin/sh
case $CPIS_TEST_POLICY in
*/0.yaml) exec "${0%/*}/blind" ;;
*) kill -SEGV $$ ;;
esac
END
chmod +x "$stage/blind" "$stage/angry" "$stage/frail"
expect_complaint blind " 0 differ from the table, 0 are refused on loading, [1-9][0-9]* survived, 0 errors"
expect_complaint angry "the policy as it is: caught, and should pass"
expect_complaint frail " 0 survived, [1-9][0-9]* errors"
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
