// Messages sealed and opened.
#include "broker/sealed.h"

struct store_blob sealed_make(struct vault *vault, struct arena *arena, enum vault_purpose purpose, const void *identity,
			      size_t identity_bytes, const ProtobufCMessage *message)
{
	struct store_blob sealed = {NULL, 0};
	size_t plain_bytes;
	const uint8_t *plain = wire_pack(arena, message, &plain_bytes);
	uint8_t *out = plain == NULL ? NULL : arena_alloc(arena, plain_bytes + VAULT_OVERHEAD_BYTES);
	if (out != NULL && vault_seal(vault, purpose, identity, identity_bytes, plain, plain_bytes, out))
		sealed = (struct store_blob){out, plain_bytes + VAULT_OVERHEAD_BYTES};
	return sealed;
}

ProtobufCMessage *sealed_open(struct vault *vault, struct arena *arena, enum vault_purpose purpose, const void *identity,
			      size_t identity_bytes, struct store_blob sealed,
			      const ProtobufCMessageDescriptor *descriptor)
{
	if (sealed.bytes < VAULT_OVERHEAD_BYTES)
		return NULL;
	size_t plain_bytes = sealed.bytes - VAULT_OVERHEAD_BYTES;
	uint8_t *plain = arena_alloc(arena, plain_bytes + 1);
	ProtobufCMessage *message = NULL;
	struct wire_error error;
	if (plain == NULL || !vault_unseal(vault, purpose, identity, identity_bytes, sealed.data, sealed.bytes, plain) ||
	    wire_unpack(arena, descriptor, plain, plain_bytes, &message, &error) != WIRE_OK)
		return NULL;
	return message;
}
