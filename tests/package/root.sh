#!/usr/bin/env bash
# A bare Debian 12 with systemd, and what apt needs to install these packages on it without a network. Made once for each set of
# dependencies, and kept beside the other things built.
# usage: BUILD=build tests/package/root.sh PACKAGE.deb...; as root. Prints the archive's name.
set -euo pipefail
build=$(realpath "$BUILD")
needs=$(for package in "$@"; do dpkg-deb -f "$package" Depends; done | tr ',' '\n' | sed -E 's/ *\([^)]*\)//; s/^ +//; s/ *\|.*//; s/:any//' | sort -u | grep -Ev '^(lib)?cpis')
root=$build/deb/root-$(sha256sum <<< "$needs" | cut -c1-12).tar
if [ ! -e "$root" ]; then
	mkdir -p "$build/deb"
	# The Debian that this machine has its packages from.
	mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Codename: bookworm' | head -1)
	needs=$(tr '\n' ' ' <<< "$needs")
	# shellcheck disable=SC2016
	mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv --skip=cleanup/apt \
		--customize-hook='APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq --yes --no-install-recommends --download-only install '"$needs" \
		bookworm "${root%.tar}.new.tar" "deb ${mirror:-http://deb.debian.org/debian} bookworm main" > "$root.log" 2>&1 || {
		cat "$root.log" >&2
		echo "root.sh: no bare Debian could be made; $root.log" >&2
		exit 1
	}
	mv "${root%.tar}.new.tar" "$root"
fi
echo "$root"
