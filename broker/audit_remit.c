// The remit of a reviewer.
#include "broker/audit_remit.h"

#include <string.h>

#include "broker/audit_match.h"
#include "broker/child.h"

// Whether the reviewer's authority has a plan of the request's subject that is shown.
static enum reason holds_child(struct op_context *context, bool *ret)
{
	struct child child;
	enum reason reason = child_load(context, context->detail->nhs_number, &child);
	*ret = false;
	for (size_t i = 0; reason == REASON_NONE && i < child.plan_count; i++)
		*ret = *ret || strcmp(child.plans[i].stored->authority, context->organisation->ods.text) == 0;
	return reason;
}

enum reason audit_remit_of(struct op_context *context, struct audit_remit *ret)
{
	*ret = (struct audit_remit){
		.everything = context->organisation->type == ORGANISATION_NATIONAL_BODY,
		.own = context->organisation->ods.text,
	};
	if (context->organisation->type != ORGANISATION_LOCAL_AUTHORITY || !context->has_subject)
		return REASON_NONE;
	return holds_child(context, &ret->looks);
}

bool audit_remit_reaches(const struct audit_remit *remit, const char *organisation)
{
	return remit->everything || remit->looks || strcmp(organisation, remit->own) == 0;
}

bool audit_remit_holds(const struct audit_remit *remit, const Cpis__V1__AuditEntry *entry)
{
	return remit->everything || strcmp(entry->organisation, remit->own) == 0 ||
	       (remit->looks && audit_is_look(entry->operation));
}
