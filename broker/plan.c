// Versions of plans. Associated data is slot and generation, so that no version can be put in another's place.
#include "broker/plan.h"

#include <string.h>

#include "broker/log.h"
#include "broker/sealed.h"

Cpis__Stored__V1__StoredPlan *plan_open(struct op_context *context, const struct store_plan *row)
{
	const struct sealed_row_identity identity = sealed_row_identity_of(&row->slot, row->generation);
	Cpis__Stored__V1__StoredPlan *plan = (Cpis__Stored__V1__StoredPlan *)sealed_open(
		context->vault, context->arena, VAULT_PLAN, identity.bytes, sizeof identity.bytes, row->sealed,
		&cpis__stored__v1__stored_plan__descriptor);
	if (plan != NULL && strcmp(plan->authority, row->authority.text) == 0)
		return plan;
	log_damage(LOG_EVENT_PLAN_UNREADABLE, "a stored plan of authority %s does not open, so that queries about its child are refused; the store is damaged: put a backup in its place", row->authority.text);
	return NULL;
}

enum reason plan_put(struct op_context *context, const struct ods_code *authority, const struct store_tag *slot,
		     const struct store_tag *subject, uint64_t generation, Cpis__Stored__V1__StoredPlan *plan)
{
	const struct sealed_row_identity identity = sealed_row_identity_of(slot, generation);
	struct store_plan row = {
		.slot = *slot,
		.generation = generation,
		.subject = *subject,
		.authority = *authority,
		.sealed = sealed_make(context->vault, context->arena, VAULT_PLAN, identity.bytes, sizeof identity.bytes,
				      &plan->base),
	};
	if (row.sealed.data == NULL)
		return REASON_STORE;
	return context->store->ops->plan_put(context->store, &row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

static enum reason take_row(struct op_context *context, const struct store_plan *row, struct plan_version *ret)
{
	ret->plan = plan_open(context, row);
	if (ret->plan == NULL)
		return REASON_INTERNAL;
	ret->found = true;
	ret->generation = row->generation;
	ret->subject = row->subject;
	return REASON_NONE;
}

bool plan_has_vanished(const struct authority_state *state, uint64_t generation, const Cpis__Stored__V1__StoredPlan *plan)
{
	return generation < state->stored->full && plan->end_date[0] == '\0' && plan->delete_date[0] == '\0';
}

enum reason plan_before(struct op_context *context, const struct authority_state *state, const struct store_tag *slot,
			uint64_t before, struct plan_version *ret)
{
	struct store_plan row;
	enum store_status status;
	*ret = (struct plan_version){0};
	// At most ABANDONED_MAX versions are passed over.
	while (before > 0 && (status = context->store->ops->plan_get(context->store, slot, before - 1, context->arena, &row)) !=
				     STORE_NOT_FOUND) {
		if (status != STORE_OK)
			return REASON_STORE;
		if (authority_state_shows(state, row.generation)) {
			enum reason reason = take_row(context, &row, ret);
			ret->vanished = reason == REASON_NONE && plan_has_vanished(state, row.generation, ret->plan);
			return reason;
		}
		before = row.generation;
	}
	return REASON_NONE;
}

enum reason plan_held(struct op_context *context, const struct authority_state *state, const struct store_tag *slot,
		      struct plan_version *ret)
{
	return plan_before(context, state, slot, state->stored->committed + 1, ret);
}

enum reason plan_at(struct op_context *context, const struct store_tag *slot, uint64_t generation, struct plan_version *ret)
{
	struct store_plan row;
	*ret = (struct plan_version){0};
	enum store_status status = context->store->ops->plan_get(context->store, slot, generation, context->arena, &row);
	if (status == STORE_NOT_FOUND || (status == STORE_OK && row.generation != generation))
		return REASON_NONE;
	return status == STORE_OK ? take_row(context, &row, ret) : REASON_STORE;
}

bool plan_is_open(const struct plan_version *version)
{
	return version->found && !version->vanished && version->plan->end_date[0] == '\0' &&
	       version->plan->delete_date[0] == '\0';
}
