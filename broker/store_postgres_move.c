// PostgreSQL backend: a database that a store is moved into. Two sessions, as a COPY takes up one each: `out` reads, `in` writes.
// Messages of the server are cut after their first line, which has no values of a row.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "broker/store_blocks.h"
#include "broker/store_postgres_move.h"
#include "broker/store_postgres_priv.h"

#define CONNECT_TIMEOUT_MS 5000u
#define SQL_BYTES 2048
#define SILENT_MS 30000 // a server that is gone without a word

// PostgreSQL's manual, "COPY": the signature, no flags, no extension.
static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
#define HEADER_BYTES 19
static const char trailer[] = {'\377', '\377'};

struct postgres_move {
	struct postgres_target target;
	PGconn *out, *in;
	const struct move_table *read, *written;
	bool started;                // the header of what is read has come
	bool warned;
};

static bool refuse(char detail[STORE_DETAIL_BYTES], const char *what, const char *why)
{
	snprintf(detail, STORE_DETAIL_BYTES, "PostgreSQL: %.100s: %.*s", what, (int)strcspn(why, "\n") > 250 ? 250 : (int)strcspn(why, "\n"), why);
	return false;
}

static bool fail(PGconn *connection, const char *what, char detail[STORE_DETAIL_BYTES])
{
	return refuse(detail, what, PQerrorMessage(connection));
}

static bool run(PGconn *connection, const char *what, const char *sql, ExecStatusType wanted, char detail[STORE_DETAIL_BYTES])
{
	PGresult *result = PQexec(connection, sql);
	bool done = PQresultStatus(result) == wanted || (wanted == PGRES_COMMAND_OK && PQresultStatus(result) == PGRES_TUPLES_OK);
	if (!done)
		fail(connection, what, detail);
	PQclear(result);
	return done;
}

// ------------------------------------------------------------------ sessions

static void take_notice(void *context, const PGresult *notice)
{
	struct postgres_move *move = context;
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (severity != NULL && strcmp(severity, "WARNING") == 0)
		move->warned = true;
}

// Of a Unix socket these are refused, and not needed.
static void bound_silence(int socket)
{
	int on = 1, idle_s = 10, interval_s = 5, count = 4;
	unsigned silent_ms = SILENT_MS;
	(void)setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	(void)setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
	(void)setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
	(void)setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof silent_ms);
}

// A role's own setting may say that a commit need not wait for the second server.
// One who reads row after row is not to be put on the pages' order by a broker's settings, nor to lose a walk that waits for the file.
#define SESSION                                                                                                                \
	"SET ROLE cpis_owner; SET enable_seqscan = on; SET enable_bitmapscan = on; SET idle_in_transaction_session_timeout = 0;"  \
	" SET work_mem = '64MB'; SET synchronous_commit = on; SELECT cpis.durable(false)"

static PGconn *connect_one(struct postgres_move *move, char detail[STORE_DETAIL_BYTES])
{
	char failure[POSTGRES_FAILURE_BYTES] = "";
	PGconn *connection = postgres_target_connect(&move->target, CONNECT_TIMEOUT_MS, failure);
	if (connection == NULL) {
		refuse(detail, "connection", failure);
		return NULL;
	}
	PQsetNoticeReceiver(connection, take_notice, move);
	bound_silence(PQsocket(connection));
	return connection;
}

// A number, or -1.
static long long ask(PGconn *connection, const char *sql, char *ret_text, size_t text_bytes)
{
	PGresult *result = PQexec(connection, sql);
	long long number = -1;
	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1) {
		number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
		if (ret_text != NULL)
			snprintf(ret_text, text_bytes, "%s", PQgetvalue(result, 0, PQnfields(result) - 1));
	}
	PQclear(result);
	return number;
}

static bool check_schema(struct postgres_move *move, char detail[STORE_DETAIL_BYTES])
{
	char what[150];
	long long version = ask(move->in, "SELECT coalesce(max(number), 0) FROM cpis.migration", NULL, 0);
	if (version < 0)
		return refuse(detail, "the tables are not there, or may not be read",
			      "make them with --migrate, and connect as a member of cpis_owner");
	if (version >= STORE_POSTGRES_SCHEMA_LEAST && version <= STORE_POSTGRES_SCHEMA_GREATEST)
		return true;
	snprintf(what, sizeof what, "is of version %lld, this program knows %d to %d: see --migrate", version, STORE_POSTGRES_SCHEMA_LEAST,
		 STORE_POSTGRES_SCHEMA_GREATEST);
	return refuse(detail, "the schema", what);
}

