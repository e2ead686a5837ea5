// Items in an organisation's inbox: sealed in, opened out. Used by the requests that notify and those that read.
#ifndef CPIS_BROKER_INBOX_H
#define CPIS_BROKER_INBOX_H

#include "broker/op.h"

// Associated data of an item: its place, and which of its parts.
enum inbox_part { INBOX_PART_ITEM = 'i', INBOX_PART_SETTLEMENT = 'a' };
struct inbox_identity {
	uint8_t bytes[ODS_CODE_BYTES_MAX + 1 + 8 + 1];
	size_t count;
};
struct inbox_identity inbox_identity_of(const struct ods_code *organisation, uint64_t id, enum inbox_part part);

// The key on which requests wait for an item in this box (broker/wait.h).
uint64_t inbox_wait_key(enum store_box box, const struct ods_code *organisation);

// Puts an item of any kind into the inbox of `organisation` (ODS code) in the current batch; its id and time are filled in.
// REASON_NONE or REASON_STORE.
enum reason inbox_put(struct op_context *context, const char *organisation, Cpis__V1__InboxItem *item);

// A stored item, opened. NULL when it does not open or does not fit the arena.
Cpis__V1__InboxItem *inbox_open(struct op_context *context, const struct store_inbox_item *row);

// The acknowledging person's name, sealed to the item. NULL data when that fails.
struct store_blob inbox_seal_acknowledger(struct op_context *context, const struct ods_code *organisation, uint64_t id,
					  const char *name);

#endif
