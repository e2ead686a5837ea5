// Looks sealed and opened, with the key of their month's audit records about children: when that is destroyed, nobody reads them
// any more wherever a copy is left. In front of the sealed bytes stands the key's number. Associated data is the child's tag and
// the audit record's number.
#include "broker/access.h"

#include <string.h>

#include "broker/log.h"
#include "broker/sealed.h"
#include "proto/date.h"

#define KEY_NUMBER_BYTES 4u

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
	const struct sealed_row_identity identity = sealed_row_identity_of(&context->subject, context->audit_index);
	const struct audit_key *key = audit_keys_use(audit_keys_of(context->audit), context->arena, instant_month(context->now_ms),
						     AUDIT_CLASS_CHILD);
	struct store_blob sealed = {NULL, 0};
	if (key != NULL)
		sealed = sealed_make_with(key->seal, context->arena, identity.bytes, sizeof identity.bytes, &access->base);
	uint8_t *numbered = sealed.data == NULL ? NULL : arena_alloc(context->arena, KEY_NUMBER_BYTES + sealed.bytes);
	if (numbered == NULL)
		return REASON_STORE;
	for (unsigned i = 0; i < KEY_NUMBER_BYTES; i++)
		numbered[i] = (uint8_t)(key->id >> (24 - 8 * i));
	memcpy(numbered + KEY_NUMBER_BYTES, sealed.data, sealed.bytes);
	struct store_access row = {
		.subject = context->subject,
		.audit_index = context->audit_index,
		.silent = silent,
		.sealed = {numbered, KEY_NUMBER_BYTES + sealed.bytes},
	};
	return context->store->ops->access_put(context->store, &row) == STORE_OK ? REASON_NONE : REASON_STORE;
}

static const struct audit_key *key_of(struct op_context *context, const struct store_access *row)
{
	uint32_t id = 0;
	if (row->sealed.bytes < KEY_NUMBER_BYTES)
		return NULL;
	for (unsigned i = 0; i < KEY_NUMBER_BYTES; i++)
		id = id << 8 | row->sealed.data[i];
	return audit_keys_by_id(audit_keys_of(context->audit), id);
}

const Cpis__Stored__V1__StoredAccess *access_open(struct op_context *context, const struct store_access *row, bool *ret_erased)
{
	const struct sealed_row_identity identity = sealed_row_identity_of(&row->subject, row->audit_index);
	const struct audit_key *key = key_of(context, row);
	const Cpis__Stored__V1__StoredAccess *stored = NULL;
	*ret_erased = key != NULL && key->destroyed_ms != 0;
	if (*ret_erased)
		return NULL;
	if (key != NULL && key->seal != NULL)
		stored = (const Cpis__Stored__V1__StoredAccess *)sealed_open_with(
			key->seal, context->arena, identity.bytes, sizeof identity.bytes,
			(struct store_blob){row->sealed.data + KEY_NUMBER_BYTES, row->sealed.bytes - KEY_NUMBER_BYTES},
			&cpis__stored__v1__stored_access__descriptor);
	if (stored != NULL && stored->access != NULL)
		return stored;
	log_damage(LOG_EVENT_ACCESS_UNREADABLE, "the access of audit record %llu does not open",
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
		bool erased = false;
		ret->looks[ret->count] = access_open(context, &rows[i], &erased);
		if (ret->looks[ret->count] == NULL && !erased)
			return REASON_INTERNAL;
		ret->count += !erased;
	}
	return REASON_NONE;
}
