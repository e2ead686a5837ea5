#!/usr/bin/env bash
# cpis-fhir before a real broker and store: a stock FHIR client's journeys, a test's own OpenID provider, every resource held against
# the R4 schema and its invariants, and the README's examples as they stand.
#
# usage: tests/fhir/run.sh [notify | bench]; after `make test-fhir` or `make bench-fhir` has built what it needs
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
tls=$(mktemp -d /tmp/cpis-fhir-tls-XXXXXX)
trap 'rm -rf "$tls"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tls/ca.key" -out "$tls/ca.pem" -days 2 \
	-subj "/CN=cpis fhir tests" 2> /dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tls/fhir.key" -out "$tls/fhir.csr" -subj /CN=localhost 2> /dev/null
openssl x509 -req -in "$tls/fhir.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days 2 -out "$tls/fhir.pem" \
	-extfile <(printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n') 2> /dev/null
# Node reads whom to trust when it starts.
NODE_EXTRA_CA_CERTS=$tls/ca.pem NODE_PATH=$BUILD/fhir/tests/node_modules CPIS_FHIR_TLS=$tls node "tests/fhir/${1:-run}.js"
