// Items in an organisation's inbox: sealed in, opened out. Used by the requests and jobs that notify and those that read.
#ifndef CPIS_BROKER_INBOX_H
#define CPIS_BROKER_INBOX_H

#include "broker/op.h"
#include "broker/stored.pb-c.h"

// Associated data of an item: its place, and which of its parts.
enum inbox_part { INBOX_PART_ITEM = 'i', INBOX_PART_SETTLEMENT = 'a', INBOX_PART_LEASE = 'l' };
struct inbox_identity {
	uint8_t bytes[ODS_CODE_BYTES_MAX + 1 + 1 + 8 + 1];
	size_t count;
};
struct inbox_identity inbox_identity_of(enum store_box box, const struct ods_code *organisation, uint64_t id,
					enum inbox_part part);

// The box that a request names; not named, the notifications.
enum store_box inbox_box_of(Cpis__V1__InboxBox box);

// The key on which requests wait for an item in this box (broker/wait.h).
uint64_t inbox_wait_key(enum store_box box, const struct ods_code *organisation);
// Whether a request that found nothing in this box waits: then the context's wait is filled, up to `wait_ms` and so that there
// is time left to answer it.
bool inbox_wait(struct op_context *context, enum store_box box, uint32_t wait_ms);

// Puts an item of any kind into the inbox of `organisation` (ODS code) in the current batch; its id and time are filled in.
// REASON_NONE or REASON_STORE.
enum reason inbox_put(struct op_context *context, const char *organisation, Cpis__V1__InboxItem *item);
// The same for an item that is held back until `due_ms`: nobody is given it, and whoever makes the digest finds it.
enum reason inbox_hold(struct op_context *context, const char *organisation, Cpis__V1__InboxItem *item, uint64_t due_ms);

// When something is to be done about an item of this kind that nobody has acknowledged (0: not before it expires).
uint64_t inbox_escalates_ms(const struct op_context *context, const struct store_inbox_item *row);
uint64_t inbox_expires_ms(const struct op_context *context, const struct store_inbox_item *row);

// A stored item, opened, as this box shows it. NULL, and a line in the operator's log, when it does not open or does not fit
// the arena.
Cpis__V1__InboxItem *inbox_open(struct op_context *context, enum store_box box, const struct store_inbox_item *row);
// What is sealed beside an item. NULL when there is none or it does not open.
Cpis__Stored__V1__StoredSettlement *inbox_settlement(struct op_context *context, const struct store_inbox_item *row);
Cpis__Stored__V1__StoredLease *inbox_lease(struct op_context *context, const struct store_inbox_item *row);
// Sealed to its item; NULL data when that fails.
struct store_blob inbox_seal(struct op_context *context, const struct store_inbox_item *row, enum inbox_part part,
			     const ProtobufCMessage *message);

#endif
