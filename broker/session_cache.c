// A direct-mapped table of opened tokens.
#include "broker/session_cache.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	size_t token_bytes; // 0: free
	bool of_previous;
	uint8_t token[SESSION_CACHE_TOKEN_BYTES_MAX];
	struct session session;
};

struct session_cache {
	struct entry entries[SESSION_CACHE_ENTRIES];
};

bool session_cache_new(struct session_cache **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret != NULL;
}

void session_cache_free(struct session_cache *cache)
{
	if (cache == NULL)
		return;
	explicit_bzero(cache, sizeof *cache);
	free(cache);
}

void session_cache_clear(struct session_cache *cache)
{
	explicit_bzero(cache, sizeof *cache);
}

// A token begins with its random nonce.
static size_t place_of(ProtobufCBinaryData token)
{
	uint32_t value;
	memcpy(&value, token.data, sizeof value);
	return value % SESSION_CACHE_ENTRIES;
}

static bool fits(ProtobufCBinaryData token)
{
	return token.len >= SEAL_OVERHEAD_BYTES && token.len <= SESSION_CACHE_TOKEN_BYTES_MAX;
}

bool session_cache_find(const struct session_cache *cache, ProtobufCBinaryData token, const uint8_t channel_key[KEY_BYTES],
			struct session *ret, bool *ret_of_previous)
{
	if (!fits(token))
		return false;
	const struct entry *entry = &cache->entries[place_of(token)];
	if (entry->token_bytes != token.len || memcmp(entry->session.channel_key, channel_key, KEY_BYTES) != 0 ||
	    !seal_equal(entry->token, token.data, token.len))
		return false;
	*ret = entry->session;
	*ret_of_previous = entry->of_previous;
	return true;
}

void session_cache_keep(struct session_cache *cache, ProtobufCBinaryData token, const struct session *session, bool of_previous)
{
	if (!fits(token))
		return;
	struct entry *entry = &cache->entries[place_of(token)];
	entry->token_bytes = token.len;
	memcpy(entry->token, token.data, token.len);
	entry->session = *session;
	entry->of_previous = of_previous;
}
