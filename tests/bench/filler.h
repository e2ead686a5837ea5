// What lies in a store and nobody asks about: so much of it that a register, a log or an inbox is as large as one wants. Written
// straight into the world's store, through the broker's own store operations, before the broker starts.
#ifndef CPIS_TESTS_BENCH_FILLER_H
#define CPIS_TESTS_BENCH_FILLER_H

#include <stdint.h>

#include "tests/harness/world.h"

// Plans of Leeds. Their pseudonyms are made up and no number stands behind them: the range kept for tests has less than a million.
void filler_plans(struct world *world, uint64_t count);
// Records as log_maker's, signed with the world's log key, the last of them lately.
void filler_records(struct world *world, uint64_t count);
// Notifications to Leeds, acknowledged long ago.
void filler_inbox(struct world *world, uint64_t count);

#endif
