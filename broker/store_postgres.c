// PostgreSQL backend: sessions, batches, opening. What a commit means is in store_postgres.h.
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/log.h"
#include "broker/store_postgres_priv.h"
#include "proto/invariant.h"

#define TIMEOUT_MS 5000u
#define CONNECT_TIMEOUT_MS 2000u

static const char *const texts[] = {
#define X(name, sql) sql,
	POSTGRES_STATEMENTS(X)
#undef X
};
_Static_assert(POSTGRES_STATEMENT_COUNT <= QUEUE_LENGTH, "all are prepared in one go");

// ------------------------------------------------------------------ sessions

// Whoever cancels a commit that waits for the second server makes it succeed with a warning: it is on one server only.
static void take_notice(void *context, const PGresult *notice)
{
	struct postgres_store *store = context;
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (severity != NULL && strcmp(severity, "WARNING") == 0)
		store->warned = true;
}

static bool send_guard(struct postgres_store *store)
{
	struct values required = {0};
	values_bool(&required, !store->lone_server);
	return postgres_send(store, POSTGRES_GUARD, NULL, &required);
}

static bool refuse(struct postgres_store *store, const char *what)
{
	return postgres_fail(store, "schema", what) == STORE_OK;
}

static bool check_schema(struct postgres_store *store)
{
	PGresult *result;
	uint64_t version = 0;
	bool too_much = true;
	if (!postgres_send(store, POSTGRES_CHECK, texts[POSTGRES_CHECK], NULL) || !postgres_await(store, NULL))
		return store->connection == NULL ? false : refuse(store, "the tables are not there, or may not be read: migrate them first");
	if (!postgres_send(store, POSTGRES_CHECK, NULL, NULL) || !postgres_await(store, &result))
		return false;
	bool read = PQntuples(result) == 1 && row_u64((struct postgres_row){result, 0}, 0, &version) &&
		    row_bool((struct postgres_row){result, 0}, 1, &too_much);
	PQclear(result);
	if (!read || version < STORE_POSTGRES_SCHEMA_LEAST || version > STORE_POSTGRES_SCHEMA_GREATEST) {
		char what[120];
		snprintf(what, sizeof what, "is of version %llu, this program knows %d to %d", (unsigned long long)version,
			 STORE_POSTGRES_SCHEMA_LEAST, STORE_POSTGRES_SCHEMA_GREATEST);
		return refuse(store, what);
	}
	return !too_much || refuse(store, "this role may change or remove audit rows: connect as one that has cpis_broker's rights alone");
}

// Outside of a transaction each statement is one. The turn is taken once, so that whatever an earlier connection left has ended and is on
// the second server before anything is read.
static bool prepare_session(struct postgres_store *store)
{
	if (!check_schema(store))
		return false;
	for (int i = 0; i < POSTGRES_STATEMENT_COUNT; i++)
		if (i != POSTGRES_CHECK && !postgres_send(store, (enum postgres_statement)i, texts[i], NULL))
			return false;
	if (!postgres_await(store, NULL) || !send_guard(store) || !postgres_await(store, NULL))
		return false;
	store->warned = false;
	if (!postgres_send(store, POSTGRES_TURN, NULL, NULL) || !send_guard(store) || !postgres_await(store, NULL))
		return false;
	return !store->warned || postgres_fail(store, "connection", "the server gave up waiting for the second one") == STORE_OK;
}

static bool connect_anew(struct postgres_store *store)
{
	char failure[POSTGRES_FAILURE_BYTES] = "";
	store->connection = postgres_target_connect(&store->target, store->connect_timeout_ms, failure);
	if (store->connection == NULL)
		return postgres_fail(store, "connection", failure) == STORE_OK;
	PQsetNoticeReceiver(store->connection, take_notice, store);
	if (PQsetnonblocking(store->connection, 1) == 0 && PQenterPipelineMode(store->connection) == 1 && prepare_session(store))
		return true;
	postgres_drop(store);
	return false;
}

