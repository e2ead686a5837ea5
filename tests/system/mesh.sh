#!/usr/bin/env bash
# cpis-mesh between an authority's folders and a real broker: extracts are published once and in order, reports and notifications come
# back as files, and what is wrong is said in a report and moved aside. What is half written, a link, out of order or cut off by a crash. The world is the demo's, left running.
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
build=$(realpath "${BUILD:-build}")
export PATH=$build:$PATH
log=$(mktemp /tmp/cpis-mesh-test-XXXXXX)
world= broker= elsewhere=
checks=0

finish() {
	local code=$?
	[ -z "$broker" ] || kill "$broker" 2> /dev/null || true
	[ -z "$world" ] || rm -rf "$world"
	[ -z "$elsewhere" ] || rm -rf "$elsewhere"
	rm -f "$log"
	exit "$code"
}
trap finish EXIT

fail() {
	echo "mesh.sh: $1" >&2
	cat "$log" >&2
	exit 1
}

# expect WHAT COMMAND...
expect() {
	local what=$1
	shift
	checks=$((checks + 1))
	"$@" > /dev/null || fail "$what"
}

KEEP=1 tests/demo/demo.sh > "$log" 2>&1 || fail "the demo"
world=$(sed -n 's/^ *cd \(\/tmp\/cpis-demo-[A-Za-z0-9]*\)$/\1/p' "$log")
broker=$(sed -n 's/^ *kill \([0-9]*\); rm -r .*/\1/p' "$log")
[ -d "$world" ] && [ -n "$broker" ] || fail "the demo left nothing running"
cd "$world"
mkdir mesh mesh/out mesh/sent mesh/in
header=nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date

adapt() {
	"$repository/clients/mesh/cpis-mesh" --profile leeds.yaml --out mesh/out --sent mesh/sent --in mesh/in --mailbox LEEDS001 --once "$@" 2>> "$log"
}

# send NAME LOCAL_ID [WORKFLOW]: as an authority's system does, data on standard input.
send() {
	cat > "mesh/out/$1.dat"
	cat > "mesh/out/$1.ctl" <<- END
		<DTSControl><Version>1.0</Version><AddressType>DTS</AddressType><MessageType>Data</MessageType><From_DTS>LEEDS001</From_DTS>
		<To_DTS>CPIS</To_DTS><LocalId>$2</LocalId><WorkflowId>${3:-CPIS_UPLOAD}</WorkflowId></DTSControl>
	END
}

# report NAME PYTHON_CONDITION_ON_r
report() {
	/usr/bin/python3 -c 'import json, sys
import xml.etree.ElementTree as xml
r = json.load(open(f"mesh/in/REPORT_{sys.argv[1]}.dat"))
c = xml.parse(f"mesh/in/REPORT_{sys.argv[1]}.ctl").getroot()
sys.exit(0 if eval(sys.argv[2]) else f"{r}")' "$1" "$2"
}

born=$(date -u -d '5 years ago' +%F) started=$(date -u -d '3 months ago' +%F)
printf '%s\n' "$header" "9990000204,CPP,$started,,,LCS-9,EXAMPLE,GINA,$born" | send monday 2
adapt
expect "the file is published" report monday 'r["exit_code"] == 0 and r["report"]["stored"] == 1'
expect "its control file says so" report monday 'c.findtext("WorkflowId") == "CPIS_UPLOAD_ACK" and c.findtext("LocalId") == "2" and c.findtext("To_DTS") == "LEEDS001" and c.findtext("StatusRecord/Status") == "SUCCESS"'
expect "it is moved" test -f mesh/sent/monday.dat -a -f mesh/sent/monday.ctl -a ! -e mesh/out/monday.dat -a ! -e mesh/out/monday.dat.csv
expect "the child is known" grep -q "child protection plan" <(cpis --profile nurse.yaml query --details 9990000204)
adapt
notification=$(grep -l 9990000204 mesh/in/CPIS_*.dat)
expect "the authority is told, as a file" grep -q "CPIS_UPLOAD_ASN" "${notification%.dat}.ctl"
expect "and the item is acknowledged" test "$(cpis --profile leeds.yaml --json inbox list | /usr/bin/python3 -c 'import json, sys; print(len(json.load(sys.stdin)["items"]))')" = 0

