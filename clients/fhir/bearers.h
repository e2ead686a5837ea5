// Sessions that bearer tokens have opened, so that a token is not presented to the broker for each call: by the SHA-256 of the token, in
// memory only. The token itself is not kept. Any thread.
#ifndef CPIS_FHIR_BEARERS_H
#define CPIS_FHIR_BEARERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/sha256.h"
#include "proto/limits.h"

#define BEARERS_MAX 4096u // sessions; of more, one that ends soonest makes room

struct bearers;
__attribute__((warn_unused_result)) bool bearers_new(struct bearers **ret);
void bearers_free(struct bearers *bearers); // accepts NULL; wipes

struct bearer_session {
	uint8_t token[SESSION_TOKEN_BYTES_MAX];
	size_t token_bytes;
	uint64_t expires_ms;
};

// False: none is known, or its time is over.
__attribute__((warn_unused_result)) bool bearers_find(struct bearers *bearers, const uint8_t id[SHA256_BYTES], uint64_t now_ms,
						       struct bearer_session *ret);
void bearers_keep(struct bearers *bearers, const uint8_t id[SHA256_BYTES], const struct bearer_session *session);
void bearers_forget(struct bearers *bearers, const uint8_t id[SHA256_BYTES]);

#endif
