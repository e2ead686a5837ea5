// How long the audit log's records can be read: what the policy says of a key, and how far its execution has got.
#ifndef CPIS_BROKER_RETENTION_H
#define CPIS_BROKER_RETENTION_H

#include "broker/audit_keys.h"
#include "broker/policy.h"

// When a key is to be destroyed, by this policy; 0: never. Counted from its month, or from the latest month of the keys before it:
// what was recorded under a clock that was behind is not due when the clock is right again.
uint64_t retention_due_ms(const struct policy *policy, const struct audit_keys *keys, const struct audit_key *key);

// Of job_retention.c. What children's histories have of a month goes before its key does, in steps; a pass over the month that
// found nothing to remove was the last one, so that it does not matter whether a step's commit failed.
struct retention_progress {
	uint64_t looked_ms;             // nothing was due then
	uint32_t key;                   // whose month is being passed over; 0: none
	uint64_t next;                  // record
	bool removed;                   // in this pass
};

#endif
