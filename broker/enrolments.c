// The invitations to enrol.
#include "broker/enrolments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/sealed.h"
#include "broker/stored.pb-c.h"

// Reading 1,024 of them; only what is used of it is touched.
#define LOAD_ARENA_BYTES (4u * ARENA_BYTES)

// Few, and asked for at most some times a second: looked through from end to end.
struct enrolments {
	struct store *store;
	struct vault *vault;
	size_t count;
	struct enrolments_entry entries[ENROLMENTS_MAX];
};

bool enrolments_new(struct store *store, struct vault *vault, struct enrolments **ret)
{
	struct enrolments *enrolments = calloc(1, sizeof *enrolments);
	if (enrolments == NULL)
		return false;
	enrolments->store = store;
	enrolments->vault = vault;
	*ret = enrolments;
	return true;
}

void enrolments_free(struct enrolments *enrolments)
{
	if (enrolments == NULL)
		return;
	explicit_bzero(enrolments, sizeof *enrolments);
	free(enrolments);
}

// ------------------------------------------------------------------ looking up

bool enrolments_is_open(const struct enrolments_entry *entry, uint64_t now_ms)
{
	return entry->withdrawn_ms == 0 && now_ms < entry->until_ms;
}

static bool is_for(const struct enrolments_entry *entry, const struct ods_code *organisation, const char *system_name)
{
	return ods_code_equal(&entry->organisation, organisation) && strcmp(entry->system_name, system_name) == 0;
}

const struct enrolments_entry *enrolments_find(const struct enrolments *enrolments, const struct ods_code *organisation,
					       const char *system_name)
{
	for (size_t i = 0; i < enrolments->count; i++)
		if (is_for(&enrolments->entries[i], organisation, system_name))
			return &enrolments->entries[i];
	return NULL;
}

// How long the comparison takes tells nothing: without the key nobody can make a tag that begins like another.
const struct enrolments_entry *enrolments_by_code(const struct enrolments *enrolments, const struct store_tag *code)
{
	for (size_t i = 0; i < enrolments->count; i++)
		if (memcmp(&enrolments->entries[i].code, code, sizeof *code) == 0)
			return &enrolments->entries[i];
	return NULL;
}

const struct enrolments_entry *enrolments_by_key(const struct enrolments *enrolments,
						 const uint8_t public_key[CHANNEL_KEY_BYTES], uint64_t now_ms)
{
	for (size_t i = 0; i < enrolments->count; i++) {
		const struct enrolments_entry *entry = &enrolments->entries[i];
		if (entry->presented_ms != 0 && enrolments_is_open(entry, now_ms) &&
		    memcmp(entry->public_key, public_key, CHANNEL_KEY_BYTES) == 0)
			return entry;
	}
	return NULL;
}

static int by_age(const void *left, const void *right)
{
	const struct enrolments_entry *const *a = left, *const *b = right;
	return (*a)->audit_index < (*b)->audit_index ? -1 : (*a)->audit_index > (*b)->audit_index;
}

bool enrolments_open(const struct enrolments *enrolments, uint64_t now_ms, struct arena *arena,
		     const struct enrolments_entry ***ret, size_t *ret_count)
{
	const struct enrolments_entry **open = arena_alloc(arena, (enrolments->count + 1) * sizeof *open);
	size_t count = 0;
	if (open == NULL)
		return false;
	for (size_t i = 0; i < enrolments->count; i++)
		if (enrolments_is_open(&enrolments->entries[i], now_ms))
			open[count++] = &enrolments->entries[i];
	qsort(open, count, sizeof *open, by_age);
	*ret = open;
	*ret_count = count;
	return true;
}

// ------------------------------------------------------------------ the store's entries

// What a row's sealed part is bound to: neither tag can be exchanged for another row's.
#define ROW_IDENTITY_BYTES (2u * TAG_BYTES)
static void row_identity(const struct store_enrolment *row, uint8_t out[ROW_IDENTITY_BYTES])
{
	memcpy(out, row->system.bytes, TAG_BYTES);
	memcpy(out + TAG_BYTES, row->code.bytes, TAG_BYTES);
}

static struct store_blob seal(struct enrolments *enrolments, struct arena *arena, const struct store_enrolment *row,
			      const struct enrolments_entry *entry)
{
	Cpis__Stored__V1__StoredEnrolment stored = CPIS__STORED__V1__STORED_ENROLMENT__INIT;
	uint8_t identity[ROW_IDENTITY_BYTES];
	row_identity(row, identity);
	stored.organisation = (char *)(uintptr_t)entry->organisation.text;
	stored.system_name = (char *)(uintptr_t)entry->system_name;
	stored.invited_by_uid = (char *)(uintptr_t)entry->invited_by_uid;
	stored.invited_by_name = (char *)(uintptr_t)entry->invited_by_name;
	stored.invited_ms = entry->invited_ms;
	stored.until_ms = entry->until_ms;
	stored.audit_index = entry->audit_index;
	stored.presented_ms = entry->presented_ms;
	if (entry->presented_ms != 0)
		stored.public_key = (ProtobufCBinaryData){CHANNEL_KEY_BYTES, (uint8_t *)(uintptr_t)entry->public_key};
	stored.withdrawn_ms = entry->withdrawn_ms;
	return sealed_make(enrolments->vault, arena, VAULT_ENROLMENT, identity, sizeof identity, &stored.base);
}

