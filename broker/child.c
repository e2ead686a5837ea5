// Reading what is known of one child.
#include "broker/child.h"

#include <stdlib.h>
#include <string.h>

#include "broker/inactive.h"
#include "broker/log.h"
#include "broker/sealed.h"
#include "broker/visibility.h"
#include "proto/invariant.h"

static Cpis__Stored__V1__StoredPlan *open_plan(struct op_context *context, const struct store_plan *row)
{
	Cpis__Stored__V1__StoredPlan *plan = (Cpis__Stored__V1__StoredPlan *)sealed_open(
		context->vault, context->arena, VAULT_PLAN, row->slot.bytes, sizeof row->slot.bytes, row->sealed,
		&cpis__stored__v1__stored_plan__descriptor);
	return plan != NULL && strcmp(plan->authority, row->authority.text) == 0 ? plan : NULL;
}

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

enum reason child_load(struct op_context *context, const char *nhs_number, struct child *ret)
{
	memset(ret, 0, sizeof *ret);
	// core.c has noted whom the request is about, if the number is one.
	if (!context->has_subject)
		return REASON_NHS_NUMBER;
	INVARIANT(nhs_number_parse(nhs_number, strlen(nhs_number), &ret->number) == NHS_NUMBER_OK);

	struct store_plan *rows = NULL;
	size_t row_count = 0;
	if (context->store->ops->plans_of(context->store, &context->subject, CHILD_ROWS_MAX, context->arena, &rows,
					  &row_count) != STORE_OK)
		return REASON_STORE;
	// Most numbers have no plan, and pay nothing for those that are not in use.
	bool inactive = false;
	if (row_count > 0 && inactive_holds(context, &context->subject, &inactive) != REASON_NONE)
		return REASON_STORE;
	if (inactive)
		return REASON_NONE;
	struct date today = english_time_of(context->now_ms).date;
	for (size_t i = 0; i < row_count; i++) {
		bool sound = false;
		Cpis__V1__PlanStatus status = CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED;
		Cpis__Stored__V1__StoredPlan *plan = open_plan(context, &rows[i]);
		if (plan != NULL)
			status = visibility_of(plan->start_date, plan->end_date, plan->delete_date, today, &sound);
		if (plan == NULL || !sound) {
			log_event(LOG_LEVEL_ERROR, "plan_unreadable", "a stored plan of authority %s does not open",
				  rows[i].authority.text);
			return REASON_INTERNAL;
		}
		if (status != CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED)
			ret->plans[ret->plan_count++] = (struct child_plan){.stored = plan, .status = status};
	}
	qsort(ret->plans, ret->plan_count, sizeof ret->plans[0], by_weight);
	return REASON_NONE;
}
