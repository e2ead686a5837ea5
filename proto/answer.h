// What a responder signs (proto/cpis.proto, ResponderAnswerRequest): client and broker make the same bytes.
#ifndef CPIS_PROTO_ANSWER_H
#define CPIS_PROTO_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "proto/arena.h"
#include "proto/wire.h"

// The work's canonical encoding without deadline_ms: id and question. NULL past the arena's end.
const uint8_t *answer_work_bytes(struct arena *arena, const Cpis__V1__ResponderWork *work, size_t *ret_bytes);
// "cpis-answer-v1\n", the broker's name, "\n", the SHA-256 of answer_work_bytes, and the encoded ResponderAnswer. The work's id
// is random, so no two answers have the same bytes. NULL past the arena's end.
const uint8_t *answer_signed_bytes(struct arena *arena, const char *broker_name, const uint8_t work_sha256[HASH_BYTES],
				   const uint8_t *answer, size_t answer_bytes, size_t *ret_bytes);

#endif
