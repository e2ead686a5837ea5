// ENROL_LIST: the open invitations, and the keys to compare over the telephone.
#include <string.h>

#include "broker/op_enrol.h"

static char *copy(struct op_context *context, const char *text)
{
	return arena_copy_text(context->arena, text, strlen(text));
}

static Cpis__V1__EnrolmentState state_of(const struct op_context *context, const struct enrolments_entry *entry)
{
	if (entry->presented_ms == 0)
		return CPIS__V1__ENROLMENT_STATE__INVITED;
	return op_enrol_issued(context, entry->public_key, entry->organisation.text, entry->system_name) != NULL
		       ? CPIS__V1__ENROLMENT_STATE__ISSUED
		       : CPIS__V1__ENROLMENT_STATE__WAITING;
}

static bool show_key(struct op_context *context, const struct enrolments_entry *entry, Cpis__V1__Enrolment *enrolment)
{
	char *fingerprint = arena_alloc(context->arena, PUBLIC_KEY_FINGERPRINT_BYTES);
	uint8_t *key = arena_copy(context->arena, entry->public_key, KEY_BYTES);
	if (fingerprint == NULL || key == NULL || !public_key_fingerprint(entry->public_key, fingerprint))
		return false;
	enrolment->presented_ms = entry->presented_ms;
	enrolment->public_key = (ProtobufCBinaryData){KEY_BYTES, key};
	enrolment->fingerprint = fingerprint;
	return true;
}

// A copy: a later request of the same batch may change the entry.
static Cpis__V1__Enrolment *show(struct op_context *context, const struct enrolments_entry *entry)
{
	Cpis__V1__Enrolment *enrolment = OP_NEW(context, Cpis__V1__Enrolment, cpis__v1__enrolment__init);
	if (enrolment == NULL)
		return NULL;
	enrolment->organisation = copy(context, entry->organisation.text);
	enrolment->system_name = copy(context, entry->system_name);
	enrolment->invited_by = copy(context, entry->invited_by_name);
	enrolment->state = state_of(context, entry);
	enrolment->invited_ms = entry->invited_ms;
	enrolment->until_ms = entry->until_ms;
	enrolment->audit_index = entry->audit_index;
	bool shown = enrolment->organisation != NULL && enrolment->system_name != NULL && enrolment->invited_by != NULL &&
		     (entry->presented_ms == 0 || show_key(context, entry, enrolment));
	return shown ? enrolment : NULL;
}

enum reason op_enrol_list(struct op_context *context)
{
	const struct enrolments_entry **open = NULL;
	size_t count = 0, body_bytes = 0;
	Cpis__V1__EnrolListReply *reply = OP_NEW(context, Cpis__V1__EnrolListReply, cpis__v1__enrol_list_reply__init);
	if (reply == NULL || !enrolments_open(context->enrolments, context->now_ms, context->arena, &open, &count))
		return REASON_INTERNAL;
	reply->enrolments = arena_alloc(context->arena, PAGE_ITEMS_MAX * sizeof *reply->enrolments);
	if (reply->enrolments == NULL)
		return REASON_INTERNAL;
	for (size_t i = 0; i < count; i++) {
		if (!op_enrol_in_scope(context, &open[i]->organisation))
			continue;
		Cpis__V1__Enrolment *enrolment = show(context, open[i]);
		if (enrolment == NULL)
			return REASON_INTERNAL;
		body_bytes += protobuf_c_message_get_packed_size(&enrolment->base) + 4;
		if (reply->n_enrolments == PAGE_ITEMS_MAX || body_bytes > OP_BODY_BYTES_MAX) {
			reply->more = true;
			break;
		}
		reply->enrolments[reply->n_enrolments++] = enrolment;
	}
	context->detail->count = (uint32_t)reply->n_enrolments;
	context->reply->enrol_list = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_ENROL_LIST;
	return REASON_NONE;
}
