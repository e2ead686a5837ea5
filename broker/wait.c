// What requests wait for.
#include "broker/wait.h"

// FNV-1a, 64 bits: not secret, not an identity.
uint64_t wait_key(enum wait_kind kind, const void *name, size_t name_bytes)
{
	const uint8_t *bytes = name;
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)kind;
	for (size_t i = 0; i < name_bytes; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return (hash ^ name_bytes) * UINT64_C(0x100000001b3);
}

void wakes_add(struct wakes *wakes, uint64_t key)
{
	for (size_t i = 0; i < wakes->count; i++)
		if (wakes->keys[i] == key)
			return;
	if (wakes->count == WAKES_MAX)
		wakes->everybody = true;
	else
		wakes->keys[wakes->count++] = key;
}
