# A broker to watch, with its authority, one hospital and a nurse, in a directory of its own; sourced by the scripts beside it and by
# tests/system/watch.sh. Whatever was started here is ended, by its process id, at exit.
set -euo pipefail
repository=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
build=$(realpath "${BUILD:-$repository/build}")
PATH=$build:$PATH
world=$(mktemp -d /tmp/cpis-world-watch-XXXXXX)
started=()
checks=0

finish() {
	local code=$? pid
	for pid in "${started[@]}"; do
		kill "$pid" 2> /dev/null || true
	done
	for pid in "${started[@]}"; do
		wait "$pid" 2> /dev/null || true
	done
	if [ "$code" = 0 ] && [ "$checks" -gt 0 ]; then
		rm -rf "$world"
		echo "100%: Checks: $checks, Failures: 0, Errors: 0"
	else
		echo "watch: stopped with exit code $code; see $world"
	fi
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

die() {
	echo "watch: $*" >&2
	exit 1
}

checked() {
	checks=$((checks + 1))
	echo "ok: $*"
}

# wait_until SECONDS SENTENCE COMMAND...: until the command succeeds.
wait_until() {
	local until=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -le "$until" ] || die "waited in vain until $what"
		sleep 0.1
	done
}

furnish() {
	cd "$world"
	{
		cpis certs init --dir authority --broker-name watch-broker
		cpis certs issue-system --dir authority --ods RXH --name hospital --out systems
		cpis certs issue-system --dir authority --ods X26 --name national --out systems
		cpis certs issue-staff --dir authority --uid 555000000001 --name "Grace Okafor" --out staff
		cpis certs issue-staff --dir authority --uid 555000000011 --name "Owen Price" --out staff
		cpis certs issue-staff --dir authority --uid 555000000012 --name "Amara Nwosu" --out staff
		# Certified in the same way, and not on the broker's list of systems.
		cpis certs issue-system --dir authority --ods RXH --name stranger --out strangers
		cpis-broker --make-store-key store.key
	} > furnish.out
	local enrolled
	for enrolled in authority/enrolled/*.pem; do
		if cmp -s "$enrolled" strangers/stranger.pem; then
			rm "$enrolled"
		fi
	done
	cat > register.yaml <<- END
		organisations:
		  - {ods: RXH, name: University Hospitals Sussex, type: care_provider, care_settings: [emergency_department]}
		  - {ods: X26, name: NHS England, type: national_body}
		role_profiles:
		  - {uid: "555000000001", role: R8001, organisation: RXH, from: 2020-01-01}
		  - {uid: "555000000012", role: R0050, organisation: RXH, from: 2020-01-01}
		  - {uid: "555000000011", role: R8015, organisation: X26, from: 2020-01-01, activities: [L0501]}
		  - {uid: "555000000011", role: R5080, organisation: X26, from: 2020-01-01}
	END
	mkdir store
}

# configure FILE LINE...: the usual configuration, and these lines.
configure() {
	local file=$1
	shift
	cat > "$file" <<- END
		broker_name: watch-broker
		endpoint: tcp://127.0.0.1:*
		endpoint_file: run/endpoint
		certificate: authority/broker/broker.pem
		key: authority/broker/broker.key
		log_key: authority/broker/log.key
		trust_directory: authority/trust
		enrolled_directory: authority/enrolled
		register_file: register.yaml
		policy_file: $repository/broker/policy.yaml
		store_file: store/store.db
		store_key: store.key
	END
	mkdir -p run
	printf '%s\n' "$@" >> "$file"
}

# start_broker CONFIGURATION LOG [PREFIX...]: and waits until it serves.
start_broker() {
	local configuration=$1 log=$2
	shift 2
	rm -f run/endpoint run/metrics
	"$@" cpis-broker "$configuration" 2>> "$log" < /dev/null &
	broker_pid=$!
	started+=("$broker_pid")
	wait_until 20 "the broker serves (see $world/$log)" test -s run/endpoint
	if [ -s run/metrics ]; then
		metrics=$(cat run/metrics)
	fi
}

stop_broker() {
	kill "$broker_pid"
	wait "$broker_pid"
}

# profile FILE SYSTEM-FILE STAFF ROLE [CARE_SETTING]
profile() {
	cat > "$1.yaml" <<- END
		endpoint: $(cat run/endpoint)
		broker_name: watch-broker
		broker_certificate: authority/broker/broker.pem
		trust_directory: authority/trust
		system_certificate: $2.pem
		system_key: $2.key
		staff_certificate: staff/$3.pem
		staff_key: staff/$3.key
		role: $4
		checkpoint_file: $1.checkpoint
		${5:+care_setting: $5}
	END
}

profiles() {
	profile nurse systems/hospital 555000000001 R8001 emergency_department
	profile consultant systems/hospital 555000000012 R0050
	profile registrar systems/national 555000000011 R5080
	profile operator systems/national 555000000011 R8015
	profile stranger strangers/stranger 555000000001 R8001 emergency_department
}

get() {
	curl -s --max-time 5 "http://$metrics$1"
}

status_of() {
	curl -s -o /dev/null --max-time 5 -w '%{http_code}' "http://$metrics$1"
}

# value METRIC-WITH-LABELS: as /metrics has it now; nothing where it has it not.
value() {
	get /metrics | awk -v name="$1" 'index($0, name " ") == 1 {print $NF}'
}

# is METRIC VALUE
is() {
	[ "$(value "$1")" = "$2" ]
}

# at_least METRIC VALUE
at_least() {
	local now
	now=$(value "$1")
	[ -n "$now" ] && awk -v a="$now" -v b="$2" 'BEGIN {exit !(a >= b)}'
}

is_ready() {
	[ "$(status_of /readyz)" = 200 ]
}

is_not_ready() {
	[ "$(status_of /readyz)" = 503 ]
}

# The broker's process of that name: cpis-front, cpis-metrics. Children of its keeper.
process_of() {
	local keeper
	keeper=$(pgrep -P "$broker_pid" -x cpis-keeper)
	pgrep -P "$keeper" -x "$1"
}
