# The worlds that the guides are run in, and what the others do in them: sourced by tests/system/guides.sh and, for one function at a
# time, by run.py. The demo's world (tests/demo) is made once; each guide has a copy of it with a broker of its own, so that whatever
# a guide does there is no other guide's business. Its reader works in $WORLD/reader and has what a registration authority hands out.

# wait_for WHAT COMMAND...: 30 s at most.
wait_for() {
	local tries=300 what=$1
	shift
	until "$@" > /dev/null 2>&1; do
		tries=$((tries - 1))
		if [ $tries -le 0 ]; then
			echo "waited in vain for $what" >&2
			return 1
		fi
		sleep 0.1
	done
}

# A port that nobody has, below those that the system gives to connections.
free_port() {
	/usr/bin/python3 -c '
import random, socket
while True:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", random.randrange(20000, 32000)))
        except OSError:
            continue
        print(one.getsockname()[1])
        break'
}

# reload_seen COMMAND...: runs it, and waits until the broker has taken over what it wrote.
reload_seen() {
	local before
	before=$(grep -c ' register_loaded ' broker.log || true)
	"$@"
	# shellcheck disable=SC2016
	wait_for "the broker to see it" bash -c '[ "$(grep -c " register_loaded " broker.log)" -gt "$1" ]' bash "$before"
}

# ---------------------------------------------------------------- making one

