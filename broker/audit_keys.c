// The audit log's keys by month and class.
#include "broker/audit_keys.h"

#include <stdlib.h>
#include <string.h>

#include "broker/log.h"
#include "broker/random.h"
#include "proto/invariant.h"

#define TAG_KIND 1u
#define SEALED_BYTES (SEAL_SECRET_BYTES + SEAL_OVERHEAD_BYTES)
// An array that grows is copied twice as large.
#define LOAD_ARENA_BYTES (AUDIT_KEYS_MAX * (4 * sizeof(struct store_audit_key) + SEALED_BYTES + 32u))

struct entry {
	struct audit_key key;
	bool is_new;            // made in the batch under way
	uint64_t going_ms;      // destroyed in it
};

struct audit_keys {
	struct store *store;
	struct vault *vault;
	struct entry *entries;  // AUDIT_KEYS_MAX have room
	size_t count;
	bool changed;           // by the batch under way
};

static void wipe(struct audit_key *key)
{
	seal_key_free(key->seal);
	tag_key_free(key->tags);
	key->seal = NULL;
	key->tags = NULL;
}

static void forget_all(struct audit_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		wipe(&keys->entries[i].key);
	keys->count = 0;
}

bool audit_keys_new(struct store *store, struct vault *vault, struct audit_keys **ret)
{
	struct audit_keys *keys = calloc(1, sizeof *keys);
	if (keys == NULL)
		return false;
	*keys = (struct audit_keys){.store = store, .vault = vault, .entries = calloc(AUDIT_KEYS_MAX, sizeof *keys->entries)};
	if (keys->entries == NULL) {
		free(keys);
		return false;
	}
	*ret = keys;
	return true;
}

void audit_keys_free(struct audit_keys *keys)
{
	if (keys == NULL)
		return;
	forget_all(keys);
	free(keys->entries);
	free(keys);
}

// ------------------------------------------------------------------ secrets

// A secret says nothing in the place of another one.
struct secret_identity {
	uint8_t bytes[12];
};

static struct secret_identity identity_of(uint32_t id, uint32_t month, uint32_t record_class)
{
	const uint32_t values[] = {id, month, record_class};
	struct secret_identity identity;
	for (size_t i = 0; i < sizeof identity.bytes; i++)
		identity.bytes[i] = (uint8_t)(values[i / 4] >> (24 - 8 * (i % 4)));
	return identity;
}

static bool set_up(const uint8_t secret[SEAL_SECRET_BYTES], struct audit_key *key)
{
	uint8_t derived[SEAL_SECRET_BYTES];
	bool done = true;
	if (key->record_class != AUDIT_CLASS_PERSON)
		done = seal_derive(secret, "cpis/1/audit/seal", derived) && seal_key_new(derived, &key->seal);
	if (done && (key->record_class == AUDIT_CLASS_CHILD || key->record_class == AUDIT_CLASS_PERSON))
		done = seal_derive(secret, "cpis/1/audit/tag", derived) && tag_key_new(derived, &key->tags);
	explicit_bzero(derived, sizeof derived);
	if (!done)
		wipe(key);
	return done;
}

static bool open_secret(struct audit_keys *keys, const struct store_audit_key *row, struct audit_key *key)
{
	uint8_t secret[SEAL_SECRET_BYTES];
	struct secret_identity identity = identity_of(row->id, row->month, row->record_class);
	bool opened = row->sealed.bytes == SEALED_BYTES &&
		      seal_open(vault_key(keys->vault, VAULT_AUDIT_KEY), identity.bytes, sizeof identity.bytes,
				row->sealed.data, row->sealed.bytes, secret) &&
		      set_up(secret, key);
	explicit_bzero(secret, sizeof secret);
	return opened;
}

static bool take_row(struct audit_keys *keys, const struct store_audit_key *row)
{
	struct audit_key key = {.id = row->id, .month = row->month, .record_class = (enum audit_class)row->record_class,
				.destroyed_ms = row->destroyed_ms};
	if (row->record_class < AUDIT_CLASS_CHILD || row->record_class >= AUDIT_CLASSES_END ||
	    (row->destroyed_ms == 0 && !open_secret(keys, row, &key))) {
		log_damage(LOG_EVENT_AUDIT_KEY_UNREADABLE, "audit key %u does not open with this store key", row->id);
		return false;
	}
	keys->entries[keys->count++] = (struct entry){.key = key};
	return true;
}

bool audit_keys_load(struct audit_keys *keys)
{
	struct arena arena;
	struct store_audit_key *rows = NULL;
	size_t count = 0;
	forget_all(keys);
	if (!arena_init(&arena, LOAD_ARENA_BYTES))
		return false;
	bool loaded = keys->store->ops->audit_key_all(keys->store, AUDIT_KEYS_MAX, &arena, &rows, &count) == STORE_OK;
	for (size_t i = 0; i < count && loaded; i++)
		loaded = take_row(keys, &rows[i]);
	arena_done(&arena);
	return loaded;
}

