// Counting what was asked, how it ended and how long it took.
#include "broker/traffic.h"

#include <stdlib.h>
#include <string.h>

#include "proto/invariant.h"

#define SHORTEST_BITS 4u // 16 us
#define OCTAVES 22u
#define STEP_BITS 3u
#define STEPS (1u << STEP_BITS)
#define SLICE_MS 10000u
#define SLICES (TRAFFIC_SECONDS * 1000u / SLICE_MS + 1u)

_Static_assert(TRAFFIC_BUCKETS == OCTAVES * STEPS + 2, "one below and one above the octaves");

const uint32_t traffic_stage_bounds_us[TRAFFIC_BOUNDS] = {50, 100, 250, 1000, 2500, 10000, 50000, 250000, 1000000, 5000000};
const uint32_t traffic_batch_bounds[TRAFFIC_BOUNDS] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

// Rings: an entry is of the second, or the slice, that it names.
struct second {
	uint64_t number;
	uint32_t allowed, refused;
};

struct slice {
	uint64_t number;
	uint32_t buckets[TRAFFIC_BUCKETS];
};

struct traffic {
	struct traffic_totals totals;
	struct traffic_count operations[TRAFFIC_OPERATIONS];
	struct second seconds[TRAFFIC_SECONDS + 1];
	uint64_t buckets[TRAFFIC_BUCKETS];
	uint64_t longest_us, latency_sum_us;
	uint64_t refusals[TRAFFIC_REASONS];
	struct traffic_histogram stages[TRAFFIC_STAGES], batches;
	struct slice slices[SLICES];
};

bool traffic_new(struct traffic **ret)
{
	struct traffic *traffic = calloc(1, sizeof *traffic);
	if (traffic == NULL)
		return false;
	*ret = traffic;
	return true;
}

void traffic_free(struct traffic *traffic)
{
	free(traffic);
}

// ------------------------------------------------------------------ count

void traffic_start(struct traffic *traffic, uint64_t now_ms)
{
	if (traffic->totals.started_ms == 0)
		traffic->totals.started_ms = now_ms;
}

void traffic_count(struct traffic *traffic, unsigned operation, unsigned reason, uint64_t now_ms)
{
	struct traffic_count *count = &traffic->operations[operation < TRAFFIC_OPERATIONS ? operation : 0];
	uint64_t number = now_ms / 1000;
	struct second *second = &traffic->seconds[number % (TRAFFIC_SECONDS + 1)];
	if (second->number != number)
		*second = (struct second){.number = number};
	if (reason == 0) {
		count->allowed++;
		second->allowed++;
	} else {
		count->refused++;
		traffic->refusals[reason < TRAFFIC_REASONS ? reason : TRAFFIC_REASONS - 1]++;
		second->refused++;
	}
}

static void observe(struct traffic_histogram *histogram, const uint32_t bounds[TRAFFIC_BOUNDS], uint64_t value)
{
	unsigned bucket = 0;
	while (bucket < TRAFFIC_BOUNDS && value > bounds[bucket])
		bucket++;
	histogram->buckets[bucket]++;
	histogram->sum += value;
}

void traffic_stage(struct traffic *traffic, enum traffic_stage stage, uint64_t us)
{
	observe(&traffic->stages[stage], traffic_stage_bounds_us, us);
}

void traffic_commit(struct traffic *traffic, size_t requests, bool done, uint64_t now_ms)
{
	if (!done) {
		traffic->totals.failed_commits++;
		traffic->totals.last_failed_ms = now_ms;
		return;
	}
	traffic->totals.commits++;
	traffic->totals.committed_requests += requests;
	traffic->totals.last_commit_ms = now_ms;
	observe(&traffic->batches, traffic_batch_bounds, requests);
}

static unsigned bucket_of(uint64_t us)
{
	if (us >> SHORTEST_BITS == 0)
		return 0;
	unsigned octave = 63u - (unsigned)__builtin_clzll(us);
	if (octave >= SHORTEST_BITS + OCTAVES)
		return TRAFFIC_BUCKETS - 1;
	return 1 + (octave - SHORTEST_BITS) * STEPS + (unsigned)((us >> (octave - STEP_BITS)) & (STEPS - 1));
}

void traffic_latency(struct traffic *traffic, uint64_t us, uint64_t now_ms)
{
	unsigned bucket = bucket_of(us);
	uint64_t number = now_ms / SLICE_MS;
	struct slice *slice = &traffic->slices[number % SLICES];
	if (slice->number != number) {
		memset(slice, 0, sizeof *slice);
		slice->number = number;
	}
	slice->buckets[bucket]++;
	traffic->buckets[bucket]++;
	traffic->latency_sum_us += us;
	if (us > traffic->longest_us)
		traffic->longest_us = us;
}

