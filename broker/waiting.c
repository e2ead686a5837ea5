// The age bands of notifications that wait.
#include "broker/waiting.h"

#define HOUR_MS (3600ull * 1000u)

static const uint64_t ages_ms[STORE_AGES - 1] = {HOUR_MS, 8 * HOUR_MS, 24 * HOUR_MS, 72 * HOUR_MS};

enum store_status waiting_count(struct waiting *waiting, struct store *store, uint64_t now_ms)
{
	uint64_t since_ms[STORE_AGES - 1];
	bool recent = now_ms >= waiting->counted_ms && now_ms - waiting->counted_ms < WAITING_KEPT_MS;
	if (waiting->counted_ms != 0 && recent)
		return STORE_OK;
	for (unsigned i = 0; i < STORE_AGES - 1; i++)
		since_ms[i] = now_ms > ages_ms[i] ? now_ms - ages_ms[i] : 0;
	enum store_status status = store->ops->inbox_waiting(store, since_ms, STORE_WAITING_MAX, &waiting->items);
	if (status == STORE_OK)
		waiting->counted_ms = now_ms;
	return status;
}
