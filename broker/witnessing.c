// Collecting cosignatures: merging them, the quorum, the next checkpoint to cosign.
#include "broker/witnessing.h"

#include <string.h>

#include "broker/log.h"

#define FUTURE_S 60u

bool witnessing_load(struct witnessing *witnessing, struct store *store, struct arena *arena)
{
	struct store_cosigned row;
	enum store_status status = store->ops->cosigned_get(store, STORE_COSIGNED_WITNESSED, arena, &row);
	witnessing->since_s = 0;
	if (status == STORE_NOT_FOUND || !witnessing->policy->required)
		return true;
	// By the policy as it is now. What came from the future was not taken in.
	if (status == STORE_OK)
		(void)!witness_policy_holds(witnessing->policy, row.note, INT64_MAX, &witnessing->since_s);
	return status == STORE_OK;
}

// What witnesses, and whoever compares, need to end this.
static bool is_always_answered(Cpis__V1__Operation operation)
{
	return operation == CPIS__V1__OPERATION__PING || operation == CPIS__V1__OPERATION__AUDIT_CONSISTENCY ||
	       operation == CPIS__V1__OPERATION__CHECKPOINT_EXCHANGE;
}

bool witnessing_refuses(struct witnessing *witnessing, Cpis__V1__Operation operation, uint64_t now_ms)
{
	if (witnessing->required_s == 0)
		return false;
	bool overdue = now_ms / 1000 > witnessing->since_s + witnessing->required_s;
	if (overdue && !witnessing->told)
		log_event(LOG_EVENT_LOG_UNWITNESSED,
			  "no checkpoint of the last %llu s has been cosigned by a quorum of witnesses: nothing is answered until one is",
			  (unsigned long long)witnessing->required_s);
	if (!overdue && witnessing->told)
		log_event(LOG_EVENT_LOG_WITNESSED, "a quorum of witnesses has cosigned: questions are answered again");
	witnessing->told = overdue;
	return overdue && !is_always_answered(operation);
}

enum reason witnessing_check(const struct witnessing *witnessing, const char *note, uint64_t now_ms)
{
	uint64_t time_s = 0;
	for (unsigned i = 0; i < witnessing->policy->count; i++) {
		enum certs_status status = cosignature_check(note, &witnessing->policy->witnesses[i].key, &time_s);
		// One from a clock that is fast would not count: who made it must hear of that.
		if ((status != CERTS_OK && status != CERTS_NAME) ||
		    (status == CERTS_OK && time_s > now_ms / 1000 + FUTURE_S))
			return REASON_COSIGNATURE;
	}
	return REASON_NONE;
}

// ------------------------------------------------------------------ merging

static bool is_same_text(const char *a, const char *b)
{
	const char *end = strstr(a, "\n\n");
	size_t bytes = end == NULL ? 0 : (size_t)(end + 2 - a);
	return bytes > 0 && strncmp(a, b, bytes) == 0;
}

// Cosignatures of `from` that are newer than what `note` has of the same witness. Whether there were any.
static bool merge(const struct witness_policy *policy, const char *from, uint64_t now_s, char note[NOTE_BYTES_MAX + 1])
{
	char merged[NOTE_BYTES_MAX + 1];
	bool changed = false;
	for (unsigned i = 0; i < policy->count; i++) {
		const struct note_verifier *witness = &policy->witnesses[i].key;
		uint64_t theirs_s, ours_s;
		if (cosignature_check(from, witness, &theirs_s) != CERTS_OK || theirs_s > now_s + FUTURE_S ||
		    (cosignature_check(note, witness, &ours_s) == CERTS_OK && ours_s >= theirs_s) ||
		    cosignature_take(note, from, witness, merged) != CERTS_OK)
			continue;
		strcpy(note, merged);
		changed = true;
	}
	return changed;
}

// A row as it is after the exchange; `note` "" when there is none.
struct kept {
	uint64_t time_ms;
	char note[NOTE_BYTES_MAX + 1];
	bool changed;
};

