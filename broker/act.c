// Checking a signed act.
#include "broker/act.h"

#include "broker/browser_proof.h"
#include "broker/digest.h"
#include "proto/act.h"

static bool note_act(struct op_context *context, const uint8_t *act, size_t bytes)
{
	uint8_t *digest = arena_alloc(context->arena, HASH_BYTES);
	if (digest == NULL)
		return false;
	digest_sha256(act, bytes, digest);
	context->detail->act_sha256 = (ProtobufCBinaryData){HASH_BYTES, digest};
	if (bytes <= ACT_KEPT_BYTES_MAX)
		context->detail->act = (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)act};
	context->detail->act_signature = context->request->act_signature;
	context->detail->proof = browser_proof_kind(context->request->act_browser_proof);
	return true;
}

enum reason act_check(struct op_context *context)
{
	const Cpis__V1__Request *request = context->request;
	uint64_t signed_ms = request->act_time_ms, now_ms = context->now_ms;
	if (context->session->issuer[0] != '\0')
		return REASON_ACT_IDENTITY;
	if (request->act_signature.len != ED25519_SIGNATURE_BYTES && request->act_browser_proof == NULL)
		return REASON_ACT_UNSIGNED;
	if ((signed_ms > now_ms ? signed_ms - now_ms : now_ms - signed_ms) > CLOCK_SKEW_MS_MAX)
		return REASON_ACT_TIME;
	size_t bytes;
	const uint8_t *act = act_signed_bytes(context->arena, request, context->broker_name, &bytes);
	if (act == NULL)
		return REASON_INTERNAL;
	if (!note_act(context, act, bytes))
		return REASON_INTERNAL;
	const struct staff_key *key = &context->session->staff_key;
	if (request->act_browser_proof != NULL) {
		enum reason reason = browser_proof_check(request->act_browser_proof, key, context->web_host, act, bytes);
		// One that does not hold is bytes of anybody's, and many.
		context->detail->act_browser_proof = reason == REASON_NONE ? request->act_browser_proof : NULL;
		return reason;
	}
	if (key->kind != STAFF_KEY_ED25519 || ed25519_verify(key->bytes, act, bytes, request->act_signature.data) != CERTS_OK)
		return REASON_ACT_SIGNATURE;
	return REASON_NONE;
}
