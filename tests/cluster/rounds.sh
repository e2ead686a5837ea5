#!/usr/bin/env bash
# Faults under constant load, each ROUNDS times in a run of its own, and what came of each as a table. After each run all that was
# acknowledged is looked for; while the service is partitioned a system is held back, and nobody may answer it from then on.
#
#	BUILD=build ROUNDS=5 FAULTS="kill-primary cut-primary ..." PAUSE_S=30 rounds.sh
#
# A round ends with everything up again, so that the next one begins as the first did.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
for part in inside net nodes service faults; do
	# shellcheck source=/dev/null
	. "$here/$part.sh"
done
ROUNDS=${ROUNDS:-5}
PAUSE_S=${PAUSE_S:-30}
ALL_FAULTS="none kill-primary kill-postmaster cut-primary isolate-primary pause-primary fill-disk kill-standby kill-broker cut-broker pause-broker
	split-primary split-isolated split-broker"
FAULTS=${FAULTS:-$ALL_FAULTS}
CHILDREN=8400 # of each run of the load: LOAD_CHILDREN in load.c
AGAIN=200     # answers after which the service counts as answering again
checks=0 failures=0

# ------------------------------------------------------------------ the load

answers() {
	cat "$C/answers" 2> /dev/null || echo 0
}

answered_more_than() {
	[ "$(answers)" -gt "$1" ] || ! running load
}

wait_answers() {
	wait_for 90 "answers" answered_more_than $(($(answers) + AGAIN))
	running load
}

load_begin() {
	rm -f "$C/answers" "$C/result"
	start clients load sh -c "exec '$BUILD/tests/cluster/load' '$W' '$C/answers' $1 > '$C/result'"
	wait_for 60 "the load" answered_more_than 100
	running load
}

load_end() {
	kill -TERM "$(cat "$C/pids/load")"
	wait_for 180 "the check after the load" gone "$(cat "$C/pids/load")"
	# It ended well, or said what is lost.
	[ -s "$C/result" ]
}

# ------------------------------------------------------------------ what is done in a round

standby() {
	local n
	for n in "${NODES[@]}"; do [ "$n" = "$1" ] || { echo "$n"; return; }; done
}

another_leads() {
	leader "$1"
}

wait_failover() {
	wait_for 60 "another primary than db$1" another_leads "$1"
}

wait_up() {
	local n
	wait_for 120 "three nodes in replication" nodes_ready
	for n in "${BROKERS[@]}"; do wait_for 60 "broker$n" broker_ready "$n"; done
}

wait_pause() {
	sleep "$PAUSE_S"
}

# fault NAME ROUND: under load; ends when it is taken back.
fault() {
	local name=$1 primary broker=$(($2 % 3 + 1))
	primary=$(leader)
	case $name in
	# What the others are compared with.
	none) wait_answers ;;
	kill-primary | kill-postmaster)
		if [ "$name" = kill-primary ]; then verb kill-node "$primary"; else verb kill-postmaster "$primary"; fi
		wait_failover "$primary"
		wait_answers
		verb start-node "$primary"
		;;
	cut-primary | isolate-primary)
		verb "${name%-primary}-node" "$primary"
		wait_failover "$primary"
		wait_answers
		verb heal-node "$primary"
		;;
	pause-primary)
		verb pause-node "$primary"
		wait_failover "$primary"
		wait_answers
		wait_pause
		verb resume-node "$primary"
		;;
	fill-disk)
		# PostgreSQL ends, and another one is promoted, when the write-ahead log needs a new file; before that only tables cannot
		# grow, nobody is answered and nothing is promoted.
		verb fill-disk "$primary"
		wait_pause
		verb empty-disk "$primary"
		;;
	kill-standby)
		verb kill-node "$(standby "$primary")"
		wait_answers
		verb start-node "$(standby "$primary")"
		;;
	kill-broker)
		verb kill-broker "$broker"
		wait_answers
		verb start-broker "$broker"
		;;
	cut-broker | pause-broker)
		verb "$name" "$broker"
		wait_answers
		wait_pause
		if [ "$name" = cut-broker ]; then verb heal-broker "$broker"; else verb resume-broker "$broker"; fi
		;;
	esac
}

# ------------------------------------------------------------------ of two minds

split_says() {
	[ "$(cat "$C/split" 2> /dev/null)" = "$1" ] || ! running partition
}

wait_split() {
	wait_for 120 "the partition's step '$1'" split_says "$1"
	split_says "$1" && [ "$(cat "$C/split")" = "$1" ]
}

