// An X25519 public key as people and other tools handle it: a fingerprint to compare over the telephone, and PEM.
#ifndef CPIS_CERTS_PUBLIC_KEY_H
#define CPIS_CERTS_PUBLIC_KEY_H

#include <stdbool.h>

#include "certs/key.h"

// Five groups of four hexadecimal digits, "3f2a-91c0-7d11-0b5e-c442", and NUL: the first 80 bits of the SHA-256 of the
// DER SubjectPublicKeyInfo (RFC 8410). To find another key with the same one takes 2^80 tries.
#define PUBLIC_KEY_FINGERPRINT_BYTES 25
// False when the cryptographic library fails.
__attribute__((warn_unused_result)) bool public_key_fingerprint(const uint8_t public_key[KEY_BYTES],
								char out[PUBLIC_KEY_FINGERPRINT_BYTES]);

// The SubjectPublicKeyInfo in PEM, as `openssl pkey -pubin` reads it.
#define PUBLIC_KEY_PEM_BYTES 128
void public_key_pem(const uint8_t public_key[KEY_BYTES], char out[PUBLIC_KEY_PEM_BYTES]);

#endif
