// Sealing and opening inbox items. Associated data is box, organisation and id, and one more byte for which part it is, so
// that none can be put into another's place.
#include "broker/inbox.h"

#include <stdio.h>
#include <string.h>

#include "broker/log.h"
#include "broker/sealed.h"

#define MINUTE_MS (60ull * 1000u)
#define DAY_MS (24ull * 60u * MINUTE_MS)
// What a request that waited still needs to be recorded, committed and answered before its deadline.
#define ANSWER_MS 500u

struct inbox_identity inbox_identity_of(enum store_box box, const struct ods_code *organisation, uint64_t id,
					enum inbox_part part)
{
	struct inbox_identity identity = {.count = sizeof identity.bytes};
	uint8_t *to = identity.bytes;
	memcpy(to, organisation->text, sizeof organisation->text);
	to += sizeof organisation->text;
	*to++ = (uint8_t)box;
	for (size_t i = 0; i < 8; i++)
		*to++ = (uint8_t)(id >> (56 - 8 * i));
	*to = (uint8_t)part;
	return identity;
}

enum store_box inbox_box_of(Cpis__V1__InboxBox box)
{
	return box == CPIS__V1__INBOX_BOX__ESCALATIONS ? STORE_BOX_ESCALATIONS : STORE_BOX_NOTIFICATIONS;
}

// ------------------------------------------------------------------ waiting

uint64_t inbox_wait_key(enum store_box box, const struct ods_code *organisation)
{
	char name[ODS_CODE_BYTES_MAX + 8];
	int bytes = snprintf(name, sizeof name, "%u %s", (unsigned)box, organisation->text);
	return wait_key(WAIT_INBOX, name, (size_t)bytes);
}

bool inbox_wait(struct op_context *context, enum store_box box, uint32_t wait_ms)
{
	uint64_t over_ms = context->waited_ms + ANSWER_MS, deadline_ms = context->request->deadline_ms;
	if (!context->may_wait || wait_ms == 0 || over_ms >= deadline_ms)
		return false;
	context->wait = (struct wait){
		.key = inbox_wait_key(box, &context->session->organisation),
		.wait_ms = wait_ms < deadline_ms - over_ms ? wait_ms : (uint32_t)(deadline_ms - over_ms),
	};
	return true;
}

// ------------------------------------------------------------------ what is due

static struct inbox_settings settings_of(const struct op_context *context, const struct ods_code *ods)
{
	const struct organisation *organisation = register_organisation(context->snapshot, ods);
	return organisation == NULL ? register_inbox_defaults(ORGANISATION_CARE_PROVIDER) : organisation->inbox;
}

// What only tells how far something has got is for nobody to act on.
static bool wants_action(uint64_t kind)
{
	return kind != CPIS__V1__INBOX_ITEM__KIND_PROGRESS && kind != CPIS__V1__INBOX_ITEM__KIND_NOTHING;
}

uint64_t inbox_escalates_ms(const struct op_context *context, const struct store_inbox_item *row)
{
	uint64_t minutes = settings_of(context, &row->organisation).escalate_after_minutes;
	return minutes == 0 || row->escalated_ms != 0 || !wants_action(row->kind) ? 0 : row->created_ms + minutes * MINUTE_MS;
}

uint64_t inbox_expires_ms(const struct op_context *context, const struct store_inbox_item *row)
{
	return row->created_ms + settings_of(context, &row->organisation).expire_after_days * DAY_MS;
}

// ------------------------------------------------------------------ in

struct store_blob inbox_seal(struct op_context *context, const struct store_inbox_item *row, enum inbox_part part,
			     const ProtobufCMessage *message)
{
	struct inbox_identity identity = inbox_identity_of(row->box, &row->organisation, row->id, part);
	return sealed_make(context->vault, context->arena, VAULT_INBOX, identity.bytes, identity.count, message);
}

