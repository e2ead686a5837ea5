// How the service runs, as the core hands it to the process that serves it (metrics_process.c): counts and times, and nothing of a
// child, a person or an organisation. Its size does not depend on how many of these there are, nor does the number of lines that it
// becomes (metrics_text.h).
#ifndef CPIS_BROKER_METRICS_H
#define CPIS_BROKER_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/limits.h"
#include "broker/log.h"
#include "broker/reason.h"
#include "broker/sandbox.h"
#include "broker/store.h"
#include "broker/traffic.h"

// Octaves of traffic.h's latencies, by which their histogram is given: 16 us times a power of four, up to 16.8 s.
#define METRICS_LATENCIES 11u

// Why a request would not be answered now. One bit each.
#define METRICS_CAUSE_TABLE(X)                                                                        \
	X(STORE, "store", "the store failed with the last commit, less than ten seconds ago, or cannot be read") \
	X(FRONT, "front", "the network front does not serve")                                         \
	X(DRAINING, "draining", "the broker is stopping")                                             \
	X(UNWITNESSED, "unwitnessed", "`witness_required_s` is not met")                              \
	X(STALLED, "stalled", "the core has made no progress for five seconds")
enum metrics_cause {
#define X(name, word, meaning) METRICS_CAUSE_##name,
	METRICS_CAUSE_TABLE(X)
#undef X
	METRICS_CAUSES
};
// As long as the core's last sign of life may be ago.
#define METRICS_ALIVE_MS 5000u
// How long a commit that failed makes the broker not ready, unless one succeeds before: whoever is sent nothing would never learn that
// the disk has room again.
#define METRICS_FAILED_MS 10000u

struct metrics {
	char broker_name[128], version[32], store[16];
	uint64_t now_ms;                  // UTC, of this picture
	uint64_t started_ms;              // UTC; 0: nothing has been asked yet
	unsigned causes;                  // 1 << enum metrics_cause; never STALLED, which the reader finds out
	bool drill;

	struct traffic_count operations[TRAFFIC_OPERATIONS];
	uint64_t refusals[REASONS];
	struct traffic_histogram stages[TRAFFIC_STAGES], batches;
	uint64_t latencies[METRICS_LATENCIES + 1], latency_sum_us; // per bucket; the last one is what is longer
	struct traffic_totals totals;
	uint64_t handshakes_failed[REASONS];
	uint64_t enrolling_admitted;      // handshakes on the enrolment endpoint
	uint64_t parked;

	uint64_t inbox_escalated, inbox_expired;
	uint64_t waiting_ms;              // UTC: when the inboxes were counted; 0: not yet
	struct store_waiting waiting;

	uint64_t certificate_until_ms, revocation_until_ms, next_system_until_ms; // UTC; 0: not known, or none
	uint64_t systems, systems_expiring[3]; // enrolled and valid; of these until 7, 30 and 60 days from now

	uint64_t log_size, witnessed_ms, witness_required_ms; // 0: never, none
	uint64_t quarantined;
	uint64_t store_busy;              // batches that a SQLite store, which another process had locked, did not begin
	uint64_t events[LOG_EVENTS];      // of the core's log
};

#endif
