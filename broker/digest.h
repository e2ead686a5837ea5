// SHA-256, for comparing requests.
#ifndef CPIS_BROKER_DIGEST_H
#define CPIS_BROKER_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

// Aborts when the library fails: OpenSSL without SHA-256 cannot have got this far.
void digest_sha256(const void *data, size_t bytes, uint8_t out[HASH_BYTES]);

#endif
