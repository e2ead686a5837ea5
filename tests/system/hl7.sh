#!/usr/bin/env bash
# cpis-hl7 between a patient administration system that speaks MLLP and a real broker: each message is answered as a direct question is, and
# recorded as one; the answer goes into segments, files, to a web address; what is wrong is said in ERR. Messages that are not what they
# should be, receivers that do not take answers, senders by TLS who may not or stall. The world is the demo's, left running.
# MESSAGES: how many are replayed (300; `make test-hl7` replays 10,000).
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
build=$(realpath "${BUILD:-build}")
export PATH=$build:$PATH PYTHONPATH=$repository/clients/python:$repository/clients/hl7:$build/python PYTHONDONTWRITEBYTECODE=1
messages=${MESSAGES:-300}
log=$(mktemp /tmp/cpis-hl7-test-XXXXXX)
world= broker= adaptor= receiver=
checks=0

finish() {
	local code=$? pid
	for pid in $adaptor $receiver $broker; do kill "$pid" 2> /dev/null || true; done
	[ -z "$world" ] || rm -rf "$world"
	rm -f "$log"
	exit "$code"
}
trap finish EXIT

fail() {
	echo "hl7.sh: $1" >&2
	tail -n 60 "$log" >&2
	[ ! -s "$world/adaptor.log" ] || tail -n 20 "$world/adaptor.log" >&2
	exit 1
}

expect() {
	local what=$1
	shift
	checks=$((checks + 1))
	"$@" > /dev/null || fail "$what"
}

# wait_for WHAT COMMAND...: 20 s at most.
wait_for() {
	local tries=200 what=$1
	shift
	until "$@" > /dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "$what: not in time"
		sleep 0.1
	done
}

/usr/bin/python3 tests/hl7/messages.py > "$log" 2>&1 || fail "messages: $(tail -n 1 "$log")"
checks=$((checks + $(sed -n 's/^\([0-9]*\) messages$/\1/p' "$log")))
KEEP=1 tests/demo/demo.sh > "$log" 2>&1 || fail "the demo"
world=$(sed -n 's/^ *cd \(\/tmp\/cpis-demo-[A-Za-z0-9]*\)$/\1/p' "$log")
broker=$(sed -n 's/^ *kill \([0-9]*\); rm -r .*/\1/p' "$log")
[ -d "$world" ] && [ -n "$broker" ] || fail "the demo left nothing running"
cd "$world"
# One member of staff answers for all that the hospital's system asks: more in a minute than the shipped policy lets one person.
kill "$broker"
tail --pid="$broker" -f /dev/null
grep -v person_per_minute: "$repository/broker/policy.yaml" > policy.yaml
sed -i "s|^endpoint: .*|endpoint: $(sed -n 's/^endpoint: //p' nurse.yaml)|; s|^policy_file: .*|policy_file: policy.yaml|" broker.yaml
cpis-broker broker.yaml 2>> broker.log &
broker=$!
wait_for "the broker" cpis --profile nurse.yaml --timeout 500 ping

settings() {
	printf '%s\n' "listen: 127.0.0.1:0" "profile: adt.yaml" "care_setting: emergency_department" "$@" > hl7.yaml
}

start() {
	: > adaptor.log
	"$repository/clients/hl7/cpis-hl7" --config hl7.yaml 2>> adaptor.log &
	adaptor=$!
	wait_for "cpis-hl7" grep -q "^cpis-hl7: " adaptor.log
	grep -q "^cpis-hl7: ready: " adaptor.log || { cat adaptor.log >> "$log"; fail "cpis-hl7 did not start"; }
	place=$(sed -n 's/^cpis-hl7: ready: //p' adaptor.log)
}

stop() {
	kill "$adaptor"
	wait "$adaptor" || fail "cpis-hl7 ended with $?"
	adaptor=
	cat adaptor.log >> "$log"
}

# refused WORDS SETTING...
refused() {
	local words=$1 code=0
	shift
	settings "$@"
	checks=$((checks + 1))
	timeout 20 "$repository/clients/hl7/cpis-hl7" --config hl7.yaml > said 2>&1 || code=$?
	[ "$code" = 1 ] && grep -qF -- "$words" said || { cat said >> "$log"; fail "not refused: $words"; }
}

