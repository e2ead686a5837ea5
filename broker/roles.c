// Role profiles, granted over the broker and in the register's file.
#include "broker/roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/role_key.h"
#include "broker/sealed.h"
#include "proto/invariant.h"

// Reading 65,536 of them; only what is used of it is touched.
#define LOAD_ARENA_BYTES (128u * ARENA_BYTES)

struct granted {
	UT_hash_handle hh;
	struct role_key key;
	struct role_profile profile;
	char granted_by[IDENTITY_NAME_BYTES_MAX + 1];
	uint64_t audit_index;
};

struct roles {
	struct store *store;
	struct vault *vault;
	const struct policy *policy;
	struct granted *all;
};

bool roles_new(struct store *store, struct vault *vault, const struct policy *policy, struct roles **ret)
{
	struct roles *roles = calloc(1, sizeof *roles);
	if (roles == NULL)
		return false;
	roles->store = store;
	roles->vault = vault;
	roles->policy = policy;
	*ret = roles;
	return true;
}

void roles_set_policy(struct roles *roles, const struct policy *policy)
{
	roles->policy = policy;
}

static void forget_all(struct roles *roles)
{
	struct granted *granted, *next;
	HASH_ITER(hh, roles->all, granted, next) {
		HASH_DEL(roles->all, granted);
		explicit_bzero(granted, sizeof *granted);
		free(granted);
	}
}

void roles_free(struct roles *roles)
{
	if (roles == NULL)
		return;
	forget_all(roles);
	free(roles);
}

static struct granted *find_granted(const struct roles *roles, const char *uid, const char *role_code,
				    const struct ods_code *organisation)
{
	struct role_key key;
	struct granted *found = NULL;
	if (role_key_make(uid, role_code, organisation, &key))
		HASH_FIND(hh, roles->all, &key, sizeof key, found);
	return found;
}

// An activity that the policy does not have (any more) grants nothing.
static struct activity_set activities_of(const struct roles *roles, const Cpis__Stored__V1__StoredRole *role)
{
	struct activity_set set = {0};
	for (size_t i = 0; i < role->n_activities; i++)
		(void)!policy_activity(roles->policy, role->activities[i], &set);
	return set;
}

static bool remember(struct roles *roles, const Cpis__Stored__V1__StoredRole *role)
{
	struct ods_code organisation;
	if (!ods_code_parse(role->organisation, strlen(role->organisation), &organisation) ||
	    strlen(role->uid) > UID_DIGITS || strlen(role->role_code) > ROLE_CODE_BYTES_MAX)
		return false;
	struct granted *granted = find_granted(roles, role->uid, role->role_code, &organisation);
	if (granted == NULL) {
		if (HASH_COUNT(roles->all) >= ROLES_GRANTED_MAX || (granted = calloc(1, sizeof *granted)) == NULL)
			return false;
		INVARIANT(role_key_make(role->uid, role->role_code, &organisation, &granted->key));
		HASH_ADD(hh, roles->all, key, sizeof granted->key, granted);
		if (granted->hh.tbl == NULL) {
			free(granted);
			return false;
		}
	}
	snprintf(granted->profile.uid, sizeof granted->profile.uid, "%s", role->uid);
	snprintf(granted->profile.role_code, sizeof granted->profile.role_code, "%s", role->role_code);
	granted->profile.organisation = organisation;
	granted->profile.from_ms = role->from_ms;
	granted->profile.until_ms = role->until_ms;
	granted->profile.trained_ms = role->trained_ms;
	granted->profile.additional = activities_of(roles, role);
	snprintf(granted->granted_by, sizeof granted->granted_by, "%s", role->granted_by_name);
	granted->audit_index = role->audit_index;
	return true;
}

static bool has_ended(const struct role_profile *profile, uint64_t now_ms)
{
	return profile->until_ms != 0 && now_ms >= profile->until_ms;
}

const struct role_profile *roles_find(const struct roles *roles, const struct register_snapshot *snapshot, const char *uid,
				      const char *role_code, const struct ods_code *organisation, uint64_t now_ms)
{
	const struct granted *granted = find_granted(roles, uid, role_code, organisation);
	if (granted == NULL)
		return register_profile(snapshot, uid, role_code, organisation, now_ms);
	if (now_ms < granted->profile.from_ms || has_ended(&granted->profile, now_ms))
		return NULL;
	return &granted->profile;
}

bool roles_holds_or_will(const struct roles *roles, const struct register_snapshot *snapshot, const char *uid,
			 const char *role_code, const struct ods_code *organisation, uint64_t now_ms)
{
	size_t count;
	const struct role_profile *file = register_profiles(snapshot, &count);
	const struct granted *granted = find_granted(roles, uid, role_code, organisation);
	if (granted != NULL)
		return !has_ended(&granted->profile, now_ms);
	for (size_t i = 0; i < count; i++)
		if (strcmp(file[i].uid, uid) == 0 && strcmp(file[i].role_code, role_code) == 0 &&
		    ods_code_equal(&file[i].organisation, organisation) && !has_ended(&file[i], now_ms))
			return true;
	return false;
}

