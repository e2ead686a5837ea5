#!/usr/bin/env bash
# The Debian packages on a bare Debian 12 under systemd, in a container (systemd-nspawn(1)): installed, refused while nothing is
# configured, set up as the manual says, the main job, ended when it hangs, upgraded under load, removed and purged.
# usage: BUILD=build VERSION=x tests/package/package.sh; as root, after `make deb`
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
here=tests/package build=$(realpath "$BUILD") checks=0
next=$VERSION+1
# shellcheck source=machine.sh
. "$here/machine.sh"
# shellcheck source=adaptors.sh
. "$here/adaptors.sh"
# shellcheck source=notify.sh
. "$here/notify.sh"

[ "$(id -u)" = 0 ] || {
	echo "package.sh: containers want root" >&2
	exit 2
}

finish() {
	local code=$?
	trap - EXIT INT TERM
	if [ "$code" != 0 ] && [ -n "$machine_leader" ]; then
		inside journalctl --no-pager -u 'cpis-*' 2> /dev/null | tail -40 >&2 || true
		echo "0%: Checks: $checks, Failures: 1, Errors: 0"
	fi
	[ -n "${KEEP:-}" ] && [ "$code" != 0 ] && echo "package.sh: the container's files are in $machine" >&2 && machine_stop || machine_remove
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
	echo "package.sh: failed: $*" >&2
	exit 1
}

# ok WHAT COMMAND...: it succeeds; its words are in $said.
ok() {
	local what=$1
	shift
	checks=$((checks + 1))
	said=$("$@" 2>&1) || fail "$what: $* exited with $?: $said"
	echo "ok   $what"
}

# refuses WHAT CODE WORDS COMMAND...
refuses() {
	local what=$1 wanted=$2 words=$3 code=0
	shift 3
	checks=$((checks + 1))
	said=$("$@" 2>&1) || code=$?
	[ "$code" = "$wanted" ] || fail "$what: $* exited with $code, not $wanted: $said"
	[[ $said == *"$words"* ]] || fail "$what: does not say '$words': $said"
	echo "ok   $what"
}

says() {
	checks=$((checks + 1))
	[[ $said == *"$1"* ]] || fail "does not say '$1': $said"
}

property() {
	inside systemctl show --property="$2" --value "$1"
}