static bool open_sessions(struct postgres_move *move, const char *conninfo, char detail[STORE_DETAIL_BYTES])
{
	char failure[POSTGRES_FAILURE_BYTES] = "";
	if (!postgres_target_init(&move->target, &postgres_store_session, conninfo, failure))
		return refuse(detail, "connection", failure);
	if ((move->in = connect_one(move, detail)) == NULL || (move->out = connect_one(move, detail)) == NULL)
		return false;
	if (ask(move->in, "SELECT pg_has_role('cpis_owner', 'MEMBER')::int", NULL, 0) != 1)
		return refuse(detail, "the role", "is no member of cpis_owner: connect as the migrator");
	if (!check_schema(move, detail) || !run(move->in, "session", SESSION, PGRES_TUPLES_OK, detail) ||
	    !run(move->out, "session", SESSION, PGRES_TUPLES_OK, detail))
		return false;
	return ask(move->in, "SELECT pg_try_advisory_lock(x'6370696d'::bigint)::int", NULL, 0) == 1 ||
	       refuse(detail, "the database", "another --move into it is under way, or its end has not been noticed yet");
}

bool postgres_move_open(const char *conninfo, struct postgres_move **ret, char detail[STORE_DETAIL_BYTES])
{
	struct postgres_move *move = calloc(1, sizeof *move);
	if (move == NULL) {
		snprintf(detail, STORE_DETAIL_BYTES, "out of memory");
		return false;
	}
	if (!open_sessions(move, conninfo, detail)) {
		postgres_move_close(move);
		return false;
	}
	*ret = move;
	return true;
}

void postgres_move_close(struct postgres_move *move)
{
	if (move == NULL)
		return;
	PQfinish(move->in);
	PQfinish(move->out);
	postgres_target_done(&move->target);
	free(move);
}

// ------------------------------------------------------------------ what stands in it

static bool look_for_rows(struct postgres_move *move, bool *ret)
{
	*ret = false;
	for (const struct move_table *table = move_tables; table->name != NULL && !*ret; table++) {
		char sql[100];
		snprintf(sql, sizeof sql, "SELECT EXISTS (SELECT FROM cpis.\"%s\")::int", table->name);
		long long found = ask(move->in, sql, NULL, 0);
		if (found < 0)
			return false;
		*ret = found == 1;
	}
	return true;
}

bool postgres_move_look(struct postgres_move *move, struct postgres_move_state *ret, char detail[STORE_DETAIL_BYTES])
{
	*ret = (struct postgres_move_state){0};
	long long records = ask(move->in, "SELECT coalesce(max(idx) + 1, 0) FROM cpis.audit", NULL, 0);
	long long second = ask(move->in, "SELECT (current_setting('synchronous_standby_names') <> '')::int", NULL, 0);
	long long named = ask(move->in,
			      "SELECT 1, system_identifier || '/' || oid FROM pg_control_system(), pg_database WHERE datname = current_database()",
			      ret->identity, sizeof ret->identity);
	long long noted = ask(move->in, "SELECT count(*), coalesce(max(note), '') FROM cpis.checkpoint", ret->note, sizeof ret->note);
	if (records < 0 || second < 0 || named < 0 || noted < 0 || !look_for_rows(move, &ret->has_rows))
		return fail(move->in, "what it has", detail);
	ret->records = (uint64_t)records;
	ret->has_second = second == 1;
	return true;
}

bool postgres_move_node(void *context, unsigned height, uint64_t number, struct merkle_hash *ret)
{
	struct postgres_move *move = context;
	char sql[200];
	snprintf(sql, sizeof sql, "SELECT substr(nodes, %u, %zu) FROM cpis.audit WHERE idx = %llu", 1 + height * (unsigned)sizeof *ret,
		 sizeof *ret, (unsigned long long)(((number + 1) << height) - 1));
	PGresult *result = PQexecParams(move->in, sql, 0, NULL, NULL, NULL, NULL, 1);
	bool read = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 && PQgetlength(result, 0, 0) == (int)sizeof *ret;
	if (read)
		memcpy(ret, PQgetvalue(result, 0, 0), sizeof *ret);
	PQclear(result);
	return read;
}

bool postgres_move_count(struct postgres_move *move, const struct move_table *table, uint64_t *ret, char detail[STORE_DETAIL_BYTES])
{
	char sql[100];
	snprintf(sql, sizeof sql, "SELECT count(*) FROM cpis.\"%s\"", table->name);
	long long count = ask(move->in, sql, NULL, 0);
	*ret = (uint64_t)count;
	return count >= 0 || fail(move->in, table->name, detail);
}

// ------------------------------------------------------------------ reading

