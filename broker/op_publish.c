// PUBLISH: a local authority corrects, ends or withdraws single plans at once, beside its numbered files. Bad records are
// reported by row and leave the good ones alone.
#include <string.h>

#include "broker/publication.h"

// A correction changes what a file that is open was compared with: the file is discarded, and says so when it goes on.
static bool discard_open(struct op_context *context, struct authority_state *state)
{
	Cpis__Stored__V1__StoredPublication *open = state->stored->open;
	if (open == NULL || open->generation == 0)
		return true;
	uint64_t generation = open->generation;
	open->generation = 0;
	return authority_state_abandon(context, state, generation);
}

static enum reason check_state(struct op_context *context, const struct authority_state *state)
{
	if (authority_contacts(state, english_time_of(context->now_ms).date) == NULL)
		return REASON_CONTACTS;
	// So that readers pass over few versions of a plan.
	if (state->stored->committed - state->stored->followed >= PENDING_CORRECTIONS_MAX ||
	    state->stored->n_abandoned + 2 > ABANDONED_MAX)
		return REASON_PUBLICATION_BUSY;
	return REASON_NONE;
}

static enum reason commit(struct op_context *context, struct authority_state *state,
			  const Cpis__Stored__V1__StoredPublication *file)
{
	// Freshness counts with at least one good record only: a file of nothing but mistakes must not make old data look
	// fresh.
	if (file->report->stored == 0)
		return REASON_NONE;
	if (!discard_open(context, state))
		return REASON_STORE;
	publication_show(context, state, file);
	return authority_state_save(context, state);
}

static Cpis__V1__PublishReply *make_reply(struct op_context *context, const Cpis__V1__PublicationReport *report,
					  Cpis__V1__RecordOutcome **outcomes)
{
	Cpis__V1__PublishReply *reply = OP_NEW(context, Cpis__V1__PublishReply, cpis__v1__publish_reply__init);
	if (reply == NULL)
		return NULL;
	reply->received = report->received;
	reply->stored = report->stored;
	reply->outcome = publication_outcome(report->received, report->stored);
	for (size_t i = 0; i < report->received; i++)
		if (outcomes[i]->field[0] != '\0')
			outcomes[reply->n_rejected++] = outcomes[i];
	reply->rejected = outcomes;
	return reply;
}

enum reason op_publish(struct op_context *context)
{
	const Cpis__V1__PublishRequest *request = context->request->publish;
	struct authority_state state;
	if (strcmp(request->authority, context->session->organisation.text) != 0)
		return REASON_OTHER_AUTHORITY;
	enum reason reason = publication_own_state(context, &state);
	if (reason == REASON_NONE)
		reason = check_state(context, &state);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__PublicationReport report = CPIS__V1__PUBLICATION_REPORT__INIT;
	Cpis__Stored__V1__StoredPublication file = CPIS__STORED__V1__STORED_PUBLICATION__INIT;
	Cpis__V1__RecordOutcome **outcomes = arena_alloc(context->arena, request->n_records * sizeof *outcomes);
	if (outcomes == NULL)
		return REASON_INTERNAL;
	report.kind = CPIS__V1__PUBLICATION_KIND__DELTA;
	file.report = &report;
	file.generation = ++state.stored->newest;
	reason = publication_take(context, &state, &file, request->records, request->n_records, false, outcomes);
	if (reason == REASON_NONE)
		reason = commit(context, &state, &file);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__PublishReply *reply = make_reply(context, &report, outcomes);
	if (reply == NULL)
		return REASON_STORE;
	context->detail->count = reply->stored;
	context->reply->publish = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_PUBLISH;
	return REASON_NONE;
}
