// Work for responders: a list, the oldest first.
#include "broker/works.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "proto/invariant.h"

struct works {
	struct work *all;
	size_t count, bytes;
};

bool works_new(struct works **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret != NULL;
}

static void wipe(uint8_t *data, size_t bytes)
{
	if (data != NULL)
		explicit_bzero(data, bytes);
	free(data);
}

static void drop(struct works *works, struct work *work)
{
	DL_DELETE2(works->all, work, previous, next);
	works->count--;
	works->bytes -= work->question_bytes + work->answer_bytes;
	wipe(work->question, work->question_bytes);
	wipe(work->answer, work->answer_bytes);
	explicit_bzero(work, sizeof *work);
	free(work);
}

void works_forget(struct works *works)
{
	while (works->all != NULL)
		drop(works, works->all);
}

void works_free(struct works *works)
{
	if (works == NULL)
		return;
	works_forget(works);
	free(works);
}

static bool is_open(const struct work *work)
{
	return work->state == WORK_WAITS || work->state == WORK_TAKEN;
}

// What is long over, or by a clock that was set back seems to have no end.
static void sweep(struct works *works, uint64_t now_ms)
{
	struct work *work, *next;
	DL_FOREACH_SAFE2(works->all, work, next, next)
		if (now_ms >= work->until_ms + WORK_KEPT_MS || work->until_ms > now_ms + DEADLINE_MS_MAX)
			drop(works, work);
}

// The oldest that nobody needs any more makes room.
static bool drop_one(struct works *works, uint64_t now_ms)
{
	struct work *work;
	DL_FOREACH2(works->all, work, next)
		if (!is_open(work) || now_ms >= work->until_ms) {
			drop(works, work);
			return true;
		}
	return false;
}

static size_t open_of(const struct works *works, const uint8_t channel_key[KEY_BYTES], uint64_t now_ms)
{
	size_t count = 0;
	struct work *work;
	DL_FOREACH2(works->all, work, next)
		count += is_open(work) && now_ms < work->until_ms &&
			 memcmp(work->asker.channel_key, channel_key, KEY_BYTES) == 0;
	return count;
}

static bool has_room(struct works *works, size_t bytes, uint64_t now_ms)
{
	while (works->count == WORKS_MAX || bytes > WORKS_BYTES_MAX - works->bytes)
		if (!drop_one(works, now_ms))
			return false;
	return true;
}

struct work *works_put(struct works *works, const struct work *from, uint64_t now_ms)
{
	sweep(works, now_ms);
	if (open_of(works, from->asker.channel_key, now_ms) >= WORKS_PER_ASKER_MAX ||
	    !has_room(works, from->question_bytes, now_ms))
		return NULL;
	struct work *work = malloc(sizeof *work);
	uint8_t *question = malloc(from->question_bytes);
	if (work == NULL || question == NULL) {
		free(work);
		free(question);
		return NULL;
	}
	*work = *from;
	memcpy(question, from->question, from->question_bytes);
	work->question = question;
	work->state = WORK_WAITS;
	DL_APPEND2(works->all, work, previous, next);
	works->count++;
	works->bytes += work->question_bytes;
	return work;
}

struct work *works_of_asker(const struct works *works, const struct work_asker *asker)
{
	struct work *work, *newest = NULL;
	DL_FOREACH2(works->all, work, next)
		if (memcmp(&work->asker, asker, sizeof *asker) == 0)
			newest = work;
	return newest;
}

struct work *works_by_id(const struct works *works, ProtobufCBinaryData id)
{
	struct work *work;
	DL_FOREACH2(works->all, work, next)
		if (id.len == WORK_ID_BYTES && memcmp(work->id, id.data, WORK_ID_BYTES) == 0)
			return work;
	return NULL;
}

bool work_was_taken_by(const struct work *work, const struct session *session)
{
	return work->state != WORK_WAITS && memcmp(work->taken_channel_key, session->channel_key, KEY_BYTES) == 0 &&
	       memcmp(work->taken_session_id, session->id, SESSION_ID_BYTES) == 0;
}

struct work *works_for(const struct works *works, const struct responders *responders, const struct session *session,
		       const uint8_t request_id[REQUEST_ID_BYTES], uint64_t now_ms)
{
	struct work *work, *first = NULL;
	DL_FOREACH2(works->all, work, next) {
		if (work_was_taken_by(work, session) &&
		    memcmp(work->taken_request_id, request_id, REQUEST_ID_BYTES) == 0)
			return work;
		bool waits = work->state == WORK_WAITS && now_ms < work->until_ms;
		const struct responder *responder = first == NULL && waits ? responders_find(responders, &work->post) : NULL;
		if (responder != NULL && responder_is(responder, session))
			first = work;
	}
	return first;
}

void works_take(struct work *work, const struct responder *responder, const uint8_t request_id[REQUEST_ID_BYTES])
{
	work->state = WORK_TAKEN;
	memcpy(work->taken_request_id, request_id, REQUEST_ID_BYTES);
	memcpy(work->taken_channel_key, responder->channel_key, KEY_BYTES);
	memcpy(work->taken_session_id, responder->session_id, SESSION_ID_BYTES);
	memcpy(work->answer_key, responder->answer_key, KEY_BYTES);
}

bool works_answer(struct works *works, struct work *work, const uint8_t *answer, size_t answer_bytes)
{
	INVARIANT(work->state == WORK_TAKEN);
	uint8_t *copy = answer_bytes > WORKS_BYTES_MAX - works->bytes ? NULL : malloc(answer_bytes);
	if (copy == NULL) {
		work->state = WORK_FAILED;
		return false;
	}
	memcpy(copy, answer, answer_bytes);
	work->answer = copy;
	work->answer_bytes = answer_bytes;
	work->state = WORK_ANSWERED;
	works->bytes += answer_bytes;
	return true;
}

void works_fail(struct work *work)
{
	work->state = WORK_FAILED;
}

void works_release(struct works *works, const struct responder_post *post)
{
	struct work *work;
	DL_FOREACH2(works->all, work, next)
		if (work->state == WORK_TAKEN && responder_post_equal(&work->post, post))
			work->state = WORK_WAITS;
}
