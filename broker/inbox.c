// Sealing and opening inbox items. Associated data is organisation and id, and for the acknowledger's name one
// more byte, so that neither can be put into the other's place.
#include "broker/inbox.h"
#include "broker/sealed.h"

#include <stdio.h>
#include <string.h>

struct inbox_identity inbox_identity_of(const struct ods_code *organisation, uint64_t id, enum inbox_part part)
{
	struct inbox_identity identity = {.count = sizeof identity.bytes};
	memcpy(identity.bytes, organisation->text, sizeof organisation->text);
	for (size_t i = 0; i < 8; i++)
		identity.bytes[sizeof organisation->text + i] = (uint8_t)(id >> (56 - 8 * i));
	identity.bytes[identity.count - 1] = (uint8_t)part;
	return identity;
}

// NUL-terminated, so that the name can be used as it is.
static char *open_acknowledger(struct op_context *context, const struct store_inbox_item *row)
{
	struct inbox_identity identity = inbox_identity_of(&row->organisation, row->id, INBOX_PART_SETTLEMENT);
	struct store_blob sealed = row->acknowledged_by;
	if (sealed.bytes < VAULT_OVERHEAD_BYTES)
		return NULL;
	uint8_t *name = arena_alloc(context->arena, sealed.bytes - VAULT_OVERHEAD_BYTES + 1);
	if (name == NULL || !vault_unseal(context->vault, VAULT_INBOX, identity.bytes, identity.count, sealed.data,
					  sealed.bytes, name))
		return NULL;
	return (char *)name;
}

uint64_t inbox_wait_key(enum store_box box, const struct ods_code *organisation)
{
	char name[ODS_CODE_BYTES_MAX + 8];
	int bytes = snprintf(name, sizeof name, "%u %s", (unsigned)box, organisation->text);
	return wait_key(WAIT_INBOX, name, (size_t)bytes);
}

enum reason inbox_put(struct op_context *context, const char *organisation, Cpis__V1__InboxItem *item)
{
	struct store_inbox_item row = {.created_ms = context->now_ms};
	if (!ods_code_parse(organisation, strlen(organisation), &row.organisation) ||
	    context->store->ops->inbox_next_id(context->store, STORE_BOX_NOTIFICATIONS, &row.organisation, &row.id) != STORE_OK)
		return REASON_STORE;
	item->id = row.id;
	item->created_ms = row.created_ms;
	struct inbox_identity identity = inbox_identity_of(&row.organisation, row.id, INBOX_PART_ITEM);
	row.sealed = sealed_make(context->vault, context->arena, VAULT_INBOX, identity.bytes, identity.count, &item->base);
	if (row.sealed.data == NULL || context->store->ops->inbox_put(context->store, &row) != STORE_OK)
		return REASON_STORE;
	wakes_add(context->wakes, inbox_wait_key(row.box, &row.organisation));
	return REASON_NONE;
}

Cpis__V1__InboxItem *inbox_open(struct op_context *context, const struct store_inbox_item *row)
{
	struct inbox_identity identity = inbox_identity_of(&row->organisation, row->id, INBOX_PART_ITEM);
	Cpis__V1__InboxItem *item = (Cpis__V1__InboxItem *)sealed_open(context->vault, context->arena, VAULT_INBOX,
								       identity.bytes, identity.count, row->sealed,
								       &cpis__v1__inbox_item__descriptor);
	if (item == NULL)
		return NULL;
	item->acknowledged_ms = row->acknowledged_ms;
	if (row->acknowledged_ms != 0) {
		item->acknowledged_by = open_acknowledger(context, row);
		if (item->acknowledged_by == NULL)
			return NULL;
	}
	return item;
}

struct store_blob inbox_seal_acknowledger(struct op_context *context, const struct ods_code *organisation, uint64_t id,
					  const char *name)
{
	struct inbox_identity identity = inbox_identity_of(organisation, id, INBOX_PART_SETTLEMENT);
	struct store_blob sealed = {NULL, 0};
	size_t bytes = strlen(name);
	uint8_t *out = arena_alloc(context->arena, bytes + VAULT_OVERHEAD_BYTES);
	if (out != NULL && vault_seal(context->vault, VAULT_INBOX, identity.bytes, identity.count, (const uint8_t *)name,
				      bytes, out))
		sealed = (struct store_blob){out, bytes + VAULT_OVERHEAD_BYTES};
	return sealed;
}
