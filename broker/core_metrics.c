// The core's part of the metrics.
#include <stdio.h>
#include <string.h>

#include "broker/core_priv.h"
#include "broker/metrics.h"

#define CERTIFICATES_MS 15000u
#define DAY_MS (24ull * 3600u * 1000u)

_Static_assert(TRAFFIC_OPERATIONS <= 100, "what nobody can ask for is not counted");

// ------------------------------------------------------------------ certificates

struct look {
	const struct core *core;
	uint64_t now_ms;
	struct core_certificates *found;
};

// Always goes on.
static bool look_at(const struct system_identity *system, const void *user)
{
	static const uint64_t within_ms[3] = {7 * DAY_MS, 30 * DAY_MS, 60 * DAY_MS};
	const struct look *look = user;
	struct core_certificates *found = look->found;
	const struct enrolled_system *enrolled = register_system(look->core->options.snapshot, system->curve_public);
	if (enrolled == NULL || register_system_status(enrolled, look->now_ms) != CERTS_OK)
		return false;
	found->systems++;
	if (found->next_until_ms == 0 || system->not_after_ms < found->next_until_ms)
		found->next_until_ms = system->not_after_ms;
	for (unsigned i = 0; i < 3; i++)
		found->expiring[i] += system->not_after_ms <= look->now_ms + within_ms[i];
	return false;
}

static void add_certificates(struct core *core, uint64_t now_ms, struct metrics *ret)
{
	if (core->certificates_ms == 0 || now_ms < core->certificates_ms || now_ms - core->certificates_ms >= CERTIFICATES_MS) {
		core->certificates = (struct core_certificates){0};
		core->certificates_ms = now_ms;
		const struct look look = {core, now_ms, &core->certificates};
		register_find_system(core->options.snapshot, look_at, &look);
	}
	ret->certificate_until_ms = core->options.certificate_until_ms;
	ret->revocation_until_ms = trust_crl_next_update_ms(register_trust(core->options.snapshot));
	ret->next_system_until_ms = core->certificates.next_until_ms;
	ret->systems = core->certificates.systems;
	memcpy(ret->systems_expiring, core->certificates.expiring, sizeof ret->systems_expiring);
}

// ------------------------------------------------------------------ inboxes

static void add_waiting(struct core *core, uint64_t now_ms, struct metrics *ret)
{
	struct waiting *waiting = &core->waiting;
	// In a batch of its own, of which nothing is kept: another broker's writing is not waited for in the middle of it.
	if (waiting->counted_ms == 0 || now_ms < waiting->counted_ms || now_ms - waiting->counted_ms >= WAITING_KEPT_MS) {
		core_begin(core, now_ms);
		if (core->begun) {
			// What fails shows itself with the next request; what was counted before stays.
			(void)!waiting_count(waiting, core->options.store, now_ms);
			core->options.store->ops->rollback(core->options.store);
		}
		core->begun = core->doomed = false;
	}
	ret->waiting_ms = waiting->counted_ms;
	ret->waiting = waiting->items;
}

// ------------------------------------------------------------------ requests

static void add_latencies(const struct traffic *traffic, struct metrics *ret)
{
	memset(ret->latencies, 0, sizeof ret->latencies);
	for (unsigned bucket = 0, at = 0; bucket < TRAFFIC_BUCKETS; bucket++) {
		uint64_t until_us = traffic_bucket_until_us(bucket);
		while (at < METRICS_LATENCIES && (until_us == 0 || until_us > UINT64_C(16) << (2 * at)))
			at++;
		ret->latencies[at] += traffic_read_bucket(traffic, bucket);
	}
	ret->latency_sum_us = traffic_read_latency_sum_us(traffic);
}

static void add_traffic(const struct traffic *traffic, struct metrics *ret)
{
	for (unsigned i = 0; i < TRAFFIC_OPERATIONS; i++)
		ret->operations[i] = traffic_read_operation(traffic, i);
	for (enum reason reason = 0; reason < REASONS; reason++)
		ret->refusals[reason] = traffic_read_refusals(traffic, reason);
	for (enum traffic_stage stage = 0; stage < TRAFFIC_STAGES; stage++)
		ret->stages[stage] = traffic_read_stage(traffic, stage);
	ret->batches = traffic_read_batches(traffic);
	ret->totals = traffic_read_totals(traffic);
	ret->started_ms = ret->totals.started_ms;
	add_latencies(traffic, ret);
}

static unsigned causes_of(const struct core *core, uint64_t now_ms)
{
	struct traffic_totals totals = traffic_read_totals(core->traffic);
	const struct witnessing *witnessing = &core->witnessing;
	// The last failure is the newer of the two, or as new.
	bool failed = totals.last_failed_ms != 0 && totals.last_failed_ms >= totals.last_commit_ms && now_ms >= totals.last_failed_ms &&
		      now_ms - totals.last_failed_ms < METRICS_FAILED_MS;
	unsigned causes = core->suspect || failed ? 1u << METRICS_CAUSE_STORE : 0;
	if (witnessing->required_s != 0 && now_ms / 1000 > witnessing->since_s + witnessing->required_s)
		causes |= 1u << METRICS_CAUSE_UNWITNESSED;
	return causes;
}

void core_read_metrics(struct core *core, uint64_t now_ms, struct metrics *ret)
{
	snprintf(ret->broker_name, sizeof ret->broker_name, "%s", core->options.broker_name);
	snprintf(ret->version, sizeof ret->version, "%s", CPIS_VERSION);
	snprintf(ret->store, sizeof ret->store, "%s", core->options.store->ops->name);
	ret->now_ms = now_ms;
	add_waiting(core, now_ms, ret);
	ret->causes = causes_of(core, now_ms);
	add_traffic(core->traffic, ret);
	add_certificates(core, now_ms, ret);
	ret->inbox_escalated = core->counters.escalated;
	ret->inbox_expired = core->counters.expired;
	ret->log_size = audit_next_index(core->audit);
	ret->witnessed_ms = core->witnessing.since_s * 1000;
	ret->witness_required_ms = core->witnessing.required_s * 1000;
	ret->quarantined = quarantine_count(core->quarantine);
	ret->store_busy = core->options.store->busy;
}
