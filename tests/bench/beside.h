// A second load at the same time, in a process of its own: what a reviewer does while nurses ask.
#ifndef CPIS_TESTS_BENCH_BESIDE_H
#define CPIS_TESTS_BENCH_BESIDE_H

#include <sys/types.h>

#include "tests/bench/load.h"

struct beside {
	pid_t child;
	int result; // a pipe
};

// Opens the load and runs it, from now on.
void beside_start(struct beside *beside, const struct load_options *options, const struct load_run *run);
// Waits for its end.
void beside_finish(struct beside *beside, struct load_result *ret);

#endif
