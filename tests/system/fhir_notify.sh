#!/usr/bin/env bash
# Notifications to an authority's FHIR endpoint: tests/fhir.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec tests/fhir/run.sh notify
