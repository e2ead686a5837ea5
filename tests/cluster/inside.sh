# Where the cluster lives: in mount, network and process namespaces of its own, under a process 1 with whose end, however it comes,
# all its processes, networks and files are gone. Sourced by the scripts that are run by hand, of which each starts itself anew inside.
# shellcheck shell=bash disable=SC2034
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(realpath -m "${BUILD:-$ROOT/build}")
export BUILD
KEPT=$BUILD/cluster # of a cluster that stays up: the id of its process 1, and what was said on its way up
LOGS=$BUILD/cluster-logs

refuse() {
	echo "cluster: $1" >&2
	exit 2
}

may_run() {
	local program
	[ "$(id -u)" = 0 ] || refuse "it makes namespaces: run it as root"
	for program in cpis-broker cpis tests/cluster/load tests/cluster/partition; do
		[ -x "$BUILD/$program" ] || refuse "$BUILD/$program is not there: use make cluster or make test-cluster"
	done
	for program in patroni etcd nft curl; do
		command -v "$program" > /dev/null || refuse "$program is not installed: make deps"
	done
}

# enter COMMAND...: to its end, as process 1. Ends with this script, also when that is killed.
enter() {
	local code=0
	CPIS_CLUSTER=inside setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc "$@" &
	entered=$!
	trap 'kill -KILL "$entered" 2> /dev/null || true' EXIT
	trap 'exit 130' INT TERM
	wait "$entered" || code=$?
	return "$code"
}

is_inside() {
	[ "${CPIS_CLUSTER:-}" = inside ]
}

# The first thing inside: nothing of the machine's own /run is used.
furnish() {
	mount --make-rprivate /
	mount -t tmpfs -o mode=755 run /run
	mkdir -p /run/netns "$C/logs" "$C/pids"
	trap keep_logs EXIT
}

# What the processes said, after a failure. The files are gone with the namespace.
keep_logs() {
	local code=$?
	if [ "$code" -ne 0 ]; then
		rm -rf "$LOGS"
		cp -r "$C/logs" "$LOGS"
		echo "cluster: what its processes said is in $LOGS" >&2
	fi
}

cluster_up() {
	furnish
	network_up
	database_certificates
	nodes_up
	service_up
}
