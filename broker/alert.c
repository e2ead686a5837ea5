// Alerts sealed in and opened out, and what is done about them.
#include "broker/alert.h"

#include <string.h>

#include "broker/inbox.h"
#include "broker/log.h"
#include "broker/sealed.h"

// The outcome, and the end where that is another step.
#define DECIDING_STEPS 2u

enum reason alert_put(struct op_context *context, const struct ods_code *organisation, const char *uid, Cpis__V1__Alert *alert)
{
	struct store_inbox_item row = {.box = STORE_BOX_ALERTS, .organisation = *organisation, .created_ms = context->now_ms};
	Cpis__Stored__V1__StoredAlert stored = CPIS__STORED__V1__STORED_ALERT__INIT;
	if (context->store->ops->inbox_next_id(context->store, STORE_BOX_ALERTS, organisation, &row.id) != STORE_OK)
		return REASON_STORE;
	alert->id = row.id;
	alert->created_ms = row.created_ms;
	stored.alert = alert;
	stored.uid = op_text(uid);
	struct inbox_identity identity = inbox_identity_of(STORE_BOX_ALERTS, organisation, row.id, INBOX_PART_ITEM);
	row.sealed = sealed_make(context->vault, context->arena, VAULT_ALERT, identity.bytes, identity.count, &stored.base);
	if (row.sealed.data == NULL || context->store->ops->inbox_put(context->store, &row) != STORE_OK)
		return REASON_STORE;
	return REASON_NONE;
}

// ------------------------------------------------------------------ out

// Its parts stand where an inbox item has its settlement (the review) and its lease (the steps).
static ProtobufCMessage *open_part(struct op_context *context, const struct store_inbox_item *row, enum inbox_part part,
				   struct store_blob sealed, const ProtobufCMessageDescriptor *descriptor)
{
	struct inbox_identity identity = inbox_identity_of(STORE_BOX_ALERTS, &row->organisation, row->id, part);
	return sealed_open(context->vault, context->arena, VAULT_ALERT, identity.bytes, identity.count, sealed, descriptor);
}

static bool open_review(struct op_context *context, const struct store_inbox_item *row, Cpis__V1__Alert *alert)
{
	if (row->acknowledged_by.bytes == 0)
		return true;
	const Cpis__Stored__V1__StoredReview *review = (const Cpis__Stored__V1__StoredReview *)open_part(
		context, row, INBOX_PART_SETTLEMENT, row->acknowledged_by, &cpis__stored__v1__stored_review__descriptor);
	if (review == NULL)
		return false;
	alert->reviewed_ms = review->reviewed_ms;
	alert->finding = review->finding;
	alert->words = review->words;
	alert->reviewed_by = review->reviewed_by_name;
	return true;
}

static Cpis__Stored__V1__StoredCase *open_case(struct op_context *context, const struct store_inbox_item *row)
{
	if (row->leased_by.bytes == 0)
		return OP_NEW(context, Cpis__Stored__V1__StoredCase, cpis__stored__v1__stored_case__init);
	return (Cpis__Stored__V1__StoredCase *)open_part(context, row, INBOX_PART_LEASE, row->leased_by,
							 &cpis__stored__v1__stored_case__descriptor);
}

static void show_state(Cpis__V1__Alert *alert, const struct store_inbox_item *row, const Cpis__Stored__V1__StoredCase *stored)
{
	alert->assigned_to = stored->assigned_uid;
	alert->closed_ms = row->acknowledged_ms;
	alert->state = row->acknowledged_ms != 0       ? CPIS__V1__ALERT_STATE__ALERT_CLOSED
		       : alert->reviewed_ms != 0       ? CPIS__V1__ALERT_STATE__ALERT_DECIDED
		       : stored->assigned_uid[0] != '\0' ? CPIS__V1__ALERT_STATE__ALERT_ASSIGNED
						       : CPIS__V1__ALERT_STATE__ALERT_OPEN;
}

// `ret_uid` and `ret_stored` on success.
static Cpis__V1__Alert *open_all(struct op_context *context, const struct store_inbox_item *row, const char **ret_uid,
				 Cpis__Stored__V1__StoredCase **ret_stored)
{
	const Cpis__Stored__V1__StoredAlert *stored = (const Cpis__Stored__V1__StoredAlert *)open_part(
		context, row, INBOX_PART_ITEM, row->sealed, &cpis__stored__v1__stored_alert__descriptor);
	Cpis__Stored__V1__StoredCase *steps = open_case(context, row);
	if (stored == NULL || stored->alert == NULL || steps == NULL || !open_review(context, row, stored->alert)) {
		log_damage(LOG_EVENT_ALERT_UNREADABLE, "alert %llu of %s does not open",
			   (unsigned long long)row->id, row->organisation.text);
		return NULL;
	}
	show_state(stored->alert, row, steps);
	*ret_uid = stored->uid;
	*ret_stored = steps;
	return stored->alert;
}

