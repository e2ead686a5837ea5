#!/usr/bin/env bash
# Three brokers before a PostgreSQL of three nodes: its primary killed, and its primary cut off from the others, under load. Nothing
# that was acknowledged is lost. What cannot be run is refused with a sentence, and who is killed leaves nothing running. All faults,
# more often: make test-cluster.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
said=$(mktemp /tmp/cpis-cluster-XXXXXX)
trap 'rm -f "$said" "$said.up"' EXIT
checks=0

fail() {
	echo "cluster.sh: $1" >&2
	cat "$said" >&2
	exit 1
}

# refused WORDS COMMAND...
refused() {
	local words=$1 code=0
	shift
	"$@" > "$said" 2>&1 || code=$?
	checks=$((checks + 1))
	[ "$code" = 2 ] || fail "$*: exits with $code, should be refused with 2"
	grep -qF -- "$words" "$said" || fail "$*: does not say '$words'"
}

# wait_until WHAT COMMAND...: 60 s at most.
wait_until() {
	local tries=600 what=$1
	shift
	until "$@" > "$said" 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "$what: not in time"
		sleep 0.1
	done
}

is_gone() {
	! grep -qs '^State:	[^Z]' "/proc/$1/status"
}

refused "run it as root" unshare --user --map-user=65534 tests/cluster/rounds.sh
refused "run it as root" unshare --user --map-user=65534 tests/cluster/cluster.sh up
refused "there is no fault kill-moon; there are: none kill-primary" env FAULTS=kill-moon tests/cluster/rounds.sh
refused "ROUNDS=many is not a number" env ROUNDS=many tests/cluster/rounds.sh
refused "PAUSE_S=0 is not a number" env PAUSE_S=0 tests/cluster/rounds.sh
refused "is not there: use make" env BUILD=/nowhere tests/cluster/rounds.sh
refused "none is up" env BUILD=/nowhere tests/cluster/cluster.sh status
refused "there are: status" tests/cluster/cluster.sh

# Killed on its way up: its process 1, and with that all that is in its namespaces.
tests/cluster/cluster.sh up > "$said.up" 2>&1 &
script=$!
wait_until "the namespaces' launcher" pgrep -P "$script" -x unshare
launcher=$(pgrep -P "$script" -x unshare)
wait_until "process 1" pgrep -P "$launcher"
first=$(pgrep -P "$launcher")
wait_until "its databases" pgrep -P "$first" -x etcd
kill -KILL "$script"
wait_until "the end of what was killed" is_gone "$first"
checks=$((checks + 1))
echo "100%: Checks: $checks, Failures: 0, Errors: 0"

ROUNDS=1 FAULTS="kill-primary cut-primary" timeout --kill-after=10 240 tests/cluster/rounds.sh
