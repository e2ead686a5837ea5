// Legal holds: months of the audit log whose keys are not destroyed, whatever the policy says. In the store, sealed.
#ifndef CPIS_BROKER_HOLD_H
#define CPIS_BROKER_HOLD_H

#include "broker/op.h"

// All of them, opened, in the arena; HOLDS_MAX at most. STORE_NOT_FOUND: one does not open.
__attribute__((warn_unused_result)) enum store_status hold_all(struct op_context *context, Cpis__V1__RetentionHold ***ret,
								size_t *ret_count);
// Adds or replaces, in the store's batch. STORE_NO_MEMORY: it does not fit the arena.
__attribute__((warn_unused_result)) enum store_status hold_put(struct op_context *context, Cpis__V1__RetentionHold *hold);
// STORE_NOT_FOUND: there was none.
__attribute__((warn_unused_result)) enum store_status hold_delete(struct op_context *context, const char *name);

// Whether one of them holds this month.
bool hold_any_covers(Cpis__V1__RetentionHold *const *holds, size_t count, uint32_t month);

#endif
