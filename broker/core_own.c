// What the broker does by itself, without a request: jobs that are due by time, records of failed handshakes and of requests that were turned away.
#include "broker/core_priv.h"

#include <string.h>

#include "broker/job.h"
#include "broker/log.h"
#include "proto/date.h"
#include "proto/invariant.h"

// ------------------------------------------------------------------ jobs

static job_step *const jobs[] = {
	job_publication,
	job_inbox_due,
	job_digest,
	job_nothing_to_report,
	job_sample,
	job_retention,
	NULL,
};

static bool end_job(struct core *core, enum job_result result, const struct job_tally *tally, uint64_t now_ms)
{
	core->doomed = core->doomed || result == JOB_FAILED;
	if (core_end(core, now_ms)) {
		core->counters.escalated += tally->escalated;
		core->counters.expired += tally->expired;
		return result == JOB_MORE;
	}
	log_trouble(LOG_EVENT_COMMIT_FAILED, "what is due by time could not be done; it is tried again");
	return false;
}

// Jobs that have nothing to do share a batch, which is given up.
bool core_tick(struct core *core, uint64_t now_ms)
{
	bool more = false;
	INVARIANT(core->slot_count == 0 && !core->begun);
	for (size_t i = 0; jobs[i] != NULL; i++) {
		struct job_tally tally = {0};
		core_begin(core, now_ms);
		if (!core->begun) {
			// The store may have taken seconds to say no, which the next job would wait for too, and requests after it.
			core->doomed = false;
			return false;
		}
		struct op_context context = core_context(core, now_ms);
		enum job_result result = jobs[i](&context, &tally);
		if (result != JOB_IDLE)
			more = end_job(core, result, &tally, now_ms) || more;
	}
	if (core->begun)
		core->options.store->ops->rollback(core->options.store);
	core->begun = core->doomed = false;
	arena_reset(&core->arena);
	return more;
}

// ------------------------------------------------------------------ failed handshakes, and who was told to come later

static bool record_attempt(struct core *core, const struct attempt *attempt, uint64_t now_ms)
{
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	char since[25];
	uint64_t index;
	instant_format(attempt->first_ms, since);
	detail.reason = arena_printf(&core->arena, "%s %llu since %s.", reason_sentence(attempt->reason),
				     (unsigned long long)attempt->count, since);
	detail.target = op_text(attempt->examples);
	detail.count = attempt->count > UINT32_MAX ? UINT32_MAX : (uint32_t)attempt->count;
	struct audit_event event = {
		.time_ms = now_ms,
		.operation = attempt->reason == REASON_BUSY ? CPIS__V1__OPERATION__TURNED_AWAY : CPIS__V1__OPERATION__HANDSHAKE,
		.reason = attempt->reason,
		.organisation = "",
		.system_name = "",
		.policy_version = policy_version(core_policy(core)),
		.detail = &detail,
	};
	return detail.reason != NULL && audit_append(core->audit, &core->arena, &event, &index) == STORE_OK;
}

bool core_record_attempts(struct core *core, const struct attempt *attempts, size_t count, uint64_t now_ms)
{
	INVARIANT(core->slot_count == 0 && count <= core->options.batch_max);
	core_begin(core, now_ms);
	for (size_t i = 0; i < count && !core->doomed; i++)
		core->doomed = !record_attempt(core, &attempts[i], now_ms);
	return core_end(core, now_ms);
}

// ------------------------------------------------------------------ the policy file, read again

static void pass_over(void *unused, const char *sentence)
{
	(void)unused;
	(void)sentence;
}

// As of POLICY_LOAD, and of nobody: who may send the process a signal is not known here, and signs nothing.
static bool record_policy(struct core *core, const struct policy *policy, uint64_t now_ms)
{
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	uint64_t index;
	detail.reason = arena_printf(&core->arena, "The policy file was read again at the word of the broker's operator, in place of %.100s.",
				     policy_version(core_policy(core)));
	detail.target = op_text(policy_version(policy));
	size_t changes = policy_compare(core_policy(core), policy, pass_over, NULL);
	detail.count = changes > UINT32_MAX ? UINT32_MAX : (uint32_t)changes;
	struct audit_event event = {
		.time_ms = now_ms,
		.operation = CPIS__V1__OPERATION__POLICY_LOAD,
		.organisation = "",
		.system_name = "",
		.policy_version = policy_version(core_policy(core)),
		.detail = &detail,
	};
	return detail.reason != NULL && audit_append(core->audit, &core->arena, &event, &index) == STORE_OK;
}

bool core_policy_is_file(const struct core *core)
{
	return policy_in_force_is_file(core->in_force);
}

bool core_put_policy_file(struct core *core, const struct policy *policy, struct register_snapshot *snapshot, uint64_t now_ms)
{
	INVARIANT(core->slot_count == 0);
	core_begin(core, now_ms);
	// Another broker before the same store may just have put one in force.
	core->doomed = core->doomed || !core_policy_is_file(core) || !record_policy(core, policy, now_ms);
	if (!core->doomed)
		policy_in_force_put_file(core->in_force, policy, snapshot);
	bool done = core_end(core, now_ms);
	if (done)
		core_change_policy(core);
	return done;
}

void core_set_terms(struct core *core, uint64_t certificate_until_ms, uint64_t witness_required_s)
{
	INVARIANT(core->slot_count == 0);
	core->options.certificate_until_ms = certificate_until_ms;
	core->witnessing.required_s = witness_required_s;
	core->witnessing.told = false;
}

// ------------------------------------------------------------------ a backup that was put back

bool core_record_restored(struct core *core, const struct store_cosigned *backup, const struct core_restored *words, uint64_t now_ms)
{
	Cpis__V1__AuditDetail detail = CPIS__V1__AUDIT_DETAIL__INIT;
	uint64_t index;
	// A longer text would make a record that nobody can read.
	INVARIANT(strlen(words->sentence) <= TEXT_BYTES_MAX && strlen(words->predecessor) <= TEXT_BYTES_MAX);
	core_begin(core, now_ms);
	detail.reason = op_text(words->sentence);
	detail.target = op_text(words->predecessor);
	struct audit_event event = {
		.time_ms = now_ms,
		.operation = CPIS__V1__OPERATION__RESTORED,
		.organisation = "",
		.system_name = "",
		.policy_version = policy_version(core_policy(core)),
		.detail = &detail,
	};
	struct store *store = core->options.store;
	core->doomed = core->doomed || store->ops->cosigned_put(store, STORE_RESTORED, backup) != STORE_OK ||
		       audit_append(core->audit, &core->arena, &event, &index) != STORE_OK;
	return core_end(core, now_ms);
}
