#!/usr/bin/env bash
# The main job in a terminal: certificates, two authorities, staff who look, an inbox, an audit, a forgery found.
# Every step's exit code is checked; the first that is not as it should be ends the demo with an error.
# KEEP=1 leaves the broker running and says how to go on by hand.
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
build=$(realpath "${BUILD:-build}")
PATH=$build:$PATH
world=$(mktemp -d /tmp/cpis-demo-XXXXXX)
broker_pid=
done=0

finish() {
	local code=$?
	if [ "$done" = 1 ] && [ -n "${KEEP:-}" ]; then
		exit "$code"
	fi
	if [ -n "$broker_pid" ]; then
		kill "$broker_pid" 2> /dev/null && wait "$broker_pid" 2> /dev/null || true
	fi
	if [ "$done" = 0 ]; then
		echo "demo: stopped with exit code $code; the broker's log:" >&2
		cat "$world/broker.log" >&2 || true
	fi
	rm -rf "$world"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

section() {
	printf '\n== %s\n' "$*"
}

say() {
	printf '%s\n' "$*"
}

# run CODE COMMAND...: shows the command, runs it, insists on the exit code.
run() {
	local wanted=$1 code=0 word line='$'
	shift
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_./:=-]*) line+=" '$word'" ;;
		*) line+=" $word" ;;
		esac
	done
	printf '%s\n' "$line"
	"$@" > last.out 2> last.err || code=$?
	cat last.out last.err
	if [ "$code" != "$wanted" ]; then
		echo "demo: that exited with $code instead of $wanted" >&2
		exit 1
	fi
	if [ "$code" != 0 ]; then
		say "[exit $code, as it should]"
	fi
}

# The last command must have said this.
expect() {
	if ! grep -qF -- "$1" last.out last.err; then
		echo "demo: that did not say '$1'" >&2
		exit 1
	fi
}

expect_not() {
	if grep -qF -- "$1" last.out last.err; then
		echo "demo: that said '$1'" >&2
		exit 1
	fi
}

# Until the broker has written where it serves; 20 s at most.
wait_endpoint() {
	local tries=400
	while [ ! -s endpoint ] && [ $tries -gt 0 ] && kill -0 "$broker_pid" 2> /dev/null; do
		sleep 0.05
		tries=$((tries - 1))
	done
	[ -s endpoint ]
}

# Turns "today-3m" and the like into dates.
make_csv() {
	local token date expressions=()
	for token in $(grep -oE 'today([-+][0-9]+[md])?' "$1" | sort -u | awk '{ print length, $0 }' | sort -rn | cut -d' ' -f2); do
		date=$(sed -E 's/today//; s/([0-9])m$/\1 months/; s/([0-9])d$/\1 days/' <<< "$token")
		expressions+=(-e "s/\\b$token\\b/$(date -u -d "$(date -u +%F) $date" +%F)/g")
	done
	sed "${expressions[@]}" "$1"
}

# profile FILE SYSTEM STAFF ROLE [CARE_SETTING]
profile() {
	cat > "$1.yaml" <<- END
		endpoint: $(cat endpoint)
		broker_name: demo-broker
		broker_certificate: authority/broker/broker.pem
		trust_directory: authority/trust
		system_certificate: systems/$2.pem
		system_key: systems/$2.key
		staff_certificate: staff/$3.pem
		staff_key: staff/$3.key
		role: $4
		checkpoint_file: $1.checkpoint
		${5:+care_setting: $5}
	END
}

system() {
	cpis certs issue-system --dir authority --ods "$1" --name "$2" --out systems
}

staff() {
	cpis certs issue-staff --dir authority --uid "$1" --name "$2" --out staff
}

