// OpenSSL's secure heap (OPENSSL_secure_malloc(3)).
#include "certs/key_memory.h"

#include <openssl/crypto.h>

// Some keys of 32 bytes, and the seeds that OpenSSL's random generators keep for each thread. A power of two.
#define HEAP_BYTES (256u * 1024u)
#define SMALLEST_BYTES 16u

static bool locked;

bool key_memory_init(void)
{
	// 2 is a heap that could not be locked.
	if (CRYPTO_secure_malloc_initialized() == 0)
		locked = CRYPTO_secure_malloc_init(HEAP_BYTES, SMALLEST_BYTES) == 1;
	return locked;
}

void *key_memory_new(size_t bytes)
{
	return OPENSSL_secure_zalloc(bytes);
}

void key_memory_free(void *memory, size_t bytes)
{
	OPENSSL_secure_clear_free(memory, bytes);
}
