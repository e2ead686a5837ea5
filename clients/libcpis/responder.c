// A responder's part: registering with a key of its own, taking questions, answering them signed.
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "clients/libcpis/client_priv.h"
#include "proto/answer.h"

static enum cpis_status need_answer_key(struct cpis_client *client)
{
	if (client->answer_key == NULL && signing_key_generate(&client->answer_key) != CERTS_OK)
		return client_fail(client, CPIS_NO_MEMORY, "no key for the answers");
	return CPIS_OK;
}

enum cpis_status cpis_responder_register(struct cpis_client *client, const char *staff_key, Cpis__V1__ResponderKind kind,
					 const char *range_first, const char *range_last, uint32_t deadline_ms,
					 const Cpis__V1__Reply **ret)
{
	Cpis__V1__ResponderRegisterRequest body = CPIS__V1__RESPONDER_REGISTER_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t public_key[KEY_BYTES];
	if (client->link_count > 1)
		return client_fail(client, CPIS_USAGE, "questions come from one broker: a client for each is needed");
	enum cpis_status status = need_answer_key(client);
	if (status != CPIS_OK)
		return status;
	signing_key_public(client->answer_key, public_key);
	body.kind = kind;
	if (kind == CPIS__V1__RESPONDER_KIND__PLANS) {
		body.range_first = (char *)(uintptr_t)range_first;
		body.range_last = (char *)(uintptr_t)range_last;
	}
	body.answer_key = (ProtobufCBinaryData){sizeof public_key, public_key};
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_REGISTER;
	request.responder_register = &body;
	return cpis_call_signed(client, &request, staff_key, deadline_ms, ret);
}

enum cpis_status cpis_responder_take(struct cpis_client *client, uint32_t wait_ms, uint32_t deadline_ms,
				     const Cpis__V1__Reply **ret)
{
	Cpis__V1__ResponderTakeRequest body = CPIS__V1__RESPONDER_TAKE_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	enum cpis_status idle = client_must_be_idle(client);
	if (idle != CPIS_OK)
		return idle;
	// A take that was broken off may have been given work by now: asked for again by its id, that is not lost.
	if (!client->take_open && RAND_bytes(client->take_id, sizeof client->take_id) != 1)
		return client_fail(client, CPIS_NO_MEMORY, "no random bytes");
	cpis_set_request_id(client, client->take_id);
	body.wait_ms = wait_ms;
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_TAKE;
	request.responder_take = &body;
	enum cpis_status status = cpis_call(client, &request, deadline_ms, ret);
	client->take_open = status == CPIS_INTERRUPTED;
	return status;
}

static enum cpis_status sign(struct cpis_client *client, struct arena *arena, const Cpis__V1__ResponderWork *work,
			     const uint8_t *answer, size_t answer_bytes, uint8_t signature[SIGNATURE_BYTES])
{
	uint8_t sha256[HASH_BYTES];
	size_t work_bytes, text_bytes;
	const uint8_t *packed = answer_work_bytes(arena, work, &work_bytes);
	if (packed == NULL || EVP_Digest(packed, work_bytes, sha256, NULL, EVP_sha256(), NULL) != 1)
		return client_fail(client, CPIS_NO_MEMORY, "the question cannot be hashed");
	const uint8_t *text =
		answer_signed_bytes(arena, client_link(client)->broker.name, sha256, answer, answer_bytes, &text_bytes);
	if (text == NULL || signing_key_sign(client->answer_key, text, text_bytes, signature) != CERTS_OK)
		return client_fail(client, CPIS_NO_MEMORY, "the answer cannot be signed");
	return CPIS_OK;
}

static enum cpis_status send_answer(struct cpis_client *client, struct arena *arena, const Cpis__V1__ResponderWork *work,
				    const Cpis__V1__ResponderAnswer *answer, uint32_t deadline_ms,
				    const Cpis__V1__Reply **ret)
{
	Cpis__V1__ResponderAnswer whole = *answer;
	Cpis__V1__ResponderAnswerRequest body = CPIS__V1__RESPONDER_ANSWER_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t signature[SIGNATURE_BYTES];
	whole.work_id = work->work_id;
	body.answer.data = (uint8_t *)(uintptr_t)wire_pack(arena, &whole.base, &body.answer.len);
	if (body.answer.data == NULL || body.answer.len > ANSWER_BYTES_MAX)
		return client_fail(client, CPIS_USAGE, "the answer is larger than %u bytes", ANSWER_BYTES_MAX);
	enum cpis_status status = sign(client, arena, work, body.answer.data, body.answer.len, signature);
	if (status != CPIS_OK)
		return status;
	body.signature = (ProtobufCBinaryData){sizeof signature, signature};
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_ANSWER;
	request.responder_answer = &body;
	return cpis_call(client, &request, deadline_ms, ret);
}

enum cpis_status cpis_responder_answer(struct cpis_client *client, const Cpis__V1__ResponderWork *work,
				       const Cpis__V1__ResponderAnswer *answer, uint32_t deadline_ms,
				       const Cpis__V1__Reply **ret)
{
	struct arena arena;
	if (client->answer_key == NULL)
		return client_fail(client, CPIS_USAGE, "register first");
	if (!arena_init(&arena, ARENA_BYTES))
		return client_fail(client, CPIS_NO_MEMORY, "no memory for an answer");
	enum cpis_status status = send_answer(client, &arena, work, answer, deadline_ms, ret);
	arena_done(&arena);
	return status;
}
