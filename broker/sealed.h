// Messages sealed into bytes and opened again: the one way in which anything about a child or a person gets into the
// store or into a token. What the associated data is for is in broker/seal.h.
#ifndef CPIS_BROKER_SEALED_H
#define CPIS_BROKER_SEALED_H

#include <stddef.h>
#include <stdint.h>

#include "broker/store.h"
#include "broker/vault.h"
#include "proto/arena.h"
#include "proto/wire.h"

// Serialised and sealed, in the arena. NULL data when it does not fit or the library fails.
struct store_blob sealed_make(struct vault *vault, struct arena *arena, enum vault_purpose purpose, const void *identity,
			      size_t identity_bytes, const ProtobufCMessage *message);

// Opened and decoded as strictly as a message from a peer. NULL when it does not open, is not such a message, or does
// not fit the arena.
ProtobufCMessage *sealed_open(struct vault *vault, struct arena *arena, enum vault_purpose purpose, const void *identity,
			      size_t identity_bytes, struct store_blob sealed,
			      const ProtobufCMessageDescriptor *descriptor);

// The same under a key that is not the vault's.
struct store_blob sealed_make_with(struct seal_key *key, struct arena *arena, const void *identity, size_t identity_bytes,
				   const ProtobufCMessage *message);
ProtobufCMessage *sealed_open_with(struct seal_key *key, struct arena *arena, const void *identity, size_t identity_bytes,
				   struct store_blob sealed, const ProtobufCMessageDescriptor *descriptor);

// Associated data of a row of the store: a tag and a number, so that no row can be put in another's place.
struct sealed_row_identity {
	uint8_t bytes[TAG_BYTES + 8];
};
struct sealed_row_identity sealed_row_identity_of(const struct store_tag *tag, uint64_t number);

#endif
