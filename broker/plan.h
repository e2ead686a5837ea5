// Plans in their versions: sealed in, opened out, and which of a plan's versions is the one that is shown.
#ifndef CPIS_BROKER_PLAN_H
#define CPIS_BROKER_PLAN_H

#include "broker/authority_state.h"
#include "broker/stored.pb-c.h"

struct plan_version {
	bool found;
	bool vanished;                    // it was not in the last full file
	uint64_t generation;
	struct store_tag subject;
	Cpis__Stored__V1__StoredPlan *plan;
};

// NULL, and a line in the operator's log, when it does not open or is another authority's.
Cpis__Stored__V1__StoredPlan *plan_open(struct op_context *context, const struct store_plan *row);
// Writes a version of the slot. REASON_NONE or REASON_STORE.
enum reason plan_put(struct op_context *context, const struct ods_code *authority, const struct store_tag *slot,
		     const struct store_tag *subject, uint64_t generation, Cpis__Stored__V1__StoredPlan *plan);

// The newest version of a generation below `before` that is shown. REASON_NONE, REASON_STORE or REASON_INTERNAL.
enum reason plan_before(struct op_context *context, const struct authority_state *state, const struct store_tag *slot,
			uint64_t before, struct plan_version *ret);
// The one that is shown now.
enum reason plan_held(struct op_context *context, const struct authority_state *state, const struct store_tag *slot,
		      struct plan_version *ret);
// The version of this very generation, shown or not.
enum reason plan_at(struct op_context *context, const struct store_tag *slot, uint64_t generation, struct plan_version *ret);

// Whether a version is older than the last full file and has no end of its own: it ends on that file's date.
bool plan_has_vanished(const struct authority_state *state, uint64_t generation, const Cpis__Stored__V1__StoredPlan *plan);

// Whether it was published without an end, and has not vanished or been withdrawn.
bool plan_is_open(const struct plan_version *version);

#endif
