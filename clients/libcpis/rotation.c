// Whom of several brokers a call asks, and for how long.
#include "clients/libcpis/rotation.h"

#include "clients/libcpis/backoff.h"

static bool is_refused(const struct rotation *rotation, size_t number)
{
	return (rotation->refused >> number & 1) != 0;
}

static size_t candidates(const struct rotation *rotation)
{
	size_t count = 0;
	for (size_t i = 0; i < rotation->count; i++)
		count += !is_refused(rotation, i);
	return count;
}

static void advance(struct rotation *rotation)
{
	do
		rotation->at = (rotation->at + 1) % rotation->count;
	while (is_refused(rotation, rotation->at));
}

// No more than its part of the time that is left: whoever comes later in the round has as much.
static uint64_t share_of(const struct rotation *rotation, uint64_t wanted_ms, uint64_t now_ms)
{
	uint64_t left_ms = rotation->end_ms > now_ms ? rotation->end_ms - now_ms : 0;
	uint64_t share_ms = left_ms / (rotation->left + 1);
	return wanted_ms < share_ms ? wanted_ms : share_ms;
}

static void begin_turn(struct rotation *rotation, uint64_t now_ms)
{
	rotation->resting = false;
	rotation->until_ms =
		rotation->count == 1 ? UINT64_MAX : now_ms + share_of(rotation, ROTATION_CONNECT_MS, now_ms);
}

void rotation_begin(struct rotation *rotation, size_t count, size_t at, uint64_t now_ms, uint64_t end_ms)
{
	*rotation = (struct rotation){.count = count, .at = at, .left = count - 1, .end_ms = end_ms};
	begin_turn(rotation, now_ms);
}

void rotation_leave_out(struct rotation *rotation, size_t number, uint64_t now_ms)
{
	rotation->refused |= 1u << number;
	rotation->left--;
	begin_turn(rotation, now_ms);
}

void rotation_sent(struct rotation *rotation, uint32_t wait_ms, uint64_t now_ms)
{
	uint64_t answer_ms = (uint64_t)ROTATION_ANSWER_MS << (rotation->rounds < 8 ? rotation->rounds : 8);
	if (answer_ms > ROTATION_SILENCE_MS || rotation->left == 0)
		answer_ms = ROTATION_SILENCE_MS;
	// What waits at a broker by its own wish is not cut short to have time for others. One that is gone is noticed all the same.
	if (wait_ms > 0 || rotation->left == 0)
		rotation->until_ms = now_ms + answer_ms + wait_ms;
	else
		rotation->until_ms = now_ms + share_of(rotation, answer_ms, now_ms);
}

static void end_round(struct rotation *rotation, uint32_t random, uint64_t now_ms)
{
	uint32_t least_ms = rotation->retry_after_ms;
	if (rotation->count > 1 && least_ms < ROTATION_REST_MS)
		least_ms = ROTATION_REST_MS;
	rotation->left = candidates(rotation) - 1;
	rotation->retry_after_ms = 0;
	advance(rotation);
	if (least_ms == 0) {
		begin_turn(rotation, now_ms);
		return;
	}
	uint64_t rest_until_ms = now_ms + backoff_ms(least_ms, rotation->rounds++, random);
	// Later than that there would hardly be time for the answer.
	uint64_t latest_ms = (now_ms + least_ms + rotation->end_ms) / 2;
	rotation->resting = true;
	rotation->until_ms = rest_until_ms < latest_ms ? rest_until_ms : latest_ms;
}

void rotation_next(struct rotation *rotation, uint32_t retry_after_ms, uint32_t random, uint64_t now_ms)
{
	if (retry_after_ms > rotation->retry_after_ms)
		rotation->retry_after_ms = retry_after_ms;
	if (rotation->left == 0) {
		end_round(rotation, random, now_ms);
		return;
	}
	rotation->left--;
	advance(rotation);
	begin_turn(rotation, now_ms);
}

bool rotation_refuse(struct rotation *rotation, uint32_t random, uint64_t now_ms)
{
	rotation->refused |= 1u << rotation->at;
	if (candidates(rotation) == 0)
		return false;
	rotation_next(rotation, 0, random, now_ms);
	return true;
}

bool rotation_tick(struct rotation *rotation, uint32_t random, uint64_t now_ms)
{
	if (now_ms < rotation->until_ms)
		return false;
	if (rotation->resting)
		begin_turn(rotation, now_ms);
	else
		rotation_next(rotation, 0, random, now_ms);
	return !rotation->resting;
}
