// "Nothing to report": to each authority that wants it, once a day (UTC's), when nothing else came in that day: so that silence
// is known to be silence. After a time in which the broker did not run, one notice stands for all of it.
#include <string.h>

#include "broker/inbox.h"
#include "broker/job.h"

#define DAY_MS (24ull * 60u * 60u * 1000u)
#define ORGANISATIONS_PER_STEP 16u

static bool came_since(struct op_context *context, const struct ods_code *ods, uint64_t from_ms, uint64_t until_ms, bool *ret)
{
	static const enum store_box boxes[] = {STORE_BOX_NOTIFICATIONS, STORE_BOX_HELD};
	*ret = false;
	for (size_t i = 0; i < sizeof boxes / sizeof boxes[0]; i++) {
		uint64_t created_ms;
		if (context->store->ops->inbox_latest(context->store, boxes[i], ods, until_ms, CPIS__V1__INBOX_ITEM__KIND_NOTHING,
						      &created_ms) != STORE_OK)
			return false;
		*ret = *ret || created_ms >= from_ms;
	}
	return true;
}

static bool report(struct op_context *context, const struct organisation *organisation, uint64_t from_ms, uint64_t until_ms)
{
	bool came;
	Cpis__V1__NothingToReport nothing = CPIS__V1__NOTHING_TO_REPORT__INIT;
	Cpis__V1__InboxItem item = CPIS__V1__INBOX_ITEM__INIT;
	if (!came_since(context, &organisation->ods, from_ms, until_ms, &came))
		return false;
	if (came)
		return true;
	nothing.from_ms = from_ms;
	nothing.until_ms = until_ms;
	item.kind_case = CPIS__V1__INBOX_ITEM__KIND_NOTHING;
	item.nothing = &nothing;
	return inbox_put(context, organisation->ods.text, &item) == REASON_NONE;
}

// The organisations after `state->after`, some at a time; then the time itself moves on.
static bool step(struct op_context *context, struct store_reported *state, uint64_t until_ms)
{
	size_t count, taken = 0;
	const struct organisation *organisations = register_organisations(context->snapshot, &count);
	for (size_t i = 0; i < count; i++) {
		if (!organisations[i].inbox.nothing_to_report_daily || strcmp(organisations[i].ods.text, state->after.text) <= 0)
			continue;
		if (taken++ == ORGANISATIONS_PER_STEP)
			return true;
		if (!report(context, &organisations[i], state->until_ms, until_ms))
			return false;
		state->after = organisations[i].ods;
	}
	*state = (struct store_reported){.until_ms = until_ms};
	return true;
}

enum job_result job_nothing_to_report(struct op_context *context, struct job_tally *tally)
{
	struct store_reported state = {0};
	uint64_t until_ms = context->now_ms - context->now_ms % DAY_MS;
	(void)tally;
	enum store_status status = context->store->ops->reported_get(context->store, &state);
	if (status != STORE_OK && status != STORE_NOT_FOUND)
		return JOB_FAILED;
	if (status == STORE_OK && state.until_ms >= until_ms)
		return JOB_IDLE;
	// Of the days before the first start nothing is known.
	if (status == STORE_NOT_FOUND)
		state = (struct store_reported){.until_ms = until_ms};
	else if (!step(context, &state, until_ms))
		return JOB_FAILED;
	if (context->store->ops->reported_put(context->store, &state) != STORE_OK)
		return JOB_FAILED;
	return state.until_ms >= until_ms ? JOB_DONE : JOB_MORE;
}
