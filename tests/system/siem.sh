#!/usr/bin/env bash
# The security events of a real broker arrive at a real rsyslogd over TLS, by broker/rsyslog-siem.conf: from a real journal with its
# fields, and from a file of JSON lines; nothing else arrives, nothing is lost while the receiver is down, and no receiver with another
# name hears anything. As root: the journal runs in a mount namespace of its own, with a /run of its own.
if [ "${1:-}" != inside ]; then
	exec unshare --mount --propagation private bash "$0" inside
fi
. "$(dirname "$0")/../watch/world.sh"

mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log

certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2> /dev/null
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" \
		-extfile <(printf 'subjectAltName=DNS:%s' "$2") 2> /dev/null
}

# receiver NAME: starts one that writes what arrives, as it arrived, to NAME.received.
receiver() {
	cat > receiver.conf <<- END
		global(workDirectory="$world/receiver" defaultNetstreamDriverCAFile="$world/ca.pem"
			defaultNetstreamDriverCertFile="$world/$1.pem" defaultNetstreamDriverKeyFile="$world/$1.key")
		module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/name" permittedPeer=["broker.example.org"])
		template(name="raw" type="string" string="%rawmsg%\n")
		ruleset(name="all") { action(type="omfile" file="$world/$1.received" template="raw") }
		input(type="imtcp" port="$port" address="127.0.0.1" ruleset="all")
	END
	mkdir -p receiver
	rsyslogd -n -f receiver.conf -i "$world/receiver.pid" > receiver.log 2>&1 &
	receiver_pid=$!
	started+=("$receiver_pid")
	wait_until 20 "$1 receives (see $world/receiver.log)" is_listening
}

end_receiver() {
	kill "$receiver_pid"
	wait "$receiver_pid" || true
}

# sender FROM: by the file that is shipped, with this world's places in it; from the journal or from broker.jsonl.
sender() {
	mkdir -p "$1"
	{
		echo "global(workDirectory=\"$world/$1\")"
		sed -e "s|target=\"siem.example.org\" port=\"6514\"|target=\"127.0.0.1\" port=\"$port\"|" \
			-e "s|/etc/cpis/siem/|$world/|; s|/var/log/cpis/|$world/|" -e 's|action.resumeInterval="5"|action.resumeInterval="1"|' \
			"$repository/broker/rsyslog-siem.conf" | if [ "$1" = json ]; then
			sed -E 's/^module\(load="imjournal"/#&/; s/^#((module|input)\(.*imfile)/\1/'
		else
			cat
		fi
	} > "$1.conf"
	rsyslogd -N1 -f "$1.conf" > "$1.check" 2>&1 || die "rsyslogd does not take the file: $(cat "$1.check")"
	# By the line, so that what it says of itself can be waited for.
	stdbuf -oL rsyslogd -n -f "$1.conf" -i "$world/$1.pid" > "$1.log" 2>&1 &
	sender_pid=$!
	started+=("$sender_pid")
}

end_sender() {
	kill "$sender_pid"
	wait "$sender_pid" || true
}

is_listening() {
	[ -n "$(ss -Hltn "sport = :$port")" ]
}

knows_that_nobody_receives() {
	if cpis --profile stranger.yaml ping > ping.out 2>&1; then
		die "a stranger was let in"
	fi
	grep -q 'cannot connect to' journal.log
}

received() {
	grep -qE "$2" "$1.received"
}

furnish
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=siem" 2> /dev/null
certificate siem siem.example.org
certificate other other.example.org
certificate client broker.example.org
# Below those that connections are made from: whoever tries again and again to reach one of those may reach itself.
port=20000
while is_listening; do
	port=$((port + 1))
done

# ---------------------------------------------------------------- without a journal
: > prefixed.log
JOURNAL_STREAM=$(stat -L -c %d:%i prefixed.log) cpis-broker absent.yaml 2>> prefixed.log && die "a broker started without a configuration"
grep -qE '^<3>[-0-9T:.]+Z error cannot_start absent.yaml' prefixed.log || die "no priority: $(cat prefixed.log)"
JOURNAL_STREAM=1:1 cpis-broker absent.yaml 2> plain.log && die "a broker started without a configuration"
grep -qE '^[-0-9T:.]+Z error cannot_start absent.yaml' plain.log || die "another stream was believed: $(cat plain.log)"
checked "where the journal is not there its priority goes before the line, and only where standard error is its"

