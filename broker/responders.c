// The responders there are: a short list.
#include "broker/responders.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

struct responders {
	struct responder *all;
	size_t count;
};

bool responders_new(struct responders **ret)
{
	*ret = calloc(1, sizeof **ret);
	return *ret != NULL;
}

static void drop(struct responders *responders, struct responder *responder)
{
	DL_DELETE2(responders->all, responder, previous, next);
	responders->count--;
	free(responder);
}

void responders_forget(struct responders *responders)
{
	while (responders->all != NULL)
		drop(responders, responders->all);
}

void responders_free(struct responders *responders)
{
	if (responders == NULL)
		return;
	responders_forget(responders);
	free(responders);
}

bool responder_post_equal(const struct responder_post *a, const struct responder_post *b)
{
	return a->kind == b->kind && ods_code_equal(&a->organisation, &b->organisation) &&
	       strcmp(a->first.digits, b->first.digits) == 0 && strcmp(a->last.digits, b->last.digits) == 0;
}

bool responder_post_of(const struct register_snapshot *snapshot, const struct nhs_number *number, struct responder_post *ret)
{
	const struct register_range *range = register_range_of(snapshot, number);
	if (range != NULL)
		*ret = (struct responder_post){.kind = CPIS__V1__RESPONDER_KIND__PLANS,
					       .organisation = range->organisation,
					       .first = range->first,
					       .last = range->last};
	return range != NULL;
}

bool responder_post_demographics(const struct register_snapshot *snapshot, struct responder_post *ret)
{
	const struct organisation *organisation = register_demographics(snapshot);
	if (organisation != NULL)
		*ret = (struct responder_post){.kind = CPIS__V1__RESPONDER_KIND__DEMOGRAPHICS,
					       .organisation = organisation->ods};
	return organisation != NULL;
}

bool responder_post_given(const struct register_snapshot *snapshot, const struct responder_post *post)
{
	struct responder_post given;
	bool found = post->kind == CPIS__V1__RESPONDER_KIND__PLANS ? responder_post_of(snapshot, &post->first, &given)
								   : responder_post_demographics(snapshot, &given);
	return found && responder_post_equal(&given, post);
}

static struct responder *find(const struct responders *responders, const struct responder_post *post)
{
	struct responder *responder;
	DL_FOREACH2(responders->all, responder, next)
		if (responder_post_equal(&responder->post, post))
			return responder;
	return NULL;
}

static void make_room(struct responders *responders)
{
	struct responder *responder, *oldest = responders->all;
	if (responders->count < RESPONDERS_MAX)
		return;
	DL_FOREACH2(responders->all, responder, next)
		if (responder->seen_ms < oldest->seen_ms)
			oldest = responder;
	drop(responders, oldest);
}

bool responders_put(struct responders *responders, const struct responder *from, bool *ret_replaced)
{
	struct responder *responder = malloc(sizeof *responder), *before = find(responders, &from->post);
	if (responder == NULL)
		return false;
	if (before != NULL)
		drop(responders, before);
	make_room(responders);
	*responder = *from;
	DL_APPEND2(responders->all, responder, previous, next);
	responders->count++;
	*ret_replaced = before != NULL;
	return true;
}

const struct responder *responders_find(const struct responders *responders, const struct responder_post *post)
{
	return find(responders, post);
}

bool responder_is(const struct responder *responder, const struct session *session)
{
	return memcmp(responder->channel_key, session->channel_key, KEY_BYTES) == 0 &&
	       memcmp(responder->session_id, session->id, SESSION_ID_BYTES) == 0;
}

bool responders_seen(struct responders *responders, const struct session *session, uint64_t now_ms)
{
	struct responder *responder;
	bool any = false;
	DL_FOREACH2(responders->all, responder, next) {
		if (!responder_is(responder, session))
			continue;
		responder->seen_ms = now_ms;
		any = true;
	}
	return any;
}
