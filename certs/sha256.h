// SHA-256 of bytes in memory. It needs no memory and takes no lock, so that it cannot fail: OpenSSL's EVP allocates for each digest.
#ifndef CPIS_CERTS_SHA256_H
#define CPIS_CERTS_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

void sha256(const void *data, size_t bytes, uint8_t out[SHA256_BYTES]);

#endif
