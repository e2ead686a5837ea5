// Checking a signed act.
#include "broker/act.h"

#include "proto/act.h"

enum reason act_check(struct op_context *context)
{
	const Cpis__V1__Request *request = context->request;
	uint64_t signed_ms = request->act_time_ms, now_ms = context->now_ms;
	if (request->act_signature.len != ED25519_SIGNATURE_BYTES)
		return REASON_ACT_UNSIGNED;
	if ((signed_ms > now_ms ? signed_ms - now_ms : now_ms - signed_ms) > CLOCK_SKEW_MS_MAX)
		return REASON_ACT_TIME;
	size_t bytes;
	const uint8_t *act = act_signed_bytes(context->arena, request, context->broker_name, &bytes);
	if (act == NULL)
		return REASON_INTERNAL;
	context->detail->act = (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)act};
	context->detail->act_signature = request->act_signature;
	if (ed25519_verify(context->session->staff_public_key, act, bytes, request->act_signature.data) != CERTS_OK)
		return REASON_ACT_SIGNATURE;
	return REASON_NONE;
}
