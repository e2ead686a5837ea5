// Backend of log_database.h: the audit log's tables from a PostgreSQL, over libpq. They are described in broker/README.md.
//
// A handle is one transaction of REPEATABLE READ, READ ONLY, so that all that it says is of one moment; further handles take the moment of
// the first. That works on a standby too. Rows come in pages along the primary key, in binary; while one is looked at the server
// already makes the next.
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/postgres_target.h"
#include "clients/cli/log_database_priv.h"

#define PAGE_ROWS 1024u
#define CONNECT_TIMEOUT_S "10"
// The walk may look long at what it has, and always goes along the key.
#define SESSION_OPTIONS                                                                                                 \
	" -c search_path=pg_catalog -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off"                  \
	" -c plan_cache_mode=force_generic_plan -c jit=off -c statement_timeout=0 -c lock_timeout=10000"                \
	" -c idle_in_transaction_session_timeout=0"
// Longer ones than there are are cut, and are wrong then: a page has to fit the memory whatever somebody has put there.
#define COLUMNS                                                                                                         \
	"idx, substr(salt, 1, 256), substr(record, 1, 262144), substr(nodes, 1, 4096), time_ms, left(organisation, 256),"       \
	" substr(subject, 1, 256), substr(person, 1, 256)"
#define SNAPSHOT_BYTES 64

static const struct postgres_session session = {SESSION_OPTIONS, "any", "cpis-audit"};

struct postgres {
	struct log_database base;    // first: a struct log_database * of ours is a struct postgres *
	char *conninfo;
	size_t host;                 // the one that answered
	char snapshot[SNAPSHOT_BYTES];
	PGconn *connection;
	PGresult *page;              // NULL: none
	int row;                     // of it, the next one
	uint64_t from, end;          // what pages are still to be asked for
	bool asked;                  // a page is under way
	PGresult *ahead;             // it has come, but is not needed yet
	char failure[POSTGRES_FAILURE_BYTES];
};

static struct postgres *postgres_of(struct log_database *database)
{
	return (struct postgres *)database;
}

static void explain(const char *what, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	snprintf(detail, LOG_DATABASE_DETAIL_BYTES, "PostgreSQL: %.250s", what);
}

static void describe(const struct log_database *database, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	explain(((const struct postgres *)database)->failure, detail);
}

static bool fail(struct postgres *database, const PGresult *result)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *advice = "";
	if (code != NULL && (strcmp(code, "42P01") == 0 || strcmp(code, "3F000") == 0))
		advice = ": this is no database of brokers, or not migrated (`cpis-broker --migrate`)";
	else if (code != NULL && strcmp(code, "42501") == 0)
		advice = ": connect as a role of cpis_auditor";
	char said[160];
	snprintf(said, sizeof said, "%s", PQerrorMessage(database->connection));
	said[strcspn(said, "\n")] = '\0';
	snprintf(database->failure, sizeof database->failure, "%s%s", said[0] == '\0' ? "the server says nothing" : said, advice);
	return false;
}

// ------------------------------------------------------------------ asking

// All that is under way has come.
static void settle(struct postgres *database)
{
	while (database->asked) {
		PGresult *result = PQgetResult(database->connection);
		database->asked = result != NULL;
		if (database->ahead == NULL)
			database->ahead = result;
		else
			PQclear(result);
	}
}

// NULL: it failed. With `count` parameters, which are numbers.
static PGresult *ask(struct postgres *database, const char *sql, int count, const uint64_t *numbers)
{
	uint64_t sent[2];
	const char *values[2] = {(const char *)&sent[0], (const char *)&sent[1]};
	static const Oid types[2] = {20, 20};
	static const int bytes[2] = {8, 8}, formats[2] = {1, 1};
	for (int i = 0; i < count; i++)
		sent[i] = htobe64(numbers[i] > INT64_MAX ? INT64_MAX : numbers[i]);
	settle(database);
	PGresult *result = PQexecParams(database->connection, sql, count, types, values, bytes, formats, 1);
	if (PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK)
		return result;
	fail(database, result);
	PQclear(result);
	return NULL;
}

static bool run(struct postgres *database, const char *sql)
{
	PGresult *result = ask(database, sql, 0, NULL);
	PQclear(result);
	return result != NULL;
}

// False: it is not a number as we asked for.
static bool number(const PGresult *result, int row, int column, int64_t *ret)
{
	uint64_t got;
	if (PQgetisnull(result, row, column) || PQgetlength(result, row, column) != sizeof got)
		return false;
	memcpy(&got, PQgetvalue(result, row, column), sizeof got);
	*ret = (int64_t)be64toh(got);
	return true;
}

static struct log_bytes bytes_of(const PGresult *result, int row, int column)
{
	if (PQgetisnull(result, row, column))
		return (struct log_bytes){NULL, 0};
	return (struct log_bytes){(const uint8_t *)PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)};
}

static bool malformed(struct postgres *database)
{
	snprintf(database->failure, sizeof database->failure, "the server's answer is not what was asked for");
	return false;
}

// ------------------------------------------------------------------ opening

