// What follows from what authorities have published, in bounded steps: versions that were given up are removed; those who must
// know of a change are told; what a full file left out gets its end. Cursor and notices are in one commit, so that each is
// told once.
#include <string.h>

#include "broker/follow_up.h"
#include "broker/job.h"

// What one step does at most. Some milliseconds.
#define REMOVALS_PER_STEP 400u
#define VERSIONS_PER_STEP 100u

// ------------------------------------------------------------------ removing

static bool remove_version(struct op_context *context, const struct store_plan *row)
{
	return context->store->ops->plan_delete(context->store, &row->slot, row->generation) == STORE_OK;
}

// The rows of a generation that nobody will ever be shown.
static bool remove_abandoned(struct op_context *context, struct authority_state *state)
{
	uint64_t generation = state->stored->abandoned[0];
	struct store_plan_place after = {.generation = generation};
	struct store_plan *rows = NULL;
	size_t count = 0;
	if (context->store->ops->plans_in(context->store, &state->ods, &after, generation, REMOVALS_PER_STEP, context->arena,
					  &rows, &count) != STORE_OK)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!remove_version(context, &rows[i]))
			return false;
	if (count < REMOVALS_PER_STEP) {
		state->stored->abandoned++;
		state->stored->n_abandoned--;
	}
	return true;
}

static uint64_t generation_of(const Cpis__Stored__V1__StoredPublication *file)
{
	return file == NULL ? 0 : file->generation;
}

static bool remove_rejections(struct op_context *context, const struct authority_state *state, size_t *ret_removed)
{
	const uint64_t keep[2] = {generation_of(state->stored->open), generation_of(state->stored->last)};
	return context->store->ops->rejection_expire(context->store, &state->ods, keep, REMOVALS_PER_STEP, ret_removed) ==
	       STORE_OK;
}

// ------------------------------------------------------------------ following

// The generation up to which is followed now: of a full file what it left out comes before what came after it.
static uint64_t target_of(const Cpis__Stored__V1__StoredAuthority *stored)
{
	return stored->full > stored->followed ? stored->full : stored->committed;
}

static bool copy_slot(struct op_context *context, const struct store_tag *slot, ProtobufCBinaryData *ret)
{
	uint8_t *bytes = arena_alloc(context->arena, TAG_BYTES);
	if (bytes == NULL)
		return false;
	memcpy(bytes, slot->bytes, TAG_BYTES);
	*ret = (ProtobufCBinaryData){TAG_BYTES, bytes};
	return true;
}

static struct store_plan_place place_of(const Cpis__Stored__V1__StoredAuthority *stored,
					const Cpis__Stored__V1__StoredFollowUp *cursor)
{
	struct store_plan_place place = {.generation = cursor->generation};
	if (cursor->generation == 0 && !cursor->vanishing)
		place.generation = stored->followed + 1;
	if (cursor->slot.len == TAG_BYTES)
		memcpy(place.slot.bytes, cursor->slot.data, TAG_BYTES);
	return place;
}

static enum follow_up follow_one(struct op_context *context, const struct authority_state *state,
				 const struct store_plan *row, Cpis__Stored__V1__StoredFollowUp *cursor)
{
	enum follow_up result = cursor->vanishing ? follow_up_vanished(context, state, row)
						  : follow_up_version(context, state, row, cursor);
	if (result != FOLLOW_UP_DONE)
		return result;
	cursor->generation = row->generation;
	cursor->before_index = 0;
	cursor->n_told = 0;
	return copy_slot(context, &row->slot, &cursor->slot) ? FOLLOW_UP_DONE : FOLLOW_UP_FAILED;
}

// All of this generation's versions are dealt with; of a full file those that it left out are next.
static void end_walk(struct authority_state *state, Cpis__Stored__V1__StoredFollowUp *cursor, uint64_t target)
{
	bool vanishing = target == state->stored->full && !cursor->vanishing;
	cpis__stored__v1__stored_follow_up__init(cursor);
	cursor->vanishing = vanishing;
	if (!vanishing)
		state->stored->followed = target;
}

static bool follow(struct op_context *context, struct authority_state *state)
{
	Cpis__Stored__V1__StoredFollowUp *cursor = state->stored->follow_up;
	uint64_t target = target_of(state->stored);
	struct store_plan *rows = NULL;
	size_t count = 0;
	if (cursor == NULL) {
		cursor = OP_NEW(context, Cpis__Stored__V1__StoredFollowUp, cpis__stored__v1__stored_follow_up__init);
		if (cursor == NULL)
			return false;
		state->stored->follow_up = cursor;
	}
	struct store_plan_place after = place_of(state->stored, cursor);
	if (context->store->ops->plans_in(context->store, &state->ods, &after, cursor->vanishing ? target - 1 : target,
					  VERSIONS_PER_STEP, context->arena, &rows, &count) != STORE_OK)
		return false;
	for (size_t i = 0; i < count; i++) {
		enum follow_up result = follow_one(context, state, &rows[i], cursor);
		if (result != FOLLOW_UP_DONE)
			return result == FOLLOW_UP_MORE;
	}
	if (count < VERSIONS_PER_STEP)
		end_walk(state, cursor, target);
	return true;
}

// ------------------------------------------------------------------ the job

static bool step(struct op_context *context, struct authority_state *state)
{
	size_t removed = 0;
	if (!remove_rejections(context, state, &removed))
		return false;
	if (removed == 0 && state->stored->n_abandoned > 0)
		return remove_abandoned(context, state);
	return removed > 0 || !authority_state_pending(state) || follow(context, state);
}

enum job_result job_publication(struct op_context *context, struct job_tally *tally)
{
	(void)tally;
	struct store_authority row;
	struct authority_state state;
	enum store_status status = context->store->ops->authority_due(context->store, context->arena, &row);
	if (status == STORE_NOT_FOUND)
		return JOB_IDLE;
	if (status != STORE_OK)
		return JOB_FAILED;
	if (authority_state_open(context, &row, &state) != REASON_NONE) {
		// The operator's log names it. Others wait behind it no longer.
		row.due_ms = 0;
		return context->store->ops->authority_put(context->store, &row) == STORE_OK ? JOB_MORE : JOB_FAILED;
	}
	if (!step(context, &state))
		return JOB_FAILED;
	// Another authority's turn is next.
	state.due_ms = context->now_ms;
	return authority_state_save(context, &state) == REASON_NONE ? JOB_MORE : JOB_FAILED;
}
