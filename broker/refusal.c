// Refusals without a record.
#include "broker/refusal.h"

#include "broker/op.h"
#include "proto/invariant.h"
#include "proto/wire.h"

const uint8_t *refusal_make(struct arena *arena, enum reason reason, uint32_t retry_after_ms, const uint8_t *request,
			    size_t request_bytes, size_t *ret_bytes)
{
	struct wire_peeked peeked;
	Cpis__V1__Reply reply = CPIS__V1__REPLY__INIT;
	wire_peek(request, request_bytes, &peeked);
	if (peeked.has_request_id)
		reply.request_id = (ProtobufCBinaryData){REQUEST_ID_BYTES, peeked.request_id};
	reply.protocol_version = PROTOCOL_VERSION;
	reply.outcome = reason_outcome(reason);
	reply.reason_code = op_text(reason_word(reason));
	reply.reason = op_text(reason_sentence(reason));
	reply.retry_after_ms = retry_after_ms;
	INVARIANT(reply.outcome == CPIS__V1__OUTCOME__SERVICE_UNAVAILABLE);
	const uint8_t *bytes = wire_pack(arena, &reply.base, ret_bytes);
	INVARIANT(bytes != NULL);
	return bytes;
}
