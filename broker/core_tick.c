// Jobs, in turn.
#include "broker/core_priv.h"

#include "broker/job.h"
#include "broker/log.h"
#include "proto/invariant.h"

static job_step *const jobs[] = {
	job_publication,
	NULL,
};

static bool commit_job(struct core *core, enum job_result result)
{
	struct store *store = core->options.store;
	if (result != JOB_FAILED && store->ops->commit(store) == STORE_OK)
		return true;
	store->ops->rollback(store);
	// What the disk kept is read again before anybody is answered.
	core->suspect = true;
	core->counters.failed_commits++;
	log_event(LOG_LEVEL_ERROR, "commit_failed", "what is due by time could not be done; it is tried again");
	return false;
}

// One step of one job. True: there is more.
static bool run(struct core *core, job_step *job, uint64_t now_ms)
{
	core_begin(core, now_ms);
	if (!core->begun) {
		core->doomed = false;
		return false;
	}
	struct op_context context = core_context(core, now_ms);
	enum job_result result = job(&context);
	bool more = false;
	if (result == JOB_IDLE)
		core->options.store->ops->rollback(core->options.store);
	else
		more = commit_job(core, result) && result == JOB_MORE;
	core->begun = core->doomed = false;
	arena_reset(&core->arena);
	return more;
}

bool core_tick(struct core *core, uint64_t now_ms)
{
	bool more = false;
	INVARIANT(core->slot_count == 0 && !core->begun);
	for (size_t i = 0; jobs[i] != NULL; i++)
		more = run(core, jobs[i], now_ms) || more;
	return more;
}