# A crash before the control file was moved: all of it as it was then.
mv mesh/sent/monday.* mesh/out/
printf '2 %s\n' "$(sha256sum mesh/out/monday.dat | cut -d' ' -f1)" > mesh/sent/monday.doing
rm mesh/in/REPORT_monday.*
adapt
expect "what was published before a crash is not published again" report monday 'r["exit_code"] == 0 and r["report"]["sequence"] == 2 and r["report"]["committed"]'
expect "and its mark goes" test ! -e mesh/sent/monday.doing
# Sent again by the authority's system.
cp mesh/sent/monday.dat mesh/out/again.dat
cp mesh/sent/monday.ctl mesh/out/again.ctl
adapt
expect "a number that was used is refused" report again 'r["exit_code"] == 3 and "publication_sequence" in r["complaint"]'

printf '%s\n' "$header" "9990000204,CPP,$started,,,LCS-9,EXAMPLE,GINA,$born" "9990000205,CPP,$started,,,LCS-10,EXAMPLE,HAL,$born" | send tuesday 3
adapt
expect "a wrong row is in the report" report tuesday 'r["exit_code"] == 5 and r["report"]["rejected_count"] == 1 and c.findtext("StatusRecord/Status") == "SUCCESS"'
printf '%s\n' "$header" | send gap 9
adapt
expect "a file out of sequence is refused in its report" report gap 'r["exit_code"] not in (0, 5) and r["complaint"] and c.findtext("StatusRecord/Status") == "ERROR"'
echo | send wrong-workflow 4 SOMETHING_ELSE
echo | send no-number monday
printf '<!DOCTYPE x [<!ENTITY a "b">]><DTSControl/>' > mesh/out/entities.ctl
echo '<DTSControl><MessageType>Data' > mesh/out/broken.ctl
printf '<DTSControl><MessageType>Data</MessageType><LocalId>4</LocalId><WorkflowId>CPIS_UPLOAD</WorkflowId></DTSControl>' > mesh/out/alone.ctl
adapt
expect "another workflow" report wrong-workflow '"this folder takes CPIS_UPLOAD" in r["complaint"]'
expect "no number" report no-number '"sequence number" in r["complaint"]'
expect "entities" report entities '"document type" in r["complaint"]'
expect "no XML" report broken '"not XML" in r["complaint"]'
expect "no data" report alone '"write the .dat first" in r["complaint"]'
printf '%s\n' "$header" > mesh/elsewhere
send linked 4 < /dev/null
ln -sf ../elsewhere mesh/out/linked.dat
adapt
expect "a link" report linked '"as a file of its own" in r["complaint"]'
expect "nothing is left over" test -z "$(ls mesh/out)"
checks=$((checks + 1))
if "$repository/clients/mesh/cpis-mesh" --profile leeds.yaml --out mesh/nowhere --sent mesh/sent --in mesh/in --once 2>> "$log"; then fail "a folder that is not there"; fi

code=0
"$repository/clients/mesh/cpis-mesh" --profile nowhere.yaml --out mesh/out --sent mesh/sent --in mesh/in --once 2> said || code=$?
cat said >> "$log"
expect "a profile that is not there is no file's fault" test "$code" = 1
expect "and is named" grep -q "nowhere.yaml" said
# A `cpis` that is killed has decided nothing.
printf '#!/bin/sh\ncase "$*" in *publish*) kill -9 $$ ;; esac\nexec cpis "$@"\n' > killed
chmod +x killed
printf '%s\n' "$header" "9990000204,CPP,$started,,,LCS-9,EXAMPLE,GINA,$born" | send interrupted 4
adapt --cpis ./killed
expect "a file whose publication was killed stays" test -f mesh/out/interrupted.ctl -a ! -e mesh/in/REPORT_interrupted.dat
adapt
expect "and is published next time" report interrupted 'r["exit_code"] == 0'

