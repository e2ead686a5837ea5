// Reading, judging and writing the state of an authority.
#include "broker/authority_state.h"

#include <string.h>

#include "broker/log.h"
#include "broker/sealed.h"

#define DAY_MS (24ull * 3600u * 1000u)

enum reason authority_state_open(struct op_context *context, const struct store_authority *row, struct authority_state *ret)
{
	const char *ods = row->organisation.text;
	*ret = (struct authority_state){.ods = row->organisation,
					.last_published_ms = row->last_published_ms,
					.due_ms = row->due_ms,
					.known = true};
	ret->stored = (Cpis__Stored__V1__StoredAuthority *)sealed_open(context->vault, context->arena, VAULT_AUTHORITY, ods,
								      strlen(ods), row->sealed,
								      &cpis__stored__v1__stored_authority__descriptor);
	if (ret->stored != NULL)
		return REASON_NONE;
	log_damage(LOG_EVENT_AUTHORITY_UNREADABLE, "the stored state of authority %s does not open", ods);
	return REASON_INTERNAL;
}

enum reason authority_state_load(struct op_context *context, const struct ods_code *ods, struct authority_state *ret)
{
	struct store_authority row;
	switch (context->store->ops->authority_get(context->store, ods, context->arena, &row)) {
	case STORE_OK:
		return authority_state_open(context, &row, ret);
	case STORE_NOT_FOUND:
		break;
	default:
		return REASON_STORE;
	}
	*ret = (struct authority_state){
		.ods = *ods,
		.stored = OP_NEW(context, Cpis__Stored__V1__StoredAuthority, cpis__stored__v1__stored_authority__init)};
	return ret->stored == NULL ? REASON_INTERNAL : REASON_NONE;
}

enum reason authority_state_save(struct op_context *context, struct authority_state *state)
{
	const char *ods = state->ods.text;
	if (!authority_state_pending(state))
		state->due_ms = 0;
	else if (state->due_ms == 0)
		state->due_ms = context->now_ms;
	struct store_authority row = {
		.organisation = state->ods,
		.last_published_ms = state->last_published_ms,
		.due_ms = state->due_ms,
		.sealed = sealed_make(context->vault, context->arena, VAULT_AUTHORITY, ods, strlen(ods), &state->stored->base),
	};
	if (row.sealed.data == NULL)
		return REASON_STORE;
	return context->store->ops->authority_put(context->store, &row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

bool authority_state_pending(const struct authority_state *state)
{
	return state->stored->n_abandoned > 0 || state->stored->followed < state->stored->committed;
}

bool authority_state_shows(const struct authority_state *state, uint64_t generation)
{
	if (generation > state->stored->committed)
		return false;
	for (size_t i = 0; i < state->stored->n_abandoned; i++)
		if (state->stored->abandoned[i] == generation)
			return false;
	return true;
}

bool authority_state_abandon(struct op_context *context, struct authority_state *state, uint64_t generation)
{
	size_t count = state->stored->n_abandoned;
	if (count >= ABANDONED_MAX)
		return false;
	uint64_t *more = arena_alloc(context->arena, (count + 1) * sizeof *more);
	if (more == NULL)
		return false;
	if (count > 0)
		memcpy(more, state->stored->abandoned, count * sizeof *more);
	more[count] = generation;
	state->stored->abandoned = more;
	state->stored->n_abandoned = count + 1;
	return true;
}

Cpis__V1__Contacts *authority_contacts(const struct authority_state *state, struct date today)
{
	Cpis__V1__Contacts *found = NULL;
	for (size_t i = 0; i < state->stored->n_contacts; i++) {
		Cpis__V1__Contacts *contacts = state->stored->contacts[i];
		struct date from;
		// They are in the order of their dates.
		if (date_parse(contacts->from_date, strlen(contacts->from_date), &from) && from.day <= today.day)
			found = contacts;
	}
	return found;
}

bool authority_contacts_stale(struct op_context *context, const Cpis__V1__Contacts *contacts)
{
	uint64_t allowed_ms = register_publishing(context->snapshot).contacts_stale_days * DAY_MS;
	return contacts->last_confirmed_ms + allowed_ms < context->now_ms;
}
