// The machine's clocks.
#include "broker/clock.h"

#include <time.h>

#include "proto/invariant.h"

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;
	INVARIANT(clock_gettime(clock, &now) == 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_now_ms(void)
{
	return read_clock(CLOCK_REALTIME) / 1000;
}

uint64_t clock_monotonic_ms(void)
{
	return read_clock(CLOCK_MONOTONIC) / 1000;
}

uint64_t clock_monotonic_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}
