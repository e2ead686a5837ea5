// Public keys as people and other tools handle them: a fingerprint to compare over the telephone, and PEM.
//
// The fingerprint is the first 80 bits of SHA-256 over the DER SubjectPublicKeyInfo (RFC 8410), as five groups of four
// hexadecimal digits: "3f2a-91c0-7d11-0b5e-c442". Whoever wants another key certified in the place of one has to find one with the
// same 80 bits, 2^80 tries; that two keys of one's own can be found with the same fingerprint in 2^40 is of no use to anybody.
#ifndef CPIS_CERTS_PUBLIC_KEY_H
#define CPIS_CERTS_PUBLIC_KEY_H

#include <stdbool.h>

#include "certs/key.h"
#include "certs/staff_key.h"

#define PUBLIC_KEY_FINGERPRINT_BYTES 25 // with its NUL

// Of a raw X25519 key. False when the cryptographic library fails.
__attribute__((warn_unused_result)) bool public_key_fingerprint(const uint8_t public_key[KEY_BYTES],
								char out[PUBLIC_KEY_FINGERPRINT_BYTES]);
// Of a member of staff's key.
__attribute__((warn_unused_result)) bool public_key_staff_fingerprint(const struct staff_key *key,
								      char out[PUBLIC_KEY_FINGERPRINT_BYTES]);
// Whether this was typed for it: groups may be apart or not, with spaces or dashes, in capitals or not.
bool public_key_fingerprint_is(const char *fingerprint, const char *typed);

// The SubjectPublicKeyInfo of an X25519 key in PEM, as `openssl pkey -pubin` reads it.
#define PUBLIC_KEY_PEM_BYTES 128
void public_key_pem(const uint8_t public_key[KEY_BYTES], char out[PUBLIC_KEY_PEM_BYTES]);

#endif
