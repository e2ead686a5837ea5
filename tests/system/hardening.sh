#!/usr/bin/env bash
# What the compiler and the linker were asked to build into each program that is shipped is there (readelf(1), nm(1)).
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
checks=0

fail() {
	echo "hardening.sh: failed: $*" >&2
	echo "0%: Checks: $checks, Failures: 1, Errors: 0"
	exit 1
}

# A file's dump has a line of this form, or has none.
has() {
	checks=$((checks + 1))
	grep -Eq -- "$3" <<< "$2" || fail "$1: no $4"
}
has_not() {
	checks=$((checks + 1))
	! grep -Eq -- "$3" <<< "$2" || fail "$1: $4"
}

# The sanitizers take the place of fortify.
sanitized=
case $build in
*address* | *thread* | *undefined*) sanitized=yes ;;
esac

for program in cpis-broker cpis cpis-contact-sheet cpis-responder cpis-demographics cpis-fhir cpis-fhir-notify; do
	file=$build/$program
	header=$(readelf -hW "$file")
	segments=$(readelf -lW "$file")
	dynamic=$(readelf -dW "$file")
	symbols=$(readelf -W --dyn-syms "$file")
	has "$program" "$header" 'Type: +DYN \(Position-Independent Executable file\)' 'PIE'
	has "$program" "$segments" ' GNU_RELRO ' 'RELRO'
	has "$program" "$dynamic" 'FLAGS.*BIND_NOW' 'BIND_NOW, without which RELRO is half'
	has "$program" "$segments" 'GNU_STACK .* RW +0x' 'stack that cannot be run'
	has_not "$program" "$segments" ' RWE ' 'a segment can be written and run'
	# Code lies in a segment of its own: what is only read is not run.
	has "$program" "$segments" 'LOAD .* R E ' 'segment of code'
	has_not "$program" "$(grep -A1 ' R E ' <<< "$segments" | head -1)" '0x0000000000000000 0x0000000000000000' \
		'the headers are in the segment of code'
	has "$program" "$symbols" ' __stack_chk_fail' 'stack protector'
	[ -n "$sanitized" ] || has "$program" "$symbols" ' __(vsn|sn|f|vf|v|s)printf_chk' 'fortify'
	has_not "$program" "$dynamic" 'TEXTREL|RPATH|RUNPATH' 'relocations in code, or a path of its own for libraries'
done

# CET (x86): each object of ours is marked. The programs are not, as Debian 12's crt1.o and crti.o are not; where those
# are, the linker marks the whole.
if ${CC:-gcc} -fcf-protection=full -x c -c -o /dev/null - <<< 'int x;' 2> /dev/null; then
	for archive in broker proto certs cli responders; do
		notes=$(readelf -nW "$build/libcpis-$archive.a" 2> /dev/null)
		objects=$(grep -c '^File: ' <<< "$notes")
		marked=$(grep -Ec 'x86 feature: IBT, SHSTK' <<< "$notes")
		checks=$((checks + 1))
		[ "$objects" -gt 0 ] && [ "$objects" -eq "$marked" ] ||
			fail "libcpis-$archive.a: $marked of $objects objects are built with -fcf-protection=full"
	done
	has cpis-broker "$(objdump -d --disassemble=main "$build/cpis-broker")" 'endbr64' 'landing pad for indirect calls'
fi
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
