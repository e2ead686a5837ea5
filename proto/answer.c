// The bytes of a signed answer.
#include "proto/answer.h"

#include <string.h>

static const char domain[] = "cpis-answer-v1\n";

const uint8_t *answer_work_bytes(struct arena *arena, const Cpis__V1__ResponderWork *work, size_t *ret_bytes)
{
	Cpis__V1__ResponderWork bare = *work;
	bare.deadline_ms = 0;
	return wire_pack(arena, &bare.base, ret_bytes);
}

const uint8_t *answer_signed_bytes(struct arena *arena, const char *broker_name, const uint8_t work_sha256[HASH_BYTES],
				   const uint8_t *answer, size_t answer_bytes, size_t *ret_bytes)
{
	size_t domain_bytes = sizeof domain - 1, name_bytes = strlen(broker_name);
	size_t head_bytes = domain_bytes + name_bytes + 1 + HASH_BYTES;
	uint8_t *out = arena_alloc(arena, head_bytes + answer_bytes);
	if (out == NULL)
		return NULL;
	memcpy(out, domain, domain_bytes);
	memcpy(out + domain_bytes, broker_name, name_bytes);
	out[domain_bytes + name_bytes] = '\n';
	memcpy(out + domain_bytes + name_bytes + 1, work_sha256, HASH_BYTES);
	memcpy(out + head_bytes, answer, answer_bytes);
	*ret_bytes = head_bytes + answer_bytes;
	return out;
}