// ------------------------------------------------------------------ finding them

size_t audit_keys_count(const struct audit_keys *keys)
{
	return keys->count;
}

const struct audit_key *audit_keys_at(const struct audit_keys *keys, size_t place)
{
	INVARIANT(place < keys->count);
	return &keys->entries[place].key;
}

const struct audit_key *audit_keys_by_id(const struct audit_keys *keys, uint32_t id)
{
	// Numbered from 1 without gaps, unless somebody has been at the file.
	if (id >= 1 && id <= keys->count && keys->entries[id - 1].key.id == id)
		return &keys->entries[id - 1].key;
	for (size_t i = 0; i < keys->count; i++)
		if (keys->entries[i].key.id == id)
			return &keys->entries[i].key;
	return NULL;
}

const struct audit_key *audit_keys_find(const struct audit_keys *keys, uint32_t month, enum audit_class record_class)
{
	// The newest are those that are asked for.
	for (size_t i = keys->count; i-- > 0;) {
		const struct audit_key *key = &keys->entries[i].key;
		if (key->month == month && key->record_class == record_class && key->destroyed_ms == 0)
			return key;
	}
	return NULL;
}

// ------------------------------------------------------------------ making and destroying

static bool store_secret(struct audit_keys *keys, struct arena *arena, const struct audit_key *key,
			 const uint8_t secret[SEAL_SECRET_BYTES])
{
	struct secret_identity identity = identity_of(key->id, key->month, key->record_class);
	uint8_t *sealed = arena_alloc(arena, SEALED_BYTES);
	if (sealed == NULL || !seal_close(vault_key(keys->vault, VAULT_AUDIT_KEY), identity.bytes, sizeof identity.bytes, secret,
					  SEAL_SECRET_BYTES, sealed))
		return false;
	struct store_audit_key row = {.id = key->id, .month = key->month, .record_class = key->record_class,
				      .sealed = {sealed, SEALED_BYTES}};
	return keys->store->ops->audit_key_put(keys->store, &row) == STORE_OK;
}

const struct audit_key *audit_keys_use(struct audit_keys *keys, struct arena *arena, uint32_t month,
				       enum audit_class record_class)
{
	const struct audit_key *found = audit_keys_find(keys, month, record_class);
	if (found != NULL)
		return found;
	uint8_t secret[SEAL_SECRET_BYTES];
	struct audit_key key = {.id = keys->count == 0 ? 1 : keys->entries[keys->count - 1].key.id + 1,
				.month = month, .record_class = record_class};
	if (keys->count == AUDIT_KEYS_MAX)
		return NULL;
	random_bytes(secret, sizeof secret);
	bool made = set_up(secret, &key);
	bool stored = made && store_secret(keys, arena, &key, secret);
	explicit_bzero(secret, sizeof secret);
	if (!stored) {
		wipe(&key);
		return NULL;
	}
	keys->entries[keys->count] = (struct entry){.key = key, .is_new = true};
	keys->changed = true;
	return &keys->entries[keys->count++].key;
}

enum store_status audit_keys_destroy(struct audit_keys *keys, uint32_t id, uint64_t now_ms)
{
	enum store_status status = keys->store->ops->audit_key_destroy(keys->store, id, now_ms);
	for (size_t i = 0; i < keys->count && status == STORE_OK; i++)
		if (keys->entries[i].key.id == id)
			keys->entries[i].going_ms = now_ms;
	keys->changed = true;
	return status;
}

void audit_keys_committed(struct audit_keys *keys)
{
	if (!keys->changed)
		return;
	keys->changed = false;
	for (size_t i = 0; i < keys->count; i++) {
		struct entry *entry = &keys->entries[i];
		entry->is_new = false;
		if (entry->going_ms == 0)
			continue;
		entry->key.destroyed_ms = entry->going_ms;
		entry->going_ms = 0;
		wipe(&entry->key);
	}
}

void audit_keys_abandoned(struct audit_keys *keys)
{
	keys->changed = false;
	while (keys->count > 0 && keys->entries[keys->count - 1].is_new)
		wipe(&keys->entries[--keys->count].key);
	for (size_t i = 0; i < keys->count; i++)
		keys->entries[i].going_ms = 0;
}

void audit_key_tag(const struct audit_key *key, const struct store_tag *tag, struct store_tag *ret)
{
	struct tag_field field = {tag->bytes, sizeof tag->bytes};
	tag_make(key->tags, TAG_KIND, &field, 1, ret);
}