static enum reason put(struct op_context *context, const char *organisation, Cpis__V1__InboxItem *item,
		       struct store_inbox_item *row)
{
	row->created_ms = context->now_ms;
	row->kind = (uint64_t)item->kind_case;
	if (!ods_code_parse(organisation, strlen(organisation), &row->organisation) ||
	    context->store->ops->inbox_next_id(context->store, row->box, &row->organisation, &row->id) != STORE_OK)
		return REASON_STORE;
	if (row->due_ms == 0) {
		uint64_t escalates_ms = inbox_escalates_ms(context, row);
		row->due_ms = escalates_ms != 0 ? escalates_ms : inbox_expires_ms(context, row);
	}
	item->id = row->id;
	item->created_ms = row->created_ms;
	row->sealed = inbox_seal(context, row, INBOX_PART_ITEM, &item->base);
	if (row->sealed.data == NULL || context->store->ops->inbox_put(context->store, row) != STORE_OK)
		return REASON_STORE;
	return REASON_NONE;
}

enum reason inbox_put(struct op_context *context, const char *organisation, Cpis__V1__InboxItem *item)
{
	struct store_inbox_item row = {.box = STORE_BOX_NOTIFICATIONS};
	enum reason reason = put(context, organisation, item, &row);
	if (reason == REASON_NONE)
		wakes_add(context->wakes, inbox_wait_key(row.box, &row.organisation));
	return reason;
}

enum reason inbox_hold(struct op_context *context, const char *organisation, Cpis__V1__InboxItem *item, uint64_t due_ms)
{
	struct store_inbox_item row = {.box = STORE_BOX_HELD, .due_ms = due_ms};
	return put(context, organisation, item, &row);
}

// ------------------------------------------------------------------ out

static ProtobufCMessage *open_part(struct op_context *context, const struct store_inbox_item *row, enum inbox_part part,
				   struct store_blob sealed, const ProtobufCMessageDescriptor *descriptor)
{
	struct inbox_identity identity = inbox_identity_of(row->box, &row->organisation, row->id, part);
	return sealed_open(context->vault, context->arena, VAULT_INBOX, identity.bytes, identity.count, sealed, descriptor);
}

Cpis__Stored__V1__StoredSettlement *inbox_settlement(struct op_context *context, const struct store_inbox_item *row)
{
	return (Cpis__Stored__V1__StoredSettlement *)open_part(context, row, INBOX_PART_SETTLEMENT, row->acknowledged_by,
							       &cpis__stored__v1__stored_settlement__descriptor);
}

Cpis__Stored__V1__StoredLease *inbox_lease(struct op_context *context, const struct store_inbox_item *row)
{
	return (Cpis__Stored__V1__StoredLease *)open_part(context, row, INBOX_PART_LEASE, row->leased_by,
							  &cpis__stored__v1__stored_lease__descriptor);
}

// What has become of it. False: a part does not open.
static bool show_state(struct op_context *context, const struct store_inbox_item *row, Cpis__V1__InboxItem *item)
{
	item->acknowledged_ms = row->acknowledged_ms;
	item->escalated_ms = row->escalated_ms;
	item->expired_ms = row->expired_ms;
	if (row->acknowledged_ms != 0) {
		const Cpis__Stored__V1__StoredSettlement *settlement = inbox_settlement(context, row);
		if (settlement == NULL)
			return false;
		item->acknowledged_by = settlement->by;
		item->settlement = settlement->settlement;
	} else if (row->lease_until_ms > context->now_ms) {
		const Cpis__Stored__V1__StoredLease *lease = inbox_lease(context, row);
		if (lease == NULL)
			return false;
		item->lease_until_ms = row->lease_until_ms;
		item->leased_by = lease->by;
	}
	return true;
}

Cpis__V1__InboxItem *inbox_open(struct op_context *context, enum store_box box, const struct store_inbox_item *row)
{
	Cpis__V1__InboxItem *item = (Cpis__V1__InboxItem *)open_part(context, row, INBOX_PART_ITEM, row->sealed,
								     &cpis__v1__inbox_item__descriptor);
	if (item == NULL || !show_state(context, row, item)) {
		log_damage(LOG_EVENT_INBOX_UNREADABLE, "item %llu of %s does not open", (unsigned long long)row->id,
			   row->organisation.text);
		return NULL;
	}
	if (box == STORE_BOX_ESCALATIONS) {
		item->box = CPIS__V1__INBOX_BOX__ESCALATIONS;
		item->notification_id = row->id;
		item->id = row->escalation_id;
	}
	return item;
}
