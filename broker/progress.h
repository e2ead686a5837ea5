// What the sender of an inbox item is told of it: handed out, read, acted on, escalated, expired. Each in the same commit as
// its cause, and each once, because its cause is.
#ifndef CPIS_BROKER_PROGRESS_H
#define CPIS_BROKER_PROGRESS_H

#include "broker/inbox.h"

// Tells those from whom `item`, an item of this row, came. `by` is who did it there, "" for nobody. Items that nobody sent, and
// progress itself, tell nobody. REASON_NONE or REASON_STORE.
enum reason progress_tell(struct op_context *context, const struct store_inbox_item *row, const Cpis__V1__InboxItem *item,
			  Cpis__V1__ProgressEvent event, const char *by);

// The same for DELIVERED, of what people write to each other, the first time it is handed to somebody: notes that in the row
// and tells. `*ret_changed`: the row is to be written.
enum reason progress_deliver(struct op_context *context, struct store_inbox_item *row, const Cpis__V1__InboxItem *item,
			     bool *ret_changed);

#endif
