// Sessions that were signed out. A token is a sealed text that the broker keeps no list of, so this says which session's tokens are
// worth nothing any more. Each is kept for as long as a session can live, SESSION_MS_MAX, and not only for as long as a token does without
// being renewed, so that a clock that is set back makes none good again.
//
// The store has them, durable with the batch. Those of late are in memory too, this broker's and (from their records) other brokers', so
// that a token that was opened before (broker/session_cache.h) costs no look into the store. A token that was not is looked up there:
// so a restart, or records of others that were passed over, forget nothing.
// One thread: the core's.
#ifndef CPIS_BROKER_CLOSED_SESSIONS_H
#define CPIS_BROKER_CLOSED_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/limits.h"
#include "broker/store.h"
#include "broker/vault.h"

struct closed_sessions;
struct session_cache;

// False: no memory. `cache` may be NULL.
__attribute__((warn_unused_result)) bool closed_sessions_new(struct store *store, struct vault *vault, struct session_cache *cache,
							      struct closed_sessions **ret);
void closed_sessions_free(struct closed_sessions *closed); // accepts NULL

// In the store's batch and in memory.
__attribute__((warn_unused_result)) enum store_status closed_sessions_add(struct closed_sessions *closed,
									   const uint8_t id[SESSION_ID_BYTES], uint64_t now_ms);
// In memory: another broker has stored it.
void closed_sessions_take(struct closed_sessions *closed, const uint8_t id[SESSION_ID_BYTES], uint64_t now_ms);
// What others did is not known, or what became of this broker's own batch: each token is looked up in the store again.
void closed_sessions_distrust(struct closed_sessions *closed);

// STORE_OK: `ret` says whether it was. `opened_before`: its token was found in the cache.
__attribute__((warn_unused_result)) enum store_status closed_sessions_has(struct closed_sessions *closed,
									   const uint8_t id[SESSION_ID_BYTES], bool opened_before,
									   uint64_t now_ms, struct arena *arena, bool *ret);

#endif
