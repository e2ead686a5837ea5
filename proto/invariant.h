// INVARIANT(condition): our own mistakes, and only those. Always on. Says where and aborts, so that a
// broken broker stops instead of answering. Nothing a peer, a file or a disk can do may reach one.
#ifndef CPIS_PROTO_INVARIANT_H
#define CPIS_PROTO_INVARIANT_H

#include <stdio.h>
#include <stdlib.h>

#define INVARIANT(condition)                                                                         \
	do {                                                                                         \
		if (!(condition)) {                                                                  \
			fprintf(stderr, "invariant broken: %s (%s:%d)\n", #condition, __FILE__, __LINE__); \
			abort();                                                                     \
		}                                                                                    \
	} while (0)

#endif
