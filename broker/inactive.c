// Numbers that are not in use, and telling those who hold plans under them.
#include "broker/inactive.h"

#include <string.h>

#include "broker/child.h"
#include "broker/inbox.h"
#include "broker/log.h"
#include "broker/sealed.h"
#include "broker/visibility.h"
#include "proto/date.h"

#define PLAN_TYPES 3

enum reason inactive_holds(struct op_context *context, const struct store_tag *subject, bool *ret)
{
	struct store_inactive row;
	enum store_status status = context->store->ops->inactive_get(context->store, subject, context->arena, &row);
	*ret = status == STORE_OK;
	return status == STORE_OK || status == STORE_NOT_FOUND ? REASON_NONE : REASON_STORE;
}

// Held plans that are, or will be, shown: those that were withdrawn or ended long ago are nobody's business any more.
static bool is_alive(const Cpis__Stored__V1__StoredPlan *plan, struct date today)
{
	struct date start;
	bool sound = false;
	if (visibility_of(plan->start_date, plan->end_date, plan->delete_date, today, &sound) !=
	    CPIS__V1__PLAN_STATUS__PLAN_STATUS_UNSPECIFIED)
		return true;
	return sound && plan->delete_date[0] == '\0' && date_parse(plan->start_date, strlen(plan->start_date), &start) &&
	       start.day > today.day;
}

static bool was_told(const Cpis__Stored__V1__StoredInactive *inactive, const char *authority)
{
	for (size_t i = 0; i < inactive->n_told; i++)
		if (strcmp(inactive->told[i], authority) == 0)
			return true;
	return false;
}

// The notice of the authority of plan `number`, over all of its plans.
static enum reason tell(struct op_context *context, Cpis__Stored__V1__StoredPlan *const *plans, size_t count, size_t number)
{
	Cpis__V1__PlanType types[PLAN_TYPES];
	Cpis__V1__InactiveNumberNotice notice = CPIS__V1__INACTIVE_NUMBER_NOTICE__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	notice.nhs_number = plans[number]->nhs_number;
	notice.plan_types = types;
	for (size_t i = number; i < count; i++) {
		if (strcmp(plans[i]->authority, plans[number]->authority) != 0)
			continue;
		if (notice.n_plan_types < PLAN_TYPES)
			types[notice.n_plan_types++] = plans[i]->type;
		if (notice.local_id[0] == '\0')
			notice.local_id = plans[i]->local_id;
	}
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_INACTIVE_NUMBER;
	item.inactive_number = &notice;
	return inbox_put(context, plans[number]->authority, &item);
}

// All plans under the number that are alive, opened.
static enum reason live_plans(struct op_context *context, const struct store_tag *subject,
			      Cpis__Stored__V1__StoredPlan ***ret, size_t *ret_count)
{
	struct store_plan *rows = NULL;
	size_t count = 0, alive = 0;
	struct date today = english_time_of(context->now_ms).date;
	if (context->store->ops->plans_of(context->store, subject, CHILD_ROWS_MAX, context->arena, &rows, &count) != STORE_OK)
		return REASON_STORE;
	Cpis__Stored__V1__StoredPlan **plans = arena_alloc(context->arena, (count + 1) * sizeof *plans);
	for (size_t i = 0; plans != NULL && i < count; i++) {
		plans[alive] = child_open_plan(context, &rows[i]);
		if (plans[alive] == NULL) {
			log_event(LOG_LEVEL_ERROR, "plan_unreadable", "a stored plan of authority %s does not open",
				  rows[i].authority.text);
			return REASON_STORE;
		}
		alive += is_alive(plans[alive], today);
	}
	*ret = plans;
	*ret_count = alive;
	return plans == NULL ? REASON_STORE : REASON_NONE;
}

static enum reason tell_all(struct op_context *context, const struct store_tag *subject,
			    Cpis__Stored__V1__StoredInactive *inactive, bool *ret_told)
{
	Cpis__Stored__V1__StoredPlan **plans = NULL;
	size_t count = 0;
	enum reason reason = live_plans(context, subject, &plans, &count);
	if (reason != REASON_NONE)
		return reason;
	char **told = arena_alloc(context->arena, (inactive->n_told + count + 1) * sizeof *told);
	if (told == NULL)
		return REASON_STORE;
	if (inactive->n_told > 0)
		memcpy(told, inactive->told, inactive->n_told * sizeof *told);
	inactive->told = told;
	for (size_t i = 0; i < count; i++) {
		if (was_told(inactive, plans[i]->authority))
			continue;
		if ((reason = tell(context, plans, count, i)) != REASON_NONE)
			return reason;
		inactive->told[inactive->n_told++] = plans[i]->authority;
		*ret_told = true;
	}
	return REASON_NONE;
}

static enum reason put(struct op_context *context, const struct store_tag *subject,
		       const Cpis__Stored__V1__StoredInactive *inactive)
{
	struct store_inactive row = {
		.subject = *subject,
		.sealed = sealed_make(context->vault, context->arena, VAULT_INACTIVE, subject->bytes, sizeof subject->bytes,
				      &inactive->base),
	};
	if (row.sealed.data == NULL)
		return REASON_STORE;
	return context->store->ops->inactive_put(context->store, &row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

static enum reason activate(struct op_context *context, const struct store_tag *subject, bool *ret_changed)
{
	enum store_status status = context->store->ops->inactive_delete(context->store, subject);
	*ret_changed = status == STORE_OK;
	return status == STORE_OK || status == STORE_NOT_FOUND ? REASON_NONE : REASON_STORE;
}

enum reason inactive_set(struct op_context *context, const struct nhs_number *number, Cpis__V1__DemographicsStatus status,
			 bool *ret_changed)
{
	Cpis__Stored__V1__StoredInactive fresh = CPIS__STORED__V1__STORED_INACTIVE__INIT, *inactive = &fresh;
	struct store_tag subject;
	struct store_inactive row;
	vault_tag_subject(context->vault, number, &subject);
	if (status == CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED)
		return activate(context, &subject, ret_changed);
	enum store_status found = context->store->ops->inactive_get(context->store, &subject, context->arena, &row);
	if (found == STORE_OK)
		inactive = (Cpis__Stored__V1__StoredInactive *)sealed_open(
			context->vault, context->arena, VAULT_INACTIVE, subject.bytes, sizeof subject.bytes, row.sealed,
			&cpis__stored__v1__stored_inactive__descriptor);
	if ((found != STORE_OK && found != STORE_NOT_FOUND) || inactive == NULL)
		return REASON_STORE;
	bool told = false;
	enum reason reason = tell_all(context, &subject, inactive, &told);
	*ret_changed = inactive->status != status;
	if (reason != REASON_NONE || (!told && !*ret_changed))
		return reason;
	if (*ret_changed) {
		inactive->since_ms = context->now_ms;
		inactive->audit_index = context->audit_index;
	}
	inactive->status = status;
	return put(context, &subject, inactive);
}
