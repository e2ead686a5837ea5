// Randomness from the kernel.
#include "broker/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/types.h>

#include "proto/invariant.h"

void random_bytes(void *out, size_t bytes)
{
	uint8_t *at = out;
	while (bytes > 0) {
		ssize_t got = getrandom(at, bytes, 0);
		if (got < 0 && errno == EINTR)
			continue;
		INVARIANT(got > 0);
		at += got;
		bytes -= (size_t)got;
	}
}
