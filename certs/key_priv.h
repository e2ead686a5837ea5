// OpenSSL's view of a signing key, for issuing certificates. Inside certs/ only.
#ifndef CPIS_CERTS_KEY_PRIV_H
#define CPIS_CERTS_KEY_PRIV_H

#include <openssl/evp.h>

#include "certs/certs_status.h"
#include "certs/key.h"

// OpenSSL's question for a passphrase, never asked: of a file that says that it is encrypted it would wait for somebody at a
// terminal, and a daemon for ever.
int key_no_passphrase(char *buffer, int size, int writing, void *context);

// PKCS#8 in a new file (0600), flushed to disk.
__attribute__((warn_unused_result)) enum certs_status key_save(EVP_PKEY *key, const char *path);

// Borrowed. NULL of a key on a token.
EVP_PKEY *signing_key_evp(const struct signing_key *key);

// A key that signs somewhere else.
struct signing_token {
	enum certs_status (*sign)(void *token, const uint8_t *message, size_t message_bytes,
				  uint8_t out[ED25519_SIGNATURE_BYTES]);
	void (*close)(void *token);
};
// Takes `token`, which is closed with the key. NULL: no memory, and `token` is still the caller's.
struct signing_key *signing_key_on_token(const struct signing_token *functions, void *token,
					 const uint8_t public_key[KEY_BYTES]);

#endif
