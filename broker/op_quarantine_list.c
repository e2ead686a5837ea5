// QUARANTINE_LIST: what stands now, and who set it.
#include "broker/op_quarantine.h"

#include <string.h>

enum reason op_quarantine_list(struct op_context *context)
{
	Cpis__V1__QuarantineEntry **entries = NULL;
	size_t count = 0;
	enum store_status status = quarantine_entries(context->quarantine, context->arena, &entries, &count);
	if (status != STORE_OK)
		return status == STORE_NO_MEMORY ? REASON_INTERNAL : REASON_STORE;
	Cpis__V1__QuarantineListReply *reply =
		OP_NEW(context, Cpis__V1__QuarantineListReply, cpis__v1__quarantine_list_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	size_t body_bytes = 0;
	reply->entries = entries;
	for (size_t i = 0; i < count; i++) {
		Cpis__V1__QuarantineEntry *entry = entries[i];
		// What was set here could be set here; only others' entries need looking up.
		bool own = strcmp(entry->owner_organisation, context->organisation->ods.text) == 0;
		if ((entry->until_ms != 0 && entry->until_ms <= context->now_ms) ||
		    (!own && !op_quarantine_in_scope(context, entry->kind, entry->target)))
			continue;
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
