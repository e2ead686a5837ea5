#!/usr/bin/env bash
# The short form of `make soak`: 60,000 of its ten million requests.
set -eu
cd "$(dirname "$0")/../.."
CPIS_SOAK_REQUESTS=${CPIS_SOAK_REQUESTS:-60000} exec "${BUILD:-build}/tests/soak/soak"
