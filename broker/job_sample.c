// Routine review: a few of the accesses, chosen by nobody. Once an hour, of the records that were in the log when this was last
// done, each access is chosen or not by a hash of its number and of the log's root as it is now. Whoever looked, or ran the broker,
// could not know that root then; whoever has the log can compute the choice again: the record of it says which records, and the
// root by the size of its tree.
#include <stdio.h>
#include <string.h>

#include "broker/alert.h"
#include "broker/digest.h"
#include "broker/job.h"
#include "broker/log.h"

#define HOUR_MS (60ull * 60u * 1000u)
#define MINUTE_MS 60000u
#define RECORDS_PER_STEP 1024u
// Under which the choices are found again; no member of staff is called so.
#define SAMPLER "sampling"

// How far the choice has got: records before `next` were put to it, and those before `until` are to be now.
struct progress {
	uint64_t next, until;
	uint64_t index, time_ms; // of the record that says so
};

static enum job_result find_progress(struct op_context *context, struct progress *ret)
{
	struct audit_search search = {
		.range = {.key = STORE_AUDIT_PERSON, .until_index = UINT64_MAX, .until_ms = UINT64_MAX, .limit = 1}};
	struct store_audit *rows = NULL;
	size_t count = 0;
	unsigned long long next, until;
	vault_tag_person(context->vault, SAMPLER, &search.tag);
	if (audit_find(context->audit, &search, context->arena, &rows, &count) != STORE_OK)
		return JOB_FAILED;
	if (count == 0)
		return JOB_IDLE;
	const Cpis__V1__AuditEntry *entry = audit_entry(context->audit, context->arena, &rows[0]);
	if (entry == NULL || sscanf(entry->detail->target, "next %llu of %llu", &next, &until) != 2) {
		log_damage(LOG_EVENT_AUDIT_UNREADABLE, "audit record %llu does not open",
			   (unsigned long long)rows[0].index);
		return JOB_FAILED;
	}
	*ret = (struct progress){next, until, rows[0].index, entry->time_ms};
	return JOB_DONE;
}

static bool is_chosen(const struct merkle_hash *root, uint64_t index, unsigned per_thousand)
{
	uint8_t data[MERKLE_HASH_BYTES + 8], digest[HASH_BYTES];
	uint64_t value = 0;
	memcpy(data, root->bytes, MERKLE_HASH_BYTES);
	for (size_t i = 0; i < 8; i++)
		data[MERKLE_HASH_BYTES + i] = (uint8_t)(index >> (56 - 8 * i));
	digest_sha256(data, sizeof data, digest);
	for (size_t i = 0; i < 8; i++)
		value = value << 8 | digest[i];
	return value / (UINT64_MAX / 1000) < per_thousand;
}

static bool alert(struct op_context *context, const Cpis__V1__AuditEntry *entry)
{
	struct ods_code organisation;
	Cpis__V1__Alert sample = CPIS__V1__ALERT__INIT;
	sample.kind = CPIS__V1__ALERT_KIND__SAMPLE;
	sample.audit_index = entry->index;
	return ods_code_parse(entry->organisation, strlen(entry->organisation), &organisation) &&
	       alert_put(context, &organisation, entry->detail->uid, &sample) == REASON_NONE;
}

// Only those that are chosen are opened.
static bool put_to_it(struct op_context *context, const struct merkle_hash *root, uint64_t from, uint64_t until,
		      uint32_t *ret_chosen)
{
	for (uint64_t i = from; i < until; i++) {
		struct store_audit row;
		if (!is_chosen(root, i, policy_detection(context->policy)->sample_per_thousand))
			continue;
		if (context->store->ops->audit_get(context->store, i, context->arena, &row) != STORE_OK)
			return false;
		const Cpis__V1__AuditEntry *entry = audit_entry(context->audit, context->arena, &row);
		if (entry == NULL) {
			log_damage(LOG_EVENT_AUDIT_UNREADABLE, "audit record %llu does not open", (unsigned long long)i);
			continue;
		}
		if (entry->erased || entry->operation != CPIS__V1__OPERATION__DETAILS || entry->outcome != CPIS__V1__OUTCOME__OK)
			continue;
		if (!alert(context, entry))
			return false;
		++*ret_chosen;
	}
	return true;
}

static bool record(struct op_context *context, const struct progress *progress, uint64_t from, uint64_t size,
		   uint32_t chosen)
{
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	struct store_tag sampler;
	uint64_t index;
	vault_tag_person(context->vault, SAMPLER, &sampler);
	detail.target = arena_printf(context->arena, "next %llu of %llu", (unsigned long long)progress->next,
				     (unsigned long long)progress->until);
	detail.reason = arena_printf(context->arena,
				     "%u accesses of records %llu up to %llu were chosen for review by the root of the tree of %llu.", chosen,
				     (unsigned long long)from, (unsigned long long)progress->next, (unsigned long long)size);
	detail.count = chosen;
	struct audit_event event = {
		.time_ms = context->now_ms,
		.operation = CPIS__V1__OPERATION__SAMPLED,
		.organisation = "",
		.system_name = "",
		.person = &sampler,
		.policy_version = policy_version(context->policy),
		.detail = &detail,
	};
	return detail.target != NULL && detail.reason != NULL &&
	       audit_append(context->audit, context->arena, &event, &index) == STORE_OK;
}

enum job_result job_sample(struct op_context *context, struct job_tally *tally)
{
	struct progress progress = {0};
	struct merkle_hash root;
	uint32_t chosen = 0;
	(void)tally;
	// Looking is a search; once a minute is often enough.
	if (policy_detection(context->policy)->sample_per_thousand == 0 ||
	    (context->now_ms >= *context->sample_looked_ms && context->now_ms - *context->sample_looked_ms < MINUTE_MS))
		return JOB_IDLE;
	enum job_result found = find_progress(context, &progress);
	if (found == JOB_FAILED)
		return JOB_FAILED;
	if (found == JOB_DONE && progress.next == progress.until && context->now_ms < progress.time_ms + HOUR_MS) {
		*context->sample_looked_ms = context->now_ms;
		return JOB_IDLE;
	}
	uint64_t size = audit_root(context->audit, &root), from = progress.next;
	if (found == JOB_IDLE) {
		// What happened before sampling began is not sampled.
		progress.next = progress.until = from = size;
	} else {
		if (progress.next == progress.until)
			progress.until = progress.index;
		progress.next = progress.until - from < RECORDS_PER_STEP ? progress.until : from + RECORDS_PER_STEP;
		if (!put_to_it(context, &root, from, progress.next, &chosen))
			return JOB_FAILED;
	}
	if (!record(context, &progress, from, size, chosen))
		return JOB_FAILED;
	return progress.next < progress.until ? JOB_MORE : JOB_DONE;
}