# split NAME ROUND: a system is held back after the cut, and nobody answers it until it is lifted.
split() {
	local name=$1 primary broker=$(($2 % 3 + 1))
	primary=$(leader)
	rm -f "$C/split" "$C/split-result"
	start clients partition sh -c "exec '$BUILD/tests/cluster/partition' '$W' '$C/split' > '$C/split-result'"
	wait_split asking
	case $name in
	split-primary) verb cut-node "$primary" ;;
	split-isolated) verb isolate-node "$primary" ;;
	split-broker) verb cut-broker "$broker" ;;
	esac
	kill -USR1 "$(cat "$C/pids/partition")"
	wait_split held
	# While both halves believe what they believe, and beyond the end of that.
	wait_answers
	if [ "$name" = split-broker ]; then verb heal-broker "$broker"; else wait_failover "$primary"; verb heal-node "$primary"; fi
	wait_up
	wait_answers
	kill -USR2 "$(cat "$C/pids/partition")"
	wait_split answering
	wait_for 30 "the end of the partition's program" gone "$(cat "$C/pids/partition")"
	[ -s "$C/split-result" ]
}

# ------------------------------------------------------------------ rounds and table

passed() {
	checks=$((checks + 1))
	if ! "${@:2}"; then
		failures=$((failures + 1))
		echo "cluster: FAILED: $1" >&2
	fi
}

# Requests, answered and failed; lost and doubled: fields of load's line.
is_whole() {
	read -r _ _ requests _ answered _ failed _ _ _ lost doubled < "$C/result"
	[ "$requests" -gt 0 ] && [ "$answered" = "$requests" ] && [ "$failed" = 0 ] && [ "$lost" = 0 ] && [ "$doubled" = 0 ]
}

is_of_one_mind() {
	read -r _ refused _ violations _ < "$C/split-result"
	[ "$refused" -gt 0 ] && [ "$violations" = 0 ]
}

one_round() {
	local name=$1 round=$2 first=$3 primary
	load_begin "$first"
	primary=$(leader)
	case $name in
	split-*) split "$name" "$round" ;;
	*) fault "$name" "$round" ;;
	esac
	wait_up
	wait_answers
	load_end
	echo "$name $(cat "$C/result")" >> "$C/results"
	passed "$name, round $round: something was lost, doubled or failed" is_whole
	if [[ $name = split-* ]]; then
		echo "$name $(cat "$C/split-result")" >> "$C/split-results"
		passed "$name, round $round: a system that was held back was answered, or never refused" is_of_one_mind
	fi
	echo "$name, round $round, primary db$primary and then db$(leader): $(cat "$C/result")$([[ $name != split-* ]] || echo "; $(cat "$C/split-result")")"
}

table() {
	/usr/bin/python3 "$here/table.py" "$C/results" "$C/split-results" | tee "$BUILD/cluster.md"
}

check_arguments() {
	local name
	[[ $ROUNDS =~ ^[1-9][0-9]?$ ]] || refuse "ROUNDS=$ROUNDS is not a number from 1 to 99"
	[[ $PAUSE_S =~ ^[1-9][0-9]?$ ]] || refuse "PAUSE_S=$PAUSE_S is not a number of seconds from 1 to 99"
	for name in $FAULTS; do
		[[ " ${ALL_FAULTS//[$'\n\t']/ } " == *" $name "* ]] || refuse "there is no fault $name; there are: ${ALL_FAULTS//[$'\n\t']/ }"
	done
}

# All three nodes have the same log, once the standbys have replayed what there is.
log_of() {
	DATABASE=cpis sql "$1" "SELECT md5(string_agg(md5(a::text), '' ORDER BY md5(a::text))) FROM cpis.audit AS a"
}

same_log() {
	local n first
	first=$(log_of 1) && [ -n "$first" ] || return 1
	for n in "${NODES[@]}"; do [ "$(log_of "$n")" = "$first" ] || return 1; done
}

if ! is_inside; then
	check_arguments
	may_run
	export ROUNDS PAUSE_S FAULTS
	enter "$here/rounds.sh"
	exit
fi
cluster_up
: > "$C/results"
: > "$C/split-results"
run=0
for name in $FAULTS; do
	for round in $(seq "$ROUNDS"); do
		# What an earlier run published is published again: that changes nothing, and the databases stay small.
		one_round "$name" "$round" $((CHILDREN * (run % 4)))
		run=$((run + 1))
	done
done
passed "the nodes do not have the same log" wait_for 60 "the same log on all nodes" same_log
table
echo "$(((checks - failures) * 100 / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" = 0 ]
