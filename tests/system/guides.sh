#!/usr/bin/env bash
# Every command of clients/guides/ as it stands: each guide in a world of its own, with a real broker, from its own enrolment on. First
# that the runner would notice: guides with a wrong command, a wrong output or a command that nothing runs fail.
# GUIDES="operator ..." runs some of them.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec tests/guides/run.sh
