// Tokens that were opened lately, with what is in them: most requests bring one that the broker has just seen. What is kept says
// only that the token is ours and what it carries; whether the session still holds is checked each time (session_resume).
// One thread: the core's.
#ifndef CPIS_BROKER_SESSION_CACHE_H
#define CPIS_BROKER_SESSION_CACHE_H

#include "broker/limits.h"
#include "broker/session.h"

// A shift's worth; the newer of two in one place stays. Some 5 MB, taken when it is used.
#define SESSION_CACHE_ENTRIES 4096u

__attribute__((warn_unused_result)) bool session_cache_new(struct session_cache **ret); // false: no memory
void session_cache_free(struct session_cache *cache); // accepts NULL; wipes
void session_cache_clear(struct session_cache *cache); // none is known any more

// False: not known. Every byte of the token and of the channel's key is compared.
bool session_cache_find(const struct session_cache *cache, ProtobufCBinaryData token, const uint8_t channel_key[KEY_BYTES],
			struct session *ret, bool *ret_of_previous);
void session_cache_keep(struct session_cache *cache, ProtobufCBinaryData token, const struct session *session, bool of_previous);

#endif
