// SHA-256 by the functions that OpenSSL 3 deprecates, because the others allocate.
#include "certs/sha256.h"

#include <stdlib.h>

#define OPENSSL_API_COMPAT 10101
#include <openssl/sha.h>

_Static_assert(SHA256_BYTES == SHA256_DIGEST_LENGTH, "SHA-256 has 32 bytes");

void sha256(const void *data, size_t bytes, uint8_t out[SHA256_BYTES])
{
	SHA256_CTX context;
	// They fail only when called wrongly: then there is no safe way on.
	if (SHA256_Init(&context) != 1 || SHA256_Update(&context, data, bytes) != 1 || SHA256_Final(out, &context) != 1)
		abort();
}
