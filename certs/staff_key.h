// The public key of a member of staff, as their certificate has it. Ed25519 signs the texts of proto/ and TLS 1.3 handshakes;
// P-256 and RSA are what browsers, smart cards and passkeys have, and prove by a passkey's assertion (certs/passkey.h) or a
// handshake (certs/tls_handshake.h) only: nobody takes a bare signature by them.
#ifndef CPIS_CERTS_STAFF_KEY_H
#define CPIS_CERTS_STAFF_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/certs_status.h"

enum staff_key_kind {
	STAFF_KEY_ED25519,
	STAFF_KEY_P256, // NIST P-256 by its name, uncompressed (RFC 5480)
	STAFF_KEY_RSA,  // 2048 to 3072 bits, a public exponent from 65537 to 2^32 (RFC 3279; not RSASSA-PSS's own key type)
};

// An RSA key of 3072 bits with such an exponent has at most 424.
#define STAFF_KEY_BYTES_MAX 430

struct staff_key {
	enum staff_key_kind kind;
	size_t size; // of what is used of `bytes`; the rest is zero
	uint8_t bytes[STAFF_KEY_BYTES_MAX]; // Ed25519: the 32 raw ones (RFC 8032); else the DER SubjectPublicKeyInfo
};

// "Ed25519", "P-256", "RSA".
const char *staff_key_kind_text(enum staff_key_kind kind);

bool staff_key_equal(const struct staff_key *a, const struct staff_key *b);

// A DER SubjectPublicKeyInfo, to the last byte, in its one form. CERTS_MALFORMED: it is none. CERTS_WRONG_KEY_TYPE: of another kind,
// curve or size, or with parameters of its own.
__attribute__((warn_unused_result)) enum certs_status staff_key_from_der(const uint8_t *der, size_t der_bytes,
									  struct staff_key *ret);
// As it is kept: the kind and the bytes of struct staff_key. As staff_key_from_der.
__attribute__((warn_unused_result)) enum certs_status staff_key_from_bytes(enum staff_key_kind kind, const uint8_t *bytes,
									    size_t bytes_count, struct staff_key *ret);

#endif
