# The database nodes: etcd, Patroni, and the PostgreSQL that Patroni runs. Sourced.
#
# Patroni over etcd's version 2 interface and not 3: with that Debian's Patroni 3.0.2 writes the leader's key without comparing
# after a partition heals. synchronous_mode_strict: only who confirmed each commit is promoted; without a second server nothing is
# committed. Everything is on tmpfs: nothing is ever flushed, which a loss of power would show and the loss of a process does not.
# shellcheck shell=bash disable=SC2119,SC2120,SC2164
PG=/usr/lib/postgresql/15/bin
DATA_BYTES=800M # of each node's file system: what a full disk is

as_postgres() {
	setpriv --reuid=postgres --regid=postgres --init-groups env -C "$C" -i PATH="$PG:/usr/bin:/bin" LC_ALL=C.UTF-8 HOME="$C" "$@"
}

sql() {
	local n=$1
	shift
	as_postgres timeout 20 "$PG/psql" -XqAt -h "$C/db$n" -U postgres -d "${DATABASE:-postgres}" -v ON_ERROR_STOP=1 -c "$*"
}

# ------------------------------------------------------------------ certificates

# The databases' own authority. A client's name is its role; a server's is its address.
database_certificate() {
	local name=$1 usage=$2 address=${3:-}
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$name" 2> /dev/null
	openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$name.pem" \
		-extfile <(echo "extendedKeyUsage=$usage"; [ -z "$address" ] || echo "subjectAltName=IP:$address") 2> /dev/null
}

