// EXTRACT_READ: the plans of the own authority that are shown today, page by page, for a file that is encrypted to named staff.
#include <stdio.h>
#include <string.h>

#include "broker/alert.h"
#include "broker/inactive.h"
#include "broker/plan.h"
#include "broker/plan_cursor.h"
#include "broker/publication.h"
#include "broker/visibility.h"

// For whom: noted in the record, and each has to be somebody of this authority. What the client then encrypts to is its own doing.
static enum reason note_recipients(struct op_context *context)
{
	const Cpis__V1__ExtractReadRequest *request = context->request->extract_read;
	char *target = arena_alloc(context->arena, TEXT_BYTES_MAX + 1);
	size_t used = 0;
	if (target == NULL)
		return REASON_INTERNAL;
	_Static_assert(EXTRACT_RECIPIENTS_MAX * (UID_DIGITS + 1) <= TEXT_BYTES_MAX, "all of them fit one text");
	target[0] = '\0';
	context->detail->reason = request->reason;
	context->detail->target = target;
	for (size_t i = 0; i < request->n_recipients; i++) {
		used += (size_t)snprintf(target + used, TEXT_BYTES_MAX + 1 - used, "%s%s", i == 0 ? "" : " ", request->recipients[i]);
		if (roles_has_person(context->roles, context->snapshot, request->recipients[i], &context->session->organisation))
			continue;
		context->refusal = "An extract is for people who hold a role at this authority: one of the recipients does not.";
		return REASON_VALUE;
	}
	return REASON_NONE;
}

// One version of a plan: if it is the one that is shown, and is shown today.
static enum reason add_plan(struct op_context *context, const struct authority_state *state, const struct store_plan *row,
			    Cpis__V1__ExtractReadReply *reply)
{
	struct plan_version held;
	struct visibility visibility;
	bool inactive = false;
	enum reason reason = plan_held(context, state, &row->slot, &held);
	if (reason == REASON_NONE && held.found && held.generation == row->generation)
		reason = inactive_holds(context, &held.subject, &inactive);
	if (reason != REASON_NONE || !held.found || held.generation != row->generation || inactive)
		return reason;
	struct visibility_plan facts = {
		.type = held.plan->type,
		.start_date = held.plan->start_date,
		.end_date = held.plan->end_date,
		.delete_date = held.plan->delete_date,
		.birth_date = held.plan->birth_date,
		.vanished_date = held.vanished ? state->stored->full_date : "",
	};
	if (!visibility_of(&facts, english_time_of(context->now_ms).date, &visibility))
		return REASON_INTERNAL;
	if (visibility.status == CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED)
		return REASON_NONE;
	Cpis__V1__ExtractedPlan *plan = OP_NEW(context, Cpis__V1__ExtractedPlan, cpis__v1__extracted_plan__init);
	char *end_date = arena_alloc(context->arena, 11);
	if (plan == NULL || end_date == NULL)
		return REASON_INTERNAL;
	end_date[0] = '\0';
	if (visibility.ends)
		date_format(visibility.end, end_date);
	plan->nhs_number = held.plan->nhs_number;
	plan->type = held.plan->type;
	plan->status = visibility.status;
	plan->start_date = held.plan->start_date;
	plan->end_date = end_date;
	plan->birth_date = held.plan->birth_date;
	plan->local_id = held.plan->local_id;
	reply->plans[reply->n_plans++] = plan;
	return REASON_NONE;
}

static enum reason add_page(struct op_context *context, const struct authority_state *state, const struct store_plan_place *after,
			    Cpis__V1__ExtractReadReply *reply)
{
	uint32_t limit = context->request->extract_read->limit;
	struct store_plan *rows = NULL;
	size_t count = 0;
	limit = limit == 0 ? PAGE_ITEMS_MAX : limit;
	if (context->store->ops->plans_in(context->store, &state->ods, after, state->stored->committed, limit, context->arena, &rows,
					  &count) != STORE_OK)
		return REASON_STORE;
	reply->plans = arena_alloc(context->arena, (count + 1) * sizeof *reply->plans);
	if (reply->plans == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < count; i++) {
		enum reason reason = add_plan(context, state, &rows[i], reply);
		if (reason != REASON_NONE)
			return reason;
	}
	return count < limit || plan_cursor_write(context->arena, &rows[count - 1], &reply->next) ? REASON_NONE : REASON_INTERNAL;
}

static void add_contacts(struct op_context *context, const struct authority_state *state, Cpis__V1__ExtractReadReply *reply)
{
	const Cpis__V1__Contacts *in_force = authority_contacts(state, english_time_of(context->now_ms).date);
	reply->contacts = state->stored->contacts;
	reply->n_contacts = state->stored->n_contacts;
	for (; reply->n_contacts > 0 && in_force != NULL && reply->contacts[0] != in_force; reply->n_contacts--)
		reply->contacts++;
	for (size_t i = 0; i < reply->n_contacts; i++)
		reply->contacts[i]->stale = authority_contacts_stale(context, reply->contacts[i]);
}

static enum reason alert_officer(struct op_context *context)
{
	Cpis__V1__Alert alert = CPIS__V1__ALERT__INIT;
	alert.kind = CPIS__V1__ALERT_KIND__EXTRACT;
	alert.audit_index = context->audit_index;
	return alert_put(context, &context->session->organisation, context->session->uid, &alert);
}

enum reason op_extract_read(struct op_context *context)
{
	const Cpis__V1__ExtractReadRequest *request = context->request->extract_read;
	struct store_plan_place after;
	struct authority_state state;
	enum reason reason = plan_cursor_read(&request->after, &after) ? note_recipients(context) : REASON_VALUE;
	if (reason == REASON_NONE)
		reason = authority_state_load(context, &context->session->organisation, &state);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__ExtractReadReply *reply = OP_NEW(context, Cpis__V1__ExtractReadReply, cpis__v1__extract_read_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->authority = op_text(context->session->organisation.text);
	reply->name = op_text(context->organisation->name);
	reply->assembled_ms = context->now_ms;
	if (request->after.len == 0)
		add_contacts(context, &state, reply);
	if ((reason = add_page(context, &state, &after, reply)) != REASON_NONE)
		return reason;
	if (request->after.len == 0 && (reason = alert_officer(context)) != REASON_NONE)
		return reason;
	context->detail->count = (uint32_t)reply->n_plans;
	context->reply->extract_read = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_EXTRACT_READ;
	return REASON_NONE;
}
