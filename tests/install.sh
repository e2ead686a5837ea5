#!/usr/bin/env bash
# Installs those of these Debian packages that are missing, without the services that they would start and the database cluster
# that PostgreSQL's would make: tests and benchmarks start them themselves, in directories of their own. Silent when none is missing.
#
# usage: tests/install.sh PACKAGE...; as root
set -euo pipefail
log=/tmp/cpis-deps.log policy=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.conf

missing=()
for package in "$@"; do
	[[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2> /dev/null) == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0
echo "deps: installing ${missing[*]}"

# What is said at the end is for the caller, wherever output goes by then.
exec 3>&2
made_policy= changed_clusters=
finish() {
	local code=$?
	[[ -z $made_policy ]] || rm -f "$policy"
	[[ -z $changed_clusters ]] || mv "$clusters.cpis" "$clusters"
	if [[ $code -ne 0 ]]; then
		cat "$log" >&3
		echo "deps: apt-get failed; as root, install: ${missing[*]}" >&3
	fi
	exit $code
}
trap finish EXIT

install_quietly() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

{
	# invoke-rc.d(8): 101 is "no".
	if [[ ! -e $policy ]]; then
		printf '#!/bin/sh\nexit 101\n' > "$policy"
		chmod 755 "$policy"
		made_policy=1
	fi
	apt-get update -qq
	if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
		install_quietly postgresql-common
		cp -p "$clusters" "$clusters.cpis"
		changed_clusters=1
		echo "create_main_cluster = false" >> "$clusters"
	fi
	install_quietly "${missing[@]}"
	# Nor at the next start of the machine.
	if [[ -d /run/systemd/system ]]; then
		for service in nginx nats-server patroni etcd prometheus rsyslog; do
			[[ " ${missing[*]} " != *" $service"* ]] || systemctl disable --quiet "$service"
		done
	fi
} > "$log" 2>&1