# talk PYTHON: with send(text) -> the acknowledgement as text, and adt(event, control, pid3).
talk() {
	/usr/bin/python3 "$repository/tests/hl7/talk.py" "$place" "$1" >> "$log" 2>&1
}

cp nurse.yaml adt.yaml
refused "nothing says where answers go" "details: true"
refused "unknown key colour" "segment: OBX" "colour: red"
refused "segment is OBX or AL1" "segment: ZZZ"
refused "url is an https address" "url: http://example.org/"
refused "url is an https address" "url: http://localhost:9@example.org/"
refused "workers is 1 to 32" "segment: OBX" "workers: 99"
refused "there is no folder" "directory: nowhere"
settings "segment: OBX"
sed -i 's/127.0.0.1:0/0.0.0.0:2575/' hl7.yaml
checks=$((checks + 1))
! "$repository/clients/hl7/cpis-hl7" --config hl7.yaml 2>> said && grep -q "needs tls_certificate" said || fail "listens to others without TLS"
sed 's|^system_key: .*|system_key: credential:../hospital.key|' nurse.yaml > adt.yaml
refused "adt.yaml: what follows credential: is one file's name" "segment: OBX"
# As systemd hands keys over.
mkdir handed
cp "$(sed -n 's/^system_key: //p' nurse.yaml)" handed/system.key
cp "$(sed -n 's/^staff_key: //p' nurse.yaml)" handed/staff.key
sed 's|^system_key: .*|system_key: credential:system.key|; s|^staff_key: .*|staff_key: credential:staff.key|' nurse.yaml > adt.yaml
export CREDENTIALS_DIRECTORY=$world/handed

settings "segment: OBX" "details: false"
start
/usr/bin/python3 "$repository/tests/hl7/replay.py" "$place" nurse.yaml "$messages" > replayed 2>> "$log" || fail "the replay: $(cat replayed)"
cat replayed
checks=$((checks + messages))
expect "as many records of the replay as of direct questions" /usr/bin/python3 "$repository/tests/hl7/recorded.py" "$world" "$messages"
expect "what is wrong is said" talk '
assert "|AE|" in send(adt("A04", "w1", "9990000019^^^NHS^NH")) and "an NHS number that is none" in last
assert "|AE|" in send(adt("A04", "w2", "9990000018^^^NHS^NH~9990000026^^^NHS^NH")) and "more than one" in last
assert "|AA|" in send(adt("A04", "w3", "H123^^^RXH^MR")) and "|U^" in last
assert "|AE|" in send(adt("A04", "", "9990000018^^^NHS^NH"))
assert "|AA|" in send(adt("A03", "w4", "9990000018^^^NHS^NH")) and "OBX" not in last
assert "|AA|" in send(adt("A28", "w5", "999-000-0018^^^NHS^NH")) and "|Y^" in last'
expect "what cannot be read ends the connection, and no other" talk '
assert raw(b"GET / HTTP/1.0\r\n\r\n\x1c\r") == b"" and raw(b"\x0bnonsense\x1c\r") == b"" and raw(b"\x0b" + b"x" * 100000 + b"\x1c\r") == b""
assert "|AA|" in send(adt("A01", "x1", "9990000018^^^NHS^NH"))'
code=0
sed "s|^listen: .*|listen: $place|" hl7.yaml > taken.yaml
timeout 20 "$repository/clients/hl7/cpis-hl7" --config taken.yaml > said 2>&1 || code=$?
expect "an address that is taken may be free later: exit code 2" test "$code" = 2
expect "and it is said" grep -q "cannot_listen: $place: " said
expect "nothing about a patient in its log" sh -c '! grep -e 99900 -e EXAMPLE adaptor.log'
# Without a broker nobody is told that there is no plan.
kill "$broker"
tail --pid="$broker" -f /dev/null
broker=
expect "no answer is an error" talk 'assert "|AR|" in send(adt("A04", "b1", "9990000018^^^NHS^NH")) and "does not answer" in last and "OBX" not in last'
cpis-broker broker.yaml 2>> broker.log &
broker=$!
wait_for "the broker" cpis --profile nurse.yaml --timeout 500 ping
expect "and the same message is answered after it" talk 'assert "|AA|" in send(adt("A04", "b1", "9990000018^^^NHS^NH")) and "|Y^" in last'
stop

