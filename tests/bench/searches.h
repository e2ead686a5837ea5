// The load of a reviewer who searches the audit log for what one nurse after another did.
#ifndef CPIS_TESTS_BENCH_SEARCHES_H
#define CPIS_TESTS_BENCH_SEARCHES_H

#include "tests/bench/town.h"

struct searches {
	struct town *town;
	uint64_t made;
	struct link_curve_target target;
};

void searches_init(struct searches *searches, struct town *town);
// One connection. Borrows `searches`.
struct load_options searches_load(struct searches *searches);

#endif
