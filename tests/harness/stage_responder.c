// A responder's requests.
#include "tests/harness/stage_responder.h"

#include <openssl/evp.h>

#include "proto/answer.h"
#include "tests/harness/stage_priv.h"

const struct stage_reply *stage_register_responder(struct stage *stage, enum stage_person person,
						   const struct signing_key *key, const char *first, const char *last)
{
	Cpis__V1__ResponderRegisterRequest body = CPIS__V1__RESPONDER_REGISTER_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	uint8_t public_key[KEY_BYTES];
	signing_key_public(key, public_key);
	body.kind = first == NULL ? CPIS__V1__RESPONDER_KIND__DEMOGRAPHICS : CPIS__V1__RESPONDER_KIND__PLANS;
	if (first != NULL) {
		body.range_first = (char *)(uintptr_t)first;
		body.range_last = (char *)(uintptr_t)last;
	}
	body.answer_key = (ProtobufCBinaryData){sizeof public_key, public_key};
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_REGISTER;
	request.responder_register = &body;
	return stage_act(stage, person, person, stage->now_ms, &request);
}

Cpis__V1__Request stage_take_request(Cpis__V1__ResponderTakeRequest *body)
{
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	cpis__v1__responder_take_request__init(body);
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_TAKE;
	request.responder_take = body;
	return request;
}

const struct stage_reply *stage_take_work(struct stage *stage, enum stage_person person)
{
	Cpis__V1__ResponderTakeRequest body;
	Cpis__V1__Request request = stage_take_request(&body);
	return stage_ask_as(stage, person, &request);
}

const struct stage_reply *stage_answer_work(struct stage *stage, enum stage_person person, const struct signing_key *key,
					    const Cpis__V1__ResponderWork *work, Cpis__V1__ResponderAnswer *answer, int flip)
{
	struct arena arena;
	uint8_t sha256[HASH_BYTES], signature[ED25519_SIGNATURE_BYTES];
	size_t bytes, text_bytes, packed_bytes;
	stage_must(arena_init(&arena, ARENA_BYTES), "answer", "out of memory");
	answer->work_id = work->work_id;
	const uint8_t *packed = wire_pack(&arena, &answer->base, &packed_bytes);
	const uint8_t *question = answer_work_bytes(&arena, work, &bytes);
	stage_must(EVP_Digest(question, bytes, sha256, NULL, EVP_sha256(), NULL) == 1, "answer", "cannot be hashed");
	const uint8_t *text = answer_signed_bytes(&arena, STAGE_BROKER_NAME, sha256, packed, packed_bytes, &text_bytes);
	stage_must(signing_key_sign(key, text, text_bytes, signature) == CERTS_OK, "answer", "cannot be signed");
	if (flip >= 0)
		signature[flip] ^= 1;
	Cpis__V1__ResponderAnswerRequest body = CPIS__V1__RESPONDER_ANSWER_REQUEST__INIT;
	Cpis__V1__Request request = CPIS__V1__REQUEST__INIT;
	body.answer = (ProtobufCBinaryData){packed_bytes, (uint8_t *)(uintptr_t)packed};
	body.signature = (ProtobufCBinaryData){sizeof signature, signature};
	request.body_case = CPIS__V1__REQUEST__BODY_RESPONDER_ANSWER;
	request.responder_answer = &body;
	const struct stage_reply *reply = stage_ask_as(stage, person, &request);
	arena_done(&arena);
	return reply;
}