static void ignore_notice(void *context, const PGresult *result)
{
	(void)context, (void)result;
}

static bool connect_to(struct postgres *database, struct postgres_target *target, size_t host)
{
	postgres_target_aim(target, &target->hosts[host]);
	database->connection = PQconnectdbParams(target->keywords, target->values, 0);
	database->host = host;
	if (PQstatus(database->connection) == CONNECTION_OK) {
		PQsetNoticeReceiver(database->connection, ignore_notice, NULL);
		return true;
	}
	fail(database, NULL);
	PQfinish(database->connection);
	database->connection = NULL;
	return false;
}

// `first` NULL: any host that answers.
static bool reach(struct postgres *database, const struct postgres *first)
{
	struct postgres_target target;
	bool reached = false;
	if (postgres_target_init(&target, &session, database->conninfo, database->failure)) {
		// postgres_target_init leaves room for a host's three, this and the end.
		target.keywords[target.setting_count] = "connect_timeout";
		target.values[target.setting_count++] = CONNECT_TIMEOUT_S;
		for (size_t i = 0; !reached && i < target.host_count; i++)
			if (first == NULL || first->host == i)
				reached = connect_to(database, &target, i);
	}
	postgres_target_done(&target);
	return reached;
}

static bool begin(struct postgres *database, const struct postgres *first)
{
	char sql[100 + SNAPSHOT_BYTES];
	if (!run(database, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))
		return false;
	if (first != NULL) {
		memcpy(database->snapshot, first->snapshot, sizeof database->snapshot);
		snprintf(sql, sizeof sql, "SET TRANSACTION SNAPSHOT '%s'", database->snapshot);
		return run(database, sql);
	}
	PGresult *result = ask(database, "SELECT pg_catalog.pg_export_snapshot()", 0, NULL);
	if (result == NULL)
		return false;
	// Hexadecimal digits and dashes: it goes into a statement.
	const char *name = PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : "";
	size_t length = strlen(name);
	bool good = length > 0 && length < SNAPSHOT_BYTES && strspn(name, "0123456789ABCDEFabcdef-") == length;
	if (good)
		memcpy(database->snapshot, name, length + 1);
	PQclear(result);
	return good || malformed(database);
}

static bool prepare(struct postgres *database)
{
	PGresult *result = PQprepare(database->connection, "rows",
				     "SELECT " COLUMNS " FROM cpis.audit WHERE idx >= $1::bigint AND idx < $2::bigint ORDER BY idx LIMIT 1024", 2, NULL);
	_Static_assert(PAGE_ROWS == 1024, "as many as the statement says");
	bool prepared = PQresultStatus(result) == PGRES_COMMAND_OK || fail(database, result);
	PQclear(result);
	return prepared;
}

static void end(struct log_database *base)
{
	struct postgres *database = postgres_of(base);
	PQclear(database->page);
	PQclear(database->ahead);
	PQfinish(database->connection);
	free(database->conninfo);
	free(database);
}

static const struct log_database_ops ops;

static struct log_database *open_beside(const char *conninfo, const struct postgres *first, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	struct postgres *database = calloc(1, sizeof *database);
	if (database == NULL || (database->conninfo = strdup(conninfo)) == NULL) {
		explain("out of memory", detail);
		free(database);
		return NULL;
	}
	database->base.ops = &ops;
	if (reach(database, first) && begin(database, first) && prepare(database))
		return &database->base;
	explain(database->failure, detail);
	end(&database->base);
	return NULL;
}

struct log_database *log_database_open_postgres(const char *conninfo, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	return open_beside(conninfo, NULL, detail);
}

// Reads of the other handle only what does not change.
static struct log_database *open_again(const struct log_database *base, char detail[LOG_DATABASE_DETAIL_BYTES])
{
	const struct postgres *first = (const struct postgres *)base;
	return open_beside(first->conninfo, first, detail);
}

// ------------------------------------------------------------------ the whole

static bool read_size(struct log_database *base, uint64_t *ret, bool *ret_negative)
{
	struct postgres *database = postgres_of(base);
	PGresult *result = ask(database, "SELECT coalesce(max(idx), -1), coalesce(min(idx), 0) FROM cpis.audit", 0, NULL);
	int64_t highest = -1, lowest = 0;
	if (result == NULL)
		return false;
	bool read = PQntuples(result) == 1 && number(result, 0, 0, &highest) && number(result, 0, 1, &lowest);
	PQclear(result);
	*ret_negative = lowest < 0;
	*ret = highest < 0 ? 0 : (uint64_t)highest + 1;
	return read || malformed(database);
}

static bool read_note(struct log_database *base, char ret[NOTE_BYTES_MAX + 2], size_t *ret_bytes)
{
	PGresult *result = ask(postgres_of(base), "SELECT note FROM cpis.checkpoint WHERE id = 1", 0, NULL);
	if (result == NULL)
		return false;
	struct log_bytes note = PQntuples(result) > 0 ? bytes_of(result, 0, 0) : (struct log_bytes){0};
	*ret_bytes = note.bytes <= NOTE_BYTES_MAX ? note.bytes : NOTE_BYTES_MAX + 1;
	if (note.data != NULL)
		memcpy(ret, note.data, *ret_bytes);
	ret[*ret_bytes] = '\0';
	PQclear(result);
	return true;
}

