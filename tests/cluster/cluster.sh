#!/usr/bin/env bash
# A replicated PostgreSQL under Patroni and three brokers before it, each in a network namespace of its own, on this machine alone.
#
#	cluster.sh up          makes it, shows that it works, and takes it down; with KEEP=1 it stays up
#	cluster.sh VERB [N]    of one that stays up: faults.sh has the verbs
#	cluster.sh shell       a shell inside
#	cluster.sh down
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
for part in inside net nodes service faults; do
	# shellcheck source=/dev/null
	. "$here/$part.sh"
done

kept_pid() {
	local pid
	pid=$(cat "$KEPT/pid" 2> /dev/null) && grep -qsz cluster.sh "/proc/$pid/cmdline" && echo "$pid"
}

inside_kept() {
	local pid
	pid=$(kept_pid) || refuse "none is up: make cluster KEEP=1"
	CPIS_CLUSTER=inside nsenter --target "$pid" --mount --net --pid "$@"
}

# Two steps of a look at a child that nobody has a plan of, and one through each broker: short, for the load does the rest.
prove() {
	local n
	for n in "${BROKERS[@]}"; do
		cat > "$W/probe$n.yaml" <<- END
			endpoint: tcp://$(broker_address "$n"):$PORT
			broker_name: cluster-broker$n
			broker_certificate: brokers/broker$n.pem
			trust_directory: authority/trust
			system_certificate: systems/hospital.pem
			system_key: systems/hospital.key
			staff_certificate: staff/nurse1.pem
			staff_key: staff/nurse1.key
			role: R8001
			care_setting: emergency_department
		END
		at clients "$BUILD/cpis" --profile "$W/probe$n.yaml" query 9990000018 > "$C/logs/probe$n.log" 2>&1
	done
	verb status
	echo "cluster: three brokers answer, and what they answer is on two of three databases"
}

# Until somebody ends this process.
wait_end() {
	while :; do sleep 60 & wait $!; done
}

kept_is_up() {
	grep -qs '^cluster: three brokers answer' "$KEPT/log" || gone "$1"
}

may_run_kept() {
	may_run
	! kept_pid > /dev/null || refuse "one is up already: $here/cluster.sh down"
	mkdir -p "$KEPT"
}

case ${1:-} in
up)
	if is_inside; then
		cluster_up
		prove
		[ -z "${KEEP:-}" ] || wait_end
		exit 0
	fi
	may_run_kept
	if [ -z "${KEEP:-}" ]; then
		enter "$here/cluster.sh" up
		exit
	fi
	CPIS_CLUSTER=inside setsid unshare --mount --net --pid --fork --kill-child --mount-proc "$here/cluster.sh" up > "$KEPT/log" 2>&1 < /dev/null &
	outer=$!
	wait_for 180 "the cluster" kept_is_up "$outer" || true
	cat "$KEPT/log"
	kill -0 "$outer" 2> /dev/null || exit 1
	tr -d " " < "/proc/$outer/task/$outer/children" > "$KEPT/pid"
	echo "cluster: it stays up; $here/cluster.sh VERB, shell or down"
	;;
down)
	pid=$(kept_pid) || refuse "none is up"
	kill -KILL "$pid"
	wait_for 20 "its end" gone "$pid"
	rm -rf "$KEPT"
	;;
shell) inside_kept "${SHELL:-/bin/bash}" ;;
'')
	verb help
	;;
*)
	if is_inside; then verb "$@"; else inside_kept "$here/cluster.sh" "$@"; fi
	;;
esac