bool postgres_move_walk(struct postgres_move *move, const struct move_table *table, char detail[STORE_DETAIL_BYTES])
{
	char sql[SQL_BYTES], columns[SQL_BYTES / 2], keys[100];
	if (!move_table_list(table, 0, table->column_count, "", columns, sizeof columns) ||
	    !move_table_list(table, 0, table->key_count, "", keys, sizeof keys))
		return refuse(detail, table->name, "has more columns than this program knows");
	snprintf(sql, sizeof sql, "COPY (SELECT %s FROM cpis.\"%s\" ORDER BY %s) TO STDOUT (FORMAT binary)", columns, table->name, keys);
	move->read = table;
	move->started = false;
	return run(move->out, table->name, sql, PGRES_COPY_OUT, detail);
}

static bool end_walk(struct postgres_move *move, char detail[STORE_DETAIL_BYTES])
{
	bool good = true;
	for (PGresult *result; (result = PQgetResult(move->out)) != NULL; PQclear(result))
		good = good && PQresultStatus(result) == PGRES_COMMAND_OK;
	return good || fail(move->out, move->read->name, detail);
}

// The header comes with the first row, or with the trailer, which is last.
bool postgres_move_next(struct postgres_move *move, struct move_row *row, bool *ret_end, char detail[STORE_DETAIL_BYTES])
{
	char *data = NULL;
	*ret_end = false;
	for (;;) {
		int bytes = PQgetCopyData(move->out, &data, 0);
		if (bytes == -1) {
			*ret_end = true;
			return end_walk(move, detail);
		}
		if (bytes < 0)
			return fail(move->out, move->read->name, detail);
		int skip = move->started ? 0 : HEADER_BYTES;
		bool good = bytes >= skip && (skip == 0 || memcmp(data, header, HEADER_BYTES) == 0);
		bool is_row = good && bytes - skip > (int)sizeof trailer;
		move->started = true;
		if (is_row)
			good = move_row_set(row, data + skip, (size_t)(bytes - skip)) && move_row_is_of(move->read, row);
		PQfreemem(data);
		if (!good)
			return refuse(detail, move->read->name, "has a row that is not as this program writes them");
		if (is_row)
			return true;
	}
}

// ------------------------------------------------------------------ writing

static bool send_bytes(struct postgres_move *move, const void *data, size_t bytes)
{
	return bytes == 0 || PQputCopyData(move->in, data, (int)bytes) == 1;
}

static bool begin_copy(struct postgres_move *move, const char *sql, char detail[STORE_DETAIL_BYTES])
{
	return run(move->in, move->written->name, sql, PGRES_COPY_IN, detail) &&
	       (send_bytes(move, header, HEADER_BYTES) || fail(move->in, move->written->name, detail));
}

static bool end_copy(struct postgres_move *move, char detail[STORE_DETAIL_BYTES])
{
	bool good = send_bytes(move, trailer, sizeof trailer) && PQputCopyEnd(move->in, NULL) == 1;
	for (PGresult *result; (result = PQgetResult(move->in)) != NULL; PQclear(result))
		good = good && PQresultStatus(result) == PGRES_COMMAND_OK;
	return good || fail(move->in, move->written->name, detail);
}

// A COPY that failed says why only when its results are asked for.
static bool fail_copy(struct postgres_move *move, char detail[STORE_DETAIL_BYTES])
{
	(void)end_copy(move, detail);
	return fail(move->in, move->written->name, detail);
}

bool postgres_move_begin_rows(struct postgres_move *move, const struct move_table *table, char detail[STORE_DETAIL_BYTES])
{
	char sql[SQL_BYTES], columns[SQL_BYTES / 2];
	move->written = table;
	if (!move_table_list(table, 0, table->column_count, "", columns, sizeof columns))
		return refuse(detail, table->name, "has more columns than this program knows");
	snprintf(sql, sizeof sql, "COPY cpis.\"%s\" (%s) FROM STDIN (FORMAT binary)", table->name, columns);
	return run(move->in, "BEGIN", "BEGIN", PGRES_COMMAND_OK, detail) && begin_copy(move, sql, detail);
}

bool postgres_move_put(struct postgres_move *move, const struct move_row *row, char detail[STORE_DETAIL_BYTES])
{
	return send_bytes(move, row->data, row->bytes) || fail_copy(move, detail);
}

// As a broker keeps them with each batch (store_postgres_search.c).
static bool note_times(struct postgres_move *move, uint64_t first, char detail[STORE_DETAIL_BYTES])
{
	char sql[SQL_BYTES];
	snprintf(sql, sizeof sql,
		 "INSERT INTO cpis.audit_block (block, min_ms, max_ms, peak_ms, floor_ms)"
		 " SELECT idx / %u, min(time_ms), max(time_ms), max(time_ms), min(time_ms) FROM cpis.audit WHERE idx >= %llu GROUP BY 1"
		 " ON CONFLICT (block) DO UPDATE SET min_ms = excluded.min_ms, max_ms = excluded.max_ms;"
		 "UPDATE cpis.audit_block AS b SET peak_ms = w.peak, floor_ms = w.floor FROM (SELECT block,"
		 "  max(max_ms) OVER (ORDER BY block) AS peak, min(min_ms) OVER (ORDER BY block DESC) AS floor FROM cpis.audit_block) AS w"
		 " WHERE w.block = b.block AND (b.peak_ms, b.floor_ms) IS DISTINCT FROM (w.peak, w.floor)",
		 STORE_BLOCK_ROWS, (unsigned long long)(first / STORE_BLOCK_ROWS * STORE_BLOCK_ROWS));
	return run(move->in, "audit_block", sql, PGRES_COMMAND_OK, detail);
}

