// RESPONDER_REGISTER: somebody's process says that it answers, from now on, what the register gives to its organisation.
#include <string.h>

#include "broker/op.h"
#include "proto/text.h"

static bool read_number(const char *text, struct nhs_number *ret)
{
	if (!text_is_digits(text, strlen(text), NHS_NUMBER_DIGITS))
		return false;
	memcpy(ret->digits, text, sizeof ret->digits);
	return true;
}

static enum reason read_post(struct op_context *context, struct responder_post *ret)
{
	const Cpis__V1__ResponderRegisterRequest *request = context->request->responder_register;
	*ret = (struct responder_post){.kind = request->kind, .organisation = context->session->organisation};
	if (request->kind == CPIS__V1__RESPONDER_KIND__PLANS &&
	    (!read_number(request->range_first, &ret->first) || !read_number(request->range_last, &ret->last)))
		return REASON_VALUE;
	return responder_post_given(context->snapshot, ret) ? REASON_NONE : REASON_RESPONDER_SCOPE;
}

static struct responder responder_of(const struct op_context *context, const struct responder_post *post)
{
	const struct session *session = context->session;
	struct responder responder = {.post = *post, .staff_serial = session->staff_serial, .seen_ms = context->now_ms};
	responder.ends_ms = session->expires_ms < session->staff_not_after_ms ? session->expires_ms
									       : session->staff_not_after_ms;
	memcpy(responder.answer_key, context->request->responder_register->answer_key.data, KEY_BYTES);
	memcpy(responder.channel_key, session->channel_key, KEY_BYTES);
	memcpy(responder.session_id, session->id, SESSION_ID_BYTES);
	memcpy(responder.uid, session->uid, sizeof responder.uid);
	memcpy(responder.role_code, session->role_code, sizeof responder.role_code);
	return responder;
}

// In the record: what is answered from now on.
static bool note_target(struct op_context *context, const struct responder_post *post)
{
	context->detail->target = post->kind == CPIS__V1__RESPONDER_KIND__DEMOGRAPHICS
					  ? op_text("DEMOGRAPHICS")
					  : arena_printf(context->arena, "PLANS %s-%s", post->first.digits, post->last.digits);
	return context->detail->target != NULL;
}

enum reason op_responder_register(struct op_context *context)
{
	struct responder_post post;
	enum reason reason = read_post(context, &post);
	if (reason != REASON_NONE)
		return reason;
	Cpis__V1__ResponderRegisterReply *reply =
		OP_NEW(context, Cpis__V1__ResponderRegisterReply, cpis__v1__responder_register_reply__init);
	struct responder responder = responder_of(context, &post);
	bool replaced = false;
	if (reply == NULL || !note_target(context, &post) || !responders_put(context->responders, &responder, &replaced))
		return REASON_INTERNAL;
	works_release(context->works, &post);
	reply->replaced = replaced;
	context->reply->responder_register = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_RESPONDER_REGISTER;
	return REASON_NONE;
}
