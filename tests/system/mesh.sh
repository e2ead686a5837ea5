#!/usr/bin/env bash
# cpis-mesh between an authority's folders and a real broker: extracts are published once and in order, reports and notifications come
# back as files, and what is wrong is said in a report and moved aside. The world is the demo's, left running.
set -euo pipefail
cd "$(dirname "$0")/../.."
repository=$PWD
build=$(realpath "${BUILD:-build}")
export PATH=$build:$PATH
log=$(mktemp /tmp/cpis-mesh-test-XXXXXX)
world= broker=
checks=0

finish() {
	local code=$?
	[ -z "$broker" ] || kill "$broker" 2> /dev/null || true
	[ -z "$world" ] || rm -rf "$world"
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

# Without the broker nothing is said of the file, and it stays where it is.
kill "$broker"
tail --pid="$broker" -f /dev/null
broker=
printf '%s\n' "$header" "9990000204,CPP,$started,,,LCS-9,EXAMPLE,GINA,$born" | send wednesday 5
sed 's/^endpoint:.*/endpoint: tcp:\/\/127.0.0.1:1/' leeds.yaml > away.yaml
mv away.yaml leeds.yaml
printf '#!/bin/sh\nexec cpis --timeout 1000 "$@"\n' > hasty
chmod +x hasty
timeout 60 "$repository/clients/mesh/cpis-mesh" --cpis ./hasty --profile leeds.yaml --out mesh/out --sent mesh/sent --in mesh/in --once 2>> "$log"
expect "it waits for the broker" test -f mesh/out/wednesday.ctl -a ! -e mesh/in/REPORT_wednesday.dat
expect "which is said" grep -q "later: wednesday" "$log"
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
