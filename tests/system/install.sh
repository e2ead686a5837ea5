#!/usr/bin/env bash
# make install: what a packager gets. The installed programs run, and a program that uses the installed library
# compiles and links with what pkg-config says, away from the source tree.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
stage=$(mktemp -d /tmp/cpis-install-XXXXXX)
trap 'rm -rf "$stage"' EXIT
checks=0
unset MAKEFLAGS MAKELEVEL # this make is its own

expect() {
	checks=$((checks + 1))
	if ! "$@" > "$stage/said" 2>&1; then
		echo "install.sh: failed: $*" >&2
		cat "$stage/said" >&2
		echo "0%: Checks: $checks, Failures: 1, Errors: 0"
		exit 1
	fi
}

# With a sanitizer the library cannot be linked by a program without it.
flags=()
case $build in
*address*) flags=(-fsanitize=address,undefined) ;;
*thread*) flags=(-fsanitize=thread) ;;
esac

expect make --no-print-directory BUILD="$build" SANITIZE="${SANITIZE:-}" DESTDIR="$stage" PREFIX=/usr install
# What was compiled with these flags is compiled again with others, and only then.
expect make --no-print-directory BUILD="$build" SANITIZE="${SANITIZE:-}" -q "$build/proto/date.o"
expect eval '! make --no-print-directory BUILD="$build" SANITIZE="${SANITIZE:-}" CFLAGS="-O0 -DOTHER" -q "$build/proto/date.o"'
expect "$stage/usr/bin/cpis" --version
expect "$stage/usr/sbin/cpis-broker" --version
expect "$stage/usr/sbin/cpis-responder" --version
expect "$stage/usr/sbin/cpis-demographics" --version
expect "$stage/usr/sbin/cpis-fhir" --help
expect "$stage/usr/bin/cpis-fhir-notify" --help
expect test -s "$stage/usr/share/cpis/policy.yaml"
# It finds the broker's program where it is installed.
expect env PATH=/nowhere "$stage/usr/bin/cpis" policy diff "$stage/usr/share/cpis/policy.yaml" "$stage/usr/share/cpis/policy.yaml"
expect test -s "$stage/usr/share/cpis/cpis.proto"
expect env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$stage/usr/share/cpis/python" /usr/bin/python3 -c "import cpis"
# Their modules are found where they are installed.
expect env -u PYTHONPATH PYTHONDONTWRITEBYTECODE=1 "$stage/usr/bin/cpis-hl7" --help
expect env -u PYTHONPATH PYTHONDONTWRITEBYTECODE=1 "$stage/usr/bin/cpis-mesh" --help

cat > "$stage/user.c" << 'END'
#include <cpis.h>
#include <stdio.h>

int main(void)
{
	struct cpis_options options = {.endpoint = "tcp://127.0.0.1:1"};
	struct cpis_client *client;
	char detail[CPIS_DETAIL_BYTES];
	enum cpis_status status = cpis_connect(&options, &client, detail);
	printf("%s: %s\n", cpis_status_text(status), detail);
	return status == CPIS_USAGE ? 0 : 1;
}
END
export PKG_CONFIG_SYSROOT_DIR=$stage
cflags=$(PKG_CONFIG_PATH=$stage/usr/lib/pkgconfig pkg-config --cflags libcpis)
libs=$(PKG_CONFIG_PATH=$stage/usr/lib/pkgconfig pkg-config --libs libcpis)
# shellcheck disable=SC2086
expect "${CC:-gcc}" "${flags[@]}" -Wall -Wextra -Werror $cflags -o "$stage/user" "$stage/user.c" $libs
expect env LD_LIBRARY_PATH="$stage/usr/lib" "$stage/user"
expect test -s "$stage/usr/share/man/man3/cpis_call.3"
expect test "$(readlink "$stage/usr/lib/libcpis.so")" = libcpis.so.1
echo "100%: Checks: $checks, Failures: 0, Errors: 0"
