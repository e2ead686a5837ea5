// Looks sealed and opened. Associated data is the child's tag and the audit record's number.
#include "broker/access.h"

#include <string.h>

#include "broker/log.h"
#include "broker/sealed.h"

struct access_identity {
	uint8_t bytes[TAG_BYTES + 8];
};

static struct access_identity identity_of(const struct store_tag *subject, uint64_t audit_index)
{
	struct access_identity identity;
	memcpy(identity.bytes, subject->bytes, TAG_BYTES);
	for (size_t i = 0; i < 8; i++)
		identity.bytes[TAG_BYTES + i] = (uint8_t)(audit_index >> (56 - 8 * i));
	return identity;
}

Cpis__V1__Access *access_now(struct op_context *context)
{
	Cpis__V1__Access *access = OP_NEW(context, Cpis__V1__Access, cpis__v1__access__init);
	if (access == NULL)
		return NULL;
	access->time_ms = context->now_ms;
	access->name = context->session->name;
	access->role_code = context->session->role_code;
	access->role_name = op_text(policy_role_name(context->policy, context->session->role_code));
	access->organisation = op_text(context->organisation->ods.text);
	access->organisation_name = op_text(context->organisation->name);
	access->care_setting = context->decision.care_setting;
	return access;
}

enum reason access_put(struct op_context *context, const Cpis__Stored__V1__StoredAccess *access, bool silent)
{
	struct access_identity identity = identity_of(&context->subject, context->audit_index);
	struct store_access row = {
		.subject = context->subject,
		.audit_index = context->audit_index,
		.silent = silent,
		.sealed = sealed_make(context->vault, context->arena, VAULT_ACCESS, identity.bytes, sizeof identity.bytes,
				      &access->base),
	};
	if (row.sealed.data == NULL)
		return REASON_STORE;
	return context->store->ops->access_put(context->store, &row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

const Cpis__Stored__V1__StoredAccess *access_open(struct op_context *context, const struct store_access *row)
{
	struct access_identity identity = identity_of(&row->subject, row->audit_index);
	const Cpis__Stored__V1__StoredAccess *stored = (const Cpis__Stored__V1__StoredAccess *)sealed_open(
		context->vault, context->arena, VAULT_ACCESS, identity.bytes, sizeof identity.bytes, row->sealed,
		&cpis__stored__v1__stored_access__descriptor);
	if (stored != NULL && stored->access != NULL)
		return stored;
	log_event(LOG_LEVEL_ERROR, "access_unreadable", "the access of audit record %llu does not open",
		  (unsigned long long)row->audit_index);
	return NULL;
}

enum reason access_history_load(struct op_context *context, struct access_history *ret)
{
	struct store_access *rows = NULL;
	size_t found = 0;
	ret->count = 0;
	if (context->store->ops->accesses_of(context->store, &context->subject, false, 0, ACCESS_HISTORY_MAX, context->arena,
					     &rows, &found) != STORE_OK)
		return REASON_STORE;
	for (size_t i = 0; i < found; i++) {
		ret->looks[i] = access_open(context, &rows[i]);
		if (ret->looks[i] == NULL)
			return REASON_INTERNAL;
		ret->count++;
	}
	return REASON_NONE;
}
