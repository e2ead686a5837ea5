# The service: certificates, register, policy, and the brokers, all of them before the one database. Sourced.
# shellcheck shell=bash disable=SC2164
W=$C/world
PORT=7000
LOOKERS=4 # nurse1 to nurse4: the people of the load

# What brokers before one database say of it, apart from who they are.
store_settings() {
	local n hosts=()
	for n in "${NODES[@]}"; do hosts+=("$(db_address "$n")"); done
	cat <<- END
		store_postgres: host=$(IFS=,; echo "${hosts[*]}") port=5432 dbname=cpis user=broker$1 sslmode=verify-full sslrootcert=$C/tls/ca.pem sslcert=$C/tls/broker$1.pem sslkey=$C/tls/broker$1.key
		store_key: store.key
		session_key: session.key
	END
}

broker_configuration() {
	cat <<- END
		broker_name: cluster-broker$1
		endpoint: tcp://$(broker_address "$1"):$PORT
		certificate: brokers/broker$1.pem
		key: brokers/broker$1.key
		log_key: authority/broker/log.key
		trust_directory: authority/trust
		enrolled_directory: authority/enrolled
		register_file: register.yaml
		policy_file: policy.yaml
		$(store_settings "$1")
	END
}

# Everybody once: file, system, uid, name, role.
people() {
	local i
	for i in $(seq "$LOOKERS"); do echo "nurse$i|hospital|55500000010$i|Grace Okafor $i|R8001"; done
	cat <<- END
		paramedic|ambulance|555000000005|Kofi Mensah|R1070
		leeds|leeds|555000000007|Anjali Rao|R9535
		guardian|national|555000000010|Helen Marsh|R5105
		registrar|national|555000000011|Owen Price|R5080
	END
}

systems() {
	cat <<- END
		hospital|RXH|hospital-record-system
		ambulance|RYD|ambulance-record-system
		leeds|383|leeds-case-system
		national|X26|national-audit-system
	END
}

register() {
	local file system uid name role
	cat <<- END
		organisations:
		  - {ods: "RXH", name: University Hospitals Sussex, type: care_provider, care_settings: [emergency_department]}
		  - {ods: "RYD", name: South East Coast Ambulance Service, type: care_provider, care_settings: [ambulance]}
		  - {ods: "383", name: Leeds City Council, type: local_authority, care_settings: [social_care], inbox: {same_look_minutes: 0}}
		  - {ods: "X26", name: NHS England, type: national_body}
		role_profiles:
	END
	while IFS='|' read -r file system uid name role; do
		echo "  - {uid: \"$uid\", role: $role, organisation: \"$(systems | sed -n "s/^$system|\([^|]*\)|.*/\1/p")\", from: 2020-01-01}"
	done < <(people)
}

service_up() {
	local n file ods name uid role
	mkdir "$W"
	(
		cd "$W"
		"$BUILD/cpis" certs init --dir authority --broker-name cluster-broker --log-origin cpis.example/audit/cluster
		for n in "${BROKERS[@]}"; do
			"$BUILD/cpis" certs issue-broker --dir authority --broker-name "cluster-broker$n" --out brokers --file "broker$n"
		done
		while IFS='|' read -r file ods name; do
			"$BUILD/cpis" certs issue-system --dir authority --ods "$ods" --name "$name" --out systems --file "$file"
		done < <(systems)
		while IFS='|' read -r file _ uid name role; do
			"$BUILD/cpis" certs issue-staff --dir authority --uid "$uid" --name "$name" --out staff --file "$file"
		done < <(people)
		register > register.yaml
		# Nobody works as fast as the load.
		grep -v person_per_minute: "$ROOT/broker/policy.yaml" > policy.yaml
		"$BUILD/cpis-broker" --make-store-key store.key
		"$BUILD/cpis-broker" --make-store-key session.key
		for n in "${BROKERS[@]}"; do
			broker_configuration "$n" > "broker$n.yaml"
			echo "cluster-broker$n tcp://$(broker_address "$n"):$PORT $W/brokers/broker$n.pem"
		done > brokers.list
	) > "$C/logs/service.log" 2>&1
	for n in "${BROKERS[@]}"; do broker_start "$n"; done
	for n in "${BROKERS[@]}"; do wait_for 30 "broker $n" broker_ready "$n"; done
}

broker_start() {
	touch "$C/logs/broker$1.log"
	stat -c %s "$C/logs/broker$1.log" > "$C/pids/broker$1.mark"
	start "broker$1" "broker$1" "$BUILD/cpis-broker" "$W/broker$1.yaml"
}

# What it said since it was started last.
broker_ready() {
	running "broker$1" && tail -c "+$(($(cat "$C/pids/broker$1.mark") + 1))" "$C/logs/broker$1.log" | grep -q ' ready '
}

# The broker, its network front and its keeper.
broker_pids() {
	local pid child
	pid=$(cat "$C/pids/broker$1")
	echo "$pid"
	for child in $(pgrep -P "$pid"); do
		echo "$child"
		pgrep -P "$child" || true
	done
}