static enum store_status get(struct op_context *context, enum store_cosigned_which which, struct kept *ret)
{
	struct store_cosigned row = {0, ""};
	enum store_status status = context->store->ops->cosigned_get(context->store, which, context->arena, &row);
	*ret = (struct kept){.time_ms = row.time_ms};
	strcpy(ret->note, row.note);
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static bool put(struct op_context *context, enum store_cosigned_which which, const struct kept *kept)
{
	struct store_cosigned row = {kept->time_ms, kept->note};
	return !kept->changed || context->store->ops->cosigned_put(context->store, which, &row) == STORE_OK;
}

static void take_in(struct op_context *context, const char *note, struct kept *pinned, struct kept *witnessed)
{
	const struct witness_policy *policy = context->witnessing->policy;
	uint64_t now_s = context->now_ms / 1000, since_s;
	if (is_same_text(pinned->note, note))
		pinned->changed = merge(policy, note, now_s, pinned->note);
	// Cosigned again, or by one more, it stays recent.
	if (is_same_text(witnessed->note, note))
		witnessed->changed = merge(policy, note, now_s, witnessed->note);
	if (witnessed->changed && witness_policy_holds(policy, witnessed->note, now_s, &since_s))
		witnessed->time_ms = since_s * 1000;
	if (!pinned->changed || !witness_policy_holds(policy, pinned->note, now_s, &since_s) ||
	    since_s * 1000 < witnessed->time_ms)
		return;
	*witnessed = (struct kept){.time_ms = since_s * 1000, .changed = true};
	strcpy(witnessed->note, pinned->note);
}

// ------------------------------------------------------------------ the next one to cosign

static enum store_status set_down(struct op_context *context, struct kept *pinned)
{
	uint64_t since_s;
	const char *newest = NULL;
	// One with its quorum is done with; after an hour those who have not come by are not waited for.
	bool done = pinned->note[0] == '\0' || context->now_ms > pinned->time_ms + WITNESSING_PIN_MS ||
		    witness_policy_holds(context->witnessing->policy, pinned->note, context->now_ms / 1000, &since_s);
	if (!done)
		return STORE_OK;
	// The newest that is committed: this batch's own does not exist yet.
	enum store_status status = context->store->ops->checkpoint_get(context->store, context->arena, &newest);
	if (status != STORE_OK)
		return status == STORE_NOT_FOUND ? STORE_OK : status;
	if (is_same_text(pinned->note, newest))
		return STORE_OK;
	*pinned = (struct kept){.time_ms = context->now_ms, .changed = true};
	strcpy(pinned->note, newest);
	return STORE_OK;
}

static bool tell(struct op_context *context, const struct kept *kept, Cpis__V1__HeldCheckpoint **ret)
{
	if (kept->note[0] == '\0')
		return true;
	*ret = OP_NEW(context, Cpis__V1__HeldCheckpoint, cpis__v1__held_checkpoint__init);
	if (*ret == NULL)
		return false;
	(*ret)->checkpoint = arena_copy_text(context->arena, kept->note, strlen(kept->note));
	(*ret)->time_ms = kept->time_ms;
	return (*ret)->checkpoint != NULL;
}

enum reason witnessing_exchange(struct op_context *context, const char *note, Cpis__V1__CheckpointExchangeReply *reply)
{
	struct witnessing *witnessing = context->witnessing;
	struct kept pinned, witnessed;
	if (!witnessing->policy->required)
		return REASON_NONE;
	if (get(context, STORE_COSIGNED_PINNED, &pinned) != STORE_OK || get(context, STORE_COSIGNED_WITNESSED, &witnessed) != STORE_OK)
		return REASON_STORE;
	take_in(context, note, &pinned, &witnessed);
	bool done = put(context, STORE_COSIGNED_WITNESSED, &witnessed) && set_down(context, &pinned) == STORE_OK &&
		    put(context, STORE_COSIGNED_PINNED, &pinned) && tell(context, &pinned, &reply->to_cosign) &&
		    tell(context, &witnessed, &reply->witnessed);
	if (!done)
		return REASON_STORE;
	// A batch that is given up is read again.
	if (witnessed.changed)
		witnessing->since_s = witnessed.time_ms / 1000;
	return REASON_NONE;
}
