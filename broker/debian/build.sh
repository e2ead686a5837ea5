#!/usr/bin/env bash
# Puts a source tree together in $BUILD/deb/VERSION, with debian/ where dpkg looks for it, and builds the packages into $BUILD.
# usage: BUILD=build VERSION=x broker/debian/build.sh; `make deb` calls it when programs, pages and manual are there
set -euo pipefail
build=$(realpath "$BUILD") version=$VERSION tree=$(realpath "$BUILD")/deb/$VERSION
log=$build/deb/$version.log

# Files keep their times, so that a tree that is there is only brought up to date; make does not see when the flags of single files
# change, so another Makefile begins anew.
mkdir -p "$tree"
if [ -e "$tree/Makefile" ] && ! diff -q <(grep -v '^VERSION := ' Makefile) <(grep -v '^VERSION := ' "$tree/Makefile") > /dev/null; then
	rm -rf "$tree/build"
fi
for folder in broker certs clients proto; do
	rm -rf "${tree:?}/$folder"
	cp -a "$folder" "$tree/"
done
cp -a Makefile LICENSE README.md "$tree/"
sed -i "s/^VERSION := .*/VERSION := $version/" "$tree/Makefile"
rm -rf "$tree/debian"
mv "$tree/broker/debian" "$tree/debian"
date=$(git log -1 --format=%cD 2> /dev/null || date -R -r README.md)
sed "s/@VERSION@/$version/; s/@DATE@/$date/" "$tree/debian/changelog.in" > "$tree/debian/changelog"
rm "$tree/debian/changelog.in" "$tree/debian/build.sh"
# npm's part of the pages is made already, so that building a package asks nobody for anything.
mkdir -p "$tree/build/web/npm"
cp -a "$build/web/assets" "$build/web/templates" "$tree/build/web/"
mkdir -p "$tree/build/web/npm/node_modules"
touch "$tree/build/web/npm/node_modules" "$tree"/build/web/assets/*
# Which version they are stands in few objects; make does not know which.
find "$tree" -name '*.c' -exec grep -l CPIS_VERSION {} + | xargs touch

if ! (cd "$tree" && dpkg-buildpackage --build=binary --no-sign --no-pre-clean --no-check-builddeps) > "$log" 2>&1; then
	tail -40 "$log" >&2
	echo "deb: dpkg-buildpackage failed; $log has all of it" >&2
	exit 1
fi
mv "$build"/deb/*_"$version"_*.deb "$build/"
rm -f "$build"/deb/*_"$version"_*.{buildinfo,changes}
lintian --allow-root --fail-on=error,warning "$build"/*_"$version"_*.deb
ls "$build"/*_"$version"_*.deb
