// The quarantine list.
#include "broker/quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Without memory an entry is not kept: uthash must not call exit().
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "broker/log.h"
#include "broker/sealed.h"
#include "broker/stored.pb-c.h"

// Kind and target in one text, which is what is looked up: "PERSON 555000000001".
#define KEY_BYTES_MAX (16u + QUARANTINE_TARGET_BYTES_MAX)
// What reading the whole list may take.
#define LOAD_ARENA_BYTES (4u * ARENA_BYTES)

struct held {
	UT_hash_handle hh;
	uint64_t until_ms;
	Cpis__V1__QuarantineKind kind;
	char key[KEY_BYTES_MAX + 1];
};

struct quarantine {
	struct store *store;
	struct vault *vault;
	struct held *all;
};

bool quarantine_new(struct store *store, struct vault *vault, struct quarantine **ret)
{
	struct quarantine *quarantine = calloc(1, sizeof *quarantine);
	if (quarantine == NULL)
		return false;
	quarantine->store = store;
	quarantine->vault = vault;
	*ret = quarantine;
	return true;
}

static void forget_all(struct quarantine *quarantine)
{
	struct held *held, *next;
	HASH_ITER(hh, quarantine->all, held, next) {
		HASH_DEL(quarantine->all, held);
		explicit_bzero(held, sizeof *held);
		free(held);
	}
}

void quarantine_free(struct quarantine *quarantine)
{
	if (quarantine == NULL)
		return;
	forget_all(quarantine);
	free(quarantine);
}

static void make_key(Cpis__V1__QuarantineKind kind, const char *target, char out[KEY_BYTES_MAX + 1])
{
	snprintf(out, KEY_BYTES_MAX + 1, "%s %s", wire_quarantine_kind_name(kind), target);
}

static bool remember(struct quarantine *quarantine, const Cpis__V1__QuarantineEntry *entry)
{
	char key[KEY_BYTES_MAX + 1];
	struct held *held = NULL;
	make_key(entry->kind, entry->target, key);
	HASH_FIND_STR(quarantine->all, key, held);
	if (held == NULL) {
		if (HASH_COUNT(quarantine->all) >= QUARANTINE_ENTRIES_MAX || (held = calloc(1, sizeof *held)) == NULL)
			return false;
		memcpy(held->key, key, sizeof key);
		held->kind = entry->kind;
		HASH_ADD_STR(quarantine->all, key, held);
		if (held->hh.tbl == NULL) {
			free(held);
			return false;
		}
	}
	held->until_ms = entry->until_ms;
	return true;
}

static bool holds(const struct quarantine *quarantine, Cpis__V1__QuarantineKind kind, const char *target, uint64_t now_ms)
{
	char key[KEY_BYTES_MAX + 1];
	struct held *held = NULL;
	make_key(kind, target, key);
	HASH_FIND_STR(quarantine->all, key, held);
	return held != NULL && (held->until_ms == 0 || now_ms < held->until_ms);
}

static bool holds_certificate(const struct quarantine *quarantine, const struct certificate_serial *serial, uint64_t now_ms)
{
	char text[2 * SERIAL_BYTES_MAX + 1];
	certificate_serial_format(serial, text);
	return holds(quarantine, CPIS__V1__QUARANTINE_KIND__CERTIFICATE, text, now_ms);
}

bool quarantine_holds_system(const struct quarantine *quarantine, const struct system_identity *system, uint64_t now_ms)
{
	char target[IDENTITY_ODS_BYTES_MAX + 1 + IDENTITY_NAME_BYTES_MAX + 1];
	// Nearly always: the list is empty, and the names need not be put together.
	if (quarantine->all == NULL)
		return false;
	snprintf(target, sizeof target, "%s/%s", system->organisation, system->name);
	return holds(quarantine, CPIS__V1__QUARANTINE_KIND__SYSTEM, target, now_ms) ||
	       holds(quarantine, CPIS__V1__QUARANTINE_KIND__ORGANISATION, system->organisation, now_ms) ||
	       holds_certificate(quarantine, &system->serial, now_ms);
}

bool quarantine_holds_person(const struct quarantine *quarantine, const char *uid,
			     const struct certificate_serial *serial, uint64_t now_ms)
{
	return quarantine->all != NULL && (holds(quarantine, CPIS__V1__QUARANTINE_KIND__PERSON, uid, now_ms) ||
					   holds_certificate(quarantine, serial, now_ms));
}

// ------------------------------------------------------------------ the store's entries

// One that ended holds nobody back any more, and would otherwise take the place of one that does.
static enum store_status make_room(struct quarantine *quarantine, uint64_t now_ms)
{
	struct held *held, *next;
	if (HASH_COUNT(quarantine->all) < QUARANTINE_ENTRIES_MAX)
		return STORE_OK;
	HASH_ITER(hh, quarantine->all, held, next) {
		if (held->until_ms == 0 || now_ms < held->until_ms)
			continue;
		enum store_status status = quarantine_lift(quarantine, held->kind, strchr(held->key, ' ') + 1);
		return status == STORE_NOT_FOUND ? STORE_FAILED : status;
	}
	return STORE_NO_MEMORY;
}

