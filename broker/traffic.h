// How the service runs, in numbers: what was asked and how that ended, how long answers took, what was committed. For operators
// (op_operations_show.c), and for whatever else reads such numbers: nothing in here knows of messages or the store.
//
// Counting costs some nanoseconds and never fails. Everything is of this process, since its start. `now_ms` is UTC: a clock that
// is set back hides what came after it. One thread.
#ifndef CPIS_BROKER_TRAFFIC_H
#define CPIS_BROKER_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_SECONDS 300u
// Numbers of enum reason (reason.h); 0 is none, and it was allowed.
#define TRAFFIC_REASONS 256u
// Numbers of cpis.v1.Operation; whatever is not below counts as 0, "could not be read".
#define TRAFFIC_OPERATIONS 64u
// Eight for each octave from 16 us to 67 s, one for what is shorter and one for what is longer.
#define TRAFFIC_BUCKETS 178u

struct traffic;

__attribute__((warn_unused_result)) bool traffic_new(struct traffic **ret);
void traffic_free(struct traffic *traffic); // accepts NULL

// Since when it is counted: the first call counts, all others do nothing.
void traffic_start(struct traffic *traffic, uint64_t now_ms);
// One request whose outcome is known: 0, or why it was refused.
void traffic_count(struct traffic *traffic, unsigned operation, unsigned reason, uint64_t now_ms);
void traffic_commit(struct traffic *traffic, size_t requests, bool done, uint64_t now_ms);
// From arrival to reply.
void traffic_latency(struct traffic *traffic, uint64_t us, uint64_t now_ms);

// Where the time goes: before the core has a request, deciding it, committing a batch, giving its replies to the front.
enum traffic_stage { TRAFFIC_QUEUE, TRAFFIC_DECIDE, TRAFFIC_COMMIT, TRAFFIC_REPLY, TRAFFIC_STAGES };
void traffic_stage(struct traffic *traffic, enum traffic_stage stage, uint64_t us);

// What the network's front has counted; in place of what was told before.
struct traffic_edge {
	uint64_t admitted, refused;  // handshakes
	uint64_t turned_away;        // requests
	unsigned restarts;
};
void traffic_tell_edge(struct traffic *traffic, const struct traffic_edge *edge);

struct traffic_totals {
	uint64_t started_ms;         // 0: not yet
	uint64_t commits, failed_commits, committed_requests;
	uint64_t last_commit_ms;     // 0: none
	uint64_t last_failed_ms;     // of a commit; 0: none
	struct traffic_edge edge;
};
struct traffic_totals traffic_read_totals(const struct traffic *traffic);

struct traffic_count {
	uint64_t allowed, refused;
};
struct traffic_count traffic_read_operation(const struct traffic *traffic, unsigned operation);

uint64_t traffic_read_refusals(const struct traffic *traffic, unsigned reason);

// Each bucket holds what is at most its bound and more than the one before; the last one, beyond all bounds, has none.
#define TRAFFIC_BOUNDS 10u
struct traffic_histogram {
	uint64_t buckets[TRAFFIC_BOUNDS + 1], sum;
};
extern const uint32_t traffic_stage_bounds_us[TRAFFIC_BOUNDS];
extern const uint32_t traffic_batch_bounds[TRAFFIC_BOUNDS];
struct traffic_histogram traffic_read_stage(const struct traffic *traffic, enum traffic_stage stage); // us
struct traffic_histogram traffic_read_batches(const struct traffic *traffic);                         // requests to a commit

// The last whole seconds since the start, the oldest first; the one under way is not among them. How many.
size_t traffic_read_seconds(const struct traffic *traffic, uint64_t now_ms, uint32_t allowed[TRAFFIC_SECONDS],
			    uint32_t refused[TRAFFIC_SECONDS]);

// Upper ends of buckets, 0 when `count` is. What the last bucket holds is given as the longest of all.
struct traffic_spread {
	uint64_t count, p50_us, p95_us, p99_us, max_us;
};
struct traffic_spread traffic_read_spread(const struct traffic *traffic);
// Of the last `seconds`, TRAFFIC_SECONDS at the most, and up to ten more.
struct traffic_spread traffic_read_recent(const struct traffic *traffic, unsigned seconds, uint64_t now_ms);
uint64_t traffic_read_latency_sum_us(const struct traffic *traffic);
uint64_t traffic_read_bucket(const struct traffic *traffic, unsigned bucket);
uint64_t traffic_bucket_until_us(unsigned bucket); // exclusive; 0: the last one has no end

#endif
