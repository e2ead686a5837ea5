// SHA-256, for comparing requests.
#ifndef CPIS_BROKER_DIGEST_H
#define CPIS_BROKER_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

// Needs no memory and cannot fail.
void digest_sha256(const void *data, size_t bytes, uint8_t out[HASH_BYTES]);

#endif
