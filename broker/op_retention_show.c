// RETENTION_SHOW: which months' records can still be read, until when, and what is held.
#include <string.h>

#include "broker/hold.h"
#include "broker/retention.h"
#include "proto/date.h"

struct shown {
	struct op_context *context;
	Cpis__V1__RetentionHold **holds;
	size_t hold_count;
	Cpis__V1__RetentionShowReply *reply;
	size_t limit;
};

// The newest month before `before` that has a key; false: none.
static bool month_before(const struct audit_keys *keys, uint32_t before, uint32_t *ret)
{
	bool found = false;
	for (size_t i = 0; i < audit_keys_count(keys); i++) {
		uint32_t month = audit_keys_at(keys, i)->month;
		if (month < before && (!found || month > *ret)) {
			*ret = month;
			found = true;
		}
	}
	return found;
}

static Cpis__V1__RetentionKey *key_value(struct op_context *context, const struct audit_key *key)
{
	Cpis__V1__RetentionKey *value = OP_NEW(context, Cpis__V1__RetentionKey, cpis__v1__retention_key__init);
	if (value == NULL)
		return NULL;
	value->record_class = (Cpis__V1__RecordClass)key->record_class;
	value->seal_key = key->id;
	value->destroyed_ms = key->destroyed_ms;
	value->due_ms = key->destroyed_ms != 0 ? 0 : retention_due_ms(context->policy, audit_keys_of(context->audit), key);
	return value;
}

// A month has four keys; more where the clock went back to one whose keys were destroyed. The newest are shown.
static bool add_keys(struct op_context *context, uint32_t month, Cpis__V1__RetentionMonth *value)
{
	const struct audit_keys *keys = audit_keys_of(context->audit);
	value->keys = arena_alloc(context->arena, RETENTION_KEYS_MAX * sizeof *value->keys);
	if (value->keys == NULL)
		return false;
	for (size_t i = audit_keys_count(keys); i-- > 0 && value->n_keys < RETENTION_KEYS_MAX;) {
		const struct audit_key *key = audit_keys_at(keys, i);
		if (key->month != month)
			continue;
		value->keys[value->n_keys] = key_value(context, key);
		if (value->keys[value->n_keys++] == NULL)
			return false;
	}
	for (size_t i = 1; i < value->n_keys; i++) // by class; they are few
		for (size_t k = i; k > 0 && value->keys[k]->record_class < value->keys[k - 1]->record_class; k--) {
			Cpis__V1__RetentionKey *swapped = value->keys[k];
			value->keys[k] = value->keys[k - 1];
			value->keys[k - 1] = swapped;
		}
	return true;
}

static bool add_month(struct shown *shown, uint32_t month)
{
	Cpis__V1__RetentionMonth *value =
		OP_NEW(shown->context, Cpis__V1__RetentionMonth, cpis__v1__retention_month__init);
	char text[MONTH_BYTES];
	if (value == NULL || !add_keys(shown->context, month, value))
		return false;
	month_format(month, text);
	value->month = arena_copy_text(shown->context->arena, text, strlen(text));
	value->held = hold_any_covers(shown->holds, shown->hold_count, month);
	shown->reply->months[shown->reply->n_months++] = value;
	return value->month != NULL;
}

static bool add_months(struct shown *shown, uint32_t before)
{
	const struct audit_keys *keys = audit_keys_of(shown->context->audit);
	uint32_t month = 0;
	shown->reply->months = arena_alloc(shown->context->arena, shown->limit * sizeof *shown->reply->months);
	if (shown->reply->months == NULL)
		return false;
	for (; month_before(keys, before, &month); before = month) {
		if (shown->reply->n_months == shown->limit) {
			shown->reply->more = true;
			return true;
		}
		if (!add_month(shown, month))
			return false;
	}
	return true;
}

enum reason op_retention_show(struct op_context *context)
{
	const Cpis__V1__RetentionShowRequest *request = context->request->retention_show;
	struct shown shown = {.context = context, .limit = request->limit == 0 ? PAGE_ITEMS_DEFAULT : request->limit};
	uint32_t before = UINT32_MAX;
	bool first_page = !month_parse(request->before_month, strlen(request->before_month), &before);
	if (first_page)
		before = UINT32_MAX;
	enum store_status status = hold_all(context, &shown.holds, &shown.hold_count);
	if (status != STORE_OK)
		return status == STORE_FAILED ? REASON_STORE : REASON_INTERNAL;
	shown.reply = OP_NEW(context, Cpis__V1__RetentionShowReply, cpis__v1__retention_show_reply__init);
	if (shown.reply == NULL || !add_months(&shown, before))
		return REASON_INTERNAL;
	if (first_page) {
		shown.reply->holds = shown.holds;
		shown.reply->n_holds = shown.hold_count;
	}
	context->detail->count = (uint32_t)shown.reply->n_months;
	context->reply->retention_show = shown.reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_RETENTION_SHOW;
	return REASON_NONE;
}
