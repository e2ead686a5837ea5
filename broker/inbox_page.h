// A page of an inbox, for those who read it: as many items as fit a reply.
#ifndef CPIS_BROKER_INBOX_PAGE_H
#define CPIS_BROKER_INBOX_PAGE_H

#include "broker/inbox.h"

enum inbox_choice {
	INBOX_OPEN,   // not acknowledged, not expired
	INBOX_ALL,
	INBOX_FREE,   // open, and held by nobody
};

struct inbox_query {
	enum store_box box;
	enum inbox_choice choice;
	uint64_t after_id;
	size_t max;                                // 1 to PAGE_ITEMS_MAX
};

struct inbox_page {
	struct store_inbox_item rows[PAGE_ITEMS_MAX];
	Cpis__V1__InboxItem **items;               // in the arena, opened; as many
	size_t count;
	uint64_t unacknowledged;                   // in the whole box
};

// Of the session's own organisation. REASON_NONE, REASON_STORE, or REASON_INTERNAL when an item does not open: never fewer than
// there are.
enum reason inbox_page_read(struct op_context *context, const struct inbox_query *query, struct inbox_page *ret);

#endif
