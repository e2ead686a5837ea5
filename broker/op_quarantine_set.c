// QUARANTINE_SET: from the next message on a system, person, organisation or certificate is not answered.
#include <string.h>

#include "broker/op_quarantine.h"

static bool has_name(const struct system_identity *system, const void *target)
{
	size_t ods_bytes = strlen(system->organisation);
	const char *text = target;
	return strncmp(text, system->organisation, ods_bytes) == 0 && text[ods_bytes] == '/' &&
	       strcmp(text + ods_bytes + 1, system->name) == 0;
}

// Whoever shuts themselves out can lift nothing any more.
static bool is_self(const struct op_context *context, Cpis__V1__QuarantineKind kind, const char *target)
{
	const struct enrolled_system *system = register_system(context->snapshot, context->channel_key);
	char serial[2 * SERIAL_BYTES_MAX + 1], staff_serial[2 * SERIAL_BYTES_MAX + 1];
	certificate_serial_format(&system->identity.serial, serial);
	certificate_serial_format(&context->session->staff_serial, staff_serial);
	switch (kind) {
	case CPIS__V1__QUARANTINE_KIND__SYSTEM:
		return has_name(&system->identity, target);
	case CPIS__V1__QUARANTINE_KIND__ORGANISATION:
		return strcmp(target, context->organisation->ods.text) == 0;
	case CPIS__V1__QUARANTINE_KIND__PERSON:
		return strcmp(target, context->session->uid) == 0;
	default:
		return strcmp(target, serial) == 0 || strcmp(target, staff_serial) == 0;
	}
}

static bool has_serial(const struct system_identity *system, const void *target)
{
	char serial[2 * SERIAL_BYTES_MAX + 1];
	certificate_serial_format(&system->serial, serial);
	return strcmp(serial, target) == 0;
}

// A mistyped target holds nobody back: whoever set it must learn that at once.
static bool is_known(const struct op_context *context, Cpis__V1__QuarantineKind kind, const char *target)
{
	struct ods_code ods;
	switch (kind) {
	case CPIS__V1__QUARANTINE_KIND__SYSTEM:
		return register_find_system(context->snapshot, has_name, target);
	case CPIS__V1__QUARANTINE_KIND__CERTIFICATE:
		return register_find_system(context->snapshot, has_serial, target);
	case CPIS__V1__QUARANTINE_KIND__PERSON:
		return roles_has_person(context->roles, context->snapshot, target, NULL);
	default:
		return ods_code_parse(target, strlen(target), &ods) &&
		       register_organisation(context->snapshot, &ods) != NULL;
	}
}

enum reason op_quarantine_set(struct op_context *context)
{
	const Cpis__V1__QuarantineSetRequest *request = context->request->quarantine_set;
	Cpis__V1__QuarantineEntry entry = CPIS__V1__QUARANTINE_ENTRY__INIT;
	bool replaced = false;
	if (!op_quarantine_note(context, request->kind, request->target, request->reason))
		return REASON_INTERNAL;
	if (!op_quarantine_in_scope(context, request->kind, request->target) ||
	    is_self(context, request->kind, request->target))
		return REASON_QUARANTINE_SCOPE;
	if (request->until_ms != 0 && request->until_ms <= context->now_ms)
		return REASON_VALUE;
	entry.kind = request->kind;
	entry.target = request->target;
	entry.reason = request->reason;
	entry.owner_uid = context->session->uid;
	entry.owner_name = context->session->name;
	entry.owner_organisation = context->session->organisation.text;
	entry.since_ms = context->now_ms;
	entry.until_ms = request->until_ms;
	entry.audit_index = context->audit_index;
	Cpis__V1__QuarantineSetReply *reply =
		OP_NEW(context, Cpis__V1__QuarantineSetReply, cpis__v1__quarantine_set_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	enum store_status status = quarantine_put(context->quarantine, context->arena, &entry, &replaced);
	if (status != STORE_OK)
		return status == STORE_NO_MEMORY ? REASON_INTERNAL : REASON_STORE;
	reply->replaced = replaced;
	reply->known = is_known(context, request->kind, request->target);
	context->reply->quarantine_set = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_QUARANTINE_SET;
	return REASON_NONE;
}
