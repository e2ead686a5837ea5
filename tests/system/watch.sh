#!/usr/bin/env bash
# Metrics and health of a real broker: what they say, who may ask, what happens to them when parts of the broker die or stand still, and
# that the alert rules that are shipped are right by Prometheus' own tool and go by metrics that there are. tests/watch/alerts.sh
# (`make test-watch`) has the rules before a real Prometheus.
. "$(dirname "$0")/../watch/world.sh"

furnish
rules=$repository/broker/prometheus-alerts.yaml

# ---------------------------------------------------------------- who may be asked
for address in 0.0.0.0:9420 192.0.2.1:9420 localhost:9420 127.0.0.1 127.0.0.1:0 127.0.0.1:65536 '[::]:9420' 127.0.0.1:9420x; do
	configure refused.yaml "metrics_endpoint: '$address'"
	cpis-broker --check refused.yaml > check.out 2>&1 && die "metrics_endpoint $address was taken"
	grep -q 'refused.yaml:13: metrics_endpoint must be a loopback address and a port' check.out || die "$address: $(cat check.out)"
done
for line in "metrics_endpoint_file: run/metrics" "log_format: xml" "drill: perhaps"; do
	configure refused.yaml "$line"
	cpis-broker --check refused.yaml > check.out 2>&1 && die "$line was taken"
	grep -qE "refused.yaml:13: ${line%%:*} (needs metrics_endpoint|must be )" check.out || die "$line: $(cat check.out)"
done
configure good.yaml "metrics_endpoint: '[::1]:9420'" "log_format: text" "drill: no"
cpis-broker --check good.yaml > check.out 2>&1 || die "$(cat check.out)"
checked "what is not an address of this machine alone, and a port, is refused with its line"

configure off.yaml
start_broker off.yaml off.log
process_of cpis-metrics > /dev/null && die "metrics are served though nobody asked for it"
stop_broker
checked "nothing is served unless it is configured"

# ---------------------------------------------------------------- what is said
configure broker.yaml "metrics_endpoint: 127.0.0.1:*" "metrics_endpoint_file: run/metrics"
start_broker broker.yaml broker.log
profiles
wait_until 20 "the broker is ready" is_ready
[ "$(get /healthz)" = alive ] && [ "$(get /readyz)" = ready ] || die "alive and ready are told otherwise"
checked "/healthz and /readyz say that it is well"

cpis --profile nurse.yaml query 9990000018 > query.out
cpis --profile nurse.yaml query --details --break-glass --reason "to be refused" 9990000018 > query.out 2>&1 && die "a nurse broke the glass"
cpis --profile stranger.yaml ping > ping.out 2>&1 && die "a stranger was let in"
wait_until 20 "what was done is counted" at_least 'cpis_requests_total{operation="details",decision="refused"}' 1
wait_until 20 "who did not get in is counted" at_least 'cpis_handshakes_failed_total{reason="handshake_unknown_key"}' 1
get /metrics > metrics.out
# With what the client asks by itself.
asked=$(awk '/^cpis_requests_total/ {n += $NF} END {print n}' metrics.out)
for line in 'cpis_alive 1' 'cpis_ready 1' 'cpis_requests_total{operation="flag",decision="allowed"} 1' \
	'cpis_requests_total{operation="session_open",decision="allowed"} 2' 'cpis_refusals_total{reason="break_glass_not_allowed"} 1' \
	'cpis_refusals_total{reason="store_unavailable"} 0' \
	"cpis_stage_seconds_count{stage=\"queue\"} $asked" "cpis_stage_seconds_count{stage=\"decide\"} $asked" \
	"cpis_answer_seconds_count $asked" "cpis_batch_requests_sum $asked" 'cpis_commits_total{result="failed"} 0' 'cpis_front_restarts_total 0' 'cpis_quarantined 0' 'cpis_systems 2' \
	'cpis_inbox_oldest_seconds 0' 'cpis_log_events_total{event="ready",level="info",security="no"} 1' 'cpis_drill 0'; do
	grep -qxF -- "$line" metrics.out || die "/metrics does not say $line: see $world/metrics.out"
done
checked "/metrics counts what was asked, decided and refused"
promtool check metrics < metrics.out > promtool.out 2>&1 || die "$(cat promtool.out)"
checked "promtool finds nothing wrong with /metrics"
grep -vE '^#' metrics.out | grep -oE '^[a-z_]+' | sed -E 's/_(bucket|sum|count)$//' | sort -u > shown.names
cpis-broker --describe metrics | sed -nE 's/^\| `([a-z_]+)`.*/\1/p' | sort > described.names
comm -13 described.names shown.names > not-described
[ ! -s not-described ] || die "shown and not described: $(cat not-described)"
[ "$(wc -l < described.names)" -gt 25 ] || die "few metrics are described"
checked "each metric is described"
if grep -iE 'RXH|X26|hospital|national|Okafor|5550000000|999 ?000|R8001' metrics.out; then
	die "/metrics names somebody"
