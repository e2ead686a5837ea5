// Numbers that are not in use, and telling those who hold plans under them.
#include "broker/inactive.h"

#include <string.h>

#include "broker/child.h"
#include "broker/inbox.h"
#include "broker/sealed.h"

#define PLAN_TYPES 3

enum reason inactive_holds(struct op_context *context, const struct store_tag *subject, bool *ret)
{
	struct store_inactive row;
	enum store_status status = context->store->ops->inactive_get(context->store, subject, context->arena, &row);
	*ret = status == STORE_OK;
	return status == STORE_OK || status == STORE_NOT_FOUND ? REASON_NONE : REASON_STORE;
}

static bool was_told(const Cpis__Stored__V1__StoredInactive *inactive, const char *authority)
{
	for (size_t i = 0; i < inactive->n_told; i++)
		if (strcmp(inactive->told[i], authority) == 0)
			return true;
	return false;
}

// The notice of the authority of plan `number`, over all of its plans.
static enum reason tell(struct op_context *context, const struct child *child, size_t number)
{
	Cpis__V1__PlanType types[PLAN_TYPES];
	Cpis__V1__InactiveNumberNotice notice = CPIS__V1__INACTIVE_NUMBER_NOTICE__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	const char *authority = child->plans[number].stored->authority;
	notice.nhs_number = op_text(child->number.digits);
	notice.plan_types = types;
	for (size_t i = number; i < child->plan_count; i++) {
		const Cpis__Stored__V1__StoredPlan *plan = child->plans[i].stored;
		if (strcmp(plan->authority, authority) != 0)
			continue;
		if (notice.n_plan_types < PLAN_TYPES)
			types[notice.n_plan_types++] = plan->type;
		if (notice.local_id[0] == '\0')
			notice.local_id = plan->local_id;
	}
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_INACTIVE_NUMBER;
	item.inactive_number = &notice;
	return inbox_put(context, authority, &item);
}

// What would be shown under the number if it were in use: its row is not there while this looks.
static enum reason load_child(struct op_context *context, const struct nhs_number *number, const struct store_tag *subject,
			      struct child *ret)
{
	// For the look only: the request's own record names no child.
	context->subject = *subject;
	context->has_subject = true;
	enum reason reason = child_load(context, number->digits, ret);
	context->has_subject = false;
	// Something may be written already: whatever fails gives the batch up.
	return reason == REASON_NONE ? REASON_NONE : REASON_STORE;
}

static enum reason tell_all(struct op_context *context, const struct nhs_number *number, const struct store_tag *subject,
			    Cpis__Stored__V1__StoredInactive *inactive)
{
	struct child child;
	enum reason reason = load_child(context, number, subject, &child);
	if (reason != REASON_NONE)
		return reason;
	char **told = arena_alloc(context->arena, (inactive->n_told + child.plan_count + 1) * sizeof *told);
	if (told == NULL)
		return REASON_STORE;
	if (inactive->n_told > 0)
		memcpy(told, inactive->told, inactive->n_told * sizeof *told);
	inactive->told = told;
	for (size_t i = 0; i < child.plan_count; i++) {
		if (was_told(inactive, child.plans[i].stored->authority))
			continue;
		if ((reason = tell(context, &child, i)) != REASON_NONE)
			return reason;
		inactive->told[inactive->n_told++] = child.plans[i].stored->authority;
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

// What is known of the number, taken out of the store; a fresh one when there is nothing.
static enum reason take_out(struct op_context *context, const struct store_tag *subject,
			    Cpis__Stored__V1__StoredInactive **ret)
{
	struct store_inactive row;
	enum store_status found = context->store->ops->inactive_get(context->store, subject, context->arena, &row);
	*ret = NULL;
	if (found == STORE_NOT_FOUND)
		*ret = OP_NEW(context, Cpis__Stored__V1__StoredInactive, cpis__stored__v1__stored_inactive__init);
	else if (found == STORE_OK && context->store->ops->inactive_delete(context->store, subject) == STORE_OK)
		*ret = (Cpis__Stored__V1__StoredInactive *)sealed_open(
			context->vault, context->arena, VAULT_INACTIVE, subject->bytes, sizeof subject->bytes, row.sealed,
			&cpis__stored__v1__stored_inactive__descriptor);
	return *ret == NULL ? REASON_STORE : REASON_NONE;
}

enum reason inactive_set(struct op_context *context, const struct nhs_number *number, Cpis__V1__DemographicsStatus status,
			 bool *ret_changed)
{
	Cpis__Stored__V1__StoredInactive *inactive;
	struct store_tag subject;
	vault_tag_subject(context->vault, number, &subject);
	enum reason reason = take_out(context, &subject, &inactive);
	if (reason != REASON_NONE)
		return reason;
	bool active = status == CPIS__V1__DEMOGRAPHICS_STATUS__VERIFIED;
	bool was_active = inactive->status == CPIS__V1__DEMOGRAPHICS_STATUS__DEMOGRAPHICS_STATUS_UNSPECIFIED;
	*ret_changed = active ? !was_active : inactive->status != status;
	if (active)
		return REASON_NONE;
	if ((reason = tell_all(context, number, &subject, inactive)) != REASON_NONE)
		return reason;
	if (*ret_changed) {
		inactive->status = status;
		inactive->since_ms = context->now_ms;
		inactive->audit_index = context->audit_index;
	}
	return put(context, &subject, inactive);
}
