// QUARANTINE_LIST: what stands now, and who set it.
#include "broker/op_quarantine.h"

#include <string.h>

static bool is_shown(const struct op_context *context, const Cpis__V1__QuarantineEntry *entry)
{
	// What was set here could be set here; only others' entries need looking up.
	bool own = strcmp(entry->owner_organisation, context->organisation->ods.text) == 0;
	return (entry->until_ms == 0 || context->now_ms < entry->until_ms) &&
	       (own || op_quarantine_in_scope(context, entry->kind, entry->target));
}

enum reason op_quarantine_list(struct op_context *context)
{
	struct store_quarantine *rows = NULL;
	size_t count = 0, body_bytes = 0;
	Cpis__V1__QuarantineListReply *reply =
		OP_NEW(context, Cpis__V1__QuarantineListReply, cpis__v1__quarantine_list_reply__init);
	if (reply == NULL ||
	    (reply->entries = arena_alloc(context->arena, PAGE_ITEMS_MAX * sizeof *reply->entries)) == NULL)
		return REASON_INTERNAL;
	enum store_status status = quarantine_rows(context->quarantine, context->arena, &rows, &count);
	if (status != STORE_OK)
		return status == STORE_NO_MEMORY ? REASON_INTERNAL : REASON_STORE;
	for (size_t i = 0; i < count; i++) {
		const size_t before = context->arena->used;
		Cpis__V1__QuarantineEntry *entry = quarantine_open(context->quarantine, context->arena, &rows[i]);
		if (entry == NULL)
			return context->arena->overflowed ? REASON_INTERNAL : REASON_STORE;
		if (!is_shown(context, entry)) {
			arena_rewind(context->arena, before);
			continue;
		}
		body_bytes += protobuf_c_message_get_packed_size(&entry->base) + 4;
		if (reply->n_entries == PAGE_ITEMS_MAX || body_bytes > OP_BODY_BYTES_MAX) {
			reply->more = true;
			break;
		}
		reply->entries[reply->n_entries++] = entry;
	}
	context->detail->count = (uint32_t)reply->n_entries;
	context->reply->quarantine_list = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_QUARANTINE_LIST;
	return REASON_NONE;
}