Cpis__V1__Alert *alert_open(struct op_context *context, const struct store_inbox_item *row)
{
	const char *uid;
	Cpis__Stored__V1__StoredCase *steps;
	return open_all(context, row, &uid, &steps);
}

// ------------------------------------------------------------------ cases

enum reason alert_case_load(struct op_context *context, uint64_t id, struct alert_case *ret)
{
	context->detail->target = arena_printf(context->arena, "alert %llu", (unsigned long long)id);
	if (context->detail->target == NULL)
		return REASON_INTERNAL;
	enum store_status status = context->store->ops->inbox_get(context->store, STORE_BOX_ALERTS,
								  &context->session->organisation, id, context->arena, &ret->row);
	if (status == STORE_NOT_FOUND)
		return REASON_NO_SUCH_ALERT;
	if (status != STORE_OK)
		return REASON_STORE;
	ret->alert = open_all(context, &ret->row, &ret->about_uid, &ret->stored);
	if (ret->alert == NULL)
		return REASON_INTERNAL;
	ret->alert->steps = ret->stored->steps;
	ret->alert->n_steps = ret->stored->n_steps;
	return strcmp(ret->about_uid, context->session->uid) == 0 ? REASON_REVIEW_SELF : REASON_NONE;
}

enum reason alert_case_add(struct op_context *context, struct alert_case *opened, Cpis__V1__AlertStepKind kind, const char *words,
			   Cpis__V1__AlertFinding finding)
{
	Cpis__Stored__V1__StoredCase *stored = opened->stored;
	bool decides = kind == CPIS__V1__ALERT_STEP_KIND__STEP_OUTCOME || kind == CPIS__V1__ALERT_STEP_KIND__STEP_CLOSED;
	if (stored->n_steps + (decides ? 0 : DECIDING_STEPS) >= ALERT_STEPS_MAX)
		return REASON_ALERT_FULL;
	Cpis__V1__AlertStep *step = OP_NEW(context, Cpis__V1__AlertStep, cpis__v1__alert_step__init);
	Cpis__V1__AlertStep **steps = arena_alloc(context->arena, (stored->n_steps + 1) * sizeof *steps);
	if (step == NULL || steps == NULL)
		return REASON_INTERNAL;
	step->kind = kind;
	step->time_ms = context->now_ms;
	step->by = context->session->name;
	step->words = op_text(words);
	step->finding = finding;
	step->audit_index = context->audit_index;
	if (stored->n_steps > 0)
		memcpy(steps, stored->steps, stored->n_steps * sizeof *steps);
	steps[stored->n_steps++] = step;
	stored->steps = steps;
	return REASON_NONE;
}

static struct store_blob seal_part(struct op_context *context, const struct store_inbox_item *row, enum inbox_part part,
				   const ProtobufCMessage *message)
{
	struct inbox_identity identity = inbox_identity_of(STORE_BOX_ALERTS, &row->organisation, row->id, part);
	return sealed_make(context->vault, context->arena, VAULT_ALERT, identity.bytes, identity.count, message);
}

enum reason alert_case_decide(struct op_context *context, struct alert_case *opened,
			      const Cpis__V1__AlertReviewRequest *request)
{
	Cpis__Stored__V1__StoredReview review = CPIS__STORED__V1__STORED_REVIEW__INIT;
	review.finding = request->finding;
	review.words = request->words;
	review.reviewed_by_uid = context->session->uid;
	review.reviewed_by_name = context->session->name;
	review.reviewed_ms = context->now_ms;
	opened->row.acknowledged_by = seal_part(context, &opened->row, INBOX_PART_SETTLEMENT, &review.base);
	return opened->row.acknowledged_by.data == NULL ? REASON_STORE : REASON_NONE;
}

enum reason alert_case_keep(struct op_context *context, struct alert_case *opened)
{
	opened->row.leased_by = seal_part(context, &opened->row, INBOX_PART_LEASE, &opened->stored->base);
	if (opened->row.leased_by.data == NULL ||
	    context->store->ops->inbox_update(context->store, &opened->row) != STORE_OK)
		return REASON_STORE;
	return REASON_NONE;
}

Cpis__V1__Alert *alert_case_outline(struct op_context *context, const struct alert_case *opened)
{
	Cpis__V1__Alert *alert = OP_NEW(context, Cpis__V1__Alert, cpis__v1__alert__init);
	if (alert == NULL)
		return NULL;
	*alert = *opened->alert;
	alert->steps = NULL;
	alert->n_steps = 0;
	show_state(alert, &opened->row, opened->stored);
	return alert;
}
