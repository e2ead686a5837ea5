#!/usr/bin/env bash
# The generator of synthetic national data: the same bytes from the same options wherever it runs, every row judged
# anew by another program, a register that the real broker takes, refusals that say what to do and leave nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${BUILD:-build}")
stage=$(mktemp -d /tmp/cpis-national-XXXXXX)
trap 'rm -rf "$stage"' EXIT
checks=0

fail() {
	echo "national_data.sh: $1" >&2
	head -20 "$stage/said" >&2 || true
	echo "0%: Checks: $((checks + 1)), Failures: 1, Errors: 0"
	exit 1
}

# expect WHAT COMMAND...
expect() {
	local what=$1
	shift
	checks=$((checks + 1))
	"$@" > "$stage/said" 2>&1 || fail "$what"
}

generate() {
	python3 tests/national/generate.py "$@"
}

# refused WORDS OPTION...: exits 2, says these words in one line, and leaves nothing in the stage.
refused() {
	local words=$1 code=0
	shift
	mkdir "$stage/empty"
	generate --out "$stage/empty/data" "$@" > "$stage/said" 2>&1 || code=$?
	checks=$((checks + 3))
	[ "$code" = 2 ] || fail "$*: exits with $code, should be refused with 2"
	grep -qF -- "$words" "$stage/said" && [ "$(wc -l < "$stage/said")" = 1 ] || fail "$*: does not say in a line '$words'"
	rmdir "$stage/empty" 2>> "$stage/said" || fail "$*: something was left behind"
}

# What the whole folder is, in one line. The order of names is not the locale's.
digest() {
	(cd "$1" && find . -type f | LC_ALL=C sort | xargs sha256sum) | sha256sum | cut -d' ' -f1
}

options=(--date 2026-11-25 --plans 4000 --errors 10)
small=(--date 2026-11-25 --authorities 5 --plans 400)

# ------------------------------------------------------------------ the same again

(umask 077; generate --out "$stage/one" --seed 1 --change 2 "${options[@]}")
repository=$PWD
(cd "$stage" && TZ=Pacific/Kiritimati LC_ALL=C PYTHONHASHSEED=5 FAKETIME="@2031-07-01 12:00:00" \
	LD_PRELOAD=/usr/\$LIB/faketime/libfaketime.so.1 \
	python3 "$repository/tests/national/generate.py" --out two --seed 1 --change 2 "${options[@]}")
generate --out "$stage/three" --seed 1 "${options[@]}"
generate --out "$stage/other" --seed 2 "${options[@]}"
generate --out "$stage/another" --seed 1 --change 3 "${options[@]}"
expect "another day, place and locale make other bytes" diff -r "$stage/one" "$stage/two"
# After a change that is meant to alter the files: put the number here that is said.
pinned=4307f233a2f3ec5a6d81462c9fb832a4a7889cde81348325dd7fc6b0dd2cd46e
checks=$((checks + 1))
[ "$(digest "$stage/one")" = "$pinned" ] || {
	digest "$stage/one" > "$stage/said"
	fail "the files are not those that this machine should make"
}
for file in register.yaml people.csv contacts.csv expected.json plans; do
	expect "--change alters $file" diff -r "$stage/one/$file" "$stage/three/$file"
	expect "--change alters $file" diff -r "$stage/one/$file" "$stage/another/$file"
done
for file in people.csv expected.json plans/383.csv; do
	checks=$((checks + 1))
	! cmp -s "$stage/one/$file" "$stage/other/$file" || fail "another seed makes the same $file"
done
checks=$((checks + 1))
! diff -rq "$stage/one/next/plans" "$stage/another/next/plans" > "$stage/said" || fail "another --change makes the same day"

# ------------------------------------------------------------------ every row, judged by another program

for data in one other another; do
	expect "recount of $data" python3 -B tests/national/recount.py "$stage/$data"
	checks=$((checks + $(cat "$stage/said")))
done
# Days on which coming of age is disputed, no errors, as many as may be, files of few rows.
i=0
for case in "2028-02-29 0" "2028-02-29 50" "2026-02-28 2.5" "2027-03-01 50"; do
	read -r date errors <<< "$case"
	i=$((i + 1))
	generate --out "$stage/r$i" --seed $i --change $i --date "$date" --authorities 20 --plans 400 --errors "$errors"
	expect "recount of $date with $errors" python3 -B tests/national/recount.py "$stage/r$i"
	checks=$((checks + $(cat "$stage/said")))
done
# A number outside of the range for tests: the recount does notice.
sed -i '2s/^999/998/' "$stage/r1/plans/383.csv"
checks=$((checks + 1))
! python3 -B tests/national/recount.py "$stage/r1" > "$stage/said" 2>&1 || fail "a number that was altered is not noticed"

# Every check digit once more, with nothing but awk: of the people all are right.
expect "check digits" awk -F, 'NR > 1 {
	sum = 0
	for (i = 1; i <= 9; i++) sum += (11 - i) * substr($1, i, 1)
	check = (11 - sum % 11) % 11
	if (length($1) != 10 || $1 !~ /^999[0-9]+$/ || check == 10 || check != substr($1, 10, 1)) { print "line " NR; exit bad = 1 }
} END { exit bad || NR < 3000 }' "$stage/one/people.csv"
expect "no field that has to be quoted" grep -qE '"[^"]*,[^"]*"' "$stage/one/people.csv"
for name in "O'Neill" "Smith-Jones" "de Souza" "Zoë" "Łukasz"; do
	expect "nobody is called $name" grep -qF "$name" "$stage/one/people.csv"
