// Refusals without a record and without data, made of nothing but the request's bytes: where there is no core to ask, or no
// time to ask it.
#ifndef CPIS_BROKER_REFUSAL_H
#define CPIS_BROKER_REFUSAL_H

#include <stddef.h>
#include <stdint.h>

#include "broker/reason.h"
#include "proto/arena.h"

// Room for any of them.
#define REFUSAL_ARENA_BYTES 2048u

// When whoever is told that the broker stops may try there again.
#define DRAINING_RETRY_AFTER_MS 500u

// A SERVICE_UNAVAILABLE with the request's id, if it has a readable one; `reason` must be one of that outcome. Made in `arena`, which
// has REFUSAL_ARENA_BYTES free; lives there.
const uint8_t *refusal_make(struct arena *arena, enum reason reason, uint32_t retry_after_ms, const uint8_t *request,
			    size_t request_bytes, size_t *ret_bytes);

#endif