static bool unseal(struct enrolments *enrolments, struct arena *arena, const struct store_enrolment *row,
		   struct enrolments_entry *ret)
{
	uint8_t identity[ROW_IDENTITY_BYTES];
	row_identity(row, identity);
	const Cpis__Stored__V1__StoredEnrolment *stored = (const Cpis__Stored__V1__StoredEnrolment *)sealed_open(
		enrolments->vault, arena, VAULT_ENROLMENT, identity, sizeof identity, row->sealed,
		&cpis__stored__v1__stored_enrolment__descriptor);
	if (stored == NULL || !ods_code_parse(stored->organisation, strlen(stored->organisation), &ret->organisation) ||
	    stored->public_key.len != (stored->presented_ms == 0 ? 0 : CHANNEL_KEY_BYTES))
		return false;
	ret->code = row->code;
	snprintf(ret->system_name, sizeof ret->system_name, "%s", stored->system_name);
	snprintf(ret->invited_by_uid, sizeof ret->invited_by_uid, "%s", stored->invited_by_uid);
	snprintf(ret->invited_by_name, sizeof ret->invited_by_name, "%s", stored->invited_by_name);
	ret->invited_ms = stored->invited_ms;
	ret->until_ms = stored->until_ms;
	ret->audit_index = stored->audit_index;
	ret->presented_ms = stored->presented_ms;
	if (stored->presented_ms != 0)
		memcpy(ret->public_key, stored->public_key.data, CHANNEL_KEY_BYTES);
	ret->withdrawn_ms = stored->withdrawn_ms;
	return true;
}

bool enrolments_load(struct enrolments *enrolments)
{
	struct arena arena;
	struct store_enrolment *rows = NULL;
	size_t count = 0;
	if (!arena_init(&arena, LOAD_ARENA_BYTES)) {
		arena_done(&arena);
		return false;
	}
	bool loaded = enrolments->store->ops->enrolment_all(enrolments->store, ENROLMENTS_MAX + 1, &arena, &rows, &count) ==
			      STORE_OK &&
		      count <= ENROLMENTS_MAX;
	explicit_bzero(enrolments->entries, sizeof enrolments->entries);
	enrolments->count = 0;
	for (size_t i = 0; i < count && loaded; i++) {
		loaded = unseal(enrolments, &arena, &rows[i], &enrolments->entries[i]);
		enrolments->count += loaded;
	}
	arena_done(&arena);
	return loaded;
}

// ------------------------------------------------------------------ changes

static uint64_t ended_ms(const struct enrolments_entry *entry)
{
	return entry->withdrawn_ms != 0 ? entry->withdrawn_ms : entry->until_ms;
}

// NULL: all are open.
static struct enrolments_entry *first_to_go(const struct enrolments *enrolments, uint64_t now_ms)
{
	const struct enrolments_entry *first = NULL;
	for (size_t i = 0; i < enrolments->count; i++) {
		const struct enrolments_entry *entry = &enrolments->entries[i];
		if (!enrolments_is_open(entry, now_ms) && (first == NULL || ended_ms(entry) < ended_ms(first)))
			first = entry;
	}
	return (struct enrolments_entry *)(uintptr_t)first;
}

bool enrolments_has_room(const struct enrolments *enrolments, uint64_t now_ms)
{
	return enrolments->count < ENROLMENTS_MAX || first_to_go(enrolments, now_ms) != NULL;
}

// A place for one more. NULL with STORE_OK never.
static enum store_status take_place(struct enrolments *enrolments, uint64_t now_ms, struct enrolments_entry **ret)
{
	if (enrolments->count < ENROLMENTS_MAX) {
		*ret = &enrolments->entries[enrolments->count++];
		return STORE_OK;
	}
	struct store_tag system;
	struct enrolments_entry *old = first_to_go(enrolments, now_ms);
	if (old == NULL)
		return STORE_NO_MEMORY;
	vault_tag_enrolment(enrolments->vault, &old->organisation, old->system_name, &system);
	enum store_status status = enrolments->store->ops->enrolment_delete(enrolments->store, &system);
	if (status == STORE_OK || status == STORE_NOT_FOUND)
		*ret = old;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status enrolments_put(struct enrolments *enrolments, struct arena *arena, const struct enrolments_entry *entry,
				 uint64_t now_ms)
{
	struct enrolments_entry fresh = *entry;
	struct store_enrolment row = {.code = entry->code};
	vault_tag_enrolment(enrolments->vault, &entry->organisation, entry->system_name, &row.system);
	row.sealed = seal(enrolments, arena, &row, entry);
	if (row.sealed.data == NULL)
		return arena->overflowed ? STORE_NO_MEMORY : STORE_FAILED;
	struct enrolments_entry *place = (struct enrolments_entry *)(uintptr_t)enrolments_find(
		enrolments, &entry->organisation, entry->system_name);
	enum store_status status = place != NULL ? STORE_OK : take_place(enrolments, now_ms, &place);
	if (status != STORE_OK)
		return status;
	status = enrolments->store->ops->enrolment_put(enrolments->store, &row);
	if (status == STORE_OK)
		*place = fresh;
	return status;
}
