# The faults. Each verb injects one thing or takes it back, and waits for nothing but that. Sourced.
# shellcheck shell=bash disable=SC2046

others_addresses() {
	local n
	for n in "${NODES[@]}"; do [ "$n" = "$1" ] || db_address "$n"; done
}

all_addresses() {
	local n
	for n in "${NODES[@]}"; do db_address "$n"; done
	for n in "${BROKERS[@]}"; do broker_address "$n"; done
}

# verb NAME ARGUMENT...
verb() {
	local name=$1 n=${2:-} pid
	shift
	case $name in
	status)
		members | /usr/bin/python3 -c '
import json, sys
for member in json.load(sys.stdin)["members"]:
    print(member["name"], member["role"], member["state"], "timeline", member.get("timeline"), "lag", member.get("lag", 0))'
		for n in "${BROKERS[@]}"; do
			if running "broker$n"; then echo "broker$n running"; else echo "broker$n down"; fi
		done
		;;
	leader) echo "db$(leader)" ;;
	# The machine is lost, as far as the database goes; its etcd too.
	kill-node)
		pid=$(postmaster "$n")
		kill -KILL "$(cat "$C/pids/patroni$n")" "$(cat "$C/pids/etcd$n")" "$pid"
		wait_for 20 "the end of db$n" gone "$pid"
		;;
	kill-postmaster)
		pid=$(postmaster "$n")
		kill -KILL "$pid"
		wait_for 20 "the end of db$n" gone "$pid"
		;;
	start-node) node_start "$n" ;;
	# From the other nodes and their etcd; brokers still reach it.
	cut-node) cut "db$n" $(others_addresses "$n") ;;
	# From the brokers, too.
	isolate-node) cut "db$n" $(all_addresses) ;;
	heal-node) heal "db$n" ;;
	kill-broker) end_process "broker$n" KILL ;;
	start-broker) broker_start "$n" ;;
	# From the databases; clients still reach it.
	cut-broker) cut "broker$n" "$(db_address 1)" "$(db_address 2)" "$(db_address 3)" ;;
	heal-broker) heal "broker$n" ;;
	# A machine that hangs. Those that were stopped are continued, whoever is there by then.
	pause-node) node_pids "$n" > "$C/pids/paused-db$n" && signal_all STOP "paused-db$n" ;;
	resume-node) signal_all CONT "paused-db$n" ;;
	pause-broker) broker_pids "$n" > "$C/pids/paused-broker$n" && signal_all STOP "paused-broker$n" ;;
	resume-broker) signal_all CONT "paused-broker$n" ;;
	# To the last byte.
	fill-disk) as_postgres sh -c "cat /dev/zero > $C/db$n/filling 2> /dev/null" || [ "$(df --output=avail "$C/db$n" | tail -1)" -eq 0 ] ;;
	empty-disk) rm -f "$C/db$n/filling" ;;
	*)
		echo "cluster: no verb $name; there are: status, leader; kill-node, kill-postmaster, start-node, cut-node, isolate-node," \
			"heal-node, pause-node, resume-node, fill-disk, empty-disk N; kill-broker, start-broker, cut-broker, heal-broker," \
			"pause-broker, resume-broker N" >&2
		return 2
		;;
	esac
}

signal_all() {
	local pid
	while read -r pid; do kill "-$1" "$pid" 2> /dev/null || true; done < "$C/pids/$2"
}
