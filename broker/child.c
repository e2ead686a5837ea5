// Reading what is known of one child.
#include "broker/child.h"

#include <stdlib.h>
#include <string.h>

#include "broker/inactive.h"
#include "broker/log.h"
#include "broker/plan.h"
#include "broker/visibility.h"
#include "proto/invariant.h"

// Current before ended; then dates as text sort as dates, the latest start first; then by authority, so that
// the order is the same each time.
static int by_weight(const void *left, const void *right)
{
	const struct child_plan *a = left, *b = right;
	if (a->status != b->status)
		return a->status == CPIS__V1__PLAN_STATUS__CURRENT ? -1 : 1;
	int order = strcmp(b->stored->start_date, a->stored->start_date);
	return order != 0 ? order : strcmp(a->stored->authority, b->stored->authority);
}

// The states of the authorities that speak of this child, each read once.
struct authorities {
	struct authority_state states[CHILD_AUTHORITIES_MAX];
	size_t count;
};

static enum reason find_authority(struct op_context *context, struct authorities *authorities, const struct ods_code *ods,
				  const struct authority_state **ret)
{
	for (size_t i = 0; i < authorities->count; i++)
		if (strcmp(authorities->states[i].ods.text, ods->text) == 0) {
			*ret = &authorities->states[i];
			return REASON_NONE;
		}
	if (authorities->count == CHILD_AUTHORITIES_MAX)
		return REASON_INTERNAL;
	struct authority_state *state = &authorities->states[authorities->count];
	enum reason reason = authority_state_load(context, ods, state);
	authorities->count += reason == REASON_NONE;
	*ret = state;
	return reason;
}

// Whether another row is a newer version of the same plan that is shown.
static bool superseded(const struct authority_state *state, const struct store_plan *rows, size_t count, size_t number)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(&rows[i].slot, &rows[number].slot, sizeof rows[i].slot) == 0 &&
		    rows[i].generation > rows[number].generation && authority_state_shows(state, rows[i].generation))
			return true;
	return false;
}

static enum reason take_plan(struct op_context *context, const struct authority_state *state, const struct store_plan *row,
			     struct child *child)
{
	struct visibility visibility;
	Cpis__Stored__V1__StoredPlan *plan = plan_open(context, row);
	char *end_date = arena_alloc(context->arena, 11);
	if (plan == NULL || end_date == NULL)
		return REASON_INTERNAL;
	struct visibility_plan facts = {
		.type = plan->type,
		.start_date = plan->start_date,
		.end_date = plan->end_date,
		.delete_date = plan->delete_date,
		.birth_date = plan->birth_date,
		.vanished_date = plan_has_vanished(state, row->generation, plan) ? state->stored->full_date : "",
	};
	if (!visibility_of(&facts, english_time_of(context->now_ms).date, &visibility)) {
		log_damage(LOG_EVENT_PLAN_UNREADABLE, "a stored plan of authority %s has no dates",
			   row->authority.text);
		return REASON_INTERNAL;
	}
	if (visibility.status == CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED)
		return REASON_NONE;
	end_date[0] = '\0';
	if (visibility.ends)
		date_format(visibility.end, end_date);
	child->plans[child->plan_count++] =
		(struct child_plan){.stored = plan, .authority = state, .status = visibility.status, .end_date = end_date};
	return REASON_NONE;
}

enum reason child_load(struct op_context *context, const char *nhs_number, struct child *ret)
{
	ret->plan_count = 0; // and not the room for them, which is large
	// core.c has noted whom the request is about, if the number is one.
	if (!context->has_subject)
		return REASON_NHS_NUMBER;
	INVARIANT(nhs_number_parse(nhs_number, strlen(nhs_number), &ret->number) == NHS_NUMBER_OK);

	struct store_plan *rows = NULL;
	size_t row_count = 0;
	if (context->store->ops->plans_of(context->store, &context->subject, CHILD_ROWS_MAX + 1, context->arena, &rows,
					  &row_count) != STORE_OK)
		return REASON_STORE;
	// What is cut off would be missing from the answer.
	if (row_count > CHILD_ROWS_MAX)
		return REASON_INTERNAL;
	// Most numbers have no plan, and pay nothing for those that are not in use.
	bool inactive = false;
	if (row_count > 0 && inactive_holds(context, &context->subject, &inactive) != REASON_NONE)
		return REASON_STORE;
	if (inactive)
		return REASON_NONE;
	struct authorities *authorities = row_count == 0 ? NULL : arena_alloc(context->arena, sizeof *authorities);
	if (row_count > 0 && authorities == NULL)
		return REASON_INTERNAL;
	enum reason reason = REASON_NONE;
	for (size_t i = 0; i < row_count && reason == REASON_NONE; i++) {
		const struct authority_state *state = NULL;
		reason = find_authority(context, authorities, &rows[i].authority, &state);
		if (reason == REASON_NONE && authority_state_shows(state, rows[i].generation) &&
		    !superseded(state, rows, row_count, i))
			reason = take_plan(context, state, &rows[i], ret);
	}
	qsort(ret->plans, ret->plan_count, sizeof ret->plans[0], by_weight);
	return reason;
}
