// Messages sealed and opened.
#include "broker/sealed.h"

#include <endian.h>
#include <string.h>

struct store_blob sealed_make_with(struct seal_key *key, struct arena *arena, const void *identity, size_t identity_bytes,
				   const ProtobufCMessage *message)
{
	struct store_blob sealed = {NULL, 0};
	size_t plain_bytes;
	const uint8_t *plain = wire_pack(arena, message, &plain_bytes);
	uint8_t *out = plain == NULL ? NULL : arena_alloc(arena, plain_bytes + SEAL_OVERHEAD_BYTES);
	if (out != NULL && seal_close(key, identity, identity_bytes, plain, plain_bytes, out))
		sealed = (struct store_blob){out, plain_bytes + SEAL_OVERHEAD_BYTES};
	return sealed;
}

ProtobufCMessage *sealed_open_with(struct seal_key *key, struct arena *arena, const void *identity, size_t identity_bytes,
				   struct store_blob sealed, const ProtobufCMessageDescriptor *descriptor)
{
	if (sealed.bytes < SEAL_OVERHEAD_BYTES)
		return NULL;
	size_t plain_bytes = sealed.bytes - SEAL_OVERHEAD_BYTES;
	uint8_t *plain = arena_alloc(arena, plain_bytes + 1);
	ProtobufCMessage *message = NULL;
	struct wire_error error;
	if (plain == NULL || !seal_open(key, identity, identity_bytes, sealed.data, sealed.bytes, plain) ||
	    wire_unpack(arena, descriptor, plain, plain_bytes, &message, &error) != WIRE_OK)
		return NULL;
	return message;
}

struct store_blob sealed_make(struct vault *vault, struct arena *arena, enum vault_purpose purpose, const void *identity,
			      size_t identity_bytes, const ProtobufCMessage *message)
{
	return sealed_make_with(vault_key(vault, purpose), arena, identity, identity_bytes, message);
}

ProtobufCMessage *sealed_open(struct vault *vault, struct arena *arena, enum vault_purpose purpose, const void *identity,
			      size_t identity_bytes, struct store_blob sealed,
			      const ProtobufCMessageDescriptor *descriptor)
{
	return sealed_open_with(vault_key(vault, purpose), arena, identity, identity_bytes, sealed, descriptor);
}

struct sealed_row_identity sealed_row_identity_of(const struct store_tag *tag, uint64_t number)
{
	struct sealed_row_identity identity;
	const uint64_t network = htobe64(number);
	memcpy(identity.bytes, tag->bytes, TAG_BYTES);
	memcpy(identity.bytes + TAG_BYTES, &network, sizeof network);
	return identity;
}
