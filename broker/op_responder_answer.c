// RESPONDER_ANSWER: the answer to a question that this responder took. It is believed when the registered key signed it for
// this question, and when it says what can be; otherwise whoever asked is told at once that nobody answered.
#include <string.h>

#include "broker/answer_check.h"
#include "broker/asking.h"
#include "proto/answer.h"

static bool decode(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t bytes,
		   ProtobufCMessage **ret)
{
	struct wire_error error;
	return wire_unpack(arena, descriptor, data, bytes, ret, &error) == WIRE_OK;
}

static enum reason check_signature(struct op_context *context, const struct work *work)
{
	const Cpis__V1__ResponderAnswerRequest *request = context->request->responder_answer;
	size_t bytes;
	const uint8_t *text = answer_signed_bytes(context->arena, context->broker_name, work->sha256, request->answer.data,
						  request->answer.len, &bytes);
	if (text == NULL)
		return REASON_INTERNAL;
	return ed25519_verify(work->answer_key, text, bytes, request->signature.data) == CERTS_OK ? REASON_NONE
												   : REASON_ANSWER_SIGNATURE;
}

static enum reason check(struct op_context *context, const struct work *work, const Cpis__V1__ResponderAnswer *answer)
{
	ProtobufCMessage *question = NULL;
	enum reason reason = check_signature(context, work);
	if (reason != REASON_NONE)
		return reason;
	if (!decode(context->arena, &cpis__v1__responder_work__descriptor, work->question, work->question_bytes, &question))
		return REASON_INTERNAL;
	return answer_is_possible(context, &work->post, (const Cpis__V1__ResponderWork *)question, answer)
		       ? REASON_NONE
		       : REASON_ANSWER_INVALID;
}

// Whether it came in time, or the refusal. Either way the asker has waited for it.
static enum reason take_answer(struct op_context *context, struct work *work, const Cpis__V1__ResponderAnswer *answer,
			       bool *ret_in_time)
{
	const ProtobufCBinaryData *bytes = &context->request->responder_answer->answer;
	const struct responder *responder = responders_find(context->responders, &work->post);
	if (!op_note_number(context, work->has_subject ? &work->number : NULL))
		return REASON_INTERNAL;
	if (!work_was_taken_by(work, context->session))
		return REASON_WORK_NOT_TAKEN;
	if (responder == NULL || !responder_is(responder, context->session) ||
	    !responder_post_given(context->snapshot, &work->post))
		return REASON_NOT_REGISTERED;
	*ret_in_time = work->state == WORK_TAKEN && context->now_ms < work->until_ms;
	enum reason reason = check(context, work, answer);
	if (work->state != WORK_TAKEN)
		return reason;
	if (reason == REASON_ANSWER_SIGNATURE || reason == REASON_ANSWER_INVALID)
		works_fail(work);
	else if (reason == REASON_NONE && *ret_in_time)
		*ret_in_time = works_answer(context->works, work, bytes->data, bytes->len);
	wakes_add(context->wakes, asking_answer_key(work->id));
	return reason;
}

enum reason op_responder_answer(struct op_context *context)
{
	const ProtobufCBinaryData *bytes = &context->request->responder_answer->answer;
	ProtobufCMessage *answer = NULL;
	bool in_time = false;
	if (!responders_seen(context->responders, context->session, context->now_ms))
		return REASON_NOT_REGISTERED;
	if (!decode(context->arena, &cpis__v1__responder_answer__descriptor, bytes->data, bytes->len, &answer))
		return REASON_ANSWER_INVALID;
	Cpis__V1__ResponderAnswerReply *reply =
		OP_NEW(context, Cpis__V1__ResponderAnswerReply, cpis__v1__responder_answer_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	struct work *work = works_by_id(context->works, ((const Cpis__V1__ResponderAnswer *)answer)->work_id);
	if (work != NULL) {
		enum reason reason = take_answer(context, work, (const Cpis__V1__ResponderAnswer *)answer, &in_time);
		if (reason != REASON_NONE)
			return reason;
	}
	reply->in_time = in_time;
	context->reply->responder_answer = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_RESPONDER_ANSWER;
	return REASON_NONE;
}
