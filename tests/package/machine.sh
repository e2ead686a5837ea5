# A container with systemd in it, from the archive that root.sh made: real units, real journal, a network of its own. Read by
# package.sh.
#
# Landlock and locked memory are what a machine of one's own lets everybody use; systemd-nspawn(1) has to be told.

machine= machine_leader=

machine_unpack() {
	machine=$(mktemp -d /tmp/cpis-package-XXXXXX)
	tar -xf "$1" -C "$machine"
}

# 60 s at most.
wait_machine() {
	local tries=600 state=
	while [ $tries -gt 0 ]; do
		machine_leader=$(pgrep -P "$machine_nspawn" | head -1 || true)
		if [ -n "$machine_leader" ]; then
			state=$(inside systemctl is-system-running 2> /dev/null || true)
			[[ $state != running && $state != degraded ]] || return 0
		fi
		tries=$((tries - 1))
		sleep 0.1
	done
	return 1
}

machine_boot() {
	systemd-nspawn --quiet --boot --directory="$machine" --register=no --keep-unit --private-network --console=read-only \
		--system-call-filter='@memlock landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp' \
		--rlimit=MEMLOCK=infinity < /dev/null > "$machine.console" 2>&1 &
	machine_nspawn=$!
	wait_machine
}

inside() {
	nsenter --target "$machine_leader" --all -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
}

# An orderly end, as by a button.
machine_stop() {
	[ -n "${machine_nspawn:-}" ] || return 0
	kill "$machine_nspawn" 2> /dev/null || true
	wait "$machine_nspawn" 2> /dev/null || true
	machine_nspawn=
}

machine_remove() {
	machine_stop
	[ -z "$machine" ] || rm -rf "$machine" "$machine.console"
}