# world_new DEMO ODS SYSTEM UID NAME ROLE: a copy of the demo's world, with one more person in the register and one system invited.
world_new() {
	cp -r "$1" "$WORLD"
	cd "$WORLD"
	mkdir reader identity run
	export ODS=$2 SYSTEM=$3 STAFF_UID=$4 STAFF_NAME=$5 ROLE=$6
	sed -i -e "s|^endpoint: .*|endpoint: tcp://127.0.0.1:*|; s|^endpoint_file: .*|endpoint_file: run/endpoint|" broker.yaml
	printf '%s\n' "enrolment_endpoint: tcp://127.0.0.1:*" "enrolment_endpoint_file: run/enrolment" "identity_directory: identity" >> broker.yaml
	sed -i "/^role_profiles:/i\\  - {ods: \"886\", name: Kent County Council, type: local_authority, care_settings: [social_care]}" register.yaml
	echo "  - {uid: \"$STAFF_UID\", role: $ROLE, organisation: \"$ODS\", from: 2020-01-01}" >> register.yaml
	world_sign_in > token
	cpis-broker broker.yaml 2> broker.log < /dev/null &
	broker=$!
	wait_for "the broker" test -s run/enrolment -a -s run/endpoint
	sed -i "s|^endpoint: .*|endpoint: $(cat run/endpoint)|" ./*.yaml
	cp -r authority/trust authority/broker/broker.pem reader/
	cpis --profile registrar.yaml enrol invite --ods "$ODS" --name "$SYSTEM" --reason "asked for in writing" |
		grep -oE '[0-9]{6}(-[0-9]{6}){7}' > reader/code.txt
	chmod 600 reader/code.txt
	BROKER=$(cat run/endpoint) ENROLMENT=$(cat run/enrolment)
	export BROKER ENROLMENT BROKER_NAME=demo-broker
}

# An OpenID provider that the broker knows, and a token of the reader's for this system.
world_sign_in() {
	node -e '
const fs = require("node:fs"), {Provider, issuer} = require(process.argv[1]);
const provider = new Provider(), now = Math.floor(Date.now() / 1000);
fs.writeFileSync("identity/cis2.jwks", JSON.stringify(provider.jwks));
fs.writeFileSync("identity/cis2.yaml", `issuer: ${issuer}\njwks_file: cis2.jwks\nalgorithms: [ES256]\nassurance_level: "3"\n` +
  `audiences:\n  - {system: ${process.env.ODS}/${process.env.SYSTEM}, audience: cpis-guide}\n`);
console.log(provider.token({uid: process.env.STAFF_UID, name: process.env.STAFF_NAME}, process.env.ROLE, {aud: "cpis-guide", exp: now + 3600}));
' "$GUIDES_TESTS/../fhir/provider.js"
}

world_stop() {
	if [ -n "$broker" ]; then
		kill "$broker" 2> /dev/null || true
		tail --pid="$broker" -f /dev/null
		broker=
	fi
	if [ -n "${endpoint:-}" ]; then
		kill "$endpoint" 2> /dev/null || true
		wait "$endpoint" || true
		endpoint=
	fi
}

world_unscheduled_care() {
	world_new "$work/demo" RXH ed-record 555000000021 "Rosa Field" R8001
	world_tls
	TOKEN=$(cat token) MLLP_PORT=$(free_port) FHIR_PORT=$(free_port) WEB_PORT=$(free_port)
	export TOKEN MLLP_PORT FHIR_PORT WEB_PORT FHIR_HOST=fhir.localhost WEB_HOST=cpis.localhost FHIR=https://fhir.localhost:$FHIR_PORT
	export WEB_SHARE=$build/web CPIS_NODE=$build/typescript EXAMPLES=$repository/clients/examples
	# As installed: libraries and headers, found by pkg-config and the loader.
	make --no-print-directory -s -C "$repository" BUILD="$build" DESTDIR="$WORLD/stage" PREFIX=/usr place-libcpis > placed 2>&1 ||
		{ cat placed; return 1; }
	export PKG_CONFIG_SYSROOT_DIR=$WORLD/stage PKG_CONFIG_PATH=$WORLD/stage/usr/lib/pkgconfig LD_LIBRARY_PATH=$WORLD/stage/usr/lib
}

world_local_authority() {
	world_new "$work/demo" 886 case-system 555000000022 "Dan Hughes" R9535
	STARTED=$(date -u -d "3 months ago" +%F) BORN=$(date -u -d "6 years ago" +%F) TODAY=$(date -u +%F)
	export STARTED BORN TODAY
	world_tls
	world_endpoint
}

world_audit_reviewer() {
	world_new "$work/demo" RXH privacy-desk 555000000023 "Mara Quinn" R0001
	MONTH=$(TZ=Europe/London date +%Y-%m) SINCE=$(date -u -d "2 days ago" +%F) UNTIL=$(date -u -d "2 days" +%F)
	export MONTH SINCE UNTIL EXPORT=$WORLD/export
}

world_operator() {
	mkdir -p "$WORLD/reader"
	BROKER=tcp://127.0.0.1:$(free_port) ENROLMENT=tcp://127.0.0.1:$(free_port) METRICS=127.0.0.1:$(free_port) SHARE=$repository/broker
	export BROKER ENROLMENT METRICS SHARE
}

# A certificate for the hosts of facade, pages and endpoint, as the organisation's own IT has one, and curl trusts it.
world_tls() {
	mkdir reader/tls
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=guides" 2> /dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout reader/tls/host.key -out host.csr -subj /CN=localhost 2> /dev/null
	openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out reader/tls/host.pem \
		-extfile <(printf 'subjectAltName=DNS:localhost,DNS:fhir.localhost,DNS:cpis.localhost,DNS:*.cpis.localhost\nextendedKeyUsage=serverAuth\n') 2> /dev/null
	export CURL_CA_BUNDLE=$WORLD/ca.pem
}

# The authority's own FHIR endpoint. What it was sent is in run/received, a line for each notification; it ends with the world's broker.
world_endpoint() {
	node -e '
const fs = require("node:fs"), {Endpoint, PATH} = require(process.argv[1]);
const endpoint = new Endpoint({cert: fs.readFileSync("reader/tls/host.pem"), key: fs.readFileSync("reader/tls/host.key")});
endpoint.answer = (request, response) => { fs.appendFileSync("run/received", endpoint.take()[0].body + "\n"); response.writeHead(200).end(); };
endpoint.open().then(() => fs.writeFileSync("run/notifications", `https://localhost:${endpoint.port}${PATH}`));
' "$GUIDES_TESTS/../fhir/endpoint.js" &
	endpoint=$!
	wait_for "the endpoint" test -s run/notifications
	ENDPOINT=$(cat run/notifications)
	export ENDPOINT ENDPOINT_CA=$WORLD/ca.pem
}

# ---------------------------------------------------------------- what others do

# What somebody reads out over the telephone is made from their key.
fingerprint_of() {
	openssl pkey -pubin -outform DER | sha256sum | sed -E 's/^(....)(....)(....)(....)(....).*/\1-\2-\3-\4-\5/'
}