is() {
	checks=$((checks + 1))
	[ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
	echo "ok   $1: $2"
}

# wait_for WHAT COMMAND...: 60 s at most.
wait_for() {
	local tries=600 what=$1
	shift
	until "$@" > /dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "$what: not within a minute"
		sleep 0.1
	done
	checks=$((checks + 1))
	echo "ok   $what"
}

packages_of() {
	local name
	for name in cpis-broker cpis cpis-web cpis-fhir libcpis-dev; do
		echo "$build/${name}_$1_$(dpkg --print-architecture).deb"
	done
	echo "$build/cpis-adaptors_$1_all.deb"
}

# started_again RESTARTS_BEFORE UNIT
started_again() {
	[ "$(property "$2" NRestarts)" -gt "$1" ] && [ "$(property "$2" ActiveState)" = active ]
}

are_active() {
	local unit
	for unit in "$@"; do
		[ "$(property "$unit" ActiveState)" = active ] || return 1
	done
}

# Changes when the unit is started again.
broker_unit() {
	inside systemctl show --property=InvocationID --property=ActiveEnterTimestampMonotonic --property=NRestarts cpis-broker
}

fed_since() {
	[ "$(property cpis-broker WatchdogTimestampMonotonic)" -gt "$1" ]
}

alone() {
	[ "$(inside sh -c 'readlink /proc/[0-9]*/exe | grep -c cpis-broker')" = 3 ]
}

# The last broker took over from the one before: systemd knows it as the main process, with its status, and hears it feed the watchdog.
taken_over() {
	said=$(inside journalctl --no-pager --output=cat -u cpis-broker)
	says "another broker serves in its place"
	checks=$((checks + 1))
	[[ $said != *"reception only permitted"* ]] || fail "systemd does not listen to the broker that took over"
	is "its main process" "$(inside sh -c 'tr "\0" " " < "/proc/$(systemctl show -P MainPID cpis-broker)/cmdline"')" "/usr/sbin/cpis-broker --succeed /etc/cpis/broker.yaml "
	wait_for "the watchdog is fed by it" fed_since "$(property cpis-broker WatchdogTimestampMonotonic)"
}

# ask_under_load COMMAND...: three clients ask without a pause while it runs; none fails.
ask_under_load() {
	local what=$1 load=() number total failed
	shift
	inside sh -c 'rm -f /root/world/stop /root/world/load.*'
	for number in 1 2 3; do
		inside /root/load.sh "$number" &
		load+=($!)
	done
	wait_for "clients ask" asked 30
	"$@"
	wait_for "clients go on asking" asked $((30 + $(inside sh -c 'cat /root/world/load.*.codes | wc -l')))
	inside touch /root/world/stop
	wait "${load[@]}"
	total=$(inside sh -c 'cat /root/world/load.*.codes | wc -l')
	failed=$(inside sh -c 'cat /root/world/load.*.codes | grep -vc "^0$"' || true)
	[ "$failed" = 0 ] || inside sh -c 'head -5 /root/world/load.*.failed' >&2
	is "failed of $total requests during $what" "$failed" 0
}

asked() {
	[ "$(inside sh -c 'cat /root/world/load.*.codes 2> /dev/null | wc -l')" -ge "$1" ]
}

# ------------------------------------------------------------------ install

# What is newer is the same source with a greater number.
[ -e "$build/cpis-broker_${next}_$(dpkg --print-architecture).deb" ] && [ "$build/cpis-broker_${next}_$(dpkg --print-architecture).deb" -nt "$build/cpis-broker" ] || {
	mkdir -p "$build/deb"
	rm -rf "$build/deb/$next"
	cp -a "$build/deb/$VERSION" "$build/deb/$next"
	VERSION=$next broker/debian/build.sh > /dev/null
}
mapfile -t packages < <(packages_of "$VERSION")
machine_unpack "$("$here/root.sh" "${packages[@]}")"
mkdir "$machine/srv/old" "$machine/srv/new"
cp "${packages[@]}" "$machine/srv/old/"
mapfile -t packages < <(packages_of "$next")
cp "${packages[@]}" "$machine/srv/new/"
cp "$here/world.sh" "$here/adaptors_world.sh" "$here/ask.py" "$here/endpoint.py" "$here/load.sh" "$machine/root/"
mkdir -p "$machine/root/world/tls"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=fhir.example \
	-addext 'subjectAltName=DNS:fhir.example' -keyout "$machine/root/world/tls/fhir.key" -out "$machine/root/world/tls/fhir.pem" 2> /dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=endpoint.example \
	-addext 'subjectAltName=DNS:endpoint.example' -keyout "$machine/root/world/tls/endpoint.key" -out "$machine/root/world/tls/endpoint.pem" 2> /dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=pages.example \
	-addext 'subjectAltName=DNS:pages.example,DNS:*.pages.example' -keyout "$machine/root/world/tls/web.key" -out "$machine/root/world/tls/web.pem" 2> /dev/null
machine_boot || fail "no systemd in the container: $(tail -5 "$machine.console")"
files_before=$(inside find /etc /var /usr /lib -xdev -type f | sort)

# What is installed, without libcpis-dev, and as files of FOLDER.
names="cpis-broker cpis cpis-web cpis-fhir cpis-adaptors"
files_in() {
	local name
	for name in $names; do
		echo "/srv/$1/${name}_*.deb"
	done | tr '\n' ' '
}
apt=(env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --yes --no-install-recommends)
ok "apt installs the packages" inside sh -c "${apt[*]} install $(files_in old)"
for unit in cpis-broker cpis-web; do
	is "$unit.service after its installation" "$(property $unit UnitFileState) $(property $unit ActiveState)" "disabled inactive"
done
adaptors_are_refused
notify_is_refused
refuses "a broker that is not configured is not started" 1 "Assertion failed" inside systemctl start cpis-broker
refuses "--check tells what is missing" 2 "missing: certificate: /etc/cpis/broker.pem: No such file" inside cpis-broker --check /etc/cpis/broker.yaml
for name in broker log store; do
	says "/etc/cpis/keys/$name.key"
done
for unit in cpis-broker cpis-web cpis-fhir cpis-fhir-notify@x cpis-hl7@x cpis-mesh@x cpis-responder@x cpis-demographics@x cpis-contact-sheet; do
	ok "systemd finds no fault with $unit.service" inside systemd-analyze verify --man=no "$unit.service"
	is "its words" "$said" ""
done
ok "keys' directory is root's alone" inside stat -c '%a %U' /etc/cpis/keys
says "700 root"

# ------------------------------------------------------------------ set up and run

ok "certificates, keys and register as the manual says" inside /root/world.sh
ok "the facade, the adaptor and the folders as their manual says" inside /root/adaptors_world.sh
ok "--check is content" inside cpis-broker --check /etc/cpis/broker.yaml
says ": good; "
ok "the broker is enabled and started" inside systemctl enable --now cpis-broker
is "the unit" "$(property cpis-broker ActiveState) $(property cpis-broker User)" "active cpis"
said=$(property cpis-broker StatusText)
says "serves on tcp://0.0.0.0:4420 with 9 systems"
said=$(inside journalctl --no-pager --output=cat -u cpis-broker)
says "the core's files limited by Landlock"
says "the core's system calls limited by seccomp"
says "the front's system calls limited by seccomp"
# Where this machine may not raise its own limit, the container cannot either.
memory="may reach the swap space"
(ulimit -l unlimited) 2> /dev/null || memory=none
[[ $said != *"$memory"* && $said != *"rights of root"* ]] || fail "the unit leaves something to be done: $said"
is "the store's owner and mode" "$(inside stat -c '%U %a' /var/lib/cpis/cpis.db)" "cpis 600"

world() {
	inside sh -c 'cd /root/world && exec "$@"' sh "$@"
}
ok "an authority publishes" world cpis --profile leeds.yaml contacts set --emergency-duty "0113 496 0000" --office-hours "0113 496 0100"
ok "an authority publishes a file" world cpis --profile leeds.yaml publish --full leeds.csv
ok "a nurse opens the details" world cpis --profile nurse.yaml query --details 9990000018
says "Leeds City Council"
ok "the authority is told" world cpis --profile leeds.yaml inbox list
says "LCS-77-0001"
ok "a reviewer finds who looked" world cpis --profile guardian.yaml audit search --nhs-number 9990000018
says "Grace Okafor"

ok "the contact sheet is made" inside systemctl start cpis-contact-sheet.service
is "its file" "$(inside sh -c 'head -c 5 /var/lib/cpis-sheet/contacts.pdf; stat -c " %U" /var/lib/cpis-sheet/contacts.pdf')" "%PDF- cpis-sheet"
ok "and every week, when that is wanted" inside systemctl enable --now cpis-contact-sheet.timer

before=$(property cpis-broker MainPID)
ok "the unit reloads" inside systemctl reload cpis-broker
is "its broker" "$(property cpis-broker MainPID) $(property cpis-broker ActiveState)" "$before active"
ok "a nurse is answered by it" world cpis --profile nurse.yaml query 9990000018

# ------------------------------------------------------------------ beside it

ok "the pages are started" inside systemctl start cpis-web
is "their unit" "$(property cpis-web ActiveState) $(property cpis-web User) $(property cpis-web StatusText)" "active cpis-web serves https://pages.example"
said=$(inside journalctl --no-pager --output=cat -u cpis-web)
[[ $said != *"not permitted"* ]] || fail "the unit denies the pages something: $said"
ok "somebody listens there" inside bash -c 'exec 3<> /dev/tcp/127.0.0.1/443'
answered() {
	world cpis --profile nurse.yaml query --details 9995000008 > /dev/null
}
refuses "nobody answers for the next country yet" 5 "NOT AVAILABLE" world cpis --profile nurse.yaml query 9995000008
ok "a neighbouring register is started" inside systemctl start cpis-responder@neighbour
wait_for "it answers for the next country" answered
notify_run
adaptors_run
adaptors_stop
ok "the HL7 adaptor is enabled" inside systemctl enable cpis-hl7@ae
ok "the container starts anew, with the broker enabled and the pages not" inside systemctl enable cpis-responder@neighbour
machine_stop
machine_boot || fail "the container does not start again: $(tail -5 "$machine.console")"
is "units after a start of the machine" "$(property cpis-broker ActiveState) $(property cpis-web ActiveState) $(property cpis-responder@neighbour ActiveState) $(property cpis-hl7@ae ActiveState) $(property cpis-mesh@leeds ActiveState)" "active inactive active active inactive"
wait_for "the next country is answered for again" answered
ok "the pages are started again" inside systemctl start cpis-web
ok "and the others" inside systemctl start cpis-fhir cpis-mesh@leeds

# ------------------------------------------------------------------ when it hangs

mkdir -p "$machine/etc/systemd/system/cpis-broker.service.d"
printf '[Service]\nWatchdogSec=2s\n' > "$machine/etc/systemd/system/cpis-broker.service.d/watchdog.conf"
ok "a shorter watchdog" inside sh -c 'systemctl daemon-reload && systemctl restart cpis-broker'
restarts=$(property cpis-broker NRestarts)
ok "the core is stopped in its tracks" inside sh -c 'kill -STOP $(systemctl show -P MainPID cpis-broker)'
wait_for "systemd ends a broker that hangs, and starts another" started_again "$restarts" cpis-broker
said=$(inside journalctl --no-pager -u cpis-broker)
says "Watchdog timeout"
ok "a nurse is answered again" world cpis --profile nurse.yaml query 9990000018
wait_for "a responder that was connected before answers through the new one" answered
rm -r "$machine/etc/systemd/system/cpis-broker.service.d"
ok "the usual watchdog" inside sh -c 'systemctl daemon-reload && systemctl restart cpis-broker'

adaptors_hang

# ------------------------------------------------------------------ another broker takes over inside the unit

take_over() {
	ok "another broker takes over" inside sh -c 'mkdir /run/cpis/take-over && systemctl reload cpis-broker'
}
mkdir -p "$machine/etc/systemd/system/cpis-broker.service.d"
printf '[Service]\nWatchdogSec=5s\n' > "$machine/etc/systemd/system/cpis-broker.service.d/watchdog.conf"
ok "a short watchdog" inside sh -c 'systemctl daemon-reload && systemctl restart cpis-broker'
before=$(property cpis-broker MainPID) run_before=$(broker_unit)
ask_under_load "two takings over" eval 'take_over; take_over'
[ "$(property cpis-broker MainPID)" != "$before" ] || fail "the old broker still runs"
wait_for "core, keeper and front are alone" alone
is "the unit's run" "$(broker_unit)" "$run_before"
taken_over
ok "the usual reload" inside systemctl reload cpis-broker
ok "a nurse is answered by it" world cpis --profile nurse.yaml query 9990000018
# What the new one cannot start with leaves the old one.
before=$(property cpis-broker MainPID)
ok "a wrong word in the configuration" inside sh -c 'echo "colour: red" >> /etc/cpis/broker.yaml'
refuses "is refused" 1 "failed" inside sh -c 'mkdir /run/cpis/take-over && systemctl reload cpis-broker'
says "cpis-broker.service"
ok "without it all is well" inside sed -i /colour/d /etc/cpis/broker.yaml
is "the broker" "$(property cpis-broker MainPID) $(property cpis-broker ActiveState)" "$before active"
restarts=$(property cpis-broker NRestarts)
ok "one that took over is stopped in its tracks" inside sh -c 'kill -STOP $(systemctl show -P MainPID cpis-broker)'
wait_for "systemd ends it, and starts another" started_again "$restarts" cpis-broker
ok "a nurse is answered again" world cpis --profile nurse.yaml query 9990000018
rm -r "$machine/etc/systemd/system/cpis-broker.service.d"
ok "the usual watchdog again" inside sh -c 'systemctl daemon-reload && systemctl restart cpis-broker'

# ------------------------------------------------------------------ a key that is encrypted by the machine

mkdir -p "$machine/etc/systemd/system/cpis-broker.service.d"
cat > "$machine/etc/systemd/system/cpis-broker.service.d/keys.conf" << 'END'
[Unit]
AssertPathExists=
[Service]
LoadCredential=
LoadCredential=broker.key:/etc/cpis/keys/broker.key
LoadCredential=log.key:/etc/cpis/keys/log.key
LoadCredentialEncrypted=store.key:/etc/cpis/keys/store.key.encrypted
END
ok "the store's key is encrypted" inside sh -c 'cd /etc/cpis/keys && systemd-creds setup && systemd-creds encrypt --with-key=host --name=store.key store.key store.key.encrypted &&
	mv store.key /root/ && systemctl daemon-reload && systemctl restart cpis-broker'
ok "a nurse is answered" world cpis --profile nurse.yaml query --details 9990000018
says "Leeds City Council"
rm -r "$machine/etc/systemd/system/cpis-broker.service.d"
ok "and in clear again" inside sh -c 'mv /root/store.key /etc/cpis/keys/ && systemctl daemon-reload && systemctl restart cpis-broker'

# ------------------------------------------------------------------ upgrade under load

ok "a backup before the upgrade" inside cpis-broker --backup /etc/cpis/broker.yaml /root/before.db
before=$(property cpis-broker MainPID)
declare -A adaptors_before
for unit in "${adaptors_units[@]}"; do
	adaptors_before[$unit]=$(property "$unit" MainPID)
done
run_before=$(broker_unit)
ask_under_load "the upgrade" ok "apt upgrades under load" inside sh -c "${apt[*]} install $(files_in new)"
is "the version that is installed" "$(inside cpis-broker --version)" "cpis-broker $next"
[ "$(property cpis-broker MainPID)" != "$before" ] || fail "the old broker still runs"
is "the broker after the upgrade" "$(property cpis-broker ActiveState)" active
# The unit went on: the new broker took over from the old one inside it.
is "the unit's run" "$(broker_unit)" "$run_before"
taken_over
ok "the log holds over the upgrade" world sh -c 'systemctl stop cpis-broker && cpis audit verify --database /var/lib/cpis/cpis.db --log-key authority/trust/log.vkey && systemctl start cpis-broker'
ok "what an administrator changed was kept" inside grep -c "University Hospitals Sussex" /etc/cpis/register.yaml

wait_for "what runs beside it is active" are_active cpis-web cpis-responder@neighbour "${adaptors_units[@]}"
wait_for "the next country is answered for by the new version" answered
for unit in "${adaptors_units[@]}"; do
	checks=$((checks + 1))
	[ "$(property "$unit" MainPID)" != "${adaptors_before[$unit]}" ] || fail "the old $unit still runs"
done
adaptors_answer 3 9990000212

# ------------------------------------------------------------------ another schema

store=$machine/var/lib/cpis/cpis.db
# As the schema before had it.
ok "the broker is stopped, and its store made one of the schema before" inside systemctl stop cpis-broker
sqlite3 "$store" "PRAGMA wal_checkpoint(TRUNCATE); DROP INDEX audit_block_by_peak; DROP INDEX audit_block_by_floor;
	ALTER TABLE audit_block DROP COLUMN peak_ms; ALTER TABLE audit_block DROP COLUMN floor_ms; PRAGMA user_version = 5" > /dev/null
inside chown -R cpis: /var/lib/cpis
ok "a newer program opens an older store" inside systemctl start cpis-broker
said=$(inside journalctl --no-pager --output=cat -u cpis-broker)
says "schema version 5 to 6"
ok "with the data" world cpis --profile guardian.yaml audit search --nhs-number 9990000018
says "Grace Okafor"
inside systemctl stop cpis-broker cpis-web
sqlite3 "$store" "PRAGMA user_version = 7"
inside chown -R cpis: /var/lib/cpis
refuses "an older program does not open a newer store" 1 "" inside systemctl start cpis-broker
said=$(inside journalctl --no-pager --output=cat -u cpis-broker)
says "has schema version 7, this program knows version 6: install the newer version of this program again, or go back to a backup from before it"
inside systemctl stop cpis-broker
ok "apt goes back to the version before" inside sh -c "${apt[*]} --allow-downgrades install $(files_in old)"
is "the version that is installed" "$(inside cpis-broker --version)" "cpis-broker $VERSION"
ok "the backup of before is put back" inside sh -c 'cpis-broker --restore /etc/cpis/broker.yaml /root/before.db --replace && chown -R cpis: /var/lib/cpis'
ok "the version before serves from it" inside systemctl start cpis-broker
ok "with the data of then" world cpis --profile nurse.yaml query --details 9990000018
says "Leeds City Council"

# ------------------------------------------------------------------ and away

ok "apt removes the packages" inside sh -c "${apt[*]} remove $names"
is "processes of the broker when it is removed" "$(inside sh -c 'readlink /proc/*/exe | grep -c cpis-broker' || true)" 0
is "and of users of the packages" "$(inside sh -c 'stat -c %U /proc/[0-9]* 2> /dev/null | grep -c ^cpis' || true)" 0
ok "apt purges the packages" inside sh -c "${apt[*]} purge $names"
ok "and what came for them alone" inside sh -c "${apt[*]} --purge autoremove"
# The operator's: data, keys and certificates. systemd's and dpkg's records of what was there are theirs; users stay, so that no
# other becomes the owner of their files. /etc/hosts is this test's, for the endpoint (adaptors_world.sh).
left=$(inside find /etc /var /usr /lib -xdev -type f | sort | comm -13 <(echo "$files_before") - |
	grep -Ev '^/var/(lib/(dpkg|apt|cpis|cpis-(sheet|fhir|fhir-notify|hl7|mesh)|systemd)|spool/cpis-(hl7|mesh)|log|cache)/|^/etc/(passwd|group|shadow|gshadow)-?$|^/etc/hosts$|^/etc/ld[.]so[.]cache$' |
	grep -Ev '^/etc/cpis/(broker[.]pem|policy[.]yaml|(keys|trust|enrolled|identity|web|fhir|fhir-notify|hl7|mesh|responder|sheet)/)|^/etc/systemd/system/cpis-web[.]service[.]d/' || true)
is "packages that dpkg still knows" "$(inside dpkg-query -W -f '${Package} ${db:Status-Status}\n' 'cpis*' 2> /dev/null | grep -v 'not-installed' || true)" ""
owned=$(inside sh -c 'cat /var/lib/dpkg/info/*.list' | sed -E 's|^/lib|/usr/lib|' | sort -u)
left=$(comm -23 <(echo "$left") <(echo "$owned"))
is "files left but data, keys and certificates" "$left" ""
is "the store after the purge" "$(inside stat -c %U /var/lib/cpis/cpis.db)" cpis

echo "100%: Checks: $checks, Failures: 0, Errors: 0"