fi
[ "$(wc -l < metrics.out)" -lt 700 ] || die "/metrics has grown"
checked "no organisation, system, person or child is in it"

# ---------------------------------------------------------------- in a terminal
cpis --profile operator.yaml top > top.out || die "cpis top: $(cat top.out)"
for line in '^watch-broker, version [0-9.]+, sqlite: up [0-9]+ s, ' '^  in all +p50 +[0-9.]+ ' '^Commits: [0-9]+, 0 failed; ' '^Edge: +[0-9]+ handshakes admitted, [0-9]+ refused; ' \
	"^Ends: +broker's certificate in [0-9]+ days; revocation lists in [0-9]+ days; 0 of 2 systems " '^Log: +[0-9]+ records, ' '^  FLAG +1 +0$' '^  DETAILS +0 +1$'; do
	grep -qE -- "$line" top.out || die "cpis top does not say $line: $(cat top.out)"
done
grep -q "$(printf '\033')" top.out && die "cpis top drives a terminal where there is none"
cpis --profile operator.yaml --json top | python3 -c 'import json, sys; o = json.load(sys.stdin); assert o["operations"]["FLAG"] == {"allowed": 1, "refused": 0}, o'
cpis --profile nurse.yaml top > top.out 2>&1 && die "a nurse was told how the broker runs"
cpis --profile operator.yaml top --every 0 > top.out 2>&1 && die "--every 0 was taken"
checked "cpis top prints once where there is no terminal, for operators only"
python3 - <<- 'END'
	import os, pty, select, signal, sys, time
	child, terminal = pty.fork()
	if child == 0:
	    os.execvp("cpis", ["cpis", "--profile", "operator.yaml", "top", "--every", "1"])
	seen, until = b"", time.monotonic() + 30
	while seen.count(b"\033[H\033[J") < 3:
	    assert time.monotonic() < until and select.select([terminal], [], [], 30)[0], seen
	    seen += os.read(terminal, 65536)
	os.kill(child, signal.SIGINT)
	assert os.waitpid(child, 0)[1] == 0
END
checked "on a terminal it goes on until it is interrupted"

