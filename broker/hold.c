// Legal holds on the audit log's keys.
#include "broker/hold.h"

#include <string.h>

#include "broker/log.h"
#include "broker/sealed.h"
#include "proto/date.h"

static Cpis__V1__RetentionHold *open_hold(struct op_context *context, const struct store_hold *row)
{
	const Cpis__Stored__V1__StoredHold *stored = (const Cpis__Stored__V1__StoredHold *)sealed_open(
		context->vault, context->arena, VAULT_HOLD, row->name.bytes, sizeof row->name.bytes, row->sealed,
		&cpis__stored__v1__stored_hold__descriptor);
	if (stored != NULL && stored->hold != NULL)
		return stored->hold;
	log_damage(LOG_EVENT_HOLD_UNREADABLE, "a legal hold does not open");
	return NULL;
}

enum store_status hold_all(struct op_context *context, Cpis__V1__RetentionHold ***ret, size_t *ret_count)
{
	struct store_hold *rows = NULL;
	size_t count = 0;
	enum store_status status = context->store->ops->hold_all(context->store, HOLDS_MAX, context->arena, &rows, &count);
	if (status != STORE_OK)
		return status;
	Cpis__V1__RetentionHold **holds = arena_alloc(context->arena, (count + 1) * sizeof *holds);
	if (holds == NULL)
		return STORE_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		if ((holds[i] = open_hold(context, &rows[i])) == NULL)
			return context->arena->overflowed ? STORE_NO_MEMORY : STORE_NOT_FOUND;
	*ret = holds;
	*ret_count = count;
	return STORE_OK;
}

enum store_status hold_put(struct op_context *context, Cpis__V1__RetentionHold *hold)
{
	Cpis__Stored__V1__StoredHold stored = CPIS__STORED__V1__STORED_HOLD__INIT;
	struct store_hold row;
	stored.hold = hold;
	vault_tag_hold(context->vault, hold->name, &row.name);
	row.sealed = sealed_make(context->vault, context->arena, VAULT_HOLD, row.name.bytes, sizeof row.name.bytes, &stored.base);
	return row.sealed.data == NULL ? STORE_NO_MEMORY : context->store->ops->hold_put(context->store, &row);
}

enum store_status hold_delete(struct op_context *context, const char *name)
{
	struct store_tag tag;
	vault_tag_hold(context->vault, name, &tag);
	return context->store->ops->hold_delete(context->store, &tag);
}

static bool covers(const Cpis__V1__RetentionHold *hold, uint32_t month)
{
	uint32_t from = 0, until = UINT32_MAX;
	// An end that cannot be read holds: what is destroyed does not come back.
	if (!month_parse(hold->from_month, strlen(hold->from_month), &from))
		from = 0;
	if (!month_parse(hold->until_month, strlen(hold->until_month), &until))
		until = UINT32_MAX;
	return month >= from && month <= until;
}

bool hold_any_covers(Cpis__V1__RetentionHold *const *holds, size_t count, uint32_t month)
{
	for (size_t i = 0; i < count; i++)
		if (covers(holds[i], month))
			return true;
	return false;
}
