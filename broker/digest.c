// SHA-256.
#include "broker/digest.h"

#include "certs/sha256.h"

void digest_sha256(const void *data, size_t bytes, uint8_t out[HASH_BYTES])
{
	sha256(data, bytes, out);
}
