// PUBLICATION_COMMIT: whoever signs this releases the file. From its commit on all of it is shown.
#include <string.h>

#include "broker/inbox.h"
#include "broker/publication.h"

static enum reason refuse(struct op_context *context, enum reason reason, const char *sentence)
{
	context->refusal = sentence;
	return reason;
}

static enum reason check_whole(struct op_context *context, const Cpis__Stored__V1__StoredPublication *file)
{
	const Cpis__V1__PublicationCommitRequest *request = context->request->publication_commit;
	const Cpis__V1__PublicationReport *report = file->report;
	if (report->kind != request->kind || report->sequence != request->sequence || file->records != request->records)
		return refuse(context, REASON_PUBLICATION_STATE,
			      "The file was opened with another kind, sequence number or number of records.");
	if (file->dry_run)
		return refuse(context, REASON_PUBLICATION_STATE, "The file was opened to try it only.");
	if (report->received != file->records)
		return refuse(context, REASON_PUBLICATION_STATE,
			      arena_printf(context->arena, "Records are missing: %u of %u are here.", report->received,
					   file->records));
	if (memcmp(file->digest.data, request->content_sha256.data, HASH_BYTES) != 0)
		return refuse(context, REASON_PUBLICATION_STATE,
			      "What was signed is not what is here: the file was changed while it was sent.");
	return REASON_NONE;
}

static enum reason check_vanished(struct op_context *context, const Cpis__V1__PublicationReport *report)
{
	unsigned percent = register_publishing(context->snapshot).vanished_percent_max;
	if (context->request->publication_commit->accept_vanished ||
	    (uint64_t)report->vanished * 100 <= (uint64_t)report->held * percent)
		return REASON_NONE;
	return refuse(context, REASON_VANISHED,
		      arena_printf(context->arena,
				   "%u of %u plans that are held are not in this file, more than the %u in 100 that may be."
				   " Nothing was changed. If that is right, accept it.",
				   report->vanished, report->held, percent));
}

// Unchanged as a whole it is a file that came, and nothing of it needs to be kept.
static bool show(struct op_context *context, struct authority_state *state, Cpis__Stored__V1__StoredPublication *file)
{
	Cpis__V1__PublicationReport *report = file->report;
	if (report->stored > 0)
		state->last_published_ms = context->now_ms;
	if (!publication_changes(report))
		return authority_state_abandon(context, state, file->generation);
	publication_show(context, state, file);
	if (report->kind != CPIS__V1__PUBLICATION_KIND__FULL)
		return true;
	char *date = arena_alloc(context->arena, 11);
	if (date == NULL)
		return false;
	date_format(english_time_of(report->created_ms).date, date);
	state->stored->full = file->generation;
	state->stored->full_date = date;
	return true;
}

static enum reason commit(struct op_context *context, struct authority_state *state,
			  Cpis__Stored__V1__StoredPublication *file)
{
	Cpis__V1__PublicationReport *report = file->report;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	if (!show(context, state, file))
		return REASON_INTERNAL;
	report->committed = true;
	report->committed_ms = context->now_ms;
	report->released_by = context->session->name;
	report->audit_index = context->audit_index;
	state->stored->open = NULL;
	state->stored->last = file;
	state->stored->last_sequence = report->sequence;
	state->stored->last_created_ms = report->created_ms;
	if (report->kind == CPIS__V1__PUBLICATION_KIND__FULL)
		state->stored->last_full = file;
	// From here on the store changes: nothing below refuses.
	enum reason reason = authority_state_save(context, state);
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_PUBLICATION;
	item.publication = report;
	return reason == REASON_NONE ? inbox_put(context, state->ods.text, &item) : reason;
}

// The file that was committed already: told again.
static bool is_last(const struct authority_state *state, const Cpis__V1__PublicationCommitRequest *request)
{
	const Cpis__Stored__V1__StoredPublication *last = state->stored->last;
	return last != NULL &&
	       memcmp(last->report->publication_id.data, request->publication_id.data, PUBLICATION_ID_BYTES) == 0;
}

static enum reason commit_open(struct op_context *context, struct authority_state *state)
{
	Cpis__Stored__V1__StoredPublication *file = NULL;
	enum reason reason =
		publication_find(state, &context->request->publication_commit->publication_id, &file);
	if (reason == REASON_NONE)
		reason = check_whole(context, file);
	if (reason != REASON_NONE)
		return reason;
	publication_judge(state, file);
	reason = check_vanished(context, file->report);
	return reason == REASON_NONE ? commit(context, state, file) : reason;
}

enum reason op_publication_commit(struct op_context *context)
{
	struct authority_state state;
	enum reason reason = publication_own_state(context, &state);
	if (reason == REASON_NONE && !is_last(&state, context->request->publication_commit))
		reason = commit_open(context, &state);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__PublicationCommitReply *reply =
		OP_NEW(context, Cpis__V1__PublicationCommitReply, cpis__v1__publication_commit_reply__init);
	if (reply == NULL)
		return REASON_STORE;
	reply->report = state.stored->last->report;
	context->detail->count = reply->report->stored;
	context->reply->publication_commit = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_PUBLICATION_COMMIT;
	return REASON_NONE;
}
