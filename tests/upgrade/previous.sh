#!/usr/bin/env bash
# The programs of an earlier release, built once from this repository's history into build/previous/NAME.
#
#	previous.sh NAME COMMIT
set -euo pipefail
name=$1 commit=$2
there=build/previous/$name
if [ -e "$there/built" ] && [ "$(cat "$there/built")" = "$commit" ]; then
	exit 0
fi
if ! git cat-file -e "$commit^{commit}" 2> /dev/null; then
	echo "make test-upgrade: the history of this repository has no commit $commit, which the release '$name' is built from: clone all of it" >&2
	exit 1
fi
rm -rf "$there"
mkdir -p "$there/source"
git archive "$commit" | tar -x -C "$there/source"
echo "  $name: building the programs of $commit"
# Within a make: its job server, and whatever it was told on its command line, are not for this one.
env -u MAKEFLAGS -u MFLAGS -u BUILD -u SANITIZE make -s -C "$there/source" -j"$(nproc)" programs > "$there/log" 2>&1 || {
	tail -n 20 "$there/log" >&2
	exit 1
}
echo "$commit" > "$there/built"
