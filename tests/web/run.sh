#!/usr/bin/env bash
# The web pages in a browser: real gateways, a real broker and store, Debian's Chromium. One world for all, in which each file of tests
# has people and children of its own. Screenshots are left in build/web/screenshots.
#
# usage: tests/web/run.sh [FILE...]; after `make test-web` has built what it needs
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
# Chromium reads its policies from one place only: these tests see a folder of their own there, and nobody else sees theirs.
mkdir -p /etc/chromium/policies
exec unshare --mount --propagation private bash -c 'mount -t tmpfs none /etc/chromium/policies && exec node tests/web/run.js "$@"' run "$@"
