// A benchmark that ends early, by a failure or because it is told to (SIGTERM, SIGINT), leaves no process and no files behind.
#ifndef CPIS_TESTS_BENCH_ENDING_H
#define CPIS_TESTS_BENCH_ENDING_H

#include "tests/harness/world.h"

// This world is freed when the process exits, unless it was taken back. Eight at a time.
void ending_frees(struct world *world);
void ending_takes_back(struct world *world);
// This directory is removed likewise. The text is borrowed.
void ending_removes(const char *directory);

#endif
