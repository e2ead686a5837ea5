// Randomness from the kernel, by the page: a salt and a nonce for each record are not worth a system call each.
#include "broker/random.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/types.h>

#include "proto/invariant.h"

#define PAGE_BYTES 4096u
#define LARGE_BYTES 256u

// In pages of its own: a forked process finds zeros there and so fetches its own, and no core file has them.
struct pool {
	size_t left; // unused bytes, at the end
	uint8_t bytes[PAGE_BYTES - sizeof(size_t)];
};

static _Thread_local struct pool *pool; // as long as the thread

void random_fresh(void *to, size_t bytes)
{
	uint8_t *out = to;
	while (bytes > 0) {
		ssize_t got = getrandom(out, bytes, 0);
		if (got < 0 && errno == EINTR)
			continue;
		INVARIANT(got > 0);
		out += got;
		bytes -= (size_t)got;
	}
}

static bool open_pool(void)
{
	void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return false;
	if (madvise(page, PAGE_BYTES, MADV_WIPEONFORK) != 0 || madvise(page, PAGE_BYTES, MADV_DONTDUMP) != 0) {
		munmap(page, PAGE_BYTES);
		return false;
	}
	pool = page;
	return true;
}

void random_bytes(void *out, size_t bytes)
{
	if (bytes > LARGE_BYTES || (pool == NULL && !open_pool())) {
		random_fresh(out, bytes);
		return;
	}
	if (pool->left < bytes) {
		random_fresh(pool->bytes, sizeof pool->bytes);
		pool->left = sizeof pool->bytes;
	}
	uint8_t *from = pool->bytes + sizeof pool->bytes - pool->left;
	memcpy(out, from, bytes);
	explicit_bzero(from, bytes); // what was given out is not here any more
	pool->left -= bytes;
}