// By what came while nobody waited: the server's last words, and the end.
static bool has_ended(PGconn *connection)
{
	struct pollfd ready = {.fd = PQsocket(connection), .events = POLLIN};
	while (poll(&ready, 1, 0) > 0)
		if (PQconsumeInput(connection) != 1)
			return true;
	return PQstatus(connection) != CONNECTION_OK;
}

bool postgres_ready(struct postgres_store *store)
{
	if (store->connection != NULL && has_ended(store->connection))
		postgres_drop(store);
	return store->connection != NULL || connect_anew(store);
}

// ------------------------------------------------------------------ batches

static void begin_anew(struct postgres_store *store, bool begun)
{
	store->begun = begun;
	store->audit_counted = false; // another broker may have appended meanwhile
	store->opened = store->poisoned = store->span_open = false;
}

// Sends nothing: the transaction begins with the batch's first statement, and in one go with it.
static enum store_status begin(struct store *base)
{
	struct postgres_store *store = postgres_store_of(base);
	INVARIANT(!store->begun);
	if (!postgres_ready(store))
		return STORE_FAILED;
	begin_anew(store, true);
	return STORE_OK;
}

static void rollback(struct store *base)
{
	struct postgres_store *store = postgres_store_of(base);
	if (!store->begun)
		return;
	bool open = store->opened;
	begin_anew(store, false);
	// What is still queued, and failed, has been said or is nobody's concern any more; a new connection has no transaction.
	if (open && (!postgres_send(store, POSTGRES_ROLLBACK, NULL, NULL) || !postgres_await(store, NULL)) &&
	    store->connection != NULL)
		postgres_drop(store);
}

static enum store_status commit(struct store *base)
{
	struct postgres_store *store = postgres_store_of(base);
	INVARIANT(store->begun);
	if (store->poisoned || !postgres_end_span(store) || postgres_open_batch(store) != STORE_OK)
		return STORE_FAILED;
	store->warned = false;
	// Before it, so that nothing is committed that might be lost; after it, because settings can change while it waits.
	bool done = send_guard(store) && postgres_send(store, POSTGRES_COMMIT, NULL, NULL) && send_guard(store) &&
		    postgres_await(store, NULL);
	if (done && store->warned)
		done = postgres_fail(store, "COMMIT", "the server gave up waiting for the second one") == STORE_OK;
	if (!done) {
		if (store->connection != NULL)
			postgres_drop(store);
		store->poisoned = true;
		return STORE_FAILED;
	}
	begin_anew(store, false);
	return STORE_OK;
}

static bool read_others(struct postgres_row row, struct arena *arena, void *to)
{
	struct store_others *others = to;
	(void)arena;
	others->possible = true;
	others->checkpoint[0] = '\0';
	return row_u64(row, 0, &others->revision) && row_u64(row, 1, &others->audit_size) &&
	       (row_is_null(row, 2) || row_text(row, 2, others->checkpoint, sizeof others->checkpoint));
}

static enum store_status others(struct store *base, struct store_others *ret)
{
	struct postgres_store *store = postgres_store_of(base);
	INVARIANT(store->begun);
	enum store_status status = postgres_get(store, POSTGRES_OTHERS, NULL, read_others, sizeof *ret, NULL, ret);
	if (status == STORE_OK) {
		store->audit_counted = true;
		store->audit_next = ret->audit_size;
	}
	return status;
}

static void close_store(struct store *base)
{
	struct postgres_store *store = postgres_store_of(base);
	rollback(base);
	PQfinish(store->connection);
	postgres_target_done(&store->target);
	free(store);
}

