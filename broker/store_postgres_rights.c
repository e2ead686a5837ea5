// PostgreSQL backend: what is held back, the role profiles granted over the broker, the policy put in force over it, invitations to
// enrol, and NHS numbers that are not in use.
#include "broker/store_postgres_priv.h"

static enum store_status delete_tag(struct store *base, enum postgres_statement statement, const struct store_tag *tag)
{
	struct values values = {0};
	values_tag(&values, tag);
	return postgres_change_one(postgres_store_of(base), statement, &values);
}

static struct values up_to(size_t max)
{
	struct values values = {0};
	values_u64(&values, max);
	return values;
}

// ------------------------------------------------------------------ quarantine

enum store_status postgres_quarantine_put(struct store *base, const struct store_quarantine *entry)
{
	struct values values = {0};
	values_tag(&values, &entry->target);
	values_u64(&values, entry->since_ms);
	values_bytes(&values, entry->sealed.data, entry->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_QUARANTINE_PUT, &values);
}

enum store_status postgres_quarantine_delete(struct store *base, const struct store_tag *target)
{
	return delete_tag(base, POSTGRES_QUARANTINE_DELETE, target);
}

static bool read_quarantine(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_quarantine *entry = to;
	return row_tag(row, 0, &entry->target) && row_u64(row, 1, &entry->since_ms) && row_blob(row, 2, arena, &entry->sealed);
}

enum store_status postgres_quarantine_all(struct store *base, size_t max, struct arena *arena, struct store_quarantine **ret,
					  size_t *ret_count)
{
	struct values values = up_to(max);
	return postgres_list(postgres_store_of(base), POSTGRES_QUARANTINE_ALL, &values, read_quarantine, sizeof **ret, arena, ret, ret_count);
}

// ------------------------------------------------------------------ role profiles

enum store_status postgres_role_put(struct store *base, const struct store_role *role)
{
	struct values values = {0};
	values_tag(&values, &role->profile);
	values_bytes(&values, role->sealed.data, role->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_ROLE_PUT, &values);
}

static bool read_role(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_role *role = to;
	return row_tag(row, 0, &role->profile) && row_blob(row, 1, arena, &role->sealed);
}

enum store_status postgres_role_all(struct store *base, size_t max, struct arena *arena, struct store_role **ret, size_t *ret_count)
{
	struct values values = up_to(max);
	return postgres_list(postgres_store_of(base), POSTGRES_ROLE_ALL, &values, read_role, sizeof **ret, arena, ret, ret_count);
}

enum store_status postgres_role_use_put(struct store *base, const struct store_tag *profile, uint64_t used_ms)
{
	struct values values = {0};
	values_tag(&values, profile);
	values_u64(&values, used_ms);
	return postgres_write(postgres_store_of(base), POSTGRES_ROLE_USE_PUT, &values);
}

enum store_status postgres_role_use_get(struct store *base, const struct store_tag *profile, uint64_t *ret_used_ms)
{
	struct values values = {0};
	values_tag(&values, profile);
	return postgres_get(postgres_store_of(base), POSTGRES_ROLE_USE_GET, &values, postgres_read_u64, sizeof *ret_used_ms, NULL,
			    ret_used_ms);
}

// ------------------------------------------------------------------ policy

enum store_status postgres_policy_put(struct store *base, struct store_blob sealed)
{
	struct values values = {0};
	values_bytes(&values, sealed.data, sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_POLICY_PUT, &values);
}

static bool read_policy(struct postgres_row row, struct arena *arena, void *to)
{
	return row_blob(row, 0, arena, to);
}

enum store_status postgres_policy_get(struct store *base, struct arena *arena, struct store_blob *ret)
{
	return postgres_get(postgres_store_of(base), POSTGRES_POLICY_GET, NULL, read_policy, sizeof *ret, arena, ret);
}

// ------------------------------------------------------------------ invitations

enum store_status postgres_enrolment_put(struct store *base, const struct store_enrolment *enrolment)
{
	struct values values = {0};
	values_tag(&values, &enrolment->system);
	values_tag(&values, &enrolment->code);
	values_bytes(&values, enrolment->sealed.data, enrolment->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_ENROLMENT_PUT, &values);
}

enum store_status postgres_enrolment_delete(struct store *base, const struct store_tag *system)
{
	return delete_tag(base, POSTGRES_ENROLMENT_DELETE, system);
}

static bool read_enrolment(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_enrolment *enrolment = to;
	return row_tag(row, 0, &enrolment->system) && row_tag(row, 1, &enrolment->code) && row_blob(row, 2, arena, &enrolment->sealed);
}

enum store_status postgres_enrolment_all(struct store *base, size_t max, struct arena *arena, struct store_enrolment **ret,
					 size_t *ret_count)
{
	struct values values = up_to(max);
	return postgres_list(postgres_store_of(base), POSTGRES_ENROLMENT_ALL, &values, read_enrolment, sizeof **ret, arena, ret, ret_count);
}

// ------------------------------------------------------------------ numbers that are not in use

enum store_status postgres_inactive_put(struct store *base, const struct store_inactive *inactive)
{
	struct values values = {0};
	values_tag(&values, &inactive->subject);
	values_bytes(&values, inactive->sealed.data, inactive->sealed.bytes);
	return postgres_write(postgres_store_of(base), POSTGRES_INACTIVE_PUT, &values);
}

static bool read_inactive(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_inactive *inactive = to;
	return row_tag(row, 0, &inactive->subject) && row_blob(row, 1, arena, &inactive->sealed);
}

enum store_status postgres_inactive_get(struct store *base, const struct store_tag *subject, struct arena *arena,
					struct store_inactive *ret)
{
	struct values values = {0};
	values_tag(&values, subject);
	return postgres_get(postgres_store_of(base), POSTGRES_INACTIVE_GET, &values, read_inactive, sizeof *ret, arena, ret);
}

enum store_status postgres_inactive_delete(struct store *base, const struct store_tag *subject)
{
	return delete_tag(base, POSTGRES_INACTIVE_DELETE, subject);
}