bool log_database_wrong_blocks(struct log_database *base, uint64_t *ret)
{
	static const char sql[] =
		"SELECT count(*) FROM (SELECT idx / 1024 AS block, min(time_ms) AS min_ms, max(time_ms) AS max_ms FROM cpis.audit GROUP BY 1)"
		" AS rows FULL JOIN (SELECT *, max(max_ms) OVER (ORDER BY block) AS peak, min(min_ms) OVER (ORDER BY block DESC) AS floor"
		" FROM cpis.audit_block) AS stored USING (block) WHERE (rows.min_ms, rows.max_ms, stored.peak, stored.floor)"
		" IS DISTINCT FROM (stored.min_ms, stored.max_ms, stored.peak_ms, stored.floor_ms)";
	struct postgres *database = postgres_of(base);
	int64_t wrong = 0;
	PGresult *result = ask(database, sql, 0, NULL);
	if (result == NULL)
		return false;
	bool read = PQntuples(result) == 1 && number(result, 0, 0, &wrong);
	PQclear(result);
	*ret = (uint64_t)wrong;
	return read || malformed(database);
}

// ------------------------------------------------------------------ rows

static bool ask_page(struct postgres *database)
{
	uint64_t sent[2] = {htobe64(database->from), htobe64(database->end)};
	const char *values[2] = {(const char *)&sent[0], (const char *)&sent[1]};
	static const int bytes[2] = {8, 8}, formats[2] = {1, 1};
	database->asked = PQsendQueryPrepared(database->connection, "rows", 2, values, bytes, formats, 1) == 1;
	return database->asked || fail(database, NULL);
}

static void drop_pages(struct postgres *database)
{
	settle(database);
	PQclear(database->page);
	PQclear(database->ahead);
	database->page = database->ahead = NULL;
	database->row = 0;
}

static bool seek(struct log_database *base, uint64_t first_index, uint64_t end_index)
{
	struct postgres *database = postgres_of(base);
	drop_pages(database);
	database->from = first_index > INT64_MAX ? INT64_MAX : first_index;
	database->end = end_index > INT64_MAX ? INT64_MAX : end_index;
	return ask_page(database);
}

// Takes the page that was asked for, and asks for the next. *ret_found false: there was none.
static bool turn_page(struct postgres *database, bool *ret_found)
{
	int64_t last;
	*ret_found = false;
	settle(database);
	PQclear(database->page);
	database->page = database->ahead;
	database->ahead = NULL;
	database->row = 0;
	if (database->page == NULL)
		return true;
	if (PQresultStatus(database->page) != PGRES_TUPLES_OK)
		return fail(database, database->page);
	int rows = PQntuples(database->page);
	*ret_found = rows > 0;
	if (rows < (int)PAGE_ROWS)
		return true;
	if (!number(database->page, rows - 1, 0, &last) || last < 0 || last == INT64_MAX || (uint64_t)last < database->from)
		return malformed(database);
	database->from = (uint64_t)last + 1;
	return ask_page(database);
}

static bool next(struct log_database *base, struct log_row *ret, bool *ret_found)
{
	struct postgres *database = postgres_of(base);
	int64_t index, time_ms;
	*ret_found = true;
	if (database->page == NULL || database->row >= PQntuples(database->page)) {
		if (!turn_page(database, ret_found))
			return false;
		if (!*ret_found)
			return true;
	}
	const PGresult *page = database->page;
	int row = database->row++;
	if (PQnfields(page) != 8 || !number(page, row, 0, &index) || !number(page, row, 4, &time_ms))
		return malformed(database);
	*ret = (struct log_row){.index = (uint64_t)index, .salt = bytes_of(page, row, 1), .record = bytes_of(page, row, 2),
				.nodes = bytes_of(page, row, 3), .time_ms = (uint64_t)time_ms, .organisation = bytes_of(page, row, 5),
				.subject = bytes_of(page, row, 6), .person = bytes_of(page, row, 7)};
	return true;
}

// A page that is under way is kept for the walk.
static bool read_node(struct log_database *base, unsigned height, uint64_t place, struct merkle_hash *ret)
{
	uint64_t numbers[2] = {((place + 1) << height) - 1, height * sizeof *ret};
	PGresult *result = ask(postgres_of(base), "SELECT substr(nodes, $2::bigint::int + 1, 32) FROM cpis.audit WHERE idx = $1::bigint", 2,
			       numbers);
	struct log_bytes node = result != NULL && PQntuples(result) == 1 ? bytes_of(result, 0, 0) : (struct log_bytes){0};
	bool read = node.bytes == sizeof *ret;
	if (read)
		memcpy(ret, node.data, sizeof *ret);
	PQclear(result);
	return read;
}

static const struct log_database_ops ops = {.is_postgres = true, .again = open_again, .close = end, .detail = describe, .size = read_size,
					    .note = read_note, .seek = seek, .next = next, .node = read_node};