# The registrar has compared the fingerprint on the telephone.
meanwhile_certify_system() {
	cd "$WORLD"
	local fingerprint
	mkdir waiting
	cpis --profile registrar.yaml enrol list --save-keys waiting
	fingerprint=$(openssl pkey -in reader/system.key -pubout | fingerprint_of)
	reload_seen cpis certs issue-system --dir authority --ods "$ODS" --name "$SYSTEM" --public-key waiting/*.pem --fingerprint "$fingerprint" --out issued
}

meanwhile_certify_staff() {
	cd "$WORLD"
	cpis certs issue-staff --dir authority --request reader/me.csr --fingerprint "$(openssl req -in reader/me.csr -noout -pubkey | fingerprint_of)" \
		--out reader --file me
}

meanwhile_certify_web() {
	cd "$WORLD"
	reload_seen cpis certs issue-system --dir authority --ods "$ODS" --name web --web-host "$WEB_HOST" --public-key reader/web.pub \
		--fingerprint "$(openssl pkey -pubin -in reader/web.pub | fingerprint_of)" --out reader --file web
}

# newest_item PROFILE KIND: the number of the newest item of that kind in the person's inbox.
newest_item() {
	cpis --profile "$1.yaml" --json inbox list |
		/usr/bin/python3 -c 'import json, sys; print([i["id"] for i in json.load(sys.stdin)["items"] if i["kind"] == sys.argv[1]][-1])' "$2"
}

meanwhile_leeds_asks_back() {
	cd "$WORLD"
	cpis --profile leeds.yaml enquiry send --about "$(newest_item leeds ACCESS)" --text "Who came with the child?"
}

meanwhile_nurse_looks() {
	cd "$WORLD"
	cpis --profile nurse.yaml query --details --reason "fell from a wall" 9990000263
}

meanwhile_nurse_looks_at_dan() {
	cd "$WORLD"
	cpis --profile nurse.yaml query --details --reason "burnt hand" 9990000271
}

# A handshake and the look.
meanwhile_endpoint_has_the_look() {
	cd "$WORLD"
	[ "$(wc -l < run/received)" = 2 ]
	tail -n 1 run/received | grep -q '"resourceType":"AuditEvent".*9990000271'
}

meanwhile_nurse_answers() {
	cd "$WORLD"
	cpis --profile nurse.yaml enquiry answer --about "$(newest_item nurse ENQUIRY)" --text "her grandmother"
}

meanwhile_consultant_breaks_the_glass() {
	cd "$WORLD"
	cpis --profile consultant.yaml query --break-glass --reason "found unconscious in the corridor" --care-setting dentistry 9990000026
}

meanwhile_operator_exports() {
	cd "$WORLD"
	cpis audit export --database store.db --log-key authority/trust/log.vkey --out "$EXPORT"
}

meanwhile_authority_takes_the_witness() {
	cd "$WORLD"
	printf 'witness example %s\nquorum example\n' "$(cat reader/witness.line)" > authority/trust/log.policy
	cp authority/trust/log.policy reader/trust/
}

# A hospital's part of Joining, with the code that it was given, and what it reads out over the telephone.
meanwhile_hospital_presents() {
	mkdir "$WORLD/hospital"
	cd "$WORLD/hospital"
	grep -oE '[0-9]{6}(-[0-9]{6}){7}' ../reader/invitation.txt > code.txt
	chmod 600 code.txt
	cpis certs request-system --out . --file system | sed -n 's/^fingerprint //p' > ../reader/telephone.txt
	cpis enrol present --endpoint "$ENROLMENT" --broker-name cpis-1 --broker-certificate ../reader/ra/broker/broker.pem \
		--trust ../reader/ra/trust --key system.key --ods RXH --name ed-record --code code.txt
}

meanwhile_hospital_joins() {
	cd "$WORLD/hospital"
	cpis enrol present --endpoint "$ENROLMENT" --broker-name cpis-1 --broker-certificate ../reader/ra/broker/broker.pem \
		--trust ../reader/ra/trust --key system.key --ods RXH --name ed-record --code code.txt --wait --interval 200
}
