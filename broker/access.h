// Looks at details, as they stand in a child's history: sealed in, opened out.
#ifndef CPIS_BROKER_ACCESS_H
#define CPIS_BROKER_ACCESS_H

#include "broker/op.h"
#include "broker/stored.pb-c.h"

// Who is looking now, as history, notifications and other registers are told. NULL: the arena is full.
Cpis__V1__Access *access_now(struct op_context *context);
// Puts this request's look into the history of its subject. A silent one is kept and not shown. REASON_NONE or REASON_STORE.
enum reason access_put(struct op_context *context, const Cpis__Stored__V1__StoredAccess *access, bool silent);
// NULL, and a line in the operator's log, when it does not open or does not fit the arena; NULL and `ret_erased` when its month's
// key has been destroyed.
const Cpis__Stored__V1__StoredAccess *access_open(struct op_context *context, const struct store_access *row, bool *ret_erased);

// What the history shows: the latest looks that were not silent, newest first; opened, in the arena.
struct access_history {
	const Cpis__Stored__V1__StoredAccess *looks[ACCESS_HISTORY_MAX];
	size_t count;
};
// Of the request's subject. REASON_NONE, REASON_STORE, or REASON_INTERNAL when one does not open.
enum reason access_history_load(struct op_context *context, struct access_history *ret);

#endif
