// PostgreSQL backend: how statements are run. libpq's pipeline mode: they are sent one after the other, and their results awaited
// together, when one of them is needed.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/clock.h"
#include "broker/log.h"
#include "broker/store_postgres_priv.h"
#include "proto/invariant.h"

// Before libpq sends of itself what it has gathered: what it sends ends with a sync then, and the server's reckoning with a broker that
// stops there has begun.
#define UNSYNCED_BYTES_MAX 4096u
#define STATEMENT_BYTES 150u // around its values, about

static const char *const names[] = {
#define X(name, sql) #name,
	POSTGRES_STATEMENTS(X)
#undef X
};

enum store_status postgres_fail(struct postgres_store *store, const char *what, const char *why)
{
	snprintf(store->failure, sizeof store->failure, "%.40s: %.250s", what, why);
	store->failure[strcspn(store->failure, "\n")] = '\0';
	log_trouble(LOG_EVENT_STORE_FAILED, "%s", store->failure);
	if (store->begun)
		store->poisoned = true;
	return STORE_FAILED;
}

static bool fail(struct postgres_store *store, const char *what, const char *why)
{
	return postgres_fail(store, what, why) == STORE_OK;
}

void postgres_drop(struct postgres_store *store)
{
	// What was sent is not cancelled: a commit that waits for the second server is left to wait.
	PQfinish(store->connection);
	store->connection = NULL;
	store->queue_count = 0;
	store->audit_counted = false;
	store->opened = false;
	if (store->begun)
		store->poisoned = true;
}

// ------------------------------------------------------------------ the pipeline

static bool enqueue(struct postgres_store *store, enum postgres_statement statement, bool sent, struct postgres_queued queued)
{
	if (!sent) {
		fail(store, names[statement], PQerrorMessage(store->connection));
		postgres_drop(store);
		return false;
	}
	store->queue[store->queue_count++] = queued;
	return true;
}

static bool send_sync(struct postgres_store *store, enum postgres_statement after)
{
	store->unsynced_bytes = 0;
	return enqueue(store, after, PQpipelineSync(store->connection) == 1, (struct postgres_queued){.statement = after, .is_sync = true});
}

bool postgres_send(struct postgres_store *store, enum postgres_statement statement, const char *sql, const struct values *values)
{
	static const int formats[VALUES_LENGTH] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	if (store->queue_count > QUEUE_LENGTH - 2 && !postgres_await(store, NULL))
		return false;
	const char *places[VALUES_LENGTH];
	if (values != NULL)
		values_places(values, places);
	int sent = sql != NULL ? PQsendPrepare(store->connection, names[statement], sql, 0, NULL)
			       : PQsendQueryPrepared(store->connection, names[statement], values == NULL ? 0 : values->count,
						     values == NULL ? NULL : places, values == NULL ? NULL : values->bytes,
						     values == NULL ? NULL : formats, 1);
	if (!enqueue(store, statement, sent == 1, (struct postgres_queued){.statement = statement, .prepared = sql != NULL}))
		return false;
	store->unsynced_bytes += STATEMENT_BYTES;
	for (int i = 0; values != NULL && i < values->count; i++)
		store->unsynced_bytes += (size_t)values->bytes[i];
	return store->unsynced_bytes < UNSYNCED_BYTES_MAX || send_sync(store, statement);
}

// The next result, or NULL at the end of a statement's. False: the connection is lost, or the deadline is over.
static bool next_result(struct postgres_store *store, uint64_t deadline_ms, PGresult **ret)
{
	PGconn *connection = store->connection;
	for (;;) {
		int unsent = PQflush(connection);
		if (unsent < 0)
			return false;
		if (unsent == 0 && PQisBusy(connection) == 0)
			break;
		uint64_t now_ms = clock_monotonic_ms();
		struct pollfd ready = {.fd = PQsocket(connection), .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
		if (now_ms >= deadline_ms || (poll(&ready, 1, (int)(deadline_ms - now_ms)) < 0 && errno != EINTR) ||
		    ((ready.revents & ~POLLOUT) != 0 && PQconsumeInput(connection) != 1))
			return false;
	}
	*ret = PQgetResult(connection);
	return true;
}

// Whether a statement was done. Of those after one that failed nothing is said: they were not run.
static bool is_done(struct postgres_store *store, const struct postgres_queued *queued, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	const char *name = names[queued->statement];
	if (status == PGRES_PIPELINE_ABORTED)
		return false;
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE), *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		char why[POSTGRES_FAILURE_BYTES];
		// Not its detail, which would quote the row.
		snprintf(why, sizeof why, "%s (%s)", text == NULL ? PQresultErrorMessage(result) : text, code == NULL ? "no SQLSTATE" : code);
		return fail(store, name, why);
	}
	if (queued->statement == POSTGRES_TURN && !queued->prepared && strcmp(PQcmdTuples((PGresult *)(uintptr_t)result), "1") != 0)
		return fail(store, name, "the row of the brokers' turns is gone: migrate a new database, or put this one back");
	// A transaction that failed ends so too, and says so.
	if (queued->statement == POSTGRES_COMMIT && !queued->prepared && strcmp(PQcmdStatus((PGresult *)(uintptr_t)result), "COMMIT") != 0)
		return fail(store, name, "the server rolled back");
	return true;
}

static bool lost(struct postgres_store *store)
{
	const char *said = PQerrorMessage(store->connection);
	fail(store, "connection", said[0] != '\0' ? said : "the server does not answer in time");
	postgres_drop(store);
	return false;
}