database_certificates() {
	mkdir "$C/tls"
	(
		cd "$C/tls"
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key -out ca.pem \
			-subj "/CN=databases of the test" 2> /dev/null
		for n in "${NODES[@]}"; do database_certificate "db$n" serverAuth "$(db_address "$n")"; done
		for n in "${BROKERS[@]}"; do database_certificate "broker$n" clientAuth; done
		database_certificate replicator clientAuth
		database_certificate rewind clientAuth
		chmod 600 ./*.key
		chown postgres: db*.key replicator.key rewind.key
	)
}

# ------------------------------------------------------------------ a node

tls_user() {
	echo "{username: $1, sslmode: verify-full, sslrootcert: $C/tls/ca.pem, sslcert: $C/tls/$1.pem, sslkey: $C/tls/$1.key}"
}

patroni_configuration() {
	local n=$1 address
	address=$(db_address "$n")
	cat <<- END
		scope: cpis
		name: db$n
		restapi: {listen: "$address:8008", connect_address: "$address:8008"}
		etcd: {hosts: ["$(db_address 1):2379", "$(db_address 2):2379", "$(db_address 3):2379"]}
		bootstrap:
		  dcs:
		    ttl: 10
		    loop_wait: 1
		    retry_timeout: 3
		    maximum_lag_on_failover: 0
		    primary_start_timeout: 0
		    synchronous_mode: true
		    synchronous_mode_strict: true
		    postgresql:
		      use_pg_rewind: true
		      use_slots: true
		      parameters:
		        max_connections: 50
		        wal_log_hints: "on"
		        synchronous_commit: "on"
		        max_wal_size: 96MB
		        # A node that was leader goes back to the last checkpoint that both have, which is as much as max_wal_size ago, and
		        # then needs all since then. What is not kept has it begin anew by hand (patronictl reinit).
		        wal_keep_size: 320MB
		        max_slot_wal_keep_size: 384MB
		        wal_sender_timeout: 5s
		        wal_receiver_timeout: 5s
		        wal_retrieve_retry_interval: 200ms
		        restart_after_crash: "off"
		  initdb: [{encoding: UTF8}, {locale: C.UTF-8}, data-checksums]
		postgresql:
		  listen: "$address:5432"
		  connect_address: "$address:5432"
		  data_dir: $C/db$n/data
		  bin_dir: $PG
		  pgpass: $C/db$n/pgpass
		  use_unix_socket: true
		  use_unix_socket_repl: true
		  remove_data_directory_on_rewind_failure: true
		  remove_data_directory_on_diverged_timelines: true
		  authentication:
		    superuser: {username: postgres}
		    replication: $(tls_user replicator)
		    rewind: $(tls_user rewind)
		  parameters:
		    unix_socket_directories: $C/db$n
		    shared_buffers: 64MB
		    log_line_prefix: '%m [%p] %u '
		    log_parameter_max_length_on_error: 0
		    ssl: "on"
		    ssl_min_protocol_version: TLSv1.3
		    ssl_cert_file: $C/tls/db$n.pem
		    ssl_key_file: $C/tls/db$n.key
		    ssl_ca_file: $C/tls/ca.pem
		  pg_hba:
		    - local all all trust
		    - local replication all trust
		    - hostssl replication replicator 10.77.0.0/24 cert
		    - hostssl postgres rewind 10.77.0.0/24 cert
		    - hostssl cpis +cpis_broker 10.77.0.0/24 cert
		  basebackup: [{checkpoint: fast}]
		watchdog: {mode: "off"}
	END
}

node_etcd() {
	local n=$1 address i cluster=()
	address=$(db_address "$n")
	for i in "${NODES[@]}"; do cluster+=("db$i=http://$(db_address "$i"):2380"); done
	start "db$n" "etcd$n" setpriv --reuid=postgres --regid=postgres --init-groups etcd --name "db$n" --data-dir "$C/etcd$n" --enable-v2 \
		--listen-client-urls "http://$address:2379" --advertise-client-urls "http://$address:2379" \
		--listen-peer-urls "http://$address:2380" --initial-advertise-peer-urls "http://$address:2380" \
		--initial-cluster "$(IFS=,; echo "${cluster[*]}")" --initial-cluster-state new \
		--heartbeat-interval 200 --election-timeout 1500 --logger zap --log-level error
}

# What of the node does not run: after a kill it finds its way back into the cluster by itself (pg_rewind).
node_start() {
	local n=$1
	running "etcd$n" || node_etcd "$n"
	running "patroni$n" || start "db$n" "patroni$n" setpriv --reuid=postgres --regid=postgres --init-groups \
		env -i PATH="$PG:/usr/bin:/bin" LC_ALL=C.UTF-8 HOME="$C" /usr/bin/patroni "$C/patroni$n.yml"
}

postmaster() {
	head -1 "$C/db$1/data/postmaster.pid"
}

# Everything of a node, and everything of a broker: what a machine that hangs, or is lost, takes along.
node_pids() {
	local pid
	for pid in $(cat "$C/pids/patroni$1" "$C/pids/etcd$1") $(postmaster "$1"); do
		echo "$pid"
		pgrep -P "$pid" || true
	done
}

# ------------------------------------------------------------------ the cluster

# The node that has the leader's lock and says so, which one that was cut off goes on saying for a while; but for the one given.
leader() {
	local n
	for n in "${NODES[@]}"; do
		[ "$n" = "${1:-}" ] && continue
		if curl -fs -m 2 -o /dev/null "http://$(db_address "$n"):8008/primary"; then
			echo "$n"
			return
		fi
	done
	return 1
}

members() {
	local n
	n=$(leader) && curl -fs -m 2 "http://$(db_address "$n"):8008/cluster"
}

# One leader, a standby that confirms, and all of them up: another fault may come.
nodes_ready() {
	members | /usr/bin/python3 -c '
import json, sys
members = json.load(sys.stdin)["members"]
roles = [member["role"] for member in members]
timelines = {member.get("timeline") for member in members}
sys.exit(not (len(members) == 3 and roles.count("leader") == 1 and roles.count("sync_standby") == 1 and len(timelines) == 1
              and all(member["state"] in ("running", "streaming") for member in members)))'
}

nodes_up() {
	local n first
	for n in "${NODES[@]}"; do
		mkdir "$C/db$n" "$C/etcd$n"
		mount -t tmpfs -o "size=$DATA_BYTES,mode=700" "db$n" "$C/db$n"
		chown postgres: "$C/db$n" "$C/etcd$n"
		chmod 700 "$C/etcd$n"
		patroni_configuration "$n" > "$C/patroni$n.yml"
		node_etcd "$n"
	done
	wait_for 30 "etcd" etcd_ready
	node_start 1
	wait_for 60 "a first primary" leader
	node_start 2
	node_start 3
	wait_for 60 "two standbys" nodes_ready
	first=$(leader)
	# Patroni's own statements are not to wait for a second server.
	sql "$first" "ALTER ROLE postgres SET synchronous_commit = local"
	for role in "cpis_owner NOLOGIN" "cpis_broker NOLOGIN" "cpis_auditor NOLOGIN" "migrator LOGIN IN ROLE cpis_owner" \
		"broker1 LOGIN IN ROLE cpis_broker" "broker2 LOGIN IN ROLE cpis_broker" "broker3 LOGIN IN ROLE cpis_broker"; do
		sql "$first" "CREATE ROLE $role"
	done
	sql "$first" "CREATE DATABASE cpis OWNER cpis_owner ENCODING UTF8 TEMPLATE template0"
	sql "$first" "REVOKE ALL ON DATABASE cpis FROM PUBLIC; GRANT CONNECT ON DATABASE cpis TO cpis_broker, cpis_owner, cpis_auditor"
	"$BUILD/cpis-broker" --migrate "host=$C/db$first dbname=cpis user=migrator" > "$C/logs/migrate.log" 2>&1
}

etcd_ready() {
	local n
	for n in "${NODES[@]}"; do
		curl -fs -m 2 "http://$(db_address "$n"):2379/health" | grep -q true || return 1
	done
}
