// Somebody has seen an inbox item, or acted on it.
#ifndef CPIS_BROKER_SETTLEMENT_H
#define CPIS_BROKER_SETTLEMENT_H

#include "broker/inbox.h"

// Settles the item for the session's person and tells its sender. ACTED_ON may follow SEEN; any other second time changes
// nothing, and `*ret_done` is false. The row is written. REASON_NONE, REASON_STORE or, before anything is written,
// REASON_INTERNAL.
enum reason settlement_make(struct op_context *context, struct store_inbox_item *row, const Cpis__V1__InboxItem *item,
			    Cpis__V1__Settlement settlement, bool *ret_done);

#endif
