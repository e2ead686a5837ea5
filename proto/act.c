// The bytes of a signed act.
#include "proto/act.h"

#include <string.h>

static const char domain[] = "cpis-act-v1\n";

const uint8_t *act_signed_bytes(struct arena *arena, const Cpis__V1__Request *request, const char *broker_name,
				size_t *ret_bytes)
{
	Cpis__V1__Request bare = *request;
	bare.deadline_ms = 0;
	bare.session_token = (ProtobufCBinaryData){0, NULL};
	bare.act_signature = (ProtobufCBinaryData){0, NULL};
	bare.act_browser_proof = NULL;
	bare.log_size = 0;
	bare.trace_id = bare.trace_parent_id = (ProtobufCBinaryData){0, NULL};
	size_t domain_bytes = sizeof domain - 1, name_bytes = strlen(broker_name), packed_bytes;
	const uint8_t *packed = wire_pack(arena, &bare.base, &packed_bytes);
	uint8_t *out = packed == NULL ? NULL : arena_alloc(arena, domain_bytes + name_bytes + 1 + packed_bytes);
	if (out == NULL)
		return NULL;
	memcpy(out, domain, domain_bytes);
	memcpy(out + domain_bytes, broker_name, name_bytes);
	out[domain_bytes + name_bytes] = '\n';
	memcpy(out + domain_bytes + name_bytes + 1, packed, packed_bytes);
	*ret_bytes = domain_bytes + name_bytes + 1 + packed_bytes;
	return out;
}
