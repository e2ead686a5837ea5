// PUBLICATION_RECORDS: the second step of a file, as often as it takes. Records that are here already are passed over.
#include <string.h>

#include "broker/publication.h"

static enum reason check_place(struct op_context *context, const Cpis__Stored__V1__StoredPublication *file)
{
	const Cpis__V1__PublicationRecordsRequest *request = context->request->publication_records;
	if (request->first > file->report->received)
		context->refusal = arena_printf(context->arena, "Records are missing: go on with record %u.",
						file->report->received);
	else if (request->n_records > file->records - request->first)
		context->refusal = arena_printf(context->arena, "The file was opened with %u records, and these are more.",
						file->records);
	else
		return REASON_NONE;
	return REASON_PUBLICATION_STATE;
}

static enum reason take(struct op_context *context, struct authority_state *state,
			Cpis__Stored__V1__StoredPublication *file, Cpis__V1__PublicationRecordsReply *reply)
{
	const Cpis__V1__PublicationRecordsRequest *request = context->request->publication_records;
	size_t known = file->report->received - request->first;
	if (known >= request->n_records)
		return REASON_NONE;
	size_t count = request->n_records - known;
	reply->outcomes = arena_alloc(context->arena, count * sizeof *reply->outcomes);
	if (reply->outcomes == NULL)
		return REASON_INTERNAL;
	enum reason reason =
		publication_take(context, state, file, request->records + known, count, true, reply->outcomes);
	if (reason != REASON_NONE)
		return reason;
	reply->n_outcomes = count;
	for (size_t i = known; i < request->n_records; i++)
		if (!publication_digest(context, request->records[i], file->digest.data))
			return REASON_STORE;
	return authority_state_save(context, state);
}

enum reason op_publication_records(struct op_context *context)
{
	const Cpis__V1__PublicationRecordsRequest *request = context->request->publication_records;
	struct authority_state state;
	Cpis__Stored__V1__StoredPublication *file = NULL;
	enum reason reason = publication_own_state(context, &state);
	if (reason == REASON_NONE)
		reason = publication_find(&state, &request->publication_id, &file);
	if (reason == REASON_NONE)
		reason = check_place(context, file);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__PublicationRecordsReply *reply =
		OP_NEW(context, Cpis__V1__PublicationRecordsReply, cpis__v1__publication_records_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reason = take(context, &state, file, reply);
	if (reason != REASON_NONE)
		return reason;
	reply->received = file->report->received;
	context->detail->count = (uint32_t)reply->n_outcomes;
	context->reply->publication_records = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_PUBLICATION_RECORDS;
	return REASON_NONE;
}