static bool await_sync(struct postgres_store *store, uint64_t deadline_ms)
{
	PGresult *result = NULL;
	bool synced = next_result(store, deadline_ms, &result) && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
	PQclear(result);
	return synced;
}

bool postgres_await(struct postgres_store *store, PGresult **ret_last)
{
	uint64_t deadline_ms = clock_monotonic_ms() + store->timeout_ms;
	PGresult *result = NULL, *last = NULL;
	bool done = true;
	if (PQpipelineSync(store->connection) != 1)
		return lost(store);
	store->unsynced_bytes = 0;
	for (size_t i = 0; i < store->queue_count; i++) {
		if (store->queue[i].is_sync) {
			if (!await_sync(store, deadline_ms))
				return PQclear(last), lost(store);
			continue;
		}
		PQclear(last);
		last = NULL;
		if (!next_result(store, deadline_ms, &last) || last == NULL)
			return PQclear(last), lost(store);
		// Of what fails after it only the first is told.
		done = done && is_done(store, &store->queue[i], last);
		bool ended = next_result(store, deadline_ms, &result) && result == NULL;
		if (!ended || PQstatus(store->connection) != CONNECTION_OK)
			return PQclear(result), PQclear(last), lost(store);
	}
	store->queue_count = 0;
	if (!await_sync(store, deadline_ms))
		return PQclear(last), lost(store);
	if (done && ret_last != NULL)
		*ret_last = last;
	else
		PQclear(last);
	return done;
}

// ------------------------------------------------------------------ in and outside of a batch

enum store_status postgres_open_batch(struct postgres_store *store)
{
	if (store->opened)
		return STORE_OK;
	store->opened = true;
	// It also makes each commit one that writes, and so waits for the second server: also of a batch that has only read.
	bool sent = postgres_send(store, POSTGRES_BEGIN, NULL, NULL) && postgres_send(store, POSTGRES_TURN, NULL, NULL);
	return sent ? STORE_OK : STORE_FAILED;
}

// That an earlier call of the batch failed has been said.
static bool issue(struct postgres_store *store, enum postgres_statement statement, const struct values *values)
{
	if (store->poisoned)
		return false;
	if (values != NULL && values->out_of_range)
		return fail(store, names[statement], "a value is out of the store's range");
	if (!store->begun && !postgres_ready(store))
		return false;
	if (store->begun && postgres_open_batch(store) != STORE_OK)
		return false;
	return postgres_send(store, statement, NULL, values);
}

enum store_status postgres_write(struct postgres_store *store, enum postgres_statement statement, const struct values *values)
{
	INVARIANT(store->begun);
	return issue(store, statement, values) ? STORE_OK : STORE_FAILED;
}

enum store_status postgres_change(struct postgres_store *store, enum postgres_statement statement, const struct values *values,
				  size_t *ret_rows)
{
	PGresult *result;
	INVARIANT(store->begun);
	if (!issue(store, statement, values) || !postgres_await(store, &result))
		return STORE_FAILED;
	*ret_rows = (size_t)strtoull(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return STORE_OK;
}

enum store_status postgres_change_one(struct postgres_store *store, enum postgres_statement statement, const struct values *values)
{
	size_t rows;
	enum store_status status = postgres_change(store, statement, values, &rows);
	return status == STORE_OK && rows == 0 ? STORE_NOT_FOUND : status;
}

bool postgres_read_u64(struct postgres_row row, struct arena *arena, void *to)
{
	(void)arena;
	return row_u64(row, 0, to);
}

// A row that could not be read: because it does not fit, which the caller can live with, or because it is not ours.
static enum store_status unreadable(struct postgres_store *store, enum postgres_statement statement, const struct arena *arena)
{
	if (arena != NULL && arena->overflowed)
		return STORE_NO_MEMORY;
	return postgres_fail(store, names[statement], "a row is not what this program writes");
}

enum store_status postgres_get(struct postgres_store *store, enum postgres_statement statement, const struct values *values,
			       postgres_read_row *read, size_t bytes, struct arena *arena, void *ret)
{
	union {
		struct store_audit audit;
		struct store_others others;
	} room; // for the largest of all rows
	PGresult *result;
	enum store_status status = STORE_OK;
	INVARIANT(bytes <= sizeof room);
	if (!issue(store, statement, values) || !postgres_await(store, &result))
		return STORE_FAILED;
	if (PQntuples(result) == 0)
		status = STORE_NOT_FOUND;
	else if (!read((struct postgres_row){result, 0}, arena, &room))
		status = unreadable(store, statement, arena);
	else
		memcpy(ret, &room, bytes);
	PQclear(result);
	return status;
}

enum store_status postgres_list(struct postgres_store *store, enum postgres_statement statement, const struct values *values,
				postgres_read_row *read, size_t bytes, struct arena *arena, void *ret, size_t *ret_count)
{
	PGresult *result;
	if (!issue(store, statement, values) || !postgres_await(store, &result))
		return STORE_FAILED;
	size_t count = (size_t)PQntuples(result);
	uint8_t *rows = count == 0 ? NULL : arena_alloc(arena, count * bytes);
	enum store_status status = count > 0 && rows == NULL ? STORE_NO_MEMORY : STORE_OK;
	for (size_t i = 0; i < count && status == STORE_OK; i++)
		if (!read((struct postgres_row){result, (int)i}, arena, rows + i * bytes))
			status = unreadable(store, statement, arena);
	PQclear(result);
	if (status == STORE_OK) {
		memcpy(ret, &rows, sizeof rows);
		*ret_count = count;
	}
	return status;
}
