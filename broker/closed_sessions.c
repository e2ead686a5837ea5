// A ring of the newest, by time, and a table to find them by.
#include "broker/closed_sessions.h"

#include <stdlib.h>
#include <string.h>

// Without memory an entry is not kept: uthash must not call exit().
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "broker/session_cache.h"

struct entry {
	UT_hash_handle hh;
	uint8_t id[SESSION_ID_BYTES];
	uint64_t until_ms;
};

struct closed_sessions {
	struct store *store;
	struct vault *vault;
	struct session_cache *cache;
	struct entry *all; // in the order in which they came: the oldest first
};

bool closed_sessions_new(struct store *store, struct vault *vault, struct session_cache *cache, struct closed_sessions **ret)
{
	struct closed_sessions *closed = calloc(1, sizeof *closed);
	if (closed == NULL)
		return false;
	*closed = (struct closed_sessions){.store = store, .vault = vault, .cache = cache};
	*ret = closed;
	return true;
}

static void drop(struct closed_sessions *closed, struct entry *entry)
{
	HASH_DEL(closed->all, entry);
	free(entry);
}

static void drop_all(struct closed_sessions *closed)
{
	struct entry *entry, *next;
	HASH_ITER(hh, closed->all, entry, next)
		drop(closed, entry);
}

void closed_sessions_free(struct closed_sessions *closed)
{
	if (closed == NULL)
		return;
	drop_all(closed);
	free(closed);
}

void closed_sessions_distrust(struct closed_sessions *closed)
{
	drop_all(closed);
	if (closed->cache != NULL)
		session_cache_clear(closed->cache);
}

// A clock that was set back keeps them for longer.
static void drop_old(struct closed_sessions *closed, uint64_t now_ms)
{
	while (closed->all != NULL && closed->all->until_ms < now_ms)
		drop(closed, closed->all);
}

void closed_sessions_take(struct closed_sessions *closed, const uint8_t id[SESSION_ID_BYTES], uint64_t now_ms)
{
	struct entry *entry = NULL;
	drop_old(closed, now_ms);
	HASH_FIND(hh, closed->all, id, SESSION_ID_BYTES, entry);
	if (entry != NULL)
		return;
	if (HASH_COUNT(closed->all) >= CLOSED_SESSIONS_MAX) {
		closed_sessions_distrust(closed);
		return;
	}
	entry = calloc(1, sizeof *entry);
	if (entry == NULL) {
		closed_sessions_distrust(closed);
		return;
	}
	memcpy(entry->id, id, SESSION_ID_BYTES);
	entry->until_ms = now_ms + SESSION_MS_MAX + CLOCK_SKEW_MS_MAX;
	HASH_ADD(hh, closed->all, id, SESSION_ID_BYTES, entry);
	if (entry->hh.tbl == NULL) {
		free(entry);
		closed_sessions_distrust(closed);
	}
}

// No request has such a user id, so none has this key.
static void key_of(struct closed_sessions *closed, const uint8_t id[SESSION_ID_BYTES], struct store_tag *ret)
{
	static const uint8_t no_channel[32];
	vault_tag_request(closed->vault, "closed session", no_channel, id, ret);
}

enum store_status closed_sessions_add(struct closed_sessions *closed, const uint8_t id[SESSION_ID_BYTES], uint64_t now_ms)
{
	struct store_request row = {.expires_ms = now_ms + SESSION_MS_MAX + CLOCK_SKEW_MS_MAX};
	key_of(closed, id, &row.key);
	enum store_status status = closed->store->ops->request_put(closed->store, &row);
	if (status == STORE_OK)
		closed_sessions_take(closed, id, now_ms);
	return status;
}

enum store_status closed_sessions_has(struct closed_sessions *closed, const uint8_t id[SESSION_ID_BYTES], bool opened_before,
				      uint64_t now_ms, struct arena *arena, bool *ret)
{
	struct entry *entry = NULL;
	struct store_request row;
	struct store_tag key;
	HASH_FIND(hh, closed->all, id, SESSION_ID_BYTES, entry);
	*ret = entry != NULL;
	if (entry != NULL || opened_before)
		return STORE_OK;
	key_of(closed, id, &key);
	enum store_status status = closed->store->ops->request_get(closed->store, &key, now_ms, arena, &row);
	*ret = status == STORE_OK;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}