void traffic_tell_edge(struct traffic *traffic, const struct traffic_edge *edge)
{
	traffic->totals.edge = *edge;
}

// ------------------------------------------------------------------ read

struct traffic_totals traffic_read_totals(const struct traffic *traffic)
{
	return traffic->totals;
}

struct traffic_count traffic_read_operation(const struct traffic *traffic, unsigned operation)
{
	INVARIANT(operation < TRAFFIC_OPERATIONS);
	return traffic->operations[operation];
}

uint64_t traffic_read_refusals(const struct traffic *traffic, unsigned reason)
{
	INVARIANT(reason < TRAFFIC_REASONS);
	return traffic->refusals[reason];
}

struct traffic_histogram traffic_read_stage(const struct traffic *traffic, enum traffic_stage stage)
{
	return traffic->stages[stage];
}

struct traffic_histogram traffic_read_batches(const struct traffic *traffic)
{
	return traffic->batches;
}

uint64_t traffic_read_latency_sum_us(const struct traffic *traffic)
{
	return traffic->latency_sum_us;
}

size_t traffic_read_seconds(const struct traffic *traffic, uint64_t now_ms, uint32_t allowed[TRAFFIC_SECONDS],
			    uint32_t refused[TRAFFIC_SECONDS])
{
	uint64_t until = now_ms / 1000, from = traffic->totals.started_ms / 1000;
	if (from == 0 || from > until)
		return 0;
	if (until - from > TRAFFIC_SECONDS)
		from = until - TRAFFIC_SECONDS;
	for (uint64_t number = from; number < until; number++) {
		const struct second *second = &traffic->seconds[number % (TRAFFIC_SECONDS + 1)];
		bool known = second->number == number;
		allowed[number - from] = known ? second->allowed : 0;
		refused[number - from] = known ? second->refused : 0;
	}
	return (size_t)(until - from);
}

uint64_t traffic_bucket_until_us(unsigned bucket)
{
	INVARIANT(bucket < TRAFFIC_BUCKETS);
	if (bucket == 0)
		return UINT64_C(1) << SHORTEST_BITS;
	if (bucket == TRAFFIC_BUCKETS - 1)
		return 0;
	unsigned octave = SHORTEST_BITS + (bucket - 1) / STEPS, step = (bucket - 1) % STEPS;
	return (uint64_t)(STEPS + step + 1) << (octave - STEP_BITS);
}

uint64_t traffic_read_bucket(const struct traffic *traffic, unsigned bucket)
{
	INVARIANT(bucket < TRAFFIC_BUCKETS);
	return traffic->buckets[bucket];
}

// The end of the bucket in which the `rank`th of all lies, from 1.
static uint64_t end_of_rank(const struct traffic *traffic, const uint64_t buckets[TRAFFIC_BUCKETS], uint64_t rank)
{
	unsigned bucket = 0;
	for (uint64_t seen = buckets[0]; seen < rank && bucket < TRAFFIC_BUCKETS - 1;)
		seen += buckets[++bucket];
	return bucket < TRAFFIC_BUCKETS - 1 ? traffic_bucket_until_us(bucket) : traffic->longest_us;
}

static struct traffic_spread spread_of(const struct traffic *traffic, const uint64_t buckets[TRAFFIC_BUCKETS])
{
	struct traffic_spread spread = {0};
	for (unsigned i = 0; i < TRAFFIC_BUCKETS; i++)
		spread.count += buckets[i];
	if (spread.count == 0)
		return spread;
	spread.p50_us = end_of_rank(traffic, buckets, spread.count - spread.count / 2);
	spread.p95_us = end_of_rank(traffic, buckets, spread.count - spread.count / 20);
	spread.p99_us = end_of_rank(traffic, buckets, spread.count - spread.count / 100);
	spread.max_us = end_of_rank(traffic, buckets, spread.count);
	return spread;
}

struct traffic_spread traffic_read_spread(const struct traffic *traffic)
{
	return spread_of(traffic, traffic->buckets);
}

struct traffic_spread traffic_read_recent(const struct traffic *traffic, unsigned seconds, uint64_t now_ms)
{
	uint64_t buckets[TRAFFIC_BUCKETS] = {0};
	uint64_t until = now_ms / SLICE_MS, slices = seconds * UINT64_C(1000) / SLICE_MS;
	INVARIANT(seconds <= TRAFFIC_SECONDS);
	for (unsigned i = 0; i < SLICES; i++) {
		const struct slice *slice = &traffic->slices[i];
		if (slice->number > until || slice->number + slices < until)
			continue;
		for (unsigned k = 0; k < TRAFFIC_BUCKETS; k++)
			buckets[k] += slice->buckets[k];
	}
	return spread_of(traffic, buckets);
}
