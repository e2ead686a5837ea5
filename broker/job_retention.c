// Letting go: keys of the audit log that the policy keeps no longer are destroyed, unless a legal hold stops that. What a child's
// history has of such a month is removed before.
#include <string.h>

#include "broker/access.h"
#include "broker/hold.h"
#include "broker/job.h"
#include "broker/log.h"
#include "broker/retention.h"
#include "proto/date.h"

#define MINUTE_MS 60000u
#define RECORDS_PER_STEP 256u
// What is destroyed does not come back, so a clock is believed only when it has gone for a while: there are records of each of the
// seven days before. After a jump, or two, there are not.
#define BELIEVED_DAYS 7u
#define DAY_MS (24ull * 60u * 60u * 1000u)

static const char *const class_words[AUDIT_CLASSES_END] = {
	[AUDIT_CLASS_CHILD] = "CHILD",
	[AUDIT_CLASS_STAFF] = "STAFF",
	[AUDIT_CLASS_SERVICE] = "SERVICE",
	[AUDIT_CLASS_PERSON] = "PERSON",
};

// JOB_DONE: there is one.
static enum job_result find_due(struct op_context *context, const struct audit_key **ret)
{
	const struct audit_keys *keys = audit_keys_of(context->audit);
	Cpis__V1__RetentionHold **holds = NULL;
	size_t count = 0;
	bool read = false;
	for (size_t i = 0; i < audit_keys_count(keys); i++) {
		const struct audit_key *key = audit_keys_at(keys, i);
		uint64_t due_ms = retention_due_ms(context->policy, audit_keys_of(context->audit), key);
		if (key->destroyed_ms != 0 || due_ms == 0 || context->now_ms < due_ms)
			continue;
		enum store_status status = read ? STORE_OK : hold_all(context, &holds, &count);
		if (status == STORE_NOT_FOUND)
			return JOB_IDLE; // one does not open, and could hold this
		if (status != STORE_OK)
			return JOB_FAILED;
		read = true;
		if (hold_any_covers(holds, count, key->month))
			continue;
		*ret = key;
		return JOB_DONE;
	}
	return JOB_IDLE;
}

static bool clock_is_believed(struct op_context *context, bool *ret)
{
	*ret = true;
	for (unsigned day = 1; day <= BELIEVED_DAYS && *ret; day++) {
		struct audit_search search = {
			.range = {.key = STORE_AUDIT_ALL,
				  .until_index = UINT64_MAX,
				  .from_ms = context->now_ms > (day + 1) * DAY_MS ? context->now_ms - (day + 1) * DAY_MS : 0,
				  .until_ms = context->now_ms > day * DAY_MS ? context->now_ms - day * DAY_MS : 0,
				  .limit = 1},
		};
		struct store_audit *rows = NULL;
		size_t count = 0;
		if (audit_find(context->audit, &search, context->arena, &rows, &count) != STORE_OK)
			return false;
		*ret = count > 0;
	}
	return true;
}

// ------------------------------------------------------------------ children's histories

static bool remove_look(struct op_context *context, const struct store_audit *row, bool *ret_removed)
{
	struct nhs_number number;
	struct store_tag subject;
	size_t used = context->arena->used;
	const Cpis__V1__AuditEntry *entry = row->has_subject ? audit_entry(context->audit, context->arena, row) : NULL;
	// What the history has of it was sealed with the same key, and goes with it.
	if (row->has_subject && entry == NULL)
		log_damage(LOG_EVENT_AUDIT_UNREADABLE, "audit record %llu does not open", (unsigned long long)row->index);
	bool is_look = entry != NULL && nhs_number_parse(entry->detail->nhs_number, strlen(entry->detail->nhs_number), &number) ==
						NHS_NUMBER_OK;
	if (is_look)
		vault_tag_subject(context->vault, &number, &subject);
	arena_rewind(context->arena, used);
	if (!is_look)
		return true;
	enum store_status status = context->store->ops->access_delete(context->store, &subject, row->index);
	*ret_removed = *ret_removed || status == STORE_OK;
	return status == STORE_OK || status == STORE_NOT_FOUND;
}

static void begin_pass(struct retention_progress *progress, const struct audit_key *key)
{
	progress->key = key->id;
	progress->next = 0;
	progress->removed = false;
}

// JOB_IDLE: the month's looks are gone.
static enum job_result remove_looks(struct op_context *context, const struct audit_key *key)
{
	struct retention_progress *progress = context->retention;
	if (progress->key != key->id)
		begin_pass(progress, key);
	struct audit_search search = {
		.range = {.key = STORE_AUDIT_ALL,
			  .from_index = progress->next,
			  .until_index = UINT64_MAX,
			  .from_ms = month_start_ms(key->month),
			  .until_ms = month_start_ms(key->month + 1),
			  .oldest_first = true,
			  .limit = RECORDS_PER_STEP},
	};
	struct store_audit *rows = NULL;
	size_t count = 0;
	if (audit_find(context->audit, &search, context->arena, &rows, &count) != STORE_OK)
		return JOB_FAILED;
	for (size_t i = 0; i < count; i++)
		if (!remove_look(context, &rows[i], &progress->removed))
			return JOB_FAILED;
	if (count > 0) {
		progress->next = rows[count - 1].index + 1;
		return JOB_MORE;
	}
	if (!progress->removed)
		return JOB_IDLE;
	begin_pass(progress, key);
	return JOB_MORE;
}

// ------------------------------------------------------------------ the key

static bool record(struct op_context *context, const struct audit_key *key)
{
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	char month[MONTH_BYTES], due[25];
	uint64_t index;
	month_format(key->month, month);
	instant_format(retention_due_ms(context->policy, audit_keys_of(context->audit), key), due);
	detail.target = arena_printf(context->arena, "%s %s key %u", month, class_words[key->record_class], key->id);
	detail.reason = arena_printf(context->arena, "This key was destroyed: the policy kept what it sealed until %s.", due);
	struct audit_event event = {
		.time_ms = context->now_ms,
		.operation = CPIS__V1__OPERATION__KEY_DESTROYED,
		.organisation = "",
		.system_name = "",
		.policy_version = policy_version(context->policy),
		.detail = &detail,
	};
	return detail.target != NULL && detail.reason != NULL &&
	       audit_append(context->audit, context->arena, &event, &index) == STORE_OK;
}

static enum job_result rest(struct op_context *context)
{
	context->retention->looked_ms = context->now_ms;
	return JOB_IDLE;
}

enum job_result job_retention(struct op_context *context, struct job_tally *tally)
{
	const struct audit_key *key = NULL;
	bool believed = false;
	(void)tally;
	if (context->now_ms >= context->retention->looked_ms && context->now_ms - context->retention->looked_ms < MINUTE_MS)
		return JOB_IDLE;
	enum job_result found = find_due(context, &key);
	if (found != JOB_DONE)
		return found == JOB_IDLE ? rest(context) : found;
	if (!clock_is_believed(context, &believed))
		return JOB_FAILED;
	if (!believed) {
		log_event(LOG_EVENT_KEY_DESTRUCTION_WAITS,
			  "audit key %u is due, but there are not records of each of the last days: is the clock right?", key->id);
		return rest(context);
	}
	enum job_result looks = key->record_class == AUDIT_CLASS_CHILD ? remove_looks(context, key) : JOB_IDLE;
	if (looks != JOB_IDLE)
		return looks;
	if (!record(context, key) || audit_keys_destroy(audit_keys_of(context->audit), key->id, context->now_ms) != STORE_OK)
		return JOB_FAILED;
	return JOB_MORE;
}
