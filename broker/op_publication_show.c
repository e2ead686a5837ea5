// PUBLICATION_SHOW: what an authority's file that is open would change, or what the last one did.
#include <string.h>

#include "broker/plan.h"
#include "broker/plan_cursor.h"
#include "broker/publication.h"
#include "broker/sealed.h"

// Versions looked at for one page of vanished plans, most of which have not vanished.
#define VERSIONS_PER_PAGE 400u

static enum reason add_rejected(struct op_context *context, const struct authority_state *state, uint64_t generation,
				uint32_t limit, Cpis__V1__PublicationShowReply *reply)
{
	struct store_rejection *rows = NULL;
	size_t count = 0;
	const char *ods = state->ods.text;
	uint32_t from = context->request->publication_show->after_rejected;
	if (context->store->ops->rejections_of(context->store, &state->ods, generation, from, limit + 1, context->arena, &rows,
					       &count) != STORE_OK)
		return REASON_STORE;
	reply->rejected = arena_alloc(context->arena, (count + 1) * sizeof *reply->rejected);
	if (reply->rejected == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < count && i < limit; i++) {
		Cpis__V1__RecordOutcome *outcome = (Cpis__V1__RecordOutcome *)sealed_open(
			context->vault, context->arena, VAULT_REJECTION, ods, strlen(ods), rows[i].sealed,
			&cpis__v1__record_outcome__descriptor);
		if (outcome == NULL)
			return REASON_INTERNAL;
		reply->rejected[reply->n_rejected++] = outcome;
		// The place after this one; the first page begins at 0.
		if (count > limit)
			reply->next_rejected = rows[i].place + 1;
	}
	return REASON_NONE;
}

static Cpis__V1__PlanRecord *record_of(struct op_context *context, const Cpis__Stored__V1__StoredPlan *plan)
{
	Cpis__V1__PlanRecord *record = OP_NEW(context, Cpis__V1__PlanRecord, cpis__v1__plan_record__init);
	if (record == NULL)
		return NULL;
	record->nhs_number = plan->nhs_number;
	record->type = plan->type;
	record->start_date = plan->start_date;
	record->local_id = plan->local_id;
	record->birth_date = plan->birth_date;
	return record;
}

// One version: is it what is shown of its plan, without an end, and is the plan not in the file?
static enum reason add_if_vanished(struct op_context *context, const struct authority_state *state, uint64_t generation,
				   const struct store_plan *row, Cpis__V1__PublicationShowReply *reply)
{
	struct plan_version held, staged;
	enum reason reason = plan_held(context, state, &row->slot, &held);
	if (reason == REASON_NONE)
		reason = plan_at(context, &row->slot, generation, &staged);
	if (reason != REASON_NONE || staged.found || held.generation != row->generation || !plan_is_open(&held))
		return reason;
	Cpis__V1__PlanRecord *record = record_of(context, held.plan);
	if (record == NULL)
		return REASON_INTERNAL;
	reply->vanished[reply->n_vanished++] = record;
	return REASON_NONE;
}

static enum reason add_vanished(struct op_context *context, const struct authority_state *state, uint64_t generation,
				uint32_t limit, Cpis__V1__PublicationShowReply *reply)
{
	struct store_plan_place after;
	struct store_plan *rows = NULL;
	size_t count = 0;
	if (!plan_cursor_read(&context->request->publication_show->after_vanished, &after))
		return REASON_VALUE;
	if (context->store->ops->plans_in(context->store, &state->ods, &after, state->stored->committed, VERSIONS_PER_PAGE,
					  context->arena, &rows, &count) != STORE_OK)
		return REASON_STORE;
	reply->vanished = arena_alloc(context->arena, limit * sizeof *reply->vanished);
	if (reply->vanished == NULL)
		return REASON_INTERNAL;
	size_t looked_at = 0;
	for (; looked_at < count && reply->n_vanished < limit; looked_at++) {
		enum reason reason = add_if_vanished(context, state, generation, &rows[looked_at], reply);
		if (reason != REASON_NONE)
			return reason;
	}
	bool more = looked_at < count || count == VERSIONS_PER_PAGE;
	return !more || plan_cursor_write(context->arena, &rows[looked_at - 1], &reply->next_vanished) ? REASON_NONE : REASON_INTERNAL;
}

static enum reason fill(struct op_context *context, const struct authority_state *state,
			Cpis__V1__PublicationShowReply *reply)
{
	Cpis__Stored__V1__StoredPublication *open = state->stored->open, *file = state->stored->last;
	uint32_t limit = context->request->publication_show->limit;
	limit = limit == 0 ? PAGE_ITEMS_DEFAULT : limit;
	if (open != NULL && open->generation != 0) {
		file = open;
		publication_judge(state, file);
	}
	if (file == NULL)
		return REASON_NONE;
	reply->report = file->report;
	enum reason reason = add_rejected(context, state, file->generation, limit, reply);
	if (reason == REASON_NONE && file == open && file->report->vanished > 0)
		reason = add_vanished(context, state, file->generation, limit, reply);
	context->detail->count = (uint32_t)(reply->n_rejected + reply->n_vanished);
	return reason;
}

enum reason op_publication_show(struct op_context *context)
{
	struct authority_state state;
	enum reason reason = publication_own_state(context, &state);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__PublicationShowReply *reply =
		OP_NEW(context, Cpis__V1__PublicationShowReply, cpis__v1__publication_show_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reason = fill(context, &state, reply);
	context->reply->publication_show = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_PUBLICATION_SHOW;
	return reason;
}
