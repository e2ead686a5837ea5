#!/usr/bin/env bash
# A real Prometheus before a real broker: the alerts of broker/prometheus-alerts.yaml fire when their cause is brought about and clear when
# it is gone: all of them. Windows and waits are shortened to seconds; expressions and thresholds are those that are shipped. What takes
# days happens by a clock that is behind.
. "$(dirname "$0")/world.sh"

is_listening() {
	[ -n "$(ss -Hltn "sport = :$1")" ]
}

free_port() {
	local port=$1
	while is_listening "$port"; do
		port=$((port + 1))
	done
	echo "$port"
}

# ask EXPRESSION: the answer's JSON.
ask() {
	curl -sG --max-time 5 --data-urlencode "query=$1" "http://127.0.0.1:$prometheus_port/api/v1/query"
}

fires() {
	ask "ALERTS{alertname=\"$1\",alertstate=\"firing\"${2:+,$2}}" | grep -q '"metric"'
}

is_clear() {
	! ask "ALERTS{alertname=\"$1\",alertstate=\"firing\"${2:+,$2}}" | grep -q '"metric"'
}

has_fired() {
	wait_until 40 "$1 fires: $3" fires "$1" "$2"
	checked "$1 fires: $3"
}

has_cleared() {
	wait_until 40 "$1 clears: $3" is_clear "$1" "$2"
	checked "$1 clears: $3"
}

sees() {
	ask "$1" | grep -q '"metric"'
}

# store_fault ERRNO: each write and flush of the store's files fails with it from now on; 0: none does. Where tests/shim/store_faults.h
# has it.
store_fault() {
	local at
	for at in 16 28; do
		printf "$(printf '\\x%02x' "$1")" | dd of=faults bs=1 seek=$at conv=notrunc status=none
	done
}

# Each flush takes so many milliseconds longer: 0 or 400.
slow_flushes() {
	printf "$(printf '\\x%02x\\x%02x' $(($1 % 256)) $(($1 / 256)))" | dd of=faults bs=1 seek=40 conv=notrunc status=none
}

# long_ago OFFSET COMMAND...: by a clock that is behind, as in -4d.
long_ago() {
	LD_PRELOAD=$faketime FAKETIME=$1 "${@:2}"
}

query() {
	cpis --timeout 4000 --profile nurse.yaml query 9990000018 > query.out 2>&1
}