# What is not a plain file of the folder's own is not read: what a link leads to would stand in a report.
echo "a secret of somebody else's" > secret
echo | send link 5
rm mesh/out/link.dat
ln -s ../../secret mesh/out/link.dat
ln -s ../../secret mesh/out/linked.ctl
mkfifo mesh/out/pipe.ctl
echo | send pipe-data 5
rm mesh/out/pipe-data.dat
mkfifo mesh/out/pipe-data.dat
mkdir mesh/out/folder.ctl
touch "mesh/out/mein plan.ctl" mesh/out/.ctl $'mesh/out/line\nbreak.ctl' $'mesh/out/\xff.ctl' mesh/out/-.ctl "mesh/out/$(printf 'x%.0s' {1..101}).ctl"
echo | send huge-number 4294967296
printf '<DTSControl><MessageType>Data</MessageType></DTSControl>' | iconv -t UTF-16 > mesh/out/utf16.ctl
ln -s ../../secret mesh/in/REPORT_link.dat.writing
adapt
expect "no linked data" report link '"as a file of its own" in r["complaint"]'
expect "no data out of a pipe" report pipe-data '"no file of its own" in r["complaint"]'
expect "nor too large a number" report huge-number '"sequence number" in r["complaint"]'
expect "nor UTF-16" report utf16 '"UTF-16" in r["complaint"]'
expect "what they led to is nowhere" sh -c '! grep -r secret mesh/in && test "$(cat secret)" = "a secret of somebody else'"'"'s"'
expect "nine names are passed over" test "$(find mesh/out -mindepth 1 -printf x)" = xxxxxxxxx -a "$(grep -c "passed_over: " "$log")" = 9
rm -r mesh/out/*.ctl mesh/out/.ctl
expect "nothing else is left" test -z "$(ls -A mesh/out)"

row() { printf '%s\n' "$header" "9990000204,CPP,$started,,,LCS-$1,EXAMPLE,GINA,$born"; }
committed() { cpis --profile leeds.yaml --json publish --show | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["sequence"])'; }

# Another file of this name was stopped here: what is published is what lies there now.
row 20 | send thursday 5
echo nonsense > mesh/out/thursday.dat.csv
adapt
expect "what lies there is published" report thursday 'r["exit_code"] == 0 and r["report"]["changed"] == 1'

# The later number's control file was written first.
row 22 | send sunday 7
row 21 | send saturday 6
touch mesh/out/sunday.dat
adapt
expect "numbers go in their order" report saturday 'r["exit_code"] == 0'
expect "and the later one after it" report sunday 'r["exit_code"] == 0 and r["report"]["sequence"] == 7'

# wait_until_looked WORDS: 20 s at most.
wait_until_looked() {
	for _ in $(seq 200); do
		! grep -q "$1" looked || return 0
		sleep 0.1
	done
}

# look WORDS: one look at the folder, by a program that then waits for an hour.
look() {
	local words=$1 adaptor
	: > looked
	"$repository/clients/mesh/cpis-mesh" --profile leeds.yaml --out mesh/out --sent mesh/sent --in mesh/in --interval 3600 2>> looked &
	adaptor=$!
	wait_until_looked "$words"
	kill "$adaptor"
	wait "$adaptor" || fail "cpis-mesh ended with $?"
	cat looked >> "$log"
	grep -q "$words" looked || fail "$words: not in time"
}

# Half of a control file, and data that goes on after it; the next number waits too.
row 23 | send first 8
row 24 | send second 9
cp mesh/out/first.ctl whole.ctl
head -c 100 whole.ctl > mesh/out/first.ctl
look "incomplete: first: "
expect "half of a control file is looked at again, and the next number waits" test -f mesh/out/first.ctl -a -f mesh/out/second.ctl -a ! -e mesh/in/REPORT_first.dat
cp whole.ctl mesh/out/first.ctl
touch -d '1 hour ago' mesh/out/first.ctl
look "incomplete: first: "
expect "data that changed after its control file too" test -f mesh/out/first.dat -a ! -e mesh/in/REPORT_first.dat
mv mesh/out/first.dat later.dat
look "incomplete: first: "
expect "and data that is not there yet" test -f mesh/out/first.ctl -a ! -e mesh/in/REPORT_first.dat
mv later.dat mesh/out/first.dat
adapt
expect "what is complete is published" report first 'r["exit_code"] == 0'
expect "and what waited" report second 'r["exit_code"] == 0 and r["report"]["sequence"] == 9'

# A crash between the moves: data in SENT, control file in OUT.
mv mesh/sent/second.ctl mesh/out/
printf '9 %s\n' "$(sha256sum mesh/sent/second.dat | cut -d' ' -f1)" > mesh/sent/second.doing
rm mesh/in/REPORT_second.*
adapt
expect "its report is that of what was done" report second 'r["exit_code"] == 0 and r["report"]["committed"]'
expect "and all of it is in SENT" test -f mesh/sent/second.dat -a -f mesh/sent/second.ctl -a ! -e mesh/sent/second.doing -a -z "$(ls -A mesh/out)"

# A report that cannot be written: published once, said, and reported when there is room.
row 25 | send full-disk 10
mkdir mesh/in/REPORT_full-disk.dat.writing
code=0
adapt || code=$?
expect "a failure is told by the exit code" test "$code" = 6
expect "which is said" grep -q "failed: .*REPORT_full-disk" "$log"
expect "and the file stays, with its mark" test -f mesh/out/full-disk.ctl -a -f mesh/sent/full-disk.doing -a "$(committed)" = 10
rmdir mesh/in/REPORT_full-disk.dat.writing
adapt
expect "then it is reported" report full-disk 'r["exit_code"] == 0 and r["report"]["sequence"] == 10'

# What is not the file's fault is not said of it: a profile that is wrong, a log that does not hold.
row 26 | send friday 11
cp leeds.yaml good.yaml
sed -i 's/^staff_key:.*/staff_key: nowhere.key/' leeds.yaml
adapt
expect "it waits for a profile that is right" test -f mesh/out/friday.ctl -a ! -e mesh/in/REPORT_friday.dat
cp good.yaml leeds.yaml
printf '#!/bin/sh\necho "the audit log does not hold" >&2\nexit 4\n' > forked
chmod +x forked
adapt --cpis ./forked
expect "and for a log that holds" test -f mesh/out/friday.ctl -a ! -e mesh/in/REPORT_friday.dat
expect "which is said" grep -q "later: friday: exit code 4: the audit log does not hold" "$log"
adapt
expect "then it is published" report friday 'r["exit_code"] == 0 and r["report"]["sequence"] == 11'

