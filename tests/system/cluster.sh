#!/usr/bin/env bash
# Three brokers before a PostgreSQL of three nodes: its primary killed, and its primary cut off from the others, under load. Nothing
# that was acknowledged is lost. All faults, more often: make test-cluster.
set -euo pipefail
cd "$(dirname "$0")/../.."
ROUNDS=1 FAULTS="kill-primary cut-primary" exec timeout --kill-after=10 240 tests/cluster/rounds.sh
