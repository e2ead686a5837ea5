#!/usr/bin/env bash
# Publishes a synthetic country (generate.py) on a real broker over SQLite, every record checked by a real cpis-demographics, and
# compares what the broker says with what was planted. Then the same files again: nothing may change. Prints rows per second and
# the peak memory of the broker and of the demographics service.
#
# usage: tests/national/publish.sh [PLANS [AUTHORITIES]]     (250000, 153); run from anywhere, with $BUILD or build/
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
build=$(realpath "${BUILD:-build}")
PATH=$build:$PATH
plans=${1:-250000} authorities=${2:-153}
world=$(mktemp -d /tmp/cpis-national-XXXXXX)
processes=()

finish() {
	local code=$?
	if [ ${#processes[@]} -gt 0 ]; then
		kill "${processes[@]}" 2> /dev/null || true
		wait "${processes[@]}" 2> /dev/null || true
	fi
	if [ "$code" != 0 ]; then
		echo "publish.sh: exit code $code; left for inspection: $world" >&2
		tail -n 3 "$world"/broker.log "$world"/demographics.log >&2 || true
	else
		rm -rf "$world"
	fi
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || { echo "publish.sh: waited too long for: $*" >&2; exit 1; }
		read -rt 0.05 <> <(:) || true
	done
}

peak_kb() { awk '/^VmHWM/ {print $2}' "/proc/$1/status"; }

python3 tests/national/generate.py --out "$world/data" --seed 1 --date "$(date +%F)" --plans "$plans" --authorities "$authorities"
cd "$world"
cpis certs init --dir authority --broker-name national > init.log
# One worker of each authority, and whoever runs the demographics service; uid and organisation from the register.
sed -n 's/.*{uid: "\([0-9]*\)", role: \(R9535\|R8015\), organisation: "\{0,1\}\([0-9A-Z]*\)"\{0,1\},.*/\1 \2 \3/p' data/register.yaml |
	sort -u -k3,3 > people
sed 's/\(ods: "\{0,1\}X26"\{0,1\}, .*type: national_body\)/\1, answers: {demographics: true}/' data/register.yaml > register.yaml
while read -r uid role ods; do
	cpis certs issue-system --dir authority --ods "$ods" --name system --out systems --file "$ods"
	cpis certs issue-staff --dir authority --uid "$uid" --name "Worker $ods" --out staff --file "$ods"
done < people > issued.log
cat > broker.yaml <<- END
	broker_name: national
	endpoint: tcp://127.0.0.1:*
	endpoint_file: endpoint
	certificate: authority/broker/broker.pem
	key: authority/broker/broker.key
	log_key: authority/broker/log.key
	trust_directory: authority/trust
	enrolled_directory: authority/enrolled
	register_file: register.yaml
	policy_file: $repository/broker/policy.yaml
	store_file: store.db
	store_key: store.key
END
cpis-broker --make-store-key store.key
cpis-broker broker.yaml 2> broker.log &
broker=$!
processes+=("$broker")
wait_for 20 test -s endpoint
while read -r uid role ods; do
	cat > "$ods.yaml" <<- END
		endpoint: $(cat endpoint)
		broker_name: national
		broker_certificate: authority/broker/broker.pem
		trust_directory: authority/trust
		system_certificate: systems/$ods.pem
		system_key: systems/$ods.key
		staff_certificate: staff/$ods.pem
		staff_key: staff/$ods.key
		role: $role
	END
done < people
cpis-demographics --profile X26.yaml data/people.csv 2> demographics.log &
demographics=$!
processes+=("$demographics")
wait_for 60 grep -q "ready: answers demographics" demographics.log

while IFS=, read -r ods emergency office _; do
	[ "$ods" = ods ] || cpis --profile "$ods.yaml" contacts set --emergency-duty "$emergency" --office-hours "$office"
done < data/contacts.csv > contacts.log

# publish_all ROUND: every authority's file, one after the other, as JSON reports.
publish_all() {
	local started=$EPOCHREALTIME ods code
	for ods in $(awk '$2 == "R9535" {print $3}' people); do
		code=0
		cpis --profile "$ods.yaml" --json --timeout 60000 publish --full \
			"data/plans/$ods.csv" > "report-$1-$ods.json" 2>> publish.log || code=$?
		# 5: some records were planted to be rejected.
		[ $code = 0 ] || [ $code = 5 ] || { echo "publish.sh: $ods: exit code $code" >&2; tail -2 publish.log >&2; exit 1; }
	done
	python3 "$repository/tests/national/compare.py" "$1" data/expected.json "$started" "$EPOCHREALTIME" report-"$1"-*.json
}
publish_all first
publish_all again
echo "peak memory: broker $(peak_kb $broker) kB, demographics service $(peak_kb $demographics) kB"
cpis audit verify --database store.db --log-key authority/trust/log.vkey
