// A store that stands before a real one and fails when it is told to: at the n-th call, at the commit, or after
// the commit has been carried out. Between failures everything goes through.
#ifndef CPIS_TESTS_HARNESS_FAULT_STORE_H
#define CPIS_TESTS_HARNESS_FAULT_STORE_H

#include <stdint.h>

#include "broker/store.h"

enum fault_commit {
	FAULT_COMMIT_HONEST,
	FAULT_COMMIT_FAILS, // nothing is stored, and it says so
	FAULT_COMMIT_LIES,  // everything is stored, and it says that it failed
};

struct fault_store {
	struct store store;         // hand this to the core
	struct store *real;         // borrowed
	uint64_t calls;             // so far; rollback and close never fail and are not counted
	uint64_t fail_at;           // the call with this number fails, counted from 1; 0: none
	enum fault_commit commit;
};

void fault_store_init(struct fault_store *fault, struct store *real);
// From here on nothing has been called yet and nothing fails.
void fault_store_mend(struct fault_store *fault);

#endif
