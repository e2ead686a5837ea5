// Backing off, with jitter.
#include "clients/libcpis/backoff.h"

uint32_t backoff_ms(uint32_t retry_after_ms, unsigned times, uint32_t random)
{
	uint64_t span_ms = (uint64_t)retry_after_ms << (times < 16 ? times : 16);
	if (span_ms > BACKOFF_SPAN_MS_MAX)
		span_ms = BACKOFF_SPAN_MS_MAX;
	uint64_t added_ms = span_ms * random >> 32;
	return retry_after_ms > UINT32_MAX - BACKOFF_SPAN_MS_MAX ? retry_after_ms : retry_after_ms + (uint32_t)added_ms;
}
