// RESPONDER_TAKE: the next question for this responder, or a wait for one. A question about a child leaves the house here: the
// record says to whom.
#include <string.h>

#include "broker/asking.h"

// The time that this reply takes to get there, and the answer to come back, is the asker's too.
static uint32_t time_left_ms(const struct op_context *context, const struct work *work)
{
	return context->now_ms < work->until_ms ? (uint32_t)(work->until_ms - context->now_ms) : 1;
}

static Cpis__V1__ResponderWork *open_work(struct op_context *context, const struct work *work)
{
	ProtobufCMessage *message = NULL;
	struct wire_error error;
	const uint8_t *copy = arena_copy(context->arena, work->question, work->question_bytes);
	if (copy == NULL || wire_unpack(context->arena, &cpis__v1__responder_work__descriptor, copy, work->question_bytes,
					&message, &error) != WIRE_OK)
		return NULL;
	return (Cpis__V1__ResponderWork *)message;
}

static bool hand_out(struct op_context *context, struct work *work, Cpis__V1__ResponderTakeReply *reply)
{
	const struct responder *responder = responders_find(context->responders, &work->post);
	// A take that was sent again is given what it was given; of what has been answered, nothing.
	bool again = work->state == WORK_TAKEN;
	if (!again && work->state != WORK_WAITS)
		return true;
	reply->work = open_work(context, work);
	if (reply->work == NULL || !op_note_number(context, work->has_subject ? &work->number : NULL))
		return false;
	reply->work->deadline_ms = time_left_ms(context, work);
	context->detail->count = 1;
	if (reply->work->question_case == CPIS__V1__RESPONDER_WORK__QUESTION_DEMOGRAPHICS)
		context->detail->count = (uint32_t)reply->work->demographics->n_records;
	if (!again)
		works_take(work, responder, context->request->request_id.data);
	return true;
}

enum reason op_responder_take(struct op_context *context)
{
	const Cpis__V1__ResponderTakeRequest *request = context->request->responder_take;
	if (!responders_seen(context->responders, context->session, context->now_ms))
		return REASON_NOT_REGISTERED;
	struct work *work = works_for(context->works, context->responders, context->session,
				      context->request->request_id.data, context->now_ms);
	if (work == NULL && context->may_wait && request->wait_ms > context->waited_ms) {
		context->wait = (struct wait){.key = asking_work_key(&context->session->organisation),
					      .wait_ms = (uint32_t)(request->wait_ms - context->waited_ms)};
		return REASON_PARKED;
	}
	Cpis__V1__ResponderTakeReply *reply =
		OP_NEW(context, Cpis__V1__ResponderTakeReply, cpis__v1__responder_take_reply__init);
	if (reply == NULL || (work != NULL && !hand_out(context, work, reply)))
		return REASON_INTERNAL;
	context->reply->responder_take = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_RESPONDER_TAKE;
	return REASON_NONE;
}
