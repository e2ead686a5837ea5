// PUBLICATION_OPEN: the first step of a file, or its going on after an interruption.
#include <string.h>

#include "broker/publication.h"

static enum reason refuse(struct op_context *context, enum reason reason, const char *sentence)
{
	// Out of memory the reason's own sentence does.
	context->refusal = sentence;
	return reason;
}

static bool same_file(const Cpis__Stored__V1__StoredPublication *file, const Cpis__V1__PublicationOpenRequest *request)
{
	const Cpis__V1__PublicationReport *report = file->report;
	return report->kind == request->kind && report->sequence == request->sequence && file->records == request->records &&
	       report->created_ms == request->created_ms && file->dry_run == request->dry_run;
}

static bool has_id(const Cpis__Stored__V1__StoredPublication *file, const Cpis__V1__PublicationOpenRequest *request)
{
	return file != NULL && memcmp(file->report->publication_id.data, request->publication_id.data,
				      PUBLICATION_ID_BYTES) == 0;
}

static enum reason check_sequence(struct op_context *context, const Cpis__Stored__V1__StoredAuthority *stored)
{
	const Cpis__V1__PublicationOpenRequest *request = context->request->publication_open;
	struct arena *arena = context->arena;
	uint32_t next = stored->last_sequence + 1;
	if (request->sequence < next)
		return refuse(context, REASON_SEQUENCE,
			      arena_printf(arena, "File %u was published before: the next one is %u.", request->sequence, next));
	if (request->sequence > next)
		return refuse(context, REASON_SEQUENCE,
			      arena_printf(arena, "There is a gap: file %u came, and the next one is %u.", request->sequence,
					   next));
	if (request->created_ms < stored->last_created_ms)
		return refuse(context, REASON_SEQUENCE,
			      "This file was made before the last one that was published: make it anew.");
	if (request->created_ms > context->now_ms + CLOCK_SKEW_MS_MAX)
		return refuse(context, REASON_SEQUENCE, "This file says that it was made in the future.");
	return REASON_NONE;
}

// What is to be removed or to follow comes first, so that a file is compared with one version of each plan.
static bool is_busy(const struct authority_state *state)
{
	return state->stored->followed < state->stored->committed || state->stored->n_abandoned + 2 > ABANDONED_MAX;
}

static enum reason open_new(struct op_context *context, struct authority_state *state)
{
	const Cpis__V1__PublicationOpenRequest *request = context->request->publication_open;
	Cpis__Stored__V1__StoredPublication *before = state->stored->open, *file;
	enum reason reason = check_sequence(context, state->stored);
	if (reason != REASON_NONE)
		return reason;
	if (is_busy(state))
		return REASON_PUBLICATION_BUSY;
	file = OP_NEW(context, Cpis__Stored__V1__StoredPublication, cpis__stored__v1__stored_publication__init);
	if (file != NULL)
		file->report = OP_NEW(context, Cpis__V1__PublicationReport, cpis__v1__publication_report__init);
	uint8_t *digest = arena_alloc(context->arena, HASH_BYTES);
	if (file == NULL || file->report == NULL || digest == NULL)
		return REASON_INTERNAL;
	if (before != NULL && before->generation != 0 && !authority_state_abandon(context, state, before->generation))
		return REASON_INTERNAL;
	memset(digest, 0, HASH_BYTES);
	file->digest = (ProtobufCBinaryData){HASH_BYTES, digest};
	file->generation = ++state->stored->newest;
	file->records = request->records;
	file->dry_run = request->dry_run;
	file->report->publication_id = request->publication_id;
	file->report->kind = request->kind;
	file->report->sequence = request->sequence;
	file->report->created_ms = request->created_ms;
	state->stored->open = file;
	return authority_state_save(context, state);
}

enum reason op_publication_open(struct op_context *context)
{
	const Cpis__V1__PublicationOpenRequest *request = context->request->publication_open;
	struct authority_state state;
	enum reason reason = publication_own_state(context, &state);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__PublicationOpenReply *reply =
		OP_NEW(context, Cpis__V1__PublicationOpenReply, cpis__v1__publication_open_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	const Cpis__Stored__V1__StoredPublication *open = state.stored->open;
	if (authority_contacts(&state, english_time_of(context->now_ms).date) == NULL)
		return REASON_CONTACTS;
	if (has_id(state.stored->last, request)) {
		reply->committed = true;
		reply->received = state.stored->last->report->received;
	} else if (has_id(open, request) && open->generation != 0) {
		if (!same_file(open, request))
			return refuse(context, REASON_PUBLICATION_STATE,
				      "Another file is open under this id: give this one an id of its own.");
		reply->received = open->report->received;
	} else if ((reason = open_new(context, &state)) != REASON_NONE) {
		return reason;
	}
	reply->last_sequence = state.stored->last_sequence;
	context->detail->count = reply->received;
	context->reply->publication_open = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_PUBLICATION_OPEN;
	return REASON_NONE;
}
