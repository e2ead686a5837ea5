// What every backend of the store shares.
#include "broker/store.h"

const char *store_status_text(enum store_status status)
{
	switch (status) {
#define X(name, sentence)                                                                            \
	case name:                                                                                   \
		return sentence;
		STORE_STATUS_TABLE(X)
#undef X
	}
	return "an unknown status";
}

struct store_waiting store_waiting_of(uint64_t oldest_ms, uint64_t all, const uint64_t since[STORE_AGES - 1], uint32_t max)
{
	struct store_waiting waiting = {.oldest_ms = oldest_ms, .more = all > max};
	uint64_t younger = 0;
	for (unsigned i = 0; i < STORE_AGES; i++) {
		uint64_t until = i < STORE_AGES - 1 ? since[i] : all;
		waiting.counts[i] = (uint32_t)(until - younger);
		younger = until;
	}
	return waiting;
}
