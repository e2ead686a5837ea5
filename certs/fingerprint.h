// A key in twenty digits, to be read out over the telephone by whoever made it and compared by whoever certifies it: the
// first 80 bits of SHA-256 over its DER SubjectPublicKeyInfo, as five groups of four hexadecimal digits.
//
// Whoever wants another key certified in its place has to find one with the same 80 bits, 2^80 tries; that two keys of one's
// own can be found with the same fingerprint in 2^40 is of no use to anybody.
#ifndef CPIS_CERTS_FINGERPRINT_H
#define CPIS_CERTS_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/certs_status.h"
#include "certs/key.h"

#define KEY_FINGERPRINT_BYTES 25 // with its NUL

// Of raw public keys.
__attribute__((warn_unused_result)) enum certs_status curve_key_fingerprint(const uint8_t public_key[KEY_BYTES],
									    char out[KEY_FINGERPRINT_BYTES]);
__attribute__((warn_unused_result)) enum certs_status ed25519_key_fingerprint(const uint8_t public_key[KEY_BYTES],
									      char out[KEY_FINGERPRINT_BYTES]);
// As it was typed: groups may be apart or not, with spaces or dashes, in capitals or not.
bool key_fingerprint_is(const char *fingerprint, const char *typed);

#endif
