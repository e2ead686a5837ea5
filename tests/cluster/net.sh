# The cluster's network: members in network namespaces of their own, on one bridge. Sourced, by what runs inside (inside.sh).
#
#	db1 db2 db3               10.77.0.11 to .13   PostgreSQL, Patroni, etcd
#	broker1 broker2 broker3   10.77.0.21 to .23
#	clients                   10.77.0.31
#	the bridge itself         10.77.0.1           who injects faults looks on from there; no fault is between it and anybody
# shellcheck shell=bash
NODES=(1 2 3)
BROKERS=(1 2 3)
C=/run/cluster

db_address() { echo "10.77.0.1$1"; }
broker_address() { echo "10.77.0.2$1"; }

# member NAME ADDRESS
member() {
	ip netns add "$1"
	ip link add "to-$1" type veth peer name eth0 netns "$1"
	ip link set "to-$1" master bridge0 up
	ip -n "$1" address add "$2/24" dev eth0
	ip -n "$1" link set eth0 up
	ip -n "$1" link set lo up
}

network_up() {
	local n
	ip link set lo up
	ip link add bridge0 type bridge
	ip address add 10.77.0.1/24 dev bridge0
	ip link set bridge0 up
	for n in "${NODES[@]}"; do member "db$n" "$(db_address "$n")"; done
	for n in "${BROKERS[@]}"; do member "broker$n" "$(broker_address "$n")"; done
	member clients 10.77.0.31
}

# start PLACE NAME COMMAND...: a process of its own session at a member, in a directory that postgres may enter; its id is in pids/NAME, what
# it says in logs/NAME.log.
start() {
	local place=$1 name=$2
	shift 2
	setsid env -C "$C" nsenter --net="/run/netns/$place" "$@" >> "$C/logs/$name.log" 2>&1 < /dev/null &
	echo $! > "$C/pids/$name"
	disown # nothing is said of its end
}

# at PLACE COMMAND...: and waits for it.
at() {
	nsenter --net="/run/netns/$1" "${@:2}"
}

# cut PLACE ADDRESS...: nothing passes between them any more, in either direction and on open connections too; nobody is told.
cut() {
	local place=$1 list
	shift
	list=$(IFS=,; echo "$*")
	at "$place" nft -f - <<- END
		table inet cut {
			chain in { type filter hook input priority 0; ip saddr { $list } drop; }
			chain out { type filter hook output priority 0; ip daddr { $list } drop; }
		}
	END
}

heal() {
	at "$1" nft delete table inet cut
}

# ------------------------------------------------------------------ waits, each with a deadline

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" > /dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "cluster: $what: not in time" >&2
			return 1
		fi
		sleep 0.1
	done
}

gone() {
	# A zombie has ended; who reaps it is not our business.
	! grep -qs '^State:	[^Z]' "/proc/$1/status"
}

# end_process NAME SIGNAL: and waits until it is gone.
end_process() {
	local pid
	pid=$(cat "$C/pids/$1")
	kill "-$2" "$pid" 2> /dev/null || true
	wait_for 20 "the end of $1" gone "$pid"
}

running() {
	[ -e "$C/pids/$1" ] && ! gone "$(cat "$C/pids/$1")"
}