done

# ------------------------------------------------------------------ authorities and the register

sed -n 's/.*ods: "\([0-9]*\)".*local_authority.*/\1/p' "$stage/one/register.yaml" | sort > "$stage/authorities"
expect "153 authorities, each once" [ "$(sort -u "$stage/authorities" | wc -l) $(wc -l < "$stage/authorities")" = "153 153" ]
expect "authorities and files" diff "$stage/authorities" <(cd "$stage/one/plans" && printf '%s\n' ./*.csv | sed 's,./,,; s/.csv//' | sort)
expect "authorities and contacts" diff "$stage/authorities" <(tail -n +2 "$stage/one/contacts.csv" | cut -d, -f1 | sort)
expect "telephones other than for drama" awk -F, 'NR > 1 {
	for (i = 2; i <= 3; i++)
		if ($i !~ /^(011[345678] 496 0[0-9][0-9][0-9]|01[256]1 496 0[0-9][0-9][0-9]|020 7946 0[0-9][0-9][0-9]|0191 498 0[0-9][0-9][0-9]|01632 960[0-9][0-9][0-9])$/ && !(i == 3 && $i == ""))
			{ print; bad = 1 }
	if (seen[$2]++) { print; bad = 1 }
} END { exit bad }' "$stage/one/contacts.csv"
expect "the largest is not 10 times the smallest" awk -F'"records": ' '/^  "/ {
	n = $2 + 0
	if (!low || n < low) low = n
	if (n > high) high = n
} END { exit !(low > 0 && high >= 10 * low) }' "$stage/one/expected.json"

expect "certificates" "$build/cpis" certs init --dir "$stage/pki" --broker-name broker-1
expect "store key" "$build/cpis-broker" --make-store-key "$stage/store.key"
cat > "$stage/broker.yaml" << END
broker_name: broker-1
endpoint: tcp://127.0.0.1:*
certificate: pki/broker/broker.pem
key: pki/broker/broker.key
log_key: pki/broker/log.key
trust_directory: pki/trust
enrolled_directory: pki/enrolled
register_file: one/register.yaml
policy_file: $PWD/broker/policy.yaml
store_file: cpis.db
store_key: store.key
END
expect "the broker does not take the register" "$build/cpis-broker" --check "$stage/broker.yaml"

# ------------------------------------------------------------------ refusals

refused "--date" --seed 1
refused "--seed" --date 2026-11-25
refused "--seed x: give a whole number" "${small[@]}" --seed x
refused "give a day that exists" --seed 1 --date 2026-02-30
refused "give a day that exists" --seed 1 --date 20261125
refused "give a day from 2000" --seed 1 --date 1999-12-31
refused "--authorities 0: give a whole number from 1" --seed 1 "${small[@]}" --authorities 0
refused "--authorities 501" --seed 1 "${small[@]}" --authorities 501
refused "--plans 1529: give a whole number from 1530" --seed 1 --date 2026-11-25 --plans 1529
refused "give a percentage from 0 to 50" --seed 1 "${small[@]}" --errors 51
refused "give a percentage from 0 to 50" --seed 1 "${small[@]}" --errors=-1
refused "--change -2" --seed 1 "${small[@]}" --change=-2
refused "unrecognized arguments: --plan" --seed 1 "${small[@]}" --plan 5
refused "909090 are kept for tests (999 000 0000 to 999 999 9999): lower --plans to about" \
	--seed 1 --date 2026-11-25 --plans 1000000

refused_place() {
	local words=$1 code=0
	generate --out "$2" --seed 1 "${small[@]}" > "$stage/said" 2>&1 || code=$?
	checks=$((checks + 1))
	[ "$code" = 2 ] && grep -qF "$words" "$stage/said" || fail "--out $2: exits with $code and does not say '$words'"
}
mkdir "$stage/full" "$stage/void"
echo precious > "$stage/full/file"
refused_place "is not empty: name another, or remove it first" "$stage/full"
refused_place "is there and is no directory" "$stage/full/file"
refused_place "make it first" "$stage/none/data"
expect "a full directory was touched" [ "$(ls -A "$stage/full"; cat "$stage/full/file")" = $'file\nprecious' ]
expect "an empty directory is not taken" generate --out "$stage/void" --seed 1 "${small[@]}"
expect "an empty directory stays empty" [ -s "$stage/void/expected.json" ]

# Stopped half-way: as soon as it has begun to write. 10 s at most.
wait_beside() {
	local tries=1000
	while [ -z "$(ls -A "$stage/half")" ] && [ $tries -gt 0 ]; do
		sleep 0.01
		tries=$((tries - 1))
	done
	[ $tries -gt 0 ]
}
mkdir "$stage/half"
python3 tests/national/generate.py --out "$stage/half/data" --seed 1 --date 2026-11-25 > "$stage/said" 2>&1 &
pid=$!
wait_beside || fail "it does not begin"
kill -TERM $pid
code=0
wait $pid || code=$?
checks=$((checks + 2))
[ "$code" = 130 ] || fail "stopped by SIGTERM it exits with $code"
rmdir "$stage/half" 2>> "$stage/said" || fail "SIGTERM leaves something behind"
expect "something is left in the source tree" [ ! -e tests/national/__pycache__ ]
expect "something is left beside the results" [ -z "$(find "$stage" -mindepth 1 -maxdepth 1 -name '.*')" ]
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
