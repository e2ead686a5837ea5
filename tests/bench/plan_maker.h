// Makes a register of any size: plans straight into a SQLite store, through the broker's own vault, plan_put and authority state, as
// one full file of each authority, with contacts; and the NHS numbers that go with it.
#ifndef CPIS_TESTS_BENCH_PLAN_MAKER_H
#define CPIS_TESTS_BENCH_PLAN_MAKER_H

#include "proto/ods_code.h"

// The valid number after `*stem`'s, in order, from 0 on; aborts past the end of the range kept for tests.
void plan_maker_number(unsigned *stem, char out[11]);

// `count` plans, one for each of the first numbers; number i is of authority i modulo their count. The store is there and no
// broker runs on it. What cannot be had ends the process with a sentence.
void plan_maker_fill(const char *store_path, const char *key_path, const struct ods_code *authorities, unsigned authorities_count,
		     unsigned count);

#endif
