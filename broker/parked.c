// Requests that wait: a list in the order of their coming, and a list of those that were woken.
#include "broker/parked.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

struct parked {
	struct parked_request *waiting, *woken;
	size_t count, bytes;
};

bool parked_new(struct parked **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret != NULL;
}

size_t parked_count(const struct parked *parked)
{
	return parked->count;
}

void parked_request_free(struct parked_request *request)
{
	if (request == NULL)
		return;
	// It holds a session's token, and perhaps a child's number.
	explicit_bzero(request, sizeof *request + request->bytes);
	free(request);
}

void parked_free(struct parked *parked)
{
	if (parked == NULL)
		return;
	for (struct parked_request *request; (request = parked_take_any(parked)) != NULL;)
		parked_request_free(request);
	free(parked);
}

static size_t count_of(struct parked_request *list, const uint8_t channel_key[KEY_BYTES])
{
	size_t count = 0;
	struct parked_request *request;
	DL_FOREACH2(list, request, next)
		count += memcmp(request->channel_key, channel_key, KEY_BYTES) == 0;
	return count;
}

static struct parked_request *take(struct parked *parked, struct parked_request **list, struct parked_request *request)
{
	DL_DELETE2(*list, request, previous, next);
	parked->count--;
	parked->bytes -= request->bytes;
	return request;
}

static void forget_first_try(struct parked *parked, const uint8_t channel_key[KEY_BYTES], const struct wait *wait)
{
	struct parked_request **lists[] = {&parked->waiting, &parked->woken}, *request, *after;
	for (size_t i = 0; i < 2; i++)
		DL_FOREACH_SAFE2(*lists[i], request, after, next)
			if (memcmp(request->channel_key, channel_key, KEY_BYTES) == 0 &&
			    memcmp(request->wait.request_id, wait->request_id, REQUEST_ID_BYTES) == 0)
				parked_request_free(take(parked, lists[i], request));
}

bool parked_put(struct parked *parked, const struct front_peer *peer, const uint8_t channel_key[KEY_BYTES],
		const struct wait *wait, uint64_t arrived_ms, uint64_t now_ms, const uint8_t *data, size_t bytes)
{
	forget_first_try(parked, channel_key, wait);
	if (parked->count == PARKED_MAX || bytes > PARKED_BYTES_MAX - parked->bytes ||
	    count_of(parked->waiting, channel_key) + count_of(parked->woken, channel_key) >= PARKED_PER_SYSTEM_MAX)
		return false;
	struct parked_request *request = malloc(sizeof *request + bytes);
	if (request == NULL)
		return false;
	*request = (struct parked_request){
		.peer = *peer, .wait = *wait, .arrived_ms = arrived_ms, .until_ms = now_ms + wait->wait_ms, .bytes = bytes};
	memcpy(request->channel_key, channel_key, KEY_BYTES);
	memcpy(request->data, data, bytes);
	DL_APPEND2(parked->waiting, request, previous, next);
	parked->count++;
	parked->bytes += bytes;
	return true;
}

static bool is_woken(const struct wakes *wakes, uint64_t key)
{
	for (size_t i = 0; i < wakes->count; i++)
		if (wakes->keys[i] == key)
			return true;
	return wakes->everybody;
}

void parked_wake(struct parked *parked, struct wakes *wakes)
{
	struct parked_request *request, *after;
	if (wakes->count > 0 || wakes->everybody) {
		DL_FOREACH_SAFE2(parked->waiting, request, after, next) {
			if (!is_woken(wakes, request->wait.key))
				continue;
			DL_DELETE2(parked->waiting, request, previous, next);
			DL_APPEND2(parked->woken, request, previous, next);
		}
	}
	wakes->count = 0;
	wakes->everybody = false;
}

struct parked_request *parked_take(struct parked *parked, uint64_t now_ms)
{
	struct parked_request *request;
	if (parked->woken != NULL)
		return take(parked, &parked->woken, parked->woken);
	DL_FOREACH2(parked->waiting, request, next)
		if (request->until_ms <= now_ms)
			return take(parked, &parked->waiting, request);
	return NULL;
}

struct parked_request *parked_take_any(struct parked *parked)
{
	if (parked->woken != NULL)
		return take(parked, &parked->woken, parked->woken);
	return parked->waiting == NULL ? NULL : take(parked, &parked->waiting, parked->waiting);
}

uint64_t parked_next_ms(const struct parked *parked)
{
	uint64_t next_ms = UINT64_MAX;
	struct parked_request *request;
	if (parked->woken != NULL)
		return 0;
	DL_FOREACH2(parked->waiting, request, next)
		if (request->until_ms < next_ms)
			next_ms = request->until_ms;
	return next_ms;
}