bool postgres_move_end_rows(struct postgres_move *move, uint64_t first, char detail[STORE_DETAIL_BYTES])
{
	return end_copy(move, detail) && (move->written != &move_audit || note_times(move, first, detail)) &&
	       run(move->in, "COMMIT", "COMMIT", PGRES_COMMAND_OK, detail);
}

// ------------------------------------------------------------------ differences

bool postgres_move_begin_differences(struct postgres_move *move, const struct move_table *table, char detail[STORE_DETAIL_BYTES])
{
	char sql[SQL_BYTES], columns[SQL_BYTES / 2];
	move->written = table;
	if (!move_table_list(table, 0, table->column_count, "", columns, sizeof columns))
		return refuse(detail, table->name, "has more columns than this program knows");
	snprintf(sql, sizeof sql,
		 "BEGIN; CREATE TEMP TABLE difference ON COMMIT DROP AS SELECT false AS gone, %s FROM cpis.\"%s\" WITH NO DATA", columns,
		 table->name);
	return run(move->in, "difference", sql, PGRES_COMMAND_OK, detail) &&
	       begin_copy(move, "COPY pg_temp.difference FROM STDIN (FORMAT binary)", detail);
}

bool postgres_move_differ(struct postgres_move *move, const struct move_row *row, bool gone, char detail[STORE_DETAIL_BYTES])
{
	const uint8_t begin[] = {0, (uint8_t)(move->written->column_count + 1), 0, 0, 0, 1, gone};
	return (send_bytes(move, begin, sizeof begin) && send_bytes(move, row->data + 2, row->bytes - 2)) || fail_copy(move, detail);
}

bool postgres_move_end_differences(struct postgres_move *move, char detail[STORE_DETAIL_BYTES])
{
	const struct move_table *table = move->written;
	char sql[SQL_BYTES], columns[SQL_BYTES / 4], old[120], new[120];
	if (!end_copy(move, detail))
		return false;
	if (!move_table_list(table, 0, table->column_count, "", columns, sizeof columns) ||
	    !move_table_list(table, 0, table->key_count, "t.", old, sizeof old) ||
	    !move_table_list(table, 0, table->key_count, "d.", new, sizeof new))
		return refuse(detail, table->name, "has more columns than this program knows");
	snprintf(sql, sizeof sql,
		 "ANALYZE pg_temp.difference; DELETE FROM cpis.\"%s\" AS t USING pg_temp.difference AS d WHERE (%s) = (%s);"
		 "INSERT INTO cpis.\"%s\" (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM pg_temp.difference WHERE NOT gone; COMMIT",
		 table->name, old, new, table->name, columns, columns);
	return run(move->in, table->name, sql, PGRES_COMMAND_OK, detail);
}

// ------------------------------------------------------------------ in force

bool postgres_move_put_in_force(struct postgres_move *move, const char *note, uint64_t heard_id, char detail[STORE_DETAIL_BYTES])
{
	char sql[200];
	const char *const values[] = {note};
	// Outside of the transaction in any case: a sequence is not rolled back.
	snprintf(sql, sizeof sql, "SELECT setval(pg_get_serial_sequence('cpis.heard', 'id'), %llu)", (unsigned long long)heard_id);
	if (heard_id > 0 && !run(move->in, "heard", sql, PGRES_TUPLES_OK, detail))
		return false;
	// The turn, so that a broker which had the database open before is in no batch.
	if (!run(move->in, "BEGIN", "BEGIN; SELECT FROM cpis.turn FOR UPDATE", PGRES_TUPLES_OK, detail))
		return false;
	PGresult *result = PQexecParams(move->in, "INSERT INTO cpis.checkpoint (id, note) VALUES (1, $1)", 1, NULL, values, NULL, NULL, 0);
	bool put = PQresultStatus(result) == PGRES_COMMAND_OK || fail(move->in, "checkpoint", detail);
	PQclear(result);
	move->warned = false;
	return put && run(move->in, "COMMIT", "COMMIT", PGRES_COMMAND_OK, detail) &&
	       (!move->warned || refuse(detail, "COMMIT", "the server gave up waiting for the second one"));
}
