#!/usr/bin/env bash
# What programs were compiled for stays: libcpis.so exports what clients/libcpis/abi/ says, under the versions it says, with prototypes,
# layouts and numbers as it says. What was is not to change or to go without a new number of the library (LIBCPIS_ABI in the
# Makefile); what is added goes into the record with UPDATE=1. Also: nothing of the library's that can be written outlives a call, each
# function has a manual page, and the static library shows no other names.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build} LC_ALL=C
checks=0
work=$(mktemp -d /tmp/cpis-abi-XXXXXX)
trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MAKELEVEL # this make is its own

fail() {
	echo "abi.sh: failed: $*" >&2
	echo "0%: Checks: $checks, Failures: 1, Errors: 0"
	exit 1
}

make --no-print-directory BUILD="$BUILD" SANITIZE="${SANITIZE:-}" libcpis "$BUILD/tests/tools/abi_dump" > "$work/made" 2>&1 || fail "$(cat "$work/made")"
library=$(echo "$BUILD"/installed/libcpis.so.*)
[ -f "$library" ] || fail "there is more than one library: $library"
soname=$(basename "$library")
record=clients/libcpis/abi/$soname.txt

# ------------------------------------------------------------------ the record

nm -D --defined-only --with-symbol-versions "$library" | awk '$2 != "A" { sub("@@", " ", $3); print "symbol " $3 }' | sort > "$work/symbols"
{
	cat "$work/symbols"
	clients/man/man3.py clients/libcpis/cpis.h --prototypes | sed 's/^/function /'
	awk '/__descriptor / { print $2 }' "$work/symbols" | "$BUILD/tests/tools/abi_dump" "$library"
} > "$work/present" || fail "the library cannot be read"

# What is in $1 and not as it was in $2, and what came to something that has to stay as it is: a field makes its message longer than
# programs have it, unless it is one of several in the same place; a function of a version that is out would be missed without a word.
broken() {
	grep -vxFf "$2" "$1" || true
	awk 'NR == FNR { was[$0] = 1; if ($1 == "message") message[$2] = 1; if ($1 == "symbol") version[$3] = 1; next }
		$0 in was { next }
		$1 == "field" && !/, oneof$/ { name = $2; sub(/\.[^.]*$/, "", name); if (name in message) print "added: " $0 }
		$1 == "symbol" && $2 !~ /^cpis__v1__/ && $3 in version { print "added to a version that is out: " $0 }' "$1" "$2"
}

if [ ! -f "$record" ] && [ -n "${UPDATE:-}" ]; then
	rm -f clients/libcpis/abi/*.txt
	cp "$work/present" "$record"
fi
[ -f "$record" ] || fail "$soname is new: UPDATE=1 tests/system/abi.sh makes its record, in place of the one before"
broken "$record" "$work/present" > "$work/broken"
checks=$((checks + $(wc -l < "$record")))
if [ -s "$work/broken" ]; then
	fail "programs that were linked with $soname would break. Undo it, or raise LIBCPIS_ABI in the Makefile and run UPDATE=1 tests/system/abi.sh:
$(head -20 "$work/broken")"
fi
if ! cmp -s "$record" "$work/present"; then
	[ -n "${UPDATE:-}" ] || fail "$record does not say all; UPDATE=1 tests/system/abi.sh takes over what was added:
$(diff "$record" "$work/present" | head -20)"
	cp "$work/present" "$record"
fi

# The comparison finds what it is for.
must_break() {
	checks=$((checks + 1))
	sed "$2" "$record" > "$work/was"
	! cmp -s "$work/was" "$record" || fail "there is nothing like that to change: $1"
	[ -n "$(broken "$work/was" "$work/present")" ] || fail "$1 would not be found"
}
must_break "a function that is gone" '1i symbol cpis_gone CPIS_1'
must_break "a function of another version" 's/^symbol cpis_call CPIS_1$/symbol cpis_call CPIS_0/'
must_break "another prototype" 's/^\(function .*cpis_call(.*\)uint32_t/\1uint64_t/'
must_break "a member in another place" 's/^member cpis_options.further at [0-9]*/member cpis_options.further at 4/'
must_break "a longer message" 's/^\(message cpis.v1.FlagRequest\) [0-9]*/\1 8/'
must_break "a new field in a hole" '/^field cpis.v1.FlagRequest.care_setting /d'
must_break "another number" 's/^status CPIS_TIMEOUT .*/status CPIS_TIMEOUT 99/'
must_break "a function that came late into a version" '/^symbol cpis_fd /d'
checks=$((checks + 1))
sed '/^value cpis.v1.Outcome .*OK/d; /^field cpis.v1.Request.ping /d; /^symbol cpis__v1__ping_request__pack /d' "$record" > "$work/was"
[ -z "$(broken "$work/was" "$work/present")" ] || fail "what may be added is taken for a break: $(broken "$work/was" "$work/present" | head -3)"