faketime=$(ls /usr/lib/*/faketime/libfaketime.so.1)
# All certificates are five days old: some of what happens did so then.
export LD_PRELOAD=$faketime FAKETIME=-5d
furnish
{
	cpis certs issue-system --dir authority --ods 383 --name leeds --out systems
	cpis certs issue-staff --dir authority --uid 555000000007 --name "Anjali Rao" --out staff
} > furnish.out
unset LD_PRELOAD FAKETIME
sed -i -e '/ods: X26/a \  - {ods: "383", name: Leeds City Council, type: local_authority, care_settings: [social_care]}' \
	-e '/R0050/a \  - {uid: "555000000007", role: R9535, organisation: "383", from: 2020-01-01}' register.yaml
metrics_port=$(free_port 21000)
prometheus_port=$(free_port $((metrics_port + 1)))
for_all="metrics_endpoint: 127.0.0.1:$metrics_port"
# Half a minute of life for what ends soon, in this world's own authority.
cpis certs issue-broker --dir authority --broker-name watch-broker --days 1 --out soon > soon.out
configure broker.yaml "$for_all" "metrics_endpoint_file: run/metrics"
configure soon.yaml "$for_all" "metrics_endpoint_file: run/metrics" "drill: yes"
sed -i -e 's|^certificate:.*|certificate: soon/broker.pem|; s|^key:.*|key: soon/broker.key|' soon.yaml
long_ago -26d cpis certs refresh-lists --dir authority > lists.out
head -c 4096 /dev/zero > faults

sed -E 's/\[(5m|10m|15m|1h)\]/[8s]/g; s/^( *for:) .*/\1 1s/' "$repository/broker/prometheus-alerts.yaml" > rules.yaml
cat > prometheus.yaml <<- END
	global: {scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms}
	rule_files: [rules.yaml]
	scrape_configs:
	  - job_name: cpis
	    static_configs: [{targets: ["127.0.0.1:$metrics_port"]}]
END
prometheus --config.file=prometheus.yaml --storage.tsdb.path=prometheus --web.listen-address="127.0.0.1:$prometheus_port" > prometheus.log 2>&1 &
started+=("$!")
wait_until 30 "Prometheus answers" curl -sf "http://127.0.0.1:$prometheus_port/-/ready"

has_fired CpisBrokerDown "" "no broker yet"
start_broker soon.yaml soon.log
has_cleared CpisBrokerDown "" "there is one"
has_fired CpisDrill "" "the configuration says so"
has_fired CpisCertificateExpires 'of="broker"' "the broker's certificate is for a day"
has_fired CpisBrokerCertificateEnds "" "likewise"
has_fired CpisRevocationListOld "" "lists that were made 26 days ago"
cpis certs refresh-lists --dir authority > lists.out
has_cleared CpisRevocationListOld "" "they were refreshed, in the trust bundle that the broker watches"
kill -9 "$broker_pid"
wait "$broker_pid" 2> /dev/null || true
has_fired CpisBrokerDown "" "it was killed"

shim=$build/tests/shim/store_faults.so
start_broker broker.yaml broker.log env LD_PRELOAD="$shim" CPIS_STORE_FAULTS="$world/faults"
profiles
has_cleared CpisBrokerDown "" "another was started"
has_cleared CpisDrill "" "no drill in its configuration"
has_cleared CpisCertificateExpires 'of="broker"' "its certificate is good for years"
has_cleared CpisBrokerCertificateEnds "" "likewise"
query || die "a query of a broker that is well was not answered: $(cat query.out)"

# 28: ENOSPC.
store_fault 28
for _ in 1 2 3; do
	query && die "answered, with a disk that takes nothing"
done
has_fired CpisNotReady 'cause="store"' "the disk takes nothing"
has_fired CpisErrors "" "likewise"
query && die "answered, with a disk that takes nothing"
has_fired CpisLogStalled "" "likewise"
store_fault 0
wait_until 20 "the broker goes on by itself" query
has_cleared CpisNotReady 'cause="store"' "there is room again"
has_cleared CpisErrors "" "likewise"
has_cleared CpisLogStalled "" "likewise"

# A disk that takes half a second for what it did in a millisecond, and a dozen people.
stop_broker
configure slow.yaml "$for_all" "metrics_endpoint_file: run/metrics" "batch_max: 1" "waiting_max: 2"
start_broker slow.yaml broker.log env LD_PRELOAD="$shim" CPIS_STORE_FAULTS="$world/faults"
profiles
query || die "$(cat query.out)"
slow_flushes 400
crowd() {
	local askers=() pid
	for _ in $(seq 12); do
		cpis --timeout 3000 --profile nurse.yaml ping > /dev/null 2>&1 &
		askers+=("$!")
	done
	for pid in "${askers[@]}"; do wait "$pid" || true; done
}
crowds() {
	crowd
	fires CpisCommitsSlow && fires CpisTurningAway
}
wait_until 60 "CpisCommitsSlow and CpisTurningAway fire" crowds
checked "CpisCommitsSlow fires: the disk has become slow"
checked "CpisTurningAway fires: more ask than it can record"
slow_flushes 0
query || true
has_cleared CpisTurningAway "" "nobody asks any more"
has_cleared CpisCommitsSlow "" "the disk is well"
stop_broker
start_broker broker.yaml broker.log
profiles

for _ in $(seq 24); do
	cpis --timeout 4000 --profile stranger.yaml ping > ping.out 2>&1 && die "a stranger was let in"
done
has_fired CpisHandshakesFail 'reason="handshake_unknown_key"' "a stranger tries 24 times"

kill_front() {
	local front restarts
	front=$(process_of cpis-front)
	restarts=$(value cpis_front_restarts_total)
	kill -9 "$front"
	wait_until 20 "there is another front" at_least cpis_front_restarts_total $((restarts + 1))
}
for _ in 1 2 3 4; do
	kill_front
done
has_fired CpisFrontRestarts "" "its front was killed four times"
has_cleared CpisHandshakesFail 'reason="handshake_unknown_key"' "nobody tries any more"
has_cleared CpisFrontRestarts "" "it stays"

kill -STOP "$broker_pid"
has_fired CpisNotReady 'cause="stalled"' "the core is stopped in its tracks"
kill -CONT "$broker_pid"
has_cleared CpisNotReady 'cause="stalled"' "it goes on"

profile claimed systems/hospital 555000000001 R8016 emergency_department
cp register.yaml register.kept
echo "role_profiles: {" > register.yaml
has_fired CpisRegisterNotLoaded "" "the register was spoilt"
cp register.kept register.yaml
for _ in $(seq 12); do
	cpis --profile claimed.yaml query 9990000018 > query.out 2>&1 && die "a role was believed that nobody gave"
done
has_fired CpisManyRefused "" "a nurse claims a role that she has not, again and again"
for _ in $(seq 12); do
	cpis --profile consultant.yaml query --details --break-glass --reason "rehearsal of an alert" 9990000018 > query.out 2>&1 ||
		die "the glass could not be broken: $(cat query.out)"
done
has_fired CpisGlassBrokenOften "" "a consultant breaks it twelve times"
has_cleared CpisRegisterNotLoaded "" "the register was mended"
has_cleared CpisManyRefused "" "nobody is refused"
has_cleared CpisGlassBrokenOften "" "it stays whole"
# Somebody else has the store locked for longer than a batch waits.
/usr/bin/python3 "$repository/tests/watch/hold_store.py" store/store.db held released > hold.out 2>&1 &
holder=$!
started+=("$holder")
wait_until 20 "the store is locked" test -e held
query && die "answered, while somebody else had the store"
has_fired CpisStoreWaits "" "another process has the store locked"
touch released
wait "$holder" || die "$(cat hold.out)"
wait_until 20 "the broker goes on by itself" query
has_cleared CpisStoreWaits "" "it was let go"
has_cleared CpisNotReady 'cause="store"' "likewise"

# Nobody cosigns any more.
stop_broker
{ printf 'witness w '; cpis witness init --name watch/witness --key witness.key; echo "quorum w"; } > policy.out
cp policy.out authority/trust/log.policy
configure witnessed.yaml "$for_all" "metrics_endpoint_file: run/metrics" "witness_required_s: 20"
start_broker witnessed.yaml broker.log
profiles
profile witness systems/national 555000000011 R8015
wait_until 20 "it is cosigned" cpis --profile witness.yaml witness cosign --name watch/witness --key witness.key --out cosigned
has_fired CpisWitnessLate "" "half of the time that is allowed has gone by"
wait_until 20 "it is cosigned" cpis --profile witness.yaml witness cosign --name watch/witness --key witness.key --out cosigned
has_cleared CpisWitnessLate "" "a witness has cosigned"
wait_until 20 "it is well again" sh -c '! curl -sf "http://127.0.0.1:'"$metrics_port"'/readyz" | grep -q not'
has_cleared CpisNotReady "" "likewise"
rm authority/trust/log.policy

# The log is put back to what it was, behind a client that remembers more.
stop_broker
cp -R store store.before
start_broker broker.yaml broker.log
profiles
query || die "$(cat query.out)"
stop_broker
rm -r store
mv store.before store
start_broker broker.yaml broker.log
profiles
wait_until 20 "Prometheus sees it" sees 'cpis_log_events_total{event="log_forked"} == 0'
for _ in 1 2 3; do
	query || true
done
has_fired CpisLogInDoubt "" "a client was shown more of the log than there is"
has_cleared CpisLogInDoubt "" "the operator knows of it"
rm -f nurse.checkpoint*

# Its clock goes back by five minutes while it runs.
stop_broker
echo "+0" > run/clock
start_broker broker.yaml broker.log env LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$world/run/clock" FAKETIME_CACHE_DURATION=1 \
	FAKETIME_DONT_FAKE_MONOTONIC=1
profiles
query || die "$(cat query.out)"
wait_until 20 "Prometheus sees it" sees 'cpis_log_events_total{event="clock_set_back"} == 0'
echo "-5m" > run/clock
wait_until 20 "its clock is back" sh -c 'cpis --timeout 2000 --profile nurse.yaml ping > ping.out 2>&1; grep -q clock_set_back broker.log'
has_fired CpisClockBehind "" "the clock was set back by five minutes"
has_cleared CpisClockBehind "" "and not again"

# An authority that reads nothing: one notification of four days ago, and a hundred of the day before yesterday.
stop_broker
rm -r store nurse.checkpoint*
mkdir store
long_ago -5d cpis certs refresh-lists --dir authority > lists.out
/usr/bin/python3 "$repository/tests/watch/children.py" 102 plans.csv children
grep -v _per_minute: "$repository/broker/policy.yaml" > policy.yaml
configure inbox.yaml "$for_all" "metrics_endpoint_file: run/metrics"
sed -i 's|^policy_file:.*|policy_file: policy.yaml|' inbox.yaml
look() {
	long_ago "$1" cpis --profile nurse.yaml query --details "$2" > query.out 2>&1 || die "$(cat query.out)"
}
start_broker inbox.yaml broker.log env LD_PRELOAD="$faketime" FAKETIME=-4d
profiles
profile leeds systems/leeds 555000000007 R9535
long_ago -4d cpis --profile leeds.yaml contacts set --emergency-duty "0113 496 0000" --office-hours "0113 496 0100" > publish.out
long_ago -4d cpis --profile leeds.yaml publish --full plans.csv >> publish.out
look -4d "$(head -n 1 children)"
stop_broker
start_broker inbox.yaml broker.log env LD_PRELOAD="$faketime" FAKETIME=-2d
profiles
for child in $(tail -n +2 children); do
	look -2d "$child"
done
stop_broker
start_broker inbox.yaml broker.log
profiles
profile leeds systems/leeds 555000000007 R9535
has_fired CpisInboxOld "" "a notification has waited for four days"
has_fired CpisInboxGrows "" "a hundred and one have waited for two"
while cpis --profile leeds.yaml --json inbox list > inbox.out && ids=$(/usr/bin/python3 -c 'import json; print(*(i["id"] for i in json.load(open("inbox.out"))["items"]))') && [ -n "$ids" ]; do
	# shellcheck disable=SC2086
	cpis --profile leeds.yaml inbox ack $ids > ack.out
done
has_cleared CpisInboxOld "" "the authority has read them"
has_cleared CpisInboxGrows "" "likewise"
sees 'ALERTS{alertstate="firing"}' && die "something fires that nobody brought about: $(ask 'ALERTS{alertstate="firing"}')"
checked "nothing else fires"
stop_broker
has_fired CpisBrokerDown "" "it was stopped"
