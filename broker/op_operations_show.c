// OPERATIONS_SHOW: how the service runs.
#include <string.h>

#include "broker/op.h"
#include "broker/traffic.h"
#include "broker/waiting.h"
#include "broker/witnessing.h"

#define EXPIRING_MS (60ull * 24u * 3600u * 1000u)
#define SHORT_WINDOW_S 60u

_Static_assert(TRAFFIC_SECONDS == SHOWN_MINUTES_MAX * SHOWN_SECONDS_MAX && TRAFFIC_OPERATIONS <= SHOWN_OPERATIONS_MAX && TRAFFIC_BUCKETS <= SHOWN_BUCKETS_MAX,
	       "what is counted fits the reply");

// ------------------------------------------------------------------ requests

static bool add_seconds(struct op_context *context, Cpis__V1__OperationsShowReply *reply)
{
	uint32_t *allowed = arena_alloc(context->arena, TRAFFIC_SECONDS * sizeof *allowed);
	uint32_t *refused = arena_alloc(context->arena, TRAFFIC_SECONDS * sizeof *refused);
	reply->seconds = arena_alloc(context->arena, SHOWN_MINUTES_MAX * sizeof(Cpis__V1__CountedSeconds *));
	if (allowed == NULL || refused == NULL || reply->seconds == NULL)
		return false;
	size_t count = traffic_read_seconds(context->traffic, context->now_ms, allowed, refused);
	for (size_t from = 0; from < count; from += SHOWN_SECONDS_MAX) {
		Cpis__V1__CountedSeconds *value = OP_NEW(context, Cpis__V1__CountedSeconds, cpis__v1__counted_seconds__init);
		if (value == NULL)
			return false;
		value->allowed = allowed + from;
		value->refused = refused + from;
		value->n_allowed = value->n_refused = count - from < SHOWN_SECONDS_MAX ? count - from : SHOWN_SECONDS_MAX;
		reply->seconds[reply->n_seconds++] = value;
	}
	return true;
}

static bool add_counts(struct op_context *context, Cpis__V1__OperationsShowReply *reply)
{
	reply->counts = arena_alloc(context->arena, TRAFFIC_OPERATIONS * sizeof(Cpis__V1__OperationCount *));
	if (reply->counts == NULL)
		return false;
	for (unsigned i = 0; i < TRAFFIC_OPERATIONS; i++) {
		struct traffic_count count = traffic_read_operation(context->traffic, i);
		if (count.allowed == 0 && count.refused == 0)
			continue;
		Cpis__V1__OperationCount *value = OP_NEW(context, Cpis__V1__OperationCount, cpis__v1__operation_count__init);
		if (value == NULL)
			return false;
		value->operation = (Cpis__V1__Operation)i;
		value->allowed = count.allowed;
		value->refused = count.refused;
		reply->counts[reply->n_counts++] = value;
	}
	return true;
}

static Cpis__V1__Latency *latency_value(struct op_context *context, struct traffic_spread spread)
{
	Cpis__V1__Latency *value = OP_NEW(context, Cpis__V1__Latency, cpis__v1__latency__init);
	if (value == NULL)
		return NULL;
	value->count = spread.count;
	value->p50_us = spread.p50_us;
	value->p95_us = spread.p95_us;
	value->p99_us = spread.p99_us;
	value->max_us = spread.max_us;
	return value;
}

static bool add_latencies(struct op_context *context, Cpis__V1__OperationsShowReply *reply)
{
	const struct traffic *traffic = context->traffic;
	reply->since_start = latency_value(context, traffic_read_spread(traffic));
	reply->last_minute = latency_value(context, traffic_read_recent(traffic, SHORT_WINDOW_S, context->now_ms));
	reply->last_five_minutes = latency_value(context, traffic_read_recent(traffic, TRAFFIC_SECONDS, context->now_ms));
	reply->buckets = arena_alloc(context->arena, TRAFFIC_BUCKETS * sizeof(Cpis__V1__LatencyBucket *));
	if (reply->since_start == NULL || reply->last_minute == NULL || reply->last_five_minutes == NULL || reply->buckets == NULL)
		return false;
	for (unsigned i = 0; i < TRAFFIC_BUCKETS; i++) {
		uint64_t count = traffic_read_bucket(traffic, i);
		if (count == 0)
			continue;
		Cpis__V1__LatencyBucket *value = OP_NEW(context, Cpis__V1__LatencyBucket, cpis__v1__latency_bucket__init);
		if (value == NULL)
			return false;
		value->until_us = traffic_bucket_until_us(i);
		value->count = count;
		reply->buckets[reply->n_buckets++] = value;
	}
	return true;
}

static bool add_totals(struct op_context *context, Cpis__V1__OperationsShowReply *reply)
{
	struct traffic_totals totals = traffic_read_totals(context->traffic);
	reply->started_ms = totals.started_ms;
	reply->commits = totals.commits;
	reply->failed_commits = totals.failed_commits;
	reply->committed_requests = totals.committed_requests;
	reply->last_commit_ms = totals.last_commit_ms;
	reply->edge = OP_NEW(context, Cpis__V1__EdgeCounts, cpis__v1__edge_counts__init);
	if (reply->edge == NULL)
		return false;
	reply->edge->admitted = totals.edge.admitted;
	reply->edge->refused = totals.edge.refused;
	reply->edge->turned_away = totals.edge.turned_away;
	reply->edge->restarts = totals.edge.restarts;
	return true;
}

// ------------------------------------------------------------------ inboxes

