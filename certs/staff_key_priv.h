// OpenSSL's view of a staff key, and what it verifies. Inside certs/ only.
#ifndef CPIS_CERTS_STAFF_KEY_PRIV_H
#define CPIS_CERTS_STAFF_KEY_PRIV_H

#include <openssl/evp.h>

#include "certs/staff_key.h"

#define STAFF_KEY_KINDS_TEXT "Ed25519, P-256 or RSA of 2048 to 3072 bits is"

// The caller frees. NULL: the library failed.
EVP_PKEY *staff_key_evp(const struct staff_key *key);
// As staff_key_from_der, of a key that OpenSSL has read.
__attribute__((warn_unused_result)) enum certs_status staff_key_from_evp(const EVP_PKEY *key, struct staff_key *ret);

enum staff_signature {
	STAFF_SIGNATURE_ED25519,          // RFC 8032
	STAFF_SIGNATURE_ECDSA_SHA256,     // DER, in its one form (RFC 3279)
	STAFF_SIGNATURE_RSA_PKCS1_SHA256, // RFC 8017 8.2
	STAFF_SIGNATURE_RSA_PSS_SHA256,   // RFC 8017 8.1, a salt of 32 bytes
};
// CERTS_OK, CERTS_SIGNATURE, or CERTS_WRONG_KEY_TYPE: this key does not sign so.
__attribute__((warn_unused_result)) enum certs_status
staff_key_verify(const struct staff_key *key, enum staff_signature how, const uint8_t *message, size_t message_bytes,
		 const uint8_t *signature, size_t signature_bytes);

#endif
