// The table of handles: two hash tables, by handle and by key, and two orders of use, of all and of each key.
#include "broker/zap_handles_priv.h"

#include <stdlib.h>
#include <string.h>

// A handle that cannot be kept for want of memory is not given out: uthash must not call exit().
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "broker/random.h"

struct zap_handle {
	char text[ZAP_HANDLE_BYTES];
	struct zap_handle_owner *owner;
	struct zap_handle *prev, *next; // of the same owner, the one unused for longest first
	struct zap_handle *use_prev, *use_next; // of all, likewise
	UT_hash_handle hh;
};

struct zap_handle_owner {
	uint8_t key[KEY_BYTES];
	unsigned count;
	struct zap_handle *handles;
	UT_hash_handle hh;
};

static struct zap_handle_owner *find_owner(const struct zap_handles *handles, const uint8_t key[KEY_BYTES])
{
	struct zap_handle_owner *found;
	HASH_FIND(hh, handles->owners, key, KEY_BYTES, found);
	return found;
}

static void drop_owner_if_idle(struct zap_handles *handles, struct zap_handle_owner *owner)
{
	if (owner->count > 0)
		return;
	HASH_DEL(handles->owners, owner);
	free(owner);
}

static void drop(struct zap_handles *handles, struct zap_handle *handle)
{
	struct zap_handle_owner *owner = handle->owner;
	DL_DELETE(owner->handles, handle);
	DL_DELETE2(handles->by_use, handle, use_prev, use_next);
	HASH_DEL(handles->all, handle);
	explicit_bzero(handle->text, sizeof handle->text);
	free(handle);
	owner->count--;
	drop_owner_if_idle(handles, owner);
}

static void make_room(struct zap_handles *handles, const uint8_t key[KEY_BYTES])
{
	// More than one where the limits are smaller than they were. An owner goes with its last handle.
	for (struct zap_handle_owner *owner;
	     (owner = find_owner(handles, key)) != NULL && owner->count >= handles->limits.connections_per_system_max;)
		drop(handles, owner->handles);
	while (HASH_COUNT(handles->all) >= handles->limits.connections_max)
		drop(handles, handles->by_use);
}

static struct zap_handle_owner *find_or_add_owner(struct zap_handles *handles, const uint8_t key[KEY_BYTES])
{
	struct zap_handle_owner *owner = find_owner(handles, key);
	if (owner != NULL)
		return owner;
	owner = calloc(1, sizeof *owner);
	if (owner == NULL)
		return NULL;
	memcpy(owner->key, key, KEY_BYTES);
	HASH_ADD(hh, handles->owners, key, KEY_BYTES, owner);
	if (owner->hh.tbl == NULL) {
		free(owner);
		return NULL;
	}
	return owner;
}

static void mint_text(char out[ZAP_HANDLE_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t random[(ZAP_HANDLE_BYTES - 1) / 2];
	random_bytes(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++) {
		out[2 * i] = digits[random[i] >> 4];
		out[2 * i + 1] = digits[random[i] & 15];
	}
	out[ZAP_HANDLE_BYTES - 1] = '\0';
	explicit_bzero(random, sizeof random);
}

bool zap_handles_mint(struct zap_handles *handles, const uint8_t key[KEY_BYTES],
		      char ret_handle[ZAP_HANDLE_BYTES])
{
	make_room(handles, key);
	struct zap_handle *handle = calloc(1, sizeof *handle);
	struct zap_handle_owner *owner = handle == NULL ? NULL : find_or_add_owner(handles, key);
	if (owner == NULL) {
		free(handle);
		return false;
	}
	mint_text(handle->text);
	HASH_ADD(hh, handles->all, text, ZAP_HANDLE_BYTES, handle);
	if (handle->hh.tbl == NULL) {
		drop_owner_if_idle(handles, owner);
		free(handle);
		return false;
	}
	handle->owner = owner;
	owner->count++;
	DL_APPEND(owner->handles, handle);
	DL_APPEND2(handles->by_use, handle, use_prev, use_next);
	memcpy(ret_handle, handle->text, ZAP_HANDLE_BYTES);
	return true;
}

// To the end of both orders: what is used goes last when room is needed.
static void touch(struct zap_handles *handles, struct zap_handle *handle)
{
	DL_DELETE(handle->owner->handles, handle);
	DL_APPEND(handle->owner->handles, handle);
	DL_DELETE2(handles->by_use, handle, use_prev, use_next);
	DL_APPEND2(handles->by_use, handle, use_prev, use_next);
}

bool zap_handles_find(struct zap_handles *handles, const char *handle, uint8_t ret_key[KEY_BYTES])
{
	struct zap_handle *found;
	if (strnlen(handle, ZAP_HANDLE_BYTES) != ZAP_HANDLE_BYTES - 1)
		return false;
	HASH_FIND(hh, handles->all, handle, ZAP_HANDLE_BYTES, found);
	if (found == NULL)
		return false;
	memcpy(ret_key, found->owner->key, KEY_BYTES);
	touch(handles, found);
	return true;
}

unsigned zap_handles_count(const struct zap_handles *handles)
{
	return HASH_COUNT(handles->all);
}

void zap_handles_drop_key(struct zap_handles *handles, const uint8_t key[KEY_BYTES])
{
	struct zap_handle_owner *owner = find_owner(handles, key);
	for (unsigned left = owner == NULL ? 0 : owner->count; left > 0; left--)
		drop(handles, owner->handles);
}

void zap_handles_drop_all(struct zap_handles *handles)
{
	while (handles->all != NULL)
		drop(handles, handles->all);
}
