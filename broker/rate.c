// Sliding-minute counters.
#include "broker/rate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Without memory an entry is not kept: uthash must not call exit().
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "proto/invariant.h"

#define MINUTE_MS 60000u
#define KEY_BYTES_MAX (RATE_NAME_BYTES + 8u)

struct counter {
	UT_hash_handle hh;
	char key[KEY_BYTES_MAX];
	uint64_t minute;
	unsigned now, before; // in that minute, and in the one before it
};

struct rate {
	struct counter *all;
	uint64_t swept_minute;
};

bool rate_new(struct rate **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret != NULL;
}

static void forget(struct rate *rate, struct counter *counter)
{
	HASH_DEL(rate->all, counter);
	explicit_bzero(counter, sizeof *counter);
	free(counter);
}

void rate_free(struct rate *rate)
{
	struct counter *counter, *next;
	if (rate == NULL)
		return;
	HASH_ITER(hh, rate->all, counter, next)
		forget(rate, counter);
	free(rate);
}

// Once a minute: what no longer counts for anybody goes.
static void sweep(struct rate *rate, uint64_t minute)
{
	struct counter *counter, *next;
	if (rate->swept_minute == minute)
		return;
	rate->swept_minute = minute;
	HASH_ITER(hh, rate->all, counter, next)
		if (counter->minute + 1 < minute || counter->minute > minute)
			forget(rate, counter);
}

static void turn_to(struct counter *counter, uint64_t minute)
{
	if (counter->minute == minute)
		return;
	counter->before = counter->minute + 1 == minute ? counter->now : 0;
	counter->now = 0;
	counter->minute = minute;
}

static struct counter *find_or_add(struct rate *rate, const char *key, uint64_t minute)
{
	struct counter *counter = NULL;
	HASH_FIND_STR(rate->all, key, counter);
	if (counter != NULL || HASH_COUNT(rate->all) >= RATE_COUNTERS_MAX || (counter = calloc(1, sizeof *counter)) == NULL)
		return counter;
	snprintf(counter->key, sizeof counter->key, "%s", key);
	counter->minute = minute;
	HASH_ADD_STR(rate->all, key, counter);
	if (counter->hh.tbl != NULL)
		return counter;
	free(counter);
	return NULL;
}

static struct counter *counter_of(struct rate *rate, enum rate_kind kind, const char *name, Cpis__V1__Operation operation,
				  uint64_t minute)
{
	char key[KEY_BYTES_MAX];
	int bytes = snprintf(key, sizeof key, "%c%02d %s", kind == RATE_PERSON ? 'p' : 's', (int)operation, name);
	INVARIANT(bytes > 0 && (size_t)bytes < sizeof key);
	sweep(rate, minute);
	return find_or_add(rate, key, minute);
}

// In the minute it is in, or the one before. One that is older, or ahead, counts for nobody any more.
void rate_add(struct rate *rate, enum rate_kind kind, const char *name, Cpis__V1__Operation operation, uint64_t at_ms)
{
	uint64_t minute = at_ms / MINUTE_MS;
	if (minute < rate->swept_minute || strlen(name) >= RATE_NAME_BYTES)
		return;
	struct counter *counter = counter_of(rate, kind, name, operation, minute);
	if (counter == NULL || counter->minute > minute)
		return;
	turn_to(counter, minute);
	counter->now++;
}

bool rate_take(struct rate *rate, enum rate_kind kind, const char *name, Cpis__V1__Operation operation,
	       unsigned per_minute, uint64_t now_ms)
{
	uint64_t minute = now_ms / MINUTE_MS, left_ms = MINUTE_MS - now_ms % MINUTE_MS;
	if (per_minute == 0)
		return true;
	struct counter *counter = counter_of(rate, kind, name, operation, minute);
	if (counter == NULL)
		return false;
	turn_to(counter, minute);
	if (counter->now + (uint64_t)counter->before * left_ms / MINUTE_MS >= per_minute)
		return false;
	counter->now++;
	return true;
}
