// Requests that wait, on the stage: kept and submitted again as the edge does it.
#include <stdlib.h>
#include <string.h>

#include "tests/harness/stage_priv.h"

static const uint8_t *key_of(const struct stage *stage, enum stage_system system)
{
	return stage->keys[system].public_key;
}

// What was parked has written nothing: the batch is empty.
static void end_empty_batch(struct stage *stage)
{
	stage_must(core_pending(stage->core) == 0 && core_flush(stage->core, stage->now_ms), "batch", "is not empty");
	core_clear(stage->core);
}

bool stage_keep_parked(struct stage *stage, enum stage_system system, const void *data, size_t bytes)
{
	struct core_arrival arrival = {
		.channel_key = key_of(stage, system), .data = data, .bytes = bytes, .may_wait = true};
	struct stage_parked *parked = calloc(1, sizeof *parked);
	stage_must(parked != NULL && (parked->data = malloc(bytes)) != NULL, "request", "out of memory");
	stage_must(core_submit(stage->core, &arrival, stage->now_ms) == CORE_PARKED, "request", "does not wait");
	parked->system = system;
	memcpy(parked->data, data, bytes);
	parked->bytes = bytes;
	parked->wait = core_wait(stage->core);
	parked->since_ms = stage->now_ms;
	end_empty_batch(stage);
	stage->parked = parked;
	return true;
}

struct stage_parked *stage_park_as(struct stage *stage, enum stage_person person, Cpis__V1__Request *request)
{
	stage->parks = true;
	stage_must(stage_submit_as(stage, person, request), "request", "does not wait");
	stage->parks = false;
	return stage->parked;
}

bool stage_is_woken(struct stage *stage, const struct stage_parked *parked)
{
	struct wakes *wakes = core_wakes(stage->core);
	bool woken = wakes->everybody;
	for (size_t i = 0; i < wakes->count; i++)
		woken = woken || wakes->keys[i] == parked->wait.key;
	*wakes = (struct wakes){.count = 0};
	return woken;
}

void stage_parked_free(struct stage_parked *parked)
{
	free(parked->data);
	free(parked);
}

const struct stage_reply *stage_resume(struct stage *stage, struct stage_parked *parked, bool may_wait)
{
	struct core_arrival arrival = {
		.channel_key = key_of(stage, parked->system),
		.data = parked->data,
		.bytes = parked->bytes,
		.resumed = true,
		.may_wait = may_wait,
		.ticket = parked->wait.ticket,
		.waited_ms = stage->now_ms - parked->since_ms,
	};
	enum core_submitted submitted = core_submit(stage->core, &arrival, stage->now_ms);
	if (submitted == CORE_PARKED) {
		end_empty_batch(stage);
		return NULL;
	}
	stage_must(submitted == CORE_TAKEN, "request", "the batch is full");
	stage_note_asked(stage, parked->data, parked->bytes);
	stage_parked_free(parked);
	stage_flush(stage);
	return stage->batch[0];
}