cd "$world"
section "A registration authority issues certificates: one to each system, one to each member of staff"
run 0 cpis certs init --dir authority --broker-name demo-broker
say "The hospital makes its own key; the fingerprint is read out over the telephone, and the key never leaves it."
run 0 cpis certs request-system --out systems --file hospital
fingerprint=$(sed -n 's/^fingerprint //p' last.out)
run 0 cpis certs issue-system --dir authority --ods RXH --name hospital --public-key systems/hospital.pub --fingerprint "$fingerprint" --out systems
run 0 cpis certs issue-staff --dir authority --uid 555000000001 --name "Grace Okafor" --out staff
say "... and so on for the others."
{
	system RYD ambulance && system RDR school && system 383 leeds && system 846 brighton && system X26 national
	staff 555000000002 "Siân O'Neill" && staff 555000000003 "Tom Archer" && staff 555000000005 "Kofi Mensah"
	staff 555000000006 "Mary Whitlock" && staff 555000000007 "Anjali Rao" && staff 555000000009 "Lucy Faulkner"
	staff 555000000010 "Helen Marsh" && staff 555000000011 "Owen Price"
	staff 555000000004 "Ines Duarte" && staff 555000000012 "Amara Nwosu"
	# Certified in the same way, and not on the broker's list of systems.
	system RYD stranger
} > /dev/null
for enrolled in authority/enrolled/*.pem; do
	if cmp -s "$enrolled" systems/stranger.pem; then
		rm "$enrolled"
	fi
done

cat > register.yaml <<- END
	organisations:
	  - {ods: RXH, name: University Hospitals Sussex, type: care_provider, care_settings: [emergency_department, maternity]}
	  - {ods: RYD, name: South East Coast Ambulance Service, type: care_provider, care_settings: [ambulance]}
	  - {ods: RDR, name: Sussex Community, type: care_provider, care_settings: [school_nursing]}
	  - {ods: "383", name: Leeds City Council, type: local_authority, care_settings: [social_care]}
	  - {ods: "846", name: Brighton and Hove City Council, type: local_authority, care_settings: [social_care]}
	  - {ods: X26, name: NHS England, type: national_body}
	role_profiles:
	  - {uid: "555000000001", role: R8001, organisation: RXH, from: 2020-01-01}
	  - {uid: "555000000002", role: R8016, organisation: RXH, from: 2020-01-01}
	  - {uid: "555000000003", role: R8009, organisation: RXH, from: 2020-01-01}
	  - {uid: "555000000004", role: R0001, organisation: RXH, from: 2020-01-01}
	  - {uid: "555000000012", role: R0050, organisation: RXH, from: 2020-01-01}
	  - {uid: "555000000005", role: R1070, organisation: RYD, from: 2020-01-01}
	  - {uid: "555000000006", role: R8001, organisation: RDR, from: 2020-01-01, activities: [B0170]}
	  - {uid: "555000000007", role: R9535, organisation: "383", from: 2020-01-01}
	  - {uid: "555000000009", role: R9535, organisation: "846", from: 2020-01-01}
	  - {uid: "555000000010", role: R5105, organisation: X26, from: 2020-01-01}
	  - {uid: "555000000011", role: R5080, organisation: X26, from: 2020-01-01}
END
cat > broker.yaml <<- END
	broker_name: demo-broker
	endpoint: tcp://127.0.0.1:*
	endpoint_file: endpoint
	certificate: authority/broker/broker.pem
	key: authority/broker/broker.key
	log_key: authority/broker/log.key
	trust_directory: authority/trust
	enrolled_directory: authority/enrolled
	register_file: register.yaml
	policy_file: $repository/broker/policy.yaml
	store_file: store.db
	store_key: store.key
END
section "The broker starts"
run 0 cpis-broker --make-store-key store.key
run 0 cpis-broker --check broker.yaml
say "$ cpis-broker broker.yaml &"
# In a session of its own: with KEEP=1 it outlives this terminal.
setsid cpis-broker broker.yaml > /dev/null 2> broker.log < /dev/null &
broker_pid=$!
wait_endpoint
profile leeds leeds 555000000007 R9535
profile brighton brighton 555000000009 R9535
profile nurse hospital 555000000001 R8001 emergency_department
profile midwife hospital 555000000002 R8016 maternity
profile consultant hospital 555000000012 R0050
profile privacy_officer hospital 555000000004 R0001
profile receptionist hospital 555000000003 R8009 emergency_department
profile paramedic ambulance 555000000005 R1070
profile school_nurse school 555000000006 R8001
profile guardian national 555000000010 R5105
profile registrar national 555000000011 R5080
profile stranger stranger 555000000005 R1070
make_csv "$repository/tests/data/leeds.csv" > leeds.csv
make_csv "$repository/tests/data/brighton.csv" > brighton.csv
run 0 cpis --profile nurse.yaml ping

section "Two local authorities publish their plans"
run 0 cpis --profile leeds.yaml contacts set --emergency-duty "0113 496 0000" --office-hours "0113 496 0100"
run 0 cpis --profile brighton.yaml contacts set --emergency-duty "01632 960001" --office-hours "01632 960002"
run 0 cpis --profile leeds.yaml publish --full --dry-run leeds.csv
expect "not committed"
run 0 cpis --profile leeds.yaml publish --full leeds.csv
expect CPF02
run 0 cpis --profile leeds.yaml quality
expect "passed"
run 0 cpis --profile brighton.yaml publish --full brighton.csv
expect CPF02

section "3 a.m., emergency department: a nurse looks; first for a flag, then at the details"
run 0 cpis --profile nurse.yaml query "999 000 0018"
run 0 cpis --profile nurse.yaml query --details "999 000 0018"
expect "Leeds City Council"
expect "0113 496 0000"

section "A paramedic looks at a child whom two authorities hold plans for"
run 0 cpis --profile paramedic.yaml query --details 9990000034
expect "Leeds City Council"
expect "Brighton and Hove City Council"

section "A midwife finds an unborn child's plan under the mother's number"
run 0 cpis --profile midwife.yaml query --details 9990000042
expect "unborn"

section "A school nurse's planned look is silent: nobody is notified, and it is in the audit log all the same"
run 0 cpis --profile school_nurse.yaml query --details --scheduled 9990000018
expect "Leeds City Council"

section "A number nobody holds anything about"
run 0 cpis --profile nurse.yaml query 9990000441

section "A receptionist is refused, and told why"
run 3 cpis --profile receptionist.yaml query 9990000018
expect role_lacks_activity
expect_not Leeds

section "May she? A reviewer asks why"
run 0 cpis --profile privacy_officer.yaml explain --uid 555000000003 --role R8009 --operation details --care-setting emergency_department
expect "NO: role_lacks_activity"

section "A consultant breaks the glass, outside the hospital's care settings: signed, and never unseen"
run 3 cpis --profile consultant.yaml query --details --care-setting dentistry 9990000026
expect care_setting_not_in_scope
run 0 cpis --profile consultant.yaml query --break-glass --reason "collapsed in the dental clinic" --care-setting dentistry 9990000026
expect "your privacy officer has been alerted"
run 0 cpis --profile privacy_officer.yaml alert list
expect "the glass was broken"
run 0 cpis --profile privacy_officer.yaml alert review 1 --finding appropriate --words "spoke to her: an emergency"

section "A system that is certified and not enrolled does not get past the handshake"
run 3 cpis --profile stranger.yaml ping

section "An authority cannot touch another authority's child"
run 3 cpis --profile brighton.yaml publish --now --authority 383 leeds.csv
expect other_authority

section "Leeds reads its inbox and acknowledges the first notification"
run 0 cpis --profile leeds.yaml inbox list
expect LCS-77-0001
expect_not "Mary Whitlock"
run 0 cpis --profile leeds.yaml inbox ack 1
run 0 cpis --profile leeds.yaml inbox list

section "An ambulance's laptop is stolen: the registration authority holds its system back at once, and lets it go again"
run 0 cpis --profile registrar.yaml quarantine set --system RYD/ambulance --reason "laptop stolen in Hove"
run 3 cpis --profile paramedic.yaml query 9990000034
expect system_quarantined
run 0 cpis --profile registrar.yaml quarantine lift --system RYD/ambulance --reason "laptop found, key unchanged"
run 0 cpis --profile paramedic.yaml query 9990000034

section "The Caldicott Guardian asks who looked at that child; the refusal is there too"
run 0 cpis --profile guardian.yaml audit search --nhs-number 9990000018
expect "Mary Whitlock"
expect role_lacks_activity

section "Anybody can check the log with the public key alone"
run 0 cpis audit verify --database store.db --log-key authority/trust/log.vkey --checkpoint nurse.checkpoint

section "The database tells nothing to whoever steals it"
run 1 grep -c -a -e 9990000018 -e 'Grace Okafor' -e '0113 496 0000' store.db

section "Somebody edits the log behind the broker's back, past the guard, and is found"
database=store.db
if [ -n "${KEEP:-}" ]; then
	database=copy.db
	say "(on a copy, because the broker stays up)"
	sqlite3 store.db ".backup $database"
fi
for trigger in $(sqlite3 "$database" "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"); do
	run 0 sqlite3 "$database" "DROP TRIGGER $trigger"
done
run 0 sqlite3 "$database" "UPDATE audit SET (salt, record) = (SELECT salt, record FROM audit WHERE idx = 4) WHERE idx = 7"
run 4 cpis audit verify --database "$database" --log-key authority/trust/log.vkey
expect 7

done=1
section "Done"
if [ -n "${KEEP:-}" ]; then
	cat <<- END
		The broker runs as process $broker_pid. To go on by hand:
		  cd $world
		  PATH=$build:\$PATH
		  cpis --profile nurse.yaml query --details 9990000026
		  cpis --profile brighton.yaml inbox list --all
		  cpis --profile leeds.yaml inbox follow
		  cpis --profile guardian.yaml audit show 3
		  cpis certs revoke --dir authority systems/hospital.pem
		To stop it and clean up:
		  kill $broker_pid; rm -r $world
	END
	disown
else
	say "Everything above behaved as it should. KEEP=1 make demo leaves the broker up."
fi
