// What clients were told is done, kept by the test itself, and the comparison of it with what the broker's store holds: after any
// fault each acknowledged request has its record at the place that its receipt named, and each access in the log has its
// notification, once. What is not so aborts (world_fail).
#ifndef CPIS_TESTS_LEDGER_H
#define CPIS_TESTS_LEDGER_H

#include "clients/libcpis/cpis.h"
#include "proto/wire.h"
#include "tests/harness/world.h"

struct ledger_entry {
	uint8_t request_id[REQUEST_ID_BYTES];
	uint64_t audit_index;
	Cpis__V1__Operation operation;
};

// Zeroed: empty. One thread.
struct ledger {
	struct ledger_entry *entries;
	size_t count, room;
};

void ledger_add(struct ledger *ledger, const uint8_t request_id[REQUEST_ID_BYTES], const Cpis__V1__Reply *reply,
		Cpis__V1__Operation operation);
void ledger_done(struct ledger *ledger);

struct ledger_found {
	size_t acknowledged; // over all ledgers
	size_t records;      // in the log
	size_t accesses;     // that took effect: each has its notification
};
// Against the database at `store`, and the inbox of Leeds, whose register entry says {same_look_minutes: 0}. The broker runs.
struct ledger_found ledger_check(struct world *world, const char *store, const struct ledger *const *ledgers, size_t count,
				 struct cpis_client *leeds);
// `cpis audit verify` of that database against the newest checkpoint that a client was shown; NULL: against its own.
void ledger_verify(struct world *world, const char *store, const char *checkpoint);

#endif
