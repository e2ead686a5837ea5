// Private keys and what is done with them. Files are PKCS#8 PEM, mode 0600 or stricter; a file that group
// or others can read is refused. Secrets are wiped when freed and never printed.
#ifndef CPIS_CERTS_KEY_H
#define CPIS_CERTS_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "certs/certs_status.h"

#define ED25519_SIGNATURE_BYTES 64
#define KEY_BYTES 32

// An X25519 key (RFC 8410) as CURVE wants it: raw bytes.
struct curve_key_pair {
	uint8_t public_key[KEY_BYTES];
	uint8_t secret_key[KEY_BYTES];
};

__attribute__((warn_unused_result)) enum certs_status curve_key_generate(struct curve_key_pair *ret);
__attribute__((warn_unused_result)) enum certs_status curve_key_load(const char *path, struct curve_key_pair *ret);
// Creates the file (0600, O_EXCL), flushed to disk.
__attribute__((warn_unused_result)) enum certs_status curve_key_save(const struct curve_key_pair *pair, const char *path);
void curve_key_wipe(struct curve_key_pair *pair);

// An Ed25519 key that signs: in a file, or on a token (certs/key_token.h). Only signing is offered, never the bytes.
// A key on a token cannot be saved, and issues no certificates.
struct signing_key;
__attribute__((warn_unused_result)) enum certs_status signing_key_generate(struct signing_key **ret);
__attribute__((warn_unused_result)) enum certs_status signing_key_load(const char *path, struct signing_key **ret);
__attribute__((warn_unused_result)) enum certs_status signing_key_save(const struct signing_key *key, const char *path);
void signing_key_public(const struct signing_key *key, uint8_t out[KEY_BYTES]);
// Not thread-safe for one key: one thread at a time.
__attribute__((warn_unused_result)) enum certs_status
signing_key_sign(const struct signing_key *key, const uint8_t *message, size_t message_bytes,
		 uint8_t out[ED25519_SIGNATURE_BYTES]);
// Accepts NULL; wipes.
void signing_key_free(struct signing_key *key);

// RFC 8032 verification. CERTS_OK or CERTS_SIGNATURE.
__attribute__((warn_unused_result)) enum certs_status
ed25519_verify(const uint8_t public_key[KEY_BYTES], const uint8_t *message, size_t message_bytes,
	       const uint8_t signature[ED25519_SIGNATURE_BYTES]);

#endif