# ---------------------------------------------------------------- who asks otherwise
[ "$(status_of /)" = 404 ] || die "/ is something"
for method in POST PUT DELETE; do
	[ "$(curl -s -o /dev/null -w '%{http_code}' -X "$method" "http://$metrics/metrics")" -ge 400 ] || die "$method was taken"
done
[ "$(curl -s -o /dev/null -w '%{http_code}' -d x=y "http://$metrics/metrics")" -ge 400 ] || die "a body was taken"
curl -s -o /dev/null --max-time 5 -H "X-Long: $(head -c 8000 /dev/zero | tr '\0' x)" "http://$metrics/metrics" || true
head -c 20000 /dev/urandom | timeout 5 bash -c "cat > /dev/tcp/${metrics%:*}/${metrics##*:}" 2> /dev/null || true
is_ready || die "it does not answer after garbage"
checked "other methods, paths, bodies, long headers and garbage are refused, and it answers on"
python3 - "$metrics" <<- 'END'
	import socket, sys, urllib.request
	host, port = sys.argv[1].rsplit(":", 1)
	idle = [socket.create_connection((host, int(port))) for _ in range(200)]
	# They are let go after five seconds of silence.
	with urllib.request.urlopen(f"http://{host}:{port}/readyz", timeout=30) as answer:
	    assert answer.read() == b"ready\n"
END
checked "two hundred connections that say nothing keep nobody out for long"

# ---------------------------------------------------------------- parts that die or stand still
server=$(process_of cpis-metrics)
grep -qE '^Seccomp:\s+2$' "/proc/$server/status" && grep -qE '^NoNewPrivs:\s+1$' "/proc/$server/status" || die "cpis-metrics has no sandbox"
ls -l "/proc/$server/fd" | grep -qE 'store|authority|\.key' && die "cpis-metrics has a file of the broker's open"
checked "what serves metrics is sandboxed, and has no file of the broker's"
kill -9 "$server"
wait_until 20 "metrics are served again" is_ready
[ "$(process_of cpis-metrics)" != "$server" ] || die "the same process serves"
grep -q ' metrics_died what serves metrics was ended by signal 9 ' broker.log || die "nobody was told"
checked "it is started again when it dies, on the same port"
cpis --profile nurse.yaml query 9990000018 > query.out || die "and the broker does not answer meanwhile: $(cat query.out)"
kill -9 "$(process_of cpis-front)"
wait_until 20 "the front's death is counted" is cpis_front_restarts_total 1
wait_until 20 "the broker is ready again" is_ready
checked "a front that dies is counted, and the broker is ready with the next one"
kill -STOP "$broker_pid"
wait_until 20 "a core that stands still is told of" is_not_ready
[ "$(status_of /healthz)" = 503 ] || die "it is said to be alive"
get /readyz | grep -q '^stalled: ' || die "/readyz does not say why"
[ "$(value cpis_alive)" = 0 ] && is 'cpis_not_ready{cause="stalled"}' 1 || die "/metrics does not say so"
kill -CONT "$broker_pid"
wait_until 20 "it goes on" is_ready
[ "$(status_of /healthz)" = 200 ] || die "it is not said to be alive"
checked "a core that stands still is not alive and not ready, and is both when it goes on"
# A front that does not let go holds up the end, which is told meanwhile.
front=$(process_of cpis-front)
kill -STOP "$front"
kill "$broker_pid"
wait_until 10 "that it drains is told" bash -c "curl -s http://$metrics/readyz | grep -q '^draining: '"
kill -CONT "$front"
wait "$broker_pid"
checked "a broker that stops is not ready, and says that it drains"
[ ! -e run/metrics ] || die "run/metrics was left"
curl -s --max-time 5 "http://$metrics/healthz" > /dev/null && die "somebody serves metrics after the end"
checked "with the broker its metrics end"

configure drill.yaml "metrics_endpoint: 127.0.0.1:*" "metrics_endpoint_file: run/metrics" "drill: yes"
start_broker drill.yaml drill.log
wait_until 20 "the drill is told" is cpis_drill 1
checked "a drill is marked"
configure taken.yaml "metrics_endpoint: $metrics"
sed -i -e 's|store/store.db|store/other.db|; s|run/endpoint|run/other|' taken.yaml
timeout 20 cpis-broker taken.yaml 2> taken.log && die "a broker started whose metrics nobody could read"
grep -q " cannot_start metrics_endpoint $metrics: Address already in use" taken.log || die "$(cat taken.log)"
checked "a port that somebody else has ends the start, and is named"
stop_broker

# One that takes over serves metrics where the one before did.
configure same.yaml "metrics_endpoint: $metrics" "metrics_endpoint_file: run/metrics"
start_broker same.yaml same.log
before=$broker_pid
profiles
wait_until 20 "the first one is ready" is_ready
cpis --profile nurse.yaml query 9990000018 > query.out || die "$(cat query.out)"
wait_until 20 "the first one counts" at_least 'cpis_requests_total{operation="flag",decision="allowed"}' 1
cpis-broker --take-over same.yaml 2> next.log < /dev/null &
broker_pid=$!
started+=("$broker_pid")
wait "$before" || die "the first one did not end well: $(tail -3 same.log)"
wait_until 20 "the next one is ready" is_ready
is 'cpis_requests_total{operation="flag",decision="allowed"}' 0 || die "the next one counts what the first one did"
cpis --profile nurse.yaml query 9990000018 > query.out || die "$(cat query.out)"
checked "a broker that takes over serves its metrics on the same port"
stop_broker

# ---------------------------------------------------------------- as another user
if [ "$(id -u)" = 0 ]; then
	chmod 755 . authority systems
	chown -R nobody: store run
	configure user.yaml "metrics_endpoint: 127.0.0.1:*" "metrics_endpoint_file: run/metrics" "user: nobody"
	start_broker user.yaml user.log
	wait_until 20 "the broker of another user is ready" is_ready
	for name in cpis-metrics cpis-front; do
		[ "$(ps -o user= -p "$(process_of "$name")")" = nobody ] || die "$name is not that user's"
	done
	stop_broker
	checked "what serves metrics is the user that the broker becomes"
fi

# ---------------------------------------------------------------- the manual
for topic in events metrics; do
	cpis-broker --describe "$topic" > "described.$topic"
	python3 -c 'import sys; sys.exit(open(sys.argv[1]).read() not in open(sys.argv[2]).read())' "described.$topic" "$repository/broker/README.md" ||
		die "the table of $topic in broker/README.md is not that of cpis-broker --describe $topic"
done
checked "the manual's tables of events and metrics are the program's"

# ---------------------------------------------------------------- the rules
promtool check rules "$rules" > promtool.out 2>&1 || die "$(cat promtool.out)"
cp "$rules" "$repository/tests/watch/alerts_test.yaml" .
promtool test rules alerts_test.yaml > promtool.out 2>&1 || die "$(cat promtool.out)"
checked "the rules are well formed and do what their cases say"
sed -n 's/.*- alert: //p' "$rules" | while read -r alert; do
	grep -q "alertname=\"$alert\"" alerts_test.yaml || die "$alert has no case in tests/watch/alerts_test.yaml"
done
grep -oE '\bcpis_[a-z_]+' "$rules" | sed -E 's/_(bucket|sum|count)$//' | sort -u | comm -23 - described.names > not-there
[ ! -s not-there ] || die "rules go by metrics that there are not: $(cat not-there)"
grep -oE 'event=~?"[^"]+"' "$rules" | sed -E 's/.*"(.*)"/\1/' | tr '|' '\n' | while read -r event; do
	grep -q "^| \`$event\` " described.events || die "a rule goes by the event $event, which there is not"
done
checked "each rule has a case, and goes by metrics and events that there are"
