// The only file that asks for randomness.
#ifndef CPIS_BROKER_RANDOM_H
#define CPIS_BROKER_RANDOM_H

#include <stddef.h>

// getrandom(2); aborts when the kernel has none, because nothing safe can be done then. Thread-safe.
void random_bytes(void *out, size_t bytes);

#endif
