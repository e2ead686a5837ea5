// Certificates, lists and requests as somebody might have them made: good ones, changed as bytes say, and signed by a real authority
// after that. Zeros change nothing.
#ifndef CPIS_TESTS_FUZZ_FORGE_H
#define CPIS_TESTS_FUZZ_FORGE_H

#include "certs/identity.h"
#include "tests/fuzz/fuzz.h"

#define FORGE_NOW_MS 1792488600000u
#define FORGE_BROKER "test-broker"

// Makes an authority in fuzz_directory(), with new keys in each run. Its trust bundle lies in forge_trust().
void forge_begin(void);
const char *forge_trust(void);

// With the other authority, which issues as STRANGER, beside the one in force.
void forge_adopt(void);

// DER of what the bytes ask for, for the caller to free with OPENSSL_free. NULL: OpenSSL does not make such a thing.
uint8_t *forge_certificate(struct fuzz_input *input, size_t *ret_bytes);
uint8_t *forge_list(struct fuzz_input *input, size_t *ret_bytes);
uint8_t *forge_request(struct fuzz_input *input, size_t *ret_bytes);
// PEM of these bytes, as a path (fuzz_file).
const char *forge_pem(const char *label, const uint8_t *data, size_t bytes);

#endif
