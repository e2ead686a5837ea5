// The only file that reads the clock. Everything else takes the time as a parameter.
#ifndef CPIS_BROKER_CLOCK_H
#define CPIS_BROKER_CLOCK_H

#include <stdint.h>

uint64_t clock_now_ms(void);       // UTC, milliseconds since 1970; never 0
uint64_t clock_monotonic_ms(void); // for deadlines and intervals; unrelated to the date
uint64_t clock_monotonic_us(void); // the same clock in microseconds

#endif