checks=$((checks + 2))
if flock mesh/sent "$repository/clients/mesh/cpis-mesh" --profile leeds.yaml --out mesh/out --sent mesh/sent --in mesh/in --once 2> said; then fail "two at once"; fi
grep -q "another cpis-mesh works there" said || fail "two at once: $(cat said)"
elsewhere=$(mktemp -d /dev/shm/cpis-mesh-test-XXXXXX)
if "$repository/clients/mesh/cpis-mesh" --profile leeds.yaml --out mesh/out --sent "$elsewhere" --in mesh/in --once 2> said; then fail "another file system"; fi
grep -q "put both on one file system" said || fail "another file system: $(cat said)"

# Without the broker nothing is said of the file, and it stays where it is.
kill "$broker"
tail --pid="$broker" -f /dev/null
broker=
printf '%s\n' "$header" "9990000204,CPP,$started,,,LCS-9,EXAMPLE,GINA,$born" | send wednesday 12
sed 's/^endpoint:.*/endpoint: tcp:\/\/127.0.0.1:1/' leeds.yaml > away.yaml
mv away.yaml leeds.yaml
printf '#!/bin/sh\nexec cpis --timeout 1000 "$@"\n' > hasty
chmod +x hasty
timeout 60 "$repository/clients/mesh/cpis-mesh" --cpis ./hasty --profile leeds.yaml --out mesh/out --sent mesh/sent --in mesh/in --once 2>> "$log"
expect "it waits for the broker" test -f mesh/out/wednesday.ctl -a ! -e mesh/in/REPORT_wednesday.dat
expect "which is said" grep -q "later: wednesday" "$log"
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
