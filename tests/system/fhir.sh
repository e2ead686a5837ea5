#!/usr/bin/env bash
# The FHIR facade: tests/fhir.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec tests/fhir/run.sh