static enum reason add_waiting(struct op_context *context, Cpis__V1__OperationsShowReply *reply)
{
	struct waiting *waiting = context->waiting;
	if (waiting_count(waiting, context->store, context->now_ms) != STORE_OK)
		return REASON_STORE;
	Cpis__V1__WaitingItems *value = OP_NEW(context, Cpis__V1__WaitingItems, cpis__v1__waiting_items__init);
	if (value == NULL)
		return REASON_INTERNAL;
	value->counted_ms = waiting->counted_ms;
	value->more = waiting->items.more;
	value->oldest_ms = waiting->items.oldest_ms;
	value->within_hour = waiting->items.counts[0];
	value->within_eight_hours = waiting->items.counts[1];
	value->within_day = waiting->items.counts[2];
	value->within_three_days = waiting->items.counts[3];
	value->older = waiting->items.counts[4];
	reply->waiting = value;
	return REASON_NONE;
}

// ------------------------------------------------------------------ certificates

struct expiring {
	struct op_context *context;
	Cpis__V1__OperationsShowReply *reply;
	const struct system_identity *soonest[SHOWN_EXPIRING_MAX]; // in order
	size_t count;
};

// Keeps the soonest, in order. Always goes on.
static bool look_at(const struct system_identity *system, const void *user)
{
	struct expiring *expiring = (struct expiring *)(uintptr_t)user;
	uint64_t now_ms = expiring->context->now_ms;
	const struct enrolled_system *enrolled = register_system(expiring->context->snapshot, system->curve_public);
	if (enrolled == NULL || register_system_status(enrolled, now_ms) != CERTS_OK)
		return false;
	expiring->reply->systems++;
	if (system->not_after_ms > now_ms + EXPIRING_MS)
		return false;
	expiring->reply->expiring++;
	size_t at = expiring->count;
	if (at == SHOWN_EXPIRING_MAX && expiring->soonest[at - 1]->not_after_ms <= system->not_after_ms)
		return false;
	if (at == SHOWN_EXPIRING_MAX)
		at--;
	else
		expiring->count++;
	for (; at > 0 && expiring->soonest[at - 1]->not_after_ms > system->not_after_ms; at--)
		expiring->soonest[at] = expiring->soonest[at - 1];
	expiring->soonest[at] = system;
	return false;
}

static bool add_certificates(struct op_context *context, Cpis__V1__OperationsShowReply *reply)
{
	struct expiring expiring = {.context = context, .reply = reply};
	reply->certificate_until_ms = context->certificate_until_ms;
	reply->revocation_until_ms = trust_crl_next_update_ms(register_trust(context->snapshot));
	register_find_system(context->snapshot, look_at, &expiring);
	reply->expiring_soonest = arena_alloc(context->arena, SHOWN_EXPIRING_MAX * sizeof(Cpis__V1__ExpiringSystem *));
	if (reply->expiring_soonest == NULL)
		return false;
	for (size_t i = 0; i < expiring.count; i++) {
		Cpis__V1__ExpiringSystem *value = OP_NEW(context, Cpis__V1__ExpiringSystem, cpis__v1__expiring_system__init);
		if (value == NULL)
			return false;
		value->organisation = op_text(expiring.soonest[i]->organisation);
		value->system_name = op_text(expiring.soonest[i]->name);
		value->until_ms = expiring.soonest[i]->not_after_ms;
		reply->expiring_soonest[reply->n_expiring_soonest++] = value;
	}
	return true;
}

// ------------------------------------------------------------------ the log

static enum reason add_log(struct op_context *context, Cpis__V1__OperationsShowReply *reply)
{
	const struct witnessing *witnessing = context->witnessing;
	struct store_cosigned row;
	struct checkpoint checkpoint;
	struct merkle_hash root;
	Cpis__V1__LogState *value = OP_NEW(context, Cpis__V1__LogState, cpis__v1__log_state__init);
	if (value == NULL)
		return REASON_INTERNAL;
	reply->log = value;
	value->size = audit_root(context->audit, &root);
	value->witnesses_wanted = witnessing->policy->required;
	value->witnessed_age_max_ms = witnessing->required_s * 1000;
	if (witnessing->since_s == 0)
		return REASON_NONE;
	enum store_status status = context->store->ops->cosigned_get(context->store, STORE_COSIGNED_WITNESSED, context->arena, &row);
	if (status == STORE_NOT_FOUND)
		return REASON_NONE;
	if (status != STORE_OK)
		return status == STORE_FAILED ? REASON_STORE : REASON_INTERNAL;
	if (checkpoint_verify(row.note, strlen(row.note), context->log, &checkpoint) == CERTS_OK) {
		value->witnessed_size = checkpoint.size;
		value->witnessed_ms = witnessing->since_s * 1000;
	}
	return REASON_NONE;
}

enum reason op_operations_show(struct op_context *context)
{
	Cpis__V1__OperationsShowReply *reply =
		OP_NEW(context, Cpis__V1__OperationsShowReply, cpis__v1__operations_show_reply__init);
	if (reply == NULL)
		return REASON_INTERNAL;
	reply->broker_name = op_text(context->broker_name);
	reply->version = op_text(CPIS_VERSION);
	reply->store = op_text(context->store->ops->name);
	reply->time_ms = context->now_ms;
	if (!add_seconds(context, reply) || !add_counts(context, reply) || !add_latencies(context, reply) ||
	    !add_totals(context, reply) || !add_certificates(context, reply))
		return REASON_INTERNAL;
	enum reason reason = add_waiting(context, reply);
	if (reason == REASON_NONE)
		reason = add_log(context, reply);
	if (reason != REASON_NONE)
		return reason;
	context->reply->operations_show = reply;
	context->reply->body_case = CPIS__V1__REPLY__BODY_OPERATIONS_SHOW;
	return REASON_NONE;
}