bool roles_has_person(const struct roles *roles, const struct register_snapshot *snapshot, const char *uid,
		      const struct ods_code *organisation)
{
	if (register_has_person(snapshot, uid, organisation))
		return true;
	for (const struct granted *granted = roles->all; granted != NULL; granted = granted->hh.next)
		if (strcmp(granted->profile.uid, uid) == 0 &&
		    (organisation == NULL || ods_code_equal(&granted->profile.organisation, organisation)))
			return true;
	return false;
}

// ------------------------------------------------------------------ the store's profiles

enum store_status roles_put(struct roles *roles, struct arena *arena, const Cpis__Stored__V1__StoredRole *role,
			    bool *ret_replaced)
{
	struct ods_code organisation;
	struct store_role row;
	if (!ods_code_parse(role->organisation, strlen(role->organisation), &organisation))
		return STORE_FAILED;
	bool known = find_granted(roles, role->uid, role->role_code, &organisation) != NULL;
	if (!known && HASH_COUNT(roles->all) >= ROLES_GRANTED_MAX)
		return STORE_NO_MEMORY;
	vault_tag_role(roles->vault, role->uid, role->role_code, &organisation, &row.profile);
	row.sealed = sealed_make(roles->vault, arena, VAULT_ROLE, row.profile.bytes, sizeof row.profile.bytes, &role->base);
	if (row.sealed.data == NULL)
		return arena->overflowed ? STORE_NO_MEMORY : STORE_FAILED;
	enum store_status status = roles->store->ops->role_put(roles->store, &row);
	if (status != STORE_OK)
		return status;
	*ret_replaced = known;
	return remember(roles, role) ? STORE_OK : STORE_FAILED;
}

bool roles_load(struct roles *roles)
{
	struct arena arena;
	struct store_role *rows = NULL;
	size_t count = 0;
	if (!arena_init(&arena, LOAD_ARENA_BYTES)) {
		arena_done(&arena);
		return false;
	}
	bool loaded = roles->store->ops->role_all(roles->store, ROLES_GRANTED_MAX + 1, &arena, &rows, &count) == STORE_OK;
	const size_t rows_end = arena.used;
	if (loaded)
		forget_all(roles);
	for (size_t i = 0; i < count && loaded; i++) {
		const Cpis__Stored__V1__StoredRole *role = (const Cpis__Stored__V1__StoredRole *)sealed_open(
			roles->vault, &arena, VAULT_ROLE, rows[i].profile.bytes, sizeof rows[i].profile.bytes,
			rows[i].sealed, &cpis__stored__v1__stored_role__descriptor);
		loaded = role != NULL && remember(roles, role);
		arena_rewind(&arena, rows_end); // opened, a row takes several times its room: all of them would not fit
	}
	arena_done(&arena);
	return loaded;
}

// ------------------------------------------------------------------ an organisation's profiles

static int by_person_and_role(const void *left, const void *right)
{
	const struct role_profile *a = ((const struct roles_entry *)left)->profile;
	const struct role_profile *b = ((const struct roles_entry *)right)->profile;
	int order = strcmp(a->uid, b->uid);
	if (order == 0)
		order = strcmp(a->role_code, b->role_code);
	if (order == 0)
		order = a->from_ms < b->from_ms ? -1 : a->from_ms > b->from_ms;
	return order;
}

bool roles_of(const struct roles *roles, const struct register_snapshot *snapshot, const struct ods_code *organisation,
	      uint64_t now_ms, struct arena *arena, struct roles_entry **ret, size_t *ret_count)
{
	size_t file_count, count = 0;
	const struct role_profile *file = register_profiles(snapshot, &file_count);
	size_t room = 0;
	for (size_t i = 0; i < file_count; i++)
		room += ods_code_equal(&file[i].organisation, organisation);
	struct roles_entry *entries = arena_alloc(arena, (room + HASH_COUNT(roles->all) + 1) * sizeof *entries);
	if (entries == NULL)
		return false;
	for (size_t i = 0; i < file_count; i++)
		if (ods_code_equal(&file[i].organisation, organisation) && !has_ended(&file[i], now_ms) &&
		    find_granted(roles, file[i].uid, file[i].role_code, organisation) == NULL)
			entries[count++] = (struct roles_entry){&file[i], "", 0};
	for (const struct granted *granted = roles->all; granted != NULL; granted = granted->hh.next)
		if (ods_code_equal(&granted->profile.organisation, organisation) &&
		    !has_ended(&granted->profile, now_ms))
			entries[count++] = (struct roles_entry){&granted->profile, granted->granted_by, granted->audit_index};
	qsort(entries, count, sizeof *entries, by_person_and_role);
	*ret = entries;
	*ret_count = count;
	return true;
}
