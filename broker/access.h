// Looks at details, as they stand in a child's history: sealed in, opened out.
#ifndef CPIS_BROKER_ACCESS_H
#define CPIS_BROKER_ACCESS_H

#include "broker/op.h"
#include "broker/stored.pb-c.h"

// Who is looking now, as history, notifications and other registers are told. NULL: the arena is full.
Cpis__V1__Access *access_now(struct op_context *context);
// Puts this request's look into the history of its subject. A silent one is kept and not shown. REASON_NONE or REASON_STORE.
enum reason access_put(struct op_context *context, const Cpis__Stored__V1__StoredAccess *access, bool silent);
// NULL, and a line in the operator's log, when it does not open or does not fit the arena.
const Cpis__Stored__V1__StoredAccess *access_open(struct op_context *context, const struct store_access *row);

#endif
