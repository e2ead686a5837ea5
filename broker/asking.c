// Questions to responders.
#include "broker/asking.h"

#include <string.h>

#include "broker/digest.h"
#include "broker/log.h"
#include "broker/random.h"
#include "broker/request.h"
#include "proto/answer.h"

uint64_t asking_work_key(const struct ods_code *organisation)
{
	return wait_key(WAIT_WORK, organisation->text, strlen(organisation->text));
}

uint64_t asking_answer_key(const uint8_t work_id[WORK_ID_BYTES])
{
	return wait_key(WAIT_ANSWER, work_id, WORK_ID_BYTES);
}

// What would refuse its next message would keep its answer out: no question leaves for whoever may not answer it.
static bool may_answer(const struct op_context *context, const struct responder *responder)
{
	uint64_t now_ms = context->now_ms;
	const struct enrolled_system *system = register_system(context->snapshot, responder->channel_key);
	return now_ms < responder->ends_ms && now_ms < responder->seen_ms + RESPONDER_SILENT_MS &&
	       request_standing(context->snapshot, context->quarantine, system, now_ms) == REASON_NONE &&
	       !quarantine_holds_person(context->quarantine, responder->uid, &responder->staff_serial, now_ms) &&
	       roles_find(context->roles, context->snapshot, responder->uid, responder->role_code,
			  &responder->post.organisation, now_ms) != NULL;
}

static uint32_t time_left_ms(const struct op_context *context, uint32_t patience_ms)
{
	uint64_t deadline_ms = context->request->deadline_ms, gone_ms = context->waited_ms + ASKING_MARGIN_MS;
	uint64_t left_ms = gone_ms >= deadline_ms ? 0 : deadline_ms - gone_ms;
	return left_ms < patience_ms ? (uint32_t)left_ms : patience_ms;
}

static enum asking wait_for(struct op_context *context, const struct work *work)
{
	if (!context->may_wait || context->now_ms >= work->until_ms)
		return ASKING_NOT_AVAILABLE;
	context->wait = (struct wait){.key = asking_answer_key(work->id),
				      .wait_ms = (uint32_t)(work->until_ms - context->now_ms)};
	return ASKING_WAITS;
}

static enum asking take_up(struct op_context *context, const struct work *work, const Cpis__V1__ResponderAnswer **ret)
{
	ProtobufCMessage *answer = NULL;
	struct wire_error error;
	if (work->state == WORK_FAILED)
		return ASKING_NOT_AVAILABLE;
	if (work->state != WORK_ANSWERED)
		return wait_for(context, work);
	// The answer may be forgotten before the reply is through.
	const uint8_t *copy = arena_copy(context->arena, work->answer, work->answer_bytes);
	if (copy == NULL || wire_unpack(context->arena, &cpis__v1__responder_answer__descriptor, copy, work->answer_bytes,
					&answer, &error) != WIRE_OK)
		return ASKING_FAILED;
	*ret = (const Cpis__V1__ResponderAnswer *)answer;
	return ASKING_ANSWERED;
}

// Whoever was told so, and comes again with the same request, asks anew.
static bool came_to_nothing(const struct op_context *context, const struct work *work)
{
	return work->state == WORK_FAILED || (work->state != WORK_ANSWERED && context->now_ms >= work->until_ms);
}

static enum asking put(struct op_context *context, const struct responder_post *post, uint32_t wait_ms,
		       const struct work_asker *asker, Cpis__V1__ResponderWork *question)
{
	struct work work = {.post = *post, .asker = *asker, .until_ms = context->now_ms + wait_ms};
	random_bytes(work.id, sizeof work.id);
	question->work_id = (ProtobufCBinaryData){sizeof work.id, work.id};
	work.question = (uint8_t *)(uintptr_t)answer_work_bytes(context->arena, question, &work.question_bytes);
	if (work.question == NULL)
		return ASKING_FAILED;
	digest_sha256(work.question, work.question_bytes, work.sha256);
	if (question->question_case == CPIS__V1__RESPONDER_WORK__QUESTION_PLANS)
		work.has_subject = nhs_number_parse(question->plans->nhs_number, strlen(question->plans->nhs_number),
						    &work.number) == NHS_NUMBER_OK;
	const struct work *kept = works_put(context->works, &work, context->now_ms);
	if (kept == NULL) {
		log_event(LOG_EVENT_RESPONDERS_FULL, "there is no room for another question to %s",
			  post->organisation.text);
		return ASKING_NOT_AVAILABLE;
	}
	wakes_add(context->wakes, asking_work_key(&post->organisation));
	return wait_for(context, kept);
}

enum asking asking_put(struct op_context *context, const struct responder_post *post, uint32_t patience_ms,
		       Cpis__V1__ResponderWork *question, const Cpis__V1__ResponderAnswer **ret)
{
	struct work_asker asker;
	memcpy(asker.channel_key, context->channel_key, sizeof asker.channel_key);
	memcpy(asker.request_id, context->request->request_id.data, sizeof asker.request_id);
	size_t bytes;
	const uint8_t *packed = answer_work_bytes(context->arena, question, &bytes);
	if (packed == NULL)
		return ASKING_FAILED;
	digest_sha256(packed, bytes, asker.question_sha256);
	const struct work *before = works_of_asker(context->works, &asker);
	if (before != NULL && (context->resumed || !came_to_nothing(context, before)))
		return take_up(context, before, ret);
	const struct responder *responder = responders_find(context->responders, post);
	uint32_t wait_ms = time_left_ms(context, patience_ms);
	if (responder == NULL || !may_answer(context, responder) || wait_ms == 0 || !context->may_wait)
		return ASKING_NOT_AVAILABLE;
	return put(context, post, wait_ms, &asker, question);
}
