// Alerts sealed in and opened out.
#include "broker/alert.h"

#include "broker/inbox.h"
#include "broker/log.h"
#include "broker/sealed.h"

enum reason alert_put(struct op_context *context, const struct ods_code *organisation, const char *uid,
		      const Cpis__V1__Finding *found)
{
	struct store_inbox_item row = {.box = STORE_BOX_ALERTS, .organisation = *organisation, .created_ms = context->now_ms};
	if (context->store->ops->inbox_next_id(context->store, STORE_BOX_ALERTS, organisation, &row.id) != STORE_OK)
		return REASON_STORE;
	Cpis__V1__Alert alert = CPIS__V1__ALERT__INIT;
	Cpis__Stored__V1__StoredAlert stored = CPIS__STORED__V1__STORED_ALERT__INIT;
	alert.id = row.id;
	alert.created_ms = row.created_ms;
	alert.kind = found == NULL ? CPIS__V1__ALERT_KIND__BREAK_GLASS : CPIS__V1__ALERT_KIND__FINDING;
	alert.audit_index = context->audit_index;
	alert.found = (Cpis__V1__Finding *)(uintptr_t)found;
	stored.alert = &alert;
	stored.uid = op_text(uid);
	struct inbox_identity identity = inbox_identity_of(STORE_BOX_ALERTS, organisation, row.id, INBOX_PART_ITEM);
	row.sealed = sealed_make(context->vault, context->arena, VAULT_ALERT, identity.bytes, identity.count, &stored.base);
	if (row.sealed.data == NULL || context->store->ops->inbox_put(context->store, &row) != STORE_OK)
		return REASON_STORE;
	return REASON_NONE;
}

static bool open_review(struct op_context *context, const struct store_inbox_item *row, Cpis__V1__Alert *alert)
{
	struct inbox_identity identity = inbox_identity_of(STORE_BOX_ALERTS, &row->organisation, row->id, INBOX_PART_SETTLEMENT);
	const Cpis__Stored__V1__StoredReview *review = (const Cpis__Stored__V1__StoredReview *)sealed_open(
		context->vault, context->arena, VAULT_ALERT, identity.bytes, identity.count, row->acknowledged_by,
		&cpis__stored__v1__stored_review__descriptor);
	if (review == NULL)
		return false;
	alert->reviewed_ms = row->acknowledged_ms;
	alert->finding = review->finding;
	alert->words = review->words;
	alert->reviewed_by = review->reviewed_by_name;
	return true;
}

Cpis__V1__Alert *alert_open(struct op_context *context, const struct store_inbox_item *row, const char **ret_uid)
{
	struct inbox_identity identity = inbox_identity_of(STORE_BOX_ALERTS, &row->organisation, row->id, INBOX_PART_ITEM);
	const Cpis__Stored__V1__StoredAlert *stored = (const Cpis__Stored__V1__StoredAlert *)sealed_open(
		context->vault, context->arena, VAULT_ALERT, identity.bytes, identity.count, row->sealed,
		&cpis__stored__v1__stored_alert__descriptor);
	if (stored == NULL || stored->alert == NULL ||
	    (row->acknowledged_ms != 0 && !open_review(context, row, stored->alert))) {
		log_event(LOG_LEVEL_ERROR, "alert_unreadable", "alert %llu of %s does not open",
			  (unsigned long long)row->id, row->organisation.text);
		return NULL;
	}
	if (ret_uid != NULL)
		*ret_uid = stored->uid;
	return stored->alert;
}

struct store_blob alert_seal_review(struct op_context *context, const struct ods_code *organisation, uint64_t id,
				    const Cpis__Stored__V1__StoredReview *review)
{
	struct inbox_identity identity = inbox_identity_of(STORE_BOX_ALERTS, organisation, id, INBOX_PART_SETTLEMENT);
	return sealed_make(context->vault, context->arena, VAULT_ALERT, identity.bytes, identity.count, &review->base);
}
