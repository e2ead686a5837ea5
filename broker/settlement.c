// Seen, acted on. Whoever acknowledged first stays named; the sender is told of both.
#include "broker/settlement.h"

#include "broker/progress.h"

enum reason settlement_make(struct op_context *context, struct store_inbox_item *row, const Cpis__V1__InboxItem *item,
			    Cpis__V1__Settlement settlement, bool *ret_done)
{
	Cpis__Stored__V1__StoredSettlement stored = CPIS__STORED__V1__STORED_SETTLEMENT__INIT;
	bool acted = settlement == CPIS__V1__SETTLEMENT__ACTED_ON, first = row->acknowledged_ms == 0;
	*ret_done = first || (acted && item->settlement != CPIS__V1__SETTLEMENT__ACTED_ON);
	if (!*ret_done)
		return REASON_NONE;
	stored.by = first ? context->session->name : item->acknowledged_by;
	stored.uid = context->session->uid;
	stored.settlement = acted ? CPIS__V1__SETTLEMENT__ACTED_ON : CPIS__V1__SETTLEMENT__SEEN;
	row->acknowledged_by = inbox_seal(context, row, INBOX_PART_SETTLEMENT, &stored.base);
	if (row->acknowledged_by.data == NULL)
		return REASON_INTERNAL;
	if (first)
		row->acknowledged_ms = context->now_ms;
	row->lease_until_ms = 0;
	row->due_ms = 0;
	if (context->store->ops->inbox_update(context->store, row) != STORE_OK)
		return REASON_STORE;
	return progress_tell(context, row, item, acted ? CPIS__V1__PROGRESS_EVENT__ACTED : CPIS__V1__PROGRESS_EVENT__READ,
			     context->session->name);
}
