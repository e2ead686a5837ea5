// How many notifications wait in all inboxes, and for how long: counted from the store, and kept for some seconds, because
// counting takes milliseconds when many wait and operators' pages ask every second.
#ifndef CPIS_BROKER_WAITING_H
#define CPIS_BROKER_WAITING_H

#include "broker/store.h"

#define WAITING_KEPT_MS 15000u

// Zeroed: not counted yet.
struct waiting {
	uint64_t counted_ms;
	struct store_waiting items;
};

// Counts anew when what was counted is older than WAITING_KEPT_MS. STORE_FAILED: as with any call of the store; what was counted before
// stays.
__attribute__((warn_unused_result)) enum store_status waiting_count(struct waiting *waiting, struct store *store, uint64_t now_ms);

#endif
