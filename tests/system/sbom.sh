#!/usr/bin/env bash
# The software bill of materials: it holds to CycloneDX's schema, leaves out nothing that the programs link, and tells what is out of
# support on a day.
set -euo pipefail
build=${BUILD:-build}
schema=$build/sbom/node_modules/@cyclonedx/cyclonedx-library/res/schema
checks=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "$1" >&2
	echo "0%: Checks: $checks, Failures: 1, Errors: 0"
	exit 1
}

expect() {
	local wanted=$1 got=0
	shift
	"$@" > "$work/out" 2>&1 || got=$?
	checks=$((checks + 1))
	[[ $got -eq $wanted ]] || fail "$* ended with $got in place of $wanted: $(cat "$work/out")"
}

says() {
	checks=$((checks + 1))
	grep -Eq -- "$1" "$work/out" || fail "it does not say $1: $(cat "$work/out")"
}

programs=()
for name in cpis-broker cpis cpis-contact-sheet cpis-responder cpis-demographics cpis-web cpis-fhir cpis-fhir-notify; do
	programs+=("$build/$name")
done
expect 0 tests/sbom/sbom.py make --version 1.2.3 --out "$work/bom.json" "${programs[@]}"
expect 0 tests/sbom/valid.py "$schema" "$work/bom.json"
# The validator refuses: without this it could be asleep.
sed 's/"type": "library"/"type": "libary"/' "$work/bom.json" > "$work/bad.json"
expect 1 tests/sbom/valid.py "$schema" "$work/bad.json"

# Each library that a program asks for by name, found in another way, is there with package and version as dpkg tells them.
declare -A known
ldconfig -p > "$work/ldconfig"
for program in "${programs[@]}"; do
	for library in $(objdump -p "$program" | awk '$1 == "NEEDED" {print $2}'); do
		if [[ -z ${known[$library]:-} ]]; then
			path=$(realpath "$(awk -v name="$library" '$1 == name && !found++ {print $NF}' "$work/ldconfig")")
			package=$(dpkg -S "$path" 2> /dev/null || dpkg -S "${path#/usr}") || fail "$library"
			package=${package%%:*}
			known[$library]="$package $(dpkg-query -W -f '${Version}' "$package:$(dpkg --print-architecture)")"
		fi
		echo "$(basename "$program") ${known[$library]}" >> "$work/needed"
	done
done
expect 0 python3 -c "
import json, sys
bom = json.load(open('$work/bom.json'))
used = {d['ref']: set(d['dependsOn']) for d in bom['dependencies']}
parts = {(c['name'], c['version']): c['bom-ref'] for c in bom['components']}
needed = [line.split() for line in open('$work/needed')]
missing = [line for line in needed if parts.get((line[1], line[2])) not in used['cpis:' + line[0]]]
print(len(needed) > 40, missing)"
says '^True \[\]$'
# What the pages are made of, with the hash of its lock file, and none of what builds them as delivered.
expect 0 python3 -c "
import json
pages = [c for c in json.load(open('$work/bom.json'))['components'] if c.get('purl', '').startswith('pkg:npm/')]
print(sorted(c['name'] for c in pages if c['scope'] == 'required'), sum(c['scope'] == 'excluded' for c in pages) > 10)"
says "^\['nhsuk-frontend'\] True"

# A library that is of no package is not left out silently.
echo 'int of_nobody(void) { return 0; }' | ${CC:-gcc} -shared -fPIC -x c -o "$work/libnobody.so" -
echo 'int of_nobody(void); int main(void) { return of_nobody(); }' |
	${CC:-gcc} -x c -o "$work/program" - -L"$work" -lnobody -Wl,-rpath,"$work"
expect 1 tests/sbom/sbom.py make --version 1 --out "$work/none.json" "$work/program"
says "no Debian package owns $work/libnobody.so"
checks=$((checks + 1))
[[ ! -e $work/none.json ]] || fail 'a bill that failed was written'

# The day decides. Debian 12 has LTS until the end of June 2028.
expect 0 tests/sbom/sbom.py check "$work/bom.json" --today 2028-06-30
says 'ends 2028-06-30  libzmq5 '
says '^no known end  nhsuk-frontend '
expect 3 tests/sbom/sbom.py check "$work/bom.json" --today 2028-07-01
says 'OUT OF SUPPORT since 2028-06-30  libzmq5 .*distro-info-data'
# One package whose support ended before its release's.
sed '/"name": "libpq5"/,/"value": "2028-06-30"/ s/2028-06-30/2026-06-12/' "$work/bom.json" > "$work/ended.json"
expect 0 tests/sbom/sbom.py check "$work/ended.json" --today 2026-06-12
expect 3 tests/sbom/sbom.py check "$work/ended.json" --today 2026-06-13
says '^1 of '
expect 2 tests/sbom/sbom.py check "$work/bom.json" --today soon
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
