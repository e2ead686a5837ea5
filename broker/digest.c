// SHA-256 through OpenSSL.
#include "broker/digest.h"

#include <openssl/evp.h>

#include "proto/invariant.h"

void digest_sha256(const void *data, size_t bytes, uint8_t out[HASH_BYTES])
{
	INVARIANT(EVP_Digest(data, bytes, out, NULL, EVP_sha256(), NULL) == 1);
}