free_port() {
	/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# How many items the authority's inbox has ever had.
told() {
	cpis --profile leeds.yaml --json inbox list --all | /usr/bin/python3 -c 'import json, sys; print(len(json.load(sys.stdin)["items"]))'
}

before=$(told)
mkdir answers
settings "details: true" "segment: AL1" "directory: answers" "url: http://127.0.0.1:$(free_port)/flags"
port=$(sed -n 's/^url: .*:\([0-9]*\).*/\1/p' hl7.yaml)
start
expect "an address that does not take it is an error" talk 'assert "|AR|" in send(adt("A04", "u1", "9990000034^^^NHS^NH")) and "could not be delivered" in last'
/usr/bin/python3 "$repository/tests/hl7/receiver.py" "$port" received 2>> "$log" &
receiver=$!
wait_for "the receiver" test -e received
expect "with plans and whom to ring, everywhere" talk '
assert "|AA|" in send(adt("A04", "u1", "9990000034^^^NHS^NH")) and "AL1|1|MA|CPIS^This child is known" in last'
expect "by HTTP" grep -q '"ring_now": "0113 496' received
expect "as a file" grep -rq '"emergency_duty": "0113 496 0000"' answers
expect "the authority was told once, although the message came twice" test "$(told)" = $((before + 1))
expect "a file is its owner's" test "$(stat -c %a answers/*.json | sort -u)" = 600
chmod g+rxs answers
expect "in a folder that is shared with a group" talk 'assert "|AA|" in send(adt("A04", "u2", "9990000034^^^NHS^NH"))'
expect "the group reads it" test "$(stat -c %a answers/*.json | sort -u | tr '\n' ' ')" = "600 640 "
kill "$receiver"
wait "$receiver" 2> /dev/null || true
receiver=
expect "what was begun is answered after SIGTERM, and nothing else" /usr/bin/python3 "$repository/tests/hl7/drain.py" "$place" "$port" "$adaptor"
wait "$adaptor" || fail "cpis-hl7 ended with $?"
expect "it tells what it did" grep -q "^cpis-hl7: stopped: 3 answered, 1 failed" adaptor.log
cat adaptor.log >> "$log"
adaptor=

mkdir taken
touch taken/0123456789abcdef0123456789abcdef.json.1.writing
port=$(free_port)
settings "directory: taken" "segment: OBX" "workers: 2" "url: http://127.0.0.1:$port/flags"
start
# By no proxy: it would get the answers in plain text.
http_proxy=http://127.0.0.1:1 /usr/bin/python3 "$repository/tests/hl7/delivery.py" "$place" "$port" taken > delivered 2>> "$log" || fail "delivery: $(tail -n 5 "$log")"
checks=$((checks + $(sed -n 's/^\([0-9]*\) cases$/\1/p' delivered)))
stop
expect "nothing about a patient in its log" sh -c '! grep -e 99900 -e "999 000" -e EXAMPLE adaptor.log'

mkdir tls asked
/usr/bin/python3 "$repository/tests/hl7/tls_files.py" tls >> "$log" 2>&1 || fail "certificates"
refused "all three or none" "segment: OBX" "tls_certificate: tls/adt.pem"
refused "tls: " "segment: OBX" "tls_certificate: tls/adt.pem" "tls_key: tls/locked.key" "tls_ca: tls/site-ca.pem"
refused "tls: " "segment: OBX" "tls_certificate: tls/adt.pem" "tls_key: tls/pas.key" "tls_ca: tls/site-ca.pem"
settings "segment: OBX" "directory: asked" "tls_certificate: tls/adt.pem" "tls_key: tls/adt.key" "tls_ca: tls/site-ca.pem"
start
/usr/bin/python3 -W ignore::DeprecationWarning "$repository/tests/hl7/tls.py" "$place" tls asked "$adaptor" > by-tls 2>> "$log" || fail "TLS: $(tail -n 5 "$log")"
cat by-tls >> "$log"
checks=$((checks + $(sed -n 's/^\([0-9]*\) cases$/\1/p' by-tls)))
for why in PEER_DID_NOT_RETURN_A_CERTIFICATE CERTIFICATE_VERIFY_FAILED UNSUPPORTED_PROTOCOL WRONG_VERSION_NUMBER; do
	expect "who is not let in stands in its log, and why: $why" grep -q "not_let_in: 127.0.0.1: $why" adaptor.log
done
expect "and nothing about a patient" sh -c '! grep -e 99900 -e EXAMPLE adaptor.log'
stop
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
