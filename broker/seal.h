// The primitives of everything that is sealed: AES-256-GCM under one key, HMAC-SHA-256 tags under another, and keys derived
// from a secret. Which keys there are is broker/vault.h's affair, and broker/audit_keys.h's.
//
// Sealed form: nonce (12, random) || ciphertext || tag (16). Associated data is the row's identity, so a sealed value moved to
// another row does not open.
#ifndef CPIS_BROKER_SEAL_H
#define CPIS_BROKER_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/store.h"

#define SEAL_OVERHEAD_BYTES 28
#define SEAL_SECRET_BYTES 32

// HKDF-SHA-256 (RFC 5869) without salt: the secret is uniformly random. A label is part of what is stored: with another one
// nothing opens any more. False when the library fails.
__attribute__((warn_unused_result)) bool seal_derive(const uint8_t secret[SEAL_SECRET_BYTES], const char *label,
						     uint8_t ret[SEAL_SECRET_BYTES]);

struct seal_key;
__attribute__((warn_unused_result)) bool seal_key_new(const uint8_t key[SEAL_SECRET_BYTES], struct seal_key **ret);
void seal_key_free(struct seal_key *key); // accepts NULL; wipes

// `out` has room for plain_bytes + SEAL_OVERHEAD_BYTES. False when the library fails: then refuse the request.
__attribute__((warn_unused_result)) bool seal_close(struct seal_key *key, const void *identity, size_t identity_bytes,
						    const uint8_t *plain, size_t plain_bytes, uint8_t *out);
// `out` has room for sealed_bytes - SEAL_OVERHEAD_BYTES. False, and `out` wiped, when it does not open.
__attribute__((warn_unused_result)) bool seal_open(struct seal_key *key, const void *identity, size_t identity_bytes,
						   const uint8_t *sealed, size_t sealed_bytes, uint8_t *out);

// In a time that does not depend on where they differ.
bool seal_equal(const uint8_t *a, const uint8_t *b, size_t bytes);

struct tag_key;
struct tag_field {
	const void *data;
	size_t bytes; // at most 255
};
__attribute__((warn_unused_result)) bool tag_key_new(const uint8_t key[SEAL_SECRET_BYTES], struct tag_key **ret);
void tag_key_free(struct tag_key *key); // accepts NULL; wipes
// Short inputs that were asked for lately are remembered: the same few people ask all night.
// HMAC over kind || (length || bytes) of each field: no two inputs have the same encoding. One-way without the key.
void tag_make(struct tag_key *key, uint8_t kind, const struct tag_field *fields, size_t field_count, struct store_tag *ret);
// The whole HMAC over kind || bytes, of any length.
void tag_digest(struct tag_key *key, uint8_t kind, const uint8_t *data, size_t bytes, uint8_t ret[HASH_BYTES]);

#endif
