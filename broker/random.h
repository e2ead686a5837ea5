// The only file that asks for randomness.
#ifndef CPIS_BROKER_RANDOM_H
#define CPIS_BROKER_RANDOM_H

#include <stddef.h>

// From getrandom(2), by the page; aborts when the kernel has none, because nothing safe can be done then. Thread-safe; a forked
// process gets other bytes than its parent.
void random_bytes(void *out, size_t bytes);
// The same, from the kernel at this moment: for what may never come twice, also where a virtual machine is started twice from one
// image of its memory.
void random_fresh(void *out, size_t bytes);

#endif