# ------------------------------------------------------------------ the files

dynamic=$(readelf -dW "$library")
checks=$((checks + 2))
grep -qF "Library soname: [$soname]" <<< "$dynamic" || fail "the library says another name than $soname"
grep -qF 'BIND_NOW' <<< "$dynamic" || fail "the library's table of functions can be written"
# What the header declares is exported, and nothing else that is ours.
checks=$((checks + 1))
diff <(sed -n 's/^function [^(]*[ *]\(cpis_[a-z_]*\)(.*/\1/p' "$work/present" | sort) \
	<(awk '$1 == "symbol" && $2 !~ /^cpis__v1__/ { print $2 }' "$work/present" | sort) > "$work/said" ||
	fail "cpis.h and libcpis.map do not say the same functions: $(cat "$work/said")"
# Public structs are all in the record.
for structure in $(sed -n 's/^struct \(cpis_[a-z_]*\) {$/\1/p' clients/libcpis/cpis.h); do
	checks=$((checks + 1))
	grep -q "^struct $structure " "$record" || fail "tests/tools/abi_dump.c does not know struct $structure"
	members=$(awk -v start="struct $structure {" '$0 == start { inside = 1; next } /^};/ { inside = 0 } inside && /;/ && !/^\t\/\// { count++ } END { print count }' \
		clients/libcpis/cpis.h)
	[ "$(grep -c "^member $structure[.]" "$record")" = "$members" ] || fail "tests/tools/abi_dump.c does not know all members of struct $structure"
done
# The sanitizers keep state of their own in it.
if [ -z "${SANITIZE:-}" ]; then
	checks=$((checks + 2))
	state=$(objdump -t "$library" | awk '$4 ~ /^\.(data|bss|tdata|tbss)$/ && $NF !~ /^(completed\.0|__dso_handle|__TMC_END__)$/ || $4 == "*COM*"')
	[ -z "$state" ] || fail "the library has state that all clients share: $state"
	needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<< "$dynamic" | sort | tr '\n' ' ')
	[ "$needed" = "libc.so.6 libcrypto.so.3 libp11-kit.so.0 libprotobuf-c.so.1 libzmq.so.5 " ] || fail "the library needs $needed"
fi
checks=$((checks + 1))
nm -g --defined-only "$BUILD/installed/libcpis.a" | awk 'NF == 3 { print $3 }' | sort > "$work/static"
awk '{ print $2 }' "$work/symbols" | diff - "$work/static" > "$work/said" || fail "the static library shows other names: $(head -5 "$work/said")"

# ------------------------------------------------------------------ the manual

for function in $(sed -n 's/^function [^(]*[ *]\(cpis_[a-z_]*\)(.*/\1/p' "$record") libcpis; do
	checks=$((checks + 1))
	[ -s "$BUILD/man3/$function.3" ] || fail "there is no page of $function"
	said=$(groff -man -t -Kutf8 -Tutf8 -rHY=0 -P-cbou -wall -Wbreak "$BUILD/man3/$function.3" 2>&1 > "$work/page")
	[ -z "$said" ] || fail "$function.3: $said"
	grep -q 'DESCRIPTION' "$work/page" || fail "$function.3 describes nothing"
done
must_complain() {
	checks=$((checks + 1))
	sed "$2" clients/libcpis/cpis.h > "$work/cpis.h"
	! cmp -s "$work/cpis.h" clients/libcpis/cpis.h || fail "there is nothing like that to change: $1"
	! clients/man/man3.py "$work/cpis.h" --prototypes > /dev/null 2> "$work/said" || fail "a header $1 is taken"
	grep -q cpis_ "$work/said" || fail "which function it is that is $1 is not said: $(cat "$work/said")"
}
must_complain "with a function without a word" 's/^struct cpis_client;$/&\nvoid cpis_new(void);/'
must_complain "with a function without a thread" '/^\/\/ Closes and wipes/{n;d}'
must_complain "with a function without its errors" '/^\/\/ Errors: of a call\.$/d'
must_complain "with a function of another form" 's/^struct cpis_client;$/&\nstruct cpis_client *cpis_new(void);/'
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
