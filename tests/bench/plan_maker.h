// Makes a register of any size: plans straight into a store, through the broker's own vault, plan_put and authority state, as
// one full file of each authority, with contacts; and the NHS numbers that go with it.
#ifndef CPIS_TESTS_BENCH_PLAN_MAKER_H
#define CPIS_TESTS_BENCH_PLAN_MAKER_H

#include "broker/store.h"
#include "proto/ods_code.h"

// The valid number after `*stem`'s, in order, from 0 on; aborts past the end of the range kept for tests.
void plan_maker_number(unsigned *stem, char out[11]);

// A broker's file, open. What cannot be had, here and below, ends the process with a sentence.
struct store *plan_maker_open(const char *store_path);
// `count` plans, one for each of the first numbers; number i is of authority i modulo their count. No broker runs on the store, which
// is closed.
void plan_maker_fill(struct store *store, const char *key_path, const struct ods_code *authorities, unsigned authorities_count,
		     unsigned count);

#endif