static const struct store_ops postgres_ops = {
	.name = "postgresql",
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.close = close_store,
	.others = others,
	.plan_put = postgres_plan_put,
	.plan_get = postgres_plan_get,
	.plan_delete = postgres_plan_delete,
	.plans_in = postgres_plans_in,
	.plans_of = postgres_plans_of,
	.access_put = postgres_access_put,
	.access_delete = postgres_access_delete,
	.accesses_of = postgres_accesses_of,
	.inbox_next_id = postgres_inbox_next_id,
	.inbox_put = postgres_inbox_put,
	.inbox_update = postgres_inbox_update,
	.inbox_list = postgres_inbox_list,
	.inbox_free = postgres_inbox_free,
	.inbox_next_free = postgres_inbox_next_free,
	.inbox_due = postgres_inbox_due,
	.inbox_latest = postgres_inbox_latest,
	.inbox_get = postgres_inbox_get,
	.inbox_acknowledge = postgres_inbox_acknowledge,
	.inbox_waiting = postgres_inbox_waiting,
	.inbox_unacknowledged = postgres_inbox_unacknowledged,
	.reported_put = postgres_reported_put,
	.reported_get = postgres_reported_get,
	.authority_put = postgres_authority_put,
	.authority_get = postgres_authority_get,
	.authority_due = postgres_authority_due,
	.rejection_put = postgres_rejection_put,
	.rejections_of = postgres_rejections_of,
	.rejection_since = postgres_rejection_since,
	.rejection_counts = postgres_rejection_counts,
	.rejection_expire = postgres_rejection_expire,
	.quarantine_put = postgres_quarantine_put,
	.quarantine_delete = postgres_quarantine_delete,
	.quarantine_all = postgres_quarantine_all,
	.inactive_put = postgres_inactive_put,
	.inactive_get = postgres_inactive_get,
	.inactive_delete = postgres_inactive_delete,
	.enrolment_put = postgres_enrolment_put,
	.enrolment_delete = postgres_enrolment_delete,
	.enrolment_all = postgres_enrolment_all,
	.role_put = postgres_role_put,
	.role_all = postgres_role_all,
	.role_use_put = postgres_role_use_put,
	.role_use_get = postgres_role_use_get,
	.policy_put = postgres_policy_put,
	.policy_get = postgres_policy_get,
	.request_put = postgres_request_put,
	.request_get = postgres_request_get,
	.request_expire = postgres_request_expire,
	.audit_append = postgres_audit_append,
	.audit_get = postgres_audit_get,
	.audit_node = postgres_audit_node,
	.audit_search = postgres_audit_search,
	.audit_size = postgres_audit_size,
	.audit_key_put = postgres_audit_key_put,
	.audit_key_destroy = postgres_audit_key_destroy,
	.audit_key_all = postgres_audit_key_all,
	.hold_put = postgres_hold_put,
	.hold_delete = postgres_hold_delete,
	.hold_all = postgres_hold_all,
	.checkpoint_put = postgres_checkpoint_put,
	.checkpoint_get = postgres_checkpoint_get,
	.heard_put = postgres_heard_put,
	.heard_after = postgres_heard_after,
	.heard_largest = postgres_heard_largest,
	.heard_expire = postgres_heard_expire,
	.cosigned_put = postgres_cosigned_put,
	.cosigned_get = postgres_cosigned_get,
};

// ------------------------------------------------------------------ opening

enum store_status store_postgres_open(const struct store_postgres_options *options, struct store **ret, char detail[STORE_DETAIL_BYTES])
{
	struct postgres_store *store = calloc(1, sizeof *store);
	if (store == NULL) {
		snprintf(detail, STORE_DETAIL_BYTES, "out of memory");
		return STORE_FAILED;
	}
	store->base.ops = &postgres_ops;
	store->lone_server = options->lone_server;
	store->timeout_ms = options->timeout_ms == 0 ? TIMEOUT_MS : options->timeout_ms;
	store->connect_timeout_ms = options->connect_timeout_ms == 0 ? CONNECT_TIMEOUT_MS : options->connect_timeout_ms;
	if (!postgres_target_init(&store->target, &postgres_store_session, options->conninfo, store->failure) || !connect_anew(store)) {
		snprintf(detail, STORE_DETAIL_BYTES, "PostgreSQL: %s", store->failure);
		close_store(&store->base);
		return STORE_FAILED;
	}
	*ret = &store->base;
	return STORE_OK;
}