# ---------------------------------------------------------------- from the journal
/lib/systemd/systemd-journald 2> journald.log &
started+=("$!")
wait_until 20 "there is a journal" test -S /run/systemd/journal/stdout
configure broker.yaml
receiver siem
sender journal
# As systemd does it for a service.
cat > in-journal <<- 'END'
	#!/bin/sh
	exec systemd-cat -t cpis-broker sh -c 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"' sh "$@"
END
chmod +x in-journal
start_broker broker.yaml broker.log ./in-journal
profiles
cpis --profile stranger.yaml ping > ping.out 2>&1 && die "a stranger was let in"
wait_until 30 "the refusal has arrived" received siem '^<84>1 [-0-9T:.+Z]+ [^ ]+ cpis-broker [0-9]+ handshake_refused \[cpis@32473 process="front" level="warning"\] key [0-9a-f]{8} from 127.0.0.1: '
checked "a handshake that was refused arrives as RFC 5424 with structured data, over TLS"
wait_until 30 "its record has arrived" received siem ' handshakes_failed \[cpis@32473 process="core" level="warning"\] handshake_unknown_key '
checked "and so does what the core says of it"
journalctl -o json --no-pager SYSLOG_IDENTIFIER=cpis-broker > journal.json
python3 - "$world/journal.json" <<- 'END'
	import json, sys
	records = [json.loads(line) for line in open(sys.argv[1])]
	ready = [r for r in records if r.get("CPIS_EVENT") == "ready"]
	assert len(ready) == 1 and ready[0]["PRIORITY"] == "6" and ready[0]["CPIS_SECURITY"] == "0" and ready[0]["CPIS_PROCESS"] == "core", ready
	assert ready[0]["MESSAGE"].startswith("watch-broker serves on tcp://") and ready[0]["_TRANSPORT"] == "journal", ready
	assert all("CPIS_EVENT" in r for r in records), "every record of the broker's has its fields"
	assert {r["CPIS_PROCESS"] for r in records} >= {"core", "front"}
END
checked "the journal has every record with priority, event and process, written from within the sandboxes"
end_receiver
# Syslog over TCP is not acknowledged: what is sent into a connection that has just ended is lost, and tells the sender that it has.
wait_until 30 "the sender knows that nobody receives" knows_that_nobody_receives
# From here on what happens is kept.
cpis certs revoke --dir authority authority/enrolled/$(basename "$(ls authority/enrolled/*.pem | head -1)") > revoke.out
wait_until 20 "the revocation counts" bash -c 'journalctl --no-pager CPIS_EVENT=register_loaded | grep -q "systems are enrolled"'
receiver siem
wait_until 30 "what was kept has arrived" received siem ' register_loaded \[cpis@32473 process="core" level="info"\] '
checked "what happens while the receiver is down arrives when it is back"
grep -qE ' (ready|sandboxed|stopped) \[' siem.received && die "what is no security event was sent"
checked "nothing else arrives"
stop_broker
end_receiver
end_sender

# ---------------------------------------------------------------- from a file of JSON lines; a receiver of another name
configure json.yaml "log_format: json"
: > broker.jsonl
receiver other
sender json
start_broker json.yaml broker.jsonl
profiles
cpis --profile stranger.yaml ping > ping.out 2>&1 && die "a stranger was let in"
python3 - "$world/broker.jsonl" <<- 'END'
	import json, sys
	records = [json.loads(line) for line in open(sys.argv[1])]
	assert {r["process"] for r in records} >= {"core", "front"}, records
	assert any(r["event"] == "handshake_refused" and r["security"] and r["level"] == "warning" for r in records), records
	assert all(set(r) == {"time", "level", "event", "security", "process", "pid", "message"} for r in records)
END
checked "log_format: json writes one object a line, core and front alike"
wait_until 30 "it has looked at the other certificate, and hung up" grep -q "closed due to error" receiver.log
[ ! -s other.received ] || die "another receiver heard something: $(head -1 other.received)"
checked "a receiver of another name hears nothing"
end_receiver
: > siem.received
receiver siem
wait_until 60 "it has arrived at the right one" received siem '^<84>1 .* handshake_refused \[cpis@32473 process="front" level="warning"\] key '
checked "the right one gets what was kept for it"
stop_broker
