// Sealing and opening inbox items. Associated data is organisation and id, and for the acknowledger's name one
// more byte, so that neither can be put into the other's place.
#include "broker/inbox.h"

#include <stdio.h>
#include <string.h>

struct identity {
	uint8_t bytes[ODS_CODE_BYTES_MAX + 1 + 8 + 1];
	size_t count;
};

enum { PART_ITEM = 'i', PART_ACKNOWLEDGER = 'a' };

static struct identity identity_of(const struct ods_code *organisation, uint64_t id, char part)
{
	struct identity identity = {.count = sizeof identity.bytes};
	memcpy(identity.bytes, organisation->text, sizeof organisation->text);
	for (size_t i = 0; i < 8; i++)
		identity.bytes[sizeof organisation->text + i] = (uint8_t)(id >> (56 - 8 * i));
	identity.bytes[identity.count - 1] = (uint8_t)part;
	return identity;
}

static struct store_blob seal(struct op_context *context, struct identity identity, const uint8_t *plain,
			      size_t plain_bytes)
{
	struct store_blob sealed = {NULL, 0};
	uint8_t *out = plain == NULL ? NULL : arena_alloc(context->arena, plain_bytes + VAULT_OVERHEAD_BYTES);
	if (out != NULL && vault_seal(context->vault, VAULT_INBOX, identity.bytes, identity.count, plain, plain_bytes, out))
		sealed = (struct store_blob){out, plain_bytes + VAULT_OVERHEAD_BYTES};
	return sealed;
}

// NUL-terminated, so that text can be used as it is.
static uint8_t *unseal(struct op_context *context, struct identity identity, struct store_blob sealed, size_t *ret_bytes)
{
	if (sealed.bytes < VAULT_OVERHEAD_BYTES)
		return NULL;
	size_t plain_bytes = sealed.bytes - VAULT_OVERHEAD_BYTES;
	uint8_t *plain = arena_alloc(context->arena, plain_bytes + 1);
	if (plain == NULL || !vault_unseal(context->vault, VAULT_INBOX, identity.bytes, identity.count, sealed.data,
					   sealed.bytes, plain))
		return NULL;
	*ret_bytes = plain_bytes;
	return plain;
}

enum reason inbox_put(struct op_context *context, const char *organisation,
		      const Cpis__V1__AccessNotification *notification)
{
	struct store_inbox_item row = {.created_ms = context->now_ms};
	if (!ods_code_parse(organisation, strlen(organisation), &row.organisation) ||
	    context->store->ops->inbox_next_id(context->store, &row.organisation, &row.id) != STORE_OK)
		return REASON_STORE;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	item.id = row.id;
	item.created_ms = row.created_ms;
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_ACCESS;
	item.access = (Cpis__V1__AccessNotification *)(uintptr_t)notification;
	size_t plain_bytes = 0;
	const uint8_t *plain = wire_pack(context->arena, &item.base, &plain_bytes);
	row.sealed = seal(context, identity_of(&row.organisation, row.id, PART_ITEM), plain, plain_bytes);
	if (row.sealed.data == NULL || context->store->ops->inbox_put(context->store, &row) != STORE_OK)
		return REASON_STORE;
	return REASON_NONE;
}

Cpis__V1__InboxItem *inbox_open(struct op_context *context, const struct store_inbox_item *row)
{
	size_t plain_bytes = 0;
	ProtobufCMessage *message = NULL;
	struct wire_error error;
	const uint8_t *plain =
		unseal(context, identity_of(&row->organisation, row->id, PART_ITEM), row->sealed, &plain_bytes);
	if (plain == NULL || wire_unpack(context->arena, &cpis__v1__inbox_item__descriptor, plain, plain_bytes, &message,
					 &error) != WIRE_OK)
		return NULL;
	Cpis__V1__InboxItem *item = (Cpis__V1__InboxItem *)message;
	item->acknowledged_ms = row->acknowledged_ms;
	if (row->acknowledged_ms != 0) {
		uint8_t *name = unseal(context, identity_of(&row->organisation, row->id, PART_ACKNOWLEDGER),
				       row->acknowledged_by, &plain_bytes);
		if (name == NULL)
			return NULL;
		item->acknowledged_by = (char *)name;
	}
	return item;
}

struct store_blob inbox_seal_acknowledger(struct op_context *context, const struct ods_code *organisation, uint64_t id,
					  const char *name)
{
	return seal(context, identity_of(organisation, id, PART_ACKNOWLEDGER), (const uint8_t *)name, strlen(name));
}
