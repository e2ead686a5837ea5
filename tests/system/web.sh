#!/usr/bin/env bash
# The web pages in a browser: tests/web.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec tests/web/run.sh
