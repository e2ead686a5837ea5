// What the requests about quarantine share: whose entries, and how they stand in the audit record.
#include "broker/op_quarantine.h"

#include <string.h>

bool op_quarantine_in_scope(const struct op_context *context, Cpis__V1__QuarantineKind kind, const char *target)
{
	const struct ods_code *own = &context->organisation->ods;
	size_t own_bytes = strlen(own->text);
	if (context->organisation->type == ORGANISATION_NATIONAL_BODY)
		return true;
	switch (kind) {
	case CPIS__V1__QUARANTINE_KIND__SYSTEM:
		return strncmp(target, own->text, own_bytes) == 0 && target[own_bytes] == '/';
	case CPIS__V1__QUARANTINE_KIND__PERSON:
		return roles_has_person(context->roles, context->snapshot, target, own);
	default:
		return false;
	}
}

bool op_quarantine_note(struct op_context *context, Cpis__V1__QuarantineKind kind, const char *target, const char *reason)
{
	char *text = arena_printf(context->arena, "%s %s", wire_quarantine_kind_name(kind), target);
	if (text == NULL)
		return false;
	context->detail->target = text;
	context->detail->reason = op_text(reason);
	return true;
}