size_t quarantine_count(const struct quarantine *quarantine)
{
	return HASH_COUNT(quarantine->all);
}

// Nobody's name: who it is stands in the audit log.
static const char *kind_words(Cpis__V1__QuarantineKind kind)
{
	return kind == CPIS__V1__QUARANTINE_KIND__SYSTEM       ? "system"
	       : kind == CPIS__V1__QUARANTINE_KIND__PERSON     ? "person"
	       : kind == CPIS__V1__QUARANTINE_KIND__CERTIFICATE ? "certificate"
								: "whole organisation";
}

enum store_status quarantine_put(struct quarantine *quarantine, struct arena *arena,
				 const Cpis__V1__QuarantineEntry *entry, bool *ret_replaced)
{
	Cpis__Stored__V1__StoredQuarantine stored = CPIS__STORED__V1__STORED_QUARANTINE__INIT;
	struct store_quarantine row = {.since_ms = entry->since_ms};
	char key[KEY_BYTES_MAX + 1];
	struct held *held = NULL;
	stored.entry = (Cpis__V1__QuarantineEntry *)(uintptr_t)entry;
	vault_tag_quarantine(quarantine->vault, (unsigned)entry->kind, entry->target, &row.target);
	make_key(entry->kind, entry->target, key);
	HASH_FIND_STR(quarantine->all, key, held);
	enum store_status status = held == NULL ? make_room(quarantine, entry->since_ms) : STORE_OK;
	if (status != STORE_OK)
		return status;
	row.sealed = sealed_make(quarantine->vault, arena, VAULT_QUARANTINE, row.target.bytes, sizeof row.target.bytes,
				 &stored.base);
	if (row.sealed.data == NULL)
		return arena->overflowed ? STORE_NO_MEMORY : STORE_FAILED;
	status = quarantine->store->ops->quarantine_put(quarantine->store, &row);
	if (status != STORE_OK)
		return status;
	*ret_replaced = held != NULL;
	if (!remember(quarantine, entry))
		return STORE_FAILED;
	log_event(LOG_EVENT_QUARANTINE_SET, "a %s is held back, by %s: audit record %llu", kind_words(entry->kind), entry->owner_organisation,
		  (unsigned long long)entry->audit_index);
	return STORE_OK;
}

enum store_status quarantine_lift(struct quarantine *quarantine, Cpis__V1__QuarantineKind kind, const char *target)
{
	struct store_tag tag;
	char key[KEY_BYTES_MAX + 1];
	struct held *held = NULL;
	vault_tag_quarantine(quarantine->vault, (unsigned)kind, target, &tag);
	enum store_status status = quarantine->store->ops->quarantine_delete(quarantine->store, &tag);
	if (status != STORE_OK)
		return status;
	make_key(kind, target, key);
	HASH_FIND_STR(quarantine->all, key, held);
	if (held != NULL) {
		HASH_DEL(quarantine->all, held);
		free(held);
	}
	log_event(LOG_EVENT_QUARANTINE_LIFTED, "a %s is held back no more", kind_words(kind));
	return STORE_OK;
}

enum store_status quarantine_rows(struct quarantine *quarantine, struct arena *arena, struct store_quarantine **ret,
				  size_t *ret_count)
{
	return quarantine->store->ops->quarantine_all(quarantine->store, QUARANTINE_ENTRIES_MAX, arena, ret, ret_count);
}

Cpis__V1__QuarantineEntry *quarantine_open(struct quarantine *quarantine, struct arena *arena,
					   const struct store_quarantine *row)
{
	const Cpis__Stored__V1__StoredQuarantine *stored = (const Cpis__Stored__V1__StoredQuarantine *)sealed_open(
		quarantine->vault, arena, VAULT_QUARANTINE, row->target.bytes, sizeof row->target.bytes, row->sealed,
		&cpis__stored__v1__stored_quarantine__descriptor);
	return stored == NULL ? NULL : stored->entry;
}

bool quarantine_load(struct quarantine *quarantine)
{
	struct arena arena;
	struct store_quarantine *rows = NULL;
	size_t count = 0;
	if (!arena_init(&arena, LOAD_ARENA_BYTES)) {
		arena_done(&arena);
		return false;
	}
	bool loaded = quarantine_rows(quarantine, &arena, &rows, &count) == STORE_OK;
	const size_t rows_end = arena.used;
	if (loaded)
		forget_all(quarantine);
	for (size_t i = 0; i < count && loaded; i++) {
		const Cpis__V1__QuarantineEntry *entry = quarantine_open(quarantine, &arena, &rows[i]);
		loaded = entry != NULL && remember(quarantine, entry);
		arena_rewind(&arena, rows_end);
	}
	arena_done(&arena);
	return loaded;
}
