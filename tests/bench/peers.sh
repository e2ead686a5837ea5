#!/usr/bin/env bash
# The peers that `make bench` compares with, from Debian's packages, on ports of their own of 127.0.0.1, with certificates that are
# made anew: nats-server, PostgreSQL 15, nginx. Sourced by bench.sh; each dies with the shell that started it.
#
#   peers_start DIRECTORY     and waits until all of them answer; ports are in DIRECTORY/<peer>.port, processes in .pid
#   peers_stop DIRECTORY      harmless when they do not run

PEERS_POSTGRES=/usr/lib/postgresql/15/bin
PEERS_WAIT_TENTHS=300

peers_say() {
	echo "peers: $*" >&2
}

peers_free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# An authority, a server and two clients: all P-256, as a team would that uses these programs today.
peers_certificates() {
	local directory=$1 name
	local ec=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2)
	{
		openssl req -x509 "${ec[@]}" -subj "/CN=bench authority" -keyout "$directory/ca.key" -out "$directory/ca.pem"
		for name in server client responder; do
			openssl req "${ec[@]}" -subj "/CN=$name" -keyout "$directory/$name.key" -out "$directory/$name.csr"
			openssl x509 -req -in "$directory/$name.csr" -CA "$directory/ca.pem" -CAkey "$directory/ca.key" -days 2 \
				-extfile <(echo "subjectAltName=DNS:$([[ $name == server ]] && echo localhost || echo "$name")") \
				-out "$directory/$name.pem"
		done
	} > "$directory/openssl.log" 2>&1 || { cat "$directory/openssl.log" >&2; return 1; }
	chmod 600 "$directory"/*.key
}

# Waits until a command succeeds.
wait_for() {
	local tenths=0
	until "$@" > /dev/null 2>&1; do
		tenths=$((tenths + 1))
		if [[ $tenths -ge $PEERS_WAIT_TENTHS ]]; then
			peers_say "'$*' does not succeed within $((PEERS_WAIT_TENTHS / 10)) s"
			return 1
		fi
		sleep 0.1
	done
}

# Whether somebody listens there.
peers_listens() {
	(: < "/dev/tcp/127.0.0.1/$1")
}

peers_launch() {
	local directory=$1 name=$2
	shift 2
	setpriv --pdeathsig KILL "$@" > "$directory/$name.log" 2>&1 &
	echo $! > "$directory/$name.pid"
}

peers_start_nats() {
	local directory=$1 port
	port=$(peers_free_port)
	cat > "$directory/nats.conf" << CONF
listen: "127.0.0.1:$port"
tls {
	cert_file: "$directory/server.pem", key_file: "$directory/server.key", ca_file: "$directory/ca.pem"
	verify_and_map: true
}
authorization {
	users: [
		{user: "CN=client", permissions: {publish: "cpis.query", subscribe: "_INBOX.>"}}
		{user: "CN=responder", permissions: {publish: "_INBOX.>", subscribe: "cpis.query"}}
	]
}
CONF
	peers_launch "$directory" nats nats-server -c "$directory/nats.conf"
	echo "$port" > "$directory/nats.port"
	wait_for peers_listens "$port"
}

peers_start_nginx() {
	local directory=$1 port
	port=$(peers_free_port)
	mkdir -p "$directory/www"
	cat > "$directory/nginx.conf" << CONF
daemon off;
worker_processes 1;
pid $directory/nginx.own-pid;
error_log $directory/nginx.error.log;
events { worker_connections 8192; }
http {
	access_log off;
	default_type application/json;
	keepalive_requests 1000000000;
	open_file_cache max=10;
	client_body_temp_path $directory/nginx-1;
	proxy_temp_path $directory/nginx-2;
	fastcgi_temp_path $directory/nginx-3;
	uwsgi_temp_path $directory/nginx-4;
	scgi_temp_path $directory/nginx-5;
	server {
		listen 127.0.0.1:$port ssl backlog=4096;
		ssl_protocols TLSv1.3;
		ssl_certificate $directory/server.pem;
		ssl_certificate_key $directory/server.key;
		ssl_client_certificate $directory/ca.pem;
		ssl_verify_client on;
		root $directory/www;
	}
}
CONF
	# Its worker is another user and reads the answer only.
	chmod 711 "$directory"
	chmod 755 "$directory/www"
	peers_launch "$directory" nginx nginx -c "$directory/nginx.conf" -e "$directory/nginx.error.log"
	echo "$port" > "$directory/nginx.port"
	wait_for peers_listens "$port"
}

# A cluster of its own on the file system of the directory; it never runs as root.
peers_start_postgres() {
	local directory=$1 port cluster=$1/postgres
	local as=(setpriv --reuid postgres --regid postgres --clear-groups)
	port=$(peers_free_port)
	mkdir "$cluster"
	cp "$directory"/{ca.pem,server.pem,server.key} "$cluster"
	chown -R postgres: "$cluster"
	chmod 711 "$directory"
	"${as[@]}" "$PEERS_POSTGRES/initdb" -D "$cluster/data" -A peer --no-sync -E UTF8 --locale=C > "$cluster/initdb.log" 2>&1 || {
		cat "$cluster/initdb.log" >&2
		return 1
	}
	cat >> "$cluster/data/postgresql.conf" << CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$cluster'
max_connections = 200
shared_buffers = 256MB
ssl = on
ssl_min_protocol_version = 'TLSv1.3'
ssl_ca_file = '$cluster/ca.pem'
ssl_cert_file = '$cluster/server.pem'
ssl_key_file = '$cluster/server.key'
CONF
	printf 'local all postgres peer\nhostssl cpis client 127.0.0.1/32 cert\n' > "$cluster/data/pg_hba.conf"
	peers_launch "$directory" postgres "${as[@]}" --pdeathsig KILL "$PEERS_POSTGRES/postgres" -D "$cluster/data"
	echo "$port" > "$directory/postgres.port"
	wait_for "${as[@]}" "$PEERS_POSTGRES/pg_isready" -h "$cluster" -p "$port"
	"${as[@]}" "$PEERS_POSTGRES/psql" -q -v ON_ERROR_STOP=1 -h "$cluster" -p "$port" -d postgres \
		-c "CREATE DATABASE cpis" > "$cluster/psql.log"
	"${as[@]}" "$PEERS_POSTGRES/psql" -q -v ON_ERROR_STOP=1 -h "$cluster" -p "$port" -d cpis \
		-f - < tests/bench/peer_postgres.sql >> "$cluster/psql.log"
}

peers_start() {
	peers_certificates "$1"
	peers_start_nats "$1"
	peers_start_nginx "$1"
	peers_start_postgres "$1"
}

# PostgreSQL and its processes end at once on SIGQUIT, the others on SIGTERM.
peers_stop() {
	local name pid
	for name in nats nginx postgres; do
		pid=$(cat "$1/$name.pid" 2> /dev/null) || continue
		kill "-$([[ $name == postgres ]] && echo QUIT || echo TERM)" "$pid" 2> /dev/null || continue
		wait "$pid" 2> /dev/null || true
	done
}
