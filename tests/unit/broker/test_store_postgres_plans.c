// How PostgreSQL goes about the statements of the store: by which index, and which of them read or sort a whole table. Asked of PostgreSQL
// itself, in sessions as the store has them, over empty tables and over full ones with statistics: the answer is to be the same, so
// that a broker does not slow down by what the statistics happen to say.
#include "broker/store_postgres_priv.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/postgres.h"

#define DATABASE "plans"
#define PLAN_BYTES 4096u

static const struct {
	const char *name, *sql;
} statements[] = {
#define X(name, sql) {#name, sql},
	POSTGRES_STATEMENTS(X)
#undef X
};
#define STATEMENTS (sizeof statements / sizeof statements[0])

// Over tables that limits.h bounds.
static const char *const scans[] = {"QUARANTINE_ALL", "HEARD_EXPIRE"};
static const char *const sorts[] = {"QUARANTINE_ALL", "HEARD_EXPIRE",
				    // What the walks along several tags have found, of `limit` rows each.
				    "SEARCH_PERSON", "SEARCH_PERSON_OLDEST", "SEARCH_SUBJECT", "SEARCH_SUBJECT_OLDEST", "SEARCH_BOTH",
				    "SEARCH_BOTH_OLDEST",
				    // Of one file.
				    "REJECTION_COUNTS"};

static struct postgres server;
static PGconn *connection;

static bool is_among(const char *name, const char *const names[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void start(void)
{
	char conninfo[POSTGRES_CONNINFO_BYTES + 400];
	postgres_make_database(&server, DATABASE);
	postgres_conninfo(&server, "broker1", DATABASE, conninfo);
	snprintf(conninfo + strlen(conninfo), 400, " options='%s'", POSTGRES_SESSION_OPTIONS);
	connection = PQconnectdb(conninfo);
	ck_assert_msg(PQstatus(connection) == CONNECTION_OK, "%s", PQerrorMessage(connection));
}

static void stop(void)
{
	PQfinish(connection);
	postgres_remove_database(&server, DATABASE);
}

static PGresult *must(PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	ck_assert_msg(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s", PQresultErrorMessage(result));
	return result;
}

// False: there is no plan of it, as of COMMIT. Statements are planned for any parameters, and so for NULL.
static bool explain(size_t i, char ret[PLAN_BYTES])
{
	char text[400];
	const char *sql = statements[i].sql;
	ret[0] = '\0';
	if (strncmp(sql, "SELECT", 6) != 0 && strncmp(sql, "INSERT", 6) != 0 && strncmp(sql, "UPDATE", 6) != 0 &&
	    strncmp(sql, "DELETE", 6) != 0 && strncmp(sql, "WITH", 4) != 0)
		return false;
	PGresult *prepared = must(PQprepare(connection, statements[i].name, sql, 0, NULL));
	PQclear(prepared);
	PGresult *described = must(PQdescribePrepared(connection, statements[i].name));
	int parameters = PQnparams(described);
	PQclear(described);
	snprintf(text, sizeof text, "EXPLAIN (COSTS OFF) EXECUTE \"%s\"", statements[i].name);
	for (int n = 0; n < parameters; n++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s", n == 0 ? "(NULL" : ", NULL");
	snprintf(text + strlen(text), sizeof text - strlen(text), "%s", parameters > 0 ? ")" : "");
	PGresult *plan = must(PQexec(connection, text));
	for (int row = 0; row < PQntuples(plan); row++)
		snprintf(ret + strlen(ret), PLAN_BYTES - strlen(ret), "%s\n", PQgetvalue(plan, row, 0));
	PQclear(plan);
	snprintf(text, sizeof text, "DEALLOCATE \"%s\"", statements[i].name);
	PQclear(must(PQexec(connection, text)));
	return true;
}

static void hold_all_statements_to_it(void)
{
	for (size_t i = 0; i < STATEMENTS; i++) {
		char plan[PLAN_BYTES];
		const char *name = statements[i].name;
		if (!explain(i, plan))
			continue;
		// Of `migration`, when a session is opened.
		bool reads_all = strstr(plan, "Seq Scan") != NULL && strcmp(name, "CHECK") != 0;
		ck_assert_msg(reads_all == is_among(name, scans, sizeof scans / sizeof scans[0]), "%s:\n%s", name, plan);
		ck_assert_msg((strstr(plan, "Sort") != NULL) == is_among(name, sorts, sizeof sorts / sizeof sorts[0]), "%s:\n%s", name, plan);
		ck_assert_msg(strncmp(name, "SEARCH_SUBJECT", 14) != 0 || strstr(plan, "audit_by_subject") != NULL, "%s:\n%s", name, plan);
		ck_assert_msg(strncmp(name, "SEARCH_BOTH", 11) != 0 || strstr(plan, "audit_by_subject") != NULL, "%s:\n%s", name, plan);
		ck_assert_msg(strncmp(name, "SEARCH_PERSON", 13) != 0 || strstr(plan, "audit_by_person") != NULL, "%s:\n%s", name, plan);
		ck_assert_msg(strncmp(name, "SEARCH_ORGANISATION", 19) != 0 || strstr(plan, "audit_by_organisation") != NULL, "%s:\n%s", name,
			      plan);
		ck_assert_msg(strncmp(name, "SEARCH_ALL", 10) != 0 || strstr(plan, "audit_pkey") != NULL, "%s:\n%s", name, plan);
	}
}

START_TEST(goes_by_the_indexes_while_the_tables_are_empty)
{
	hold_all_statements_to_it();
}
END_TEST

START_TEST(goes_by_the_indexes_when_they_are_full)
{
	postgres_sql(&server, "postgres", DATABASE,
		     "SET search_path = cpis;"
		     "INSERT INTO audit SELECT i, '', 'record', decode(repeat('00', 32), 'hex'), 1000 + i, 'O' || i % 50,"
		     "  decode(md5((i % 3000)::text), 'hex'), decode(md5((i % 70)::text), 'hex') FROM generate_series(0, 29999) AS i;"
		     "INSERT INTO audit_block SELECT i, i, i, i, i FROM generate_series(0, 30) AS i;"
		     "INSERT INTO plan SELECT decode(md5(i::text), 'hex'), 1 + i % 3, decode(md5((i / 2)::text), 'hex'), 'O' || i % 50, 'plan'"
		     "  FROM generate_series(0, 29999) AS i;"
		     // Nearly all have been acknowledged.
		     "INSERT INTO inbox (organisation, box, id, kind, created_ms, acknowledged_ms, due_ms, sealed) SELECT 'O' || i % 50, 0,"
		     "  i / 50, 1, i, (i % 100 <> 0)::int, (i % 200 = 0)::int, 'item' FROM generate_series(0, 29999) AS i;"
		     "INSERT INTO request SELECT decode(md5(i::text), 'hex'), '', i, '' FROM generate_series(0, 9999) AS i;"
		     "INSERT INTO access SELECT decode(md5((i % 3000)::text), 'hex'), i, false, '' FROM generate_series(0, 9999) AS i;"
		     "INSERT INTO rejection SELECT 'O' || i % 50, i % 3, i, decode(md5(i::text), 'hex'), 1, 'x', 1, '' FROM generate_series(0, 9999) AS i;"
		     "INSERT INTO quarantine SELECT decode(md5(i::text), 'hex'), i, '' FROM generate_series(0, 999) AS i;"
		     "INSERT INTO role SELECT decode(md5(i::text), 'hex'), '' FROM generate_series(0, 999) AS i;"
		     "ANALYZE");
	hold_all_statements_to_it();
}
END_TEST

START_TEST(what_is_open_is_found_without_what_was_acknowledged)
{
	static const char *const open[] = {"INBOX_LIST_OPEN", "INBOX_FREE", "INBOX_NEXT_FREE", "INBOX_UNACKNOWLEDGED",
					   "ESCALATION_LIST_OPEN", "ESCALATION_FREE", "ESCALATION_NEXT_FREE", "ESCALATION_UNACKNOWLEDGED"};
	size_t found = 0;
	for (size_t i = 0; i < STATEMENTS; i++) {
		char plan[PLAN_BYTES];
		if (!is_among(statements[i].name, open, sizeof open / sizeof open[0]) || !explain(i, plan))
			continue;
		found++;
		ck_assert_msg(strstr(plan, strncmp(statements[i].name, "INBOX", 5) == 0 ? "inbox_open" : "inbox_escalated_open") != NULL, "%s: %s", statements[i].name, plan);
	}
	ck_assert_uint_eq(found, sizeof open / sizeof open[0]);
}
END_TEST

int main(void)
{
	char conninfo[POSTGRES_CONNINFO_BYTES], detail[STORE_DETAIL_BYTES] = "";
	Suite *suite = suite_create("store_postgres_plans");
	TCase *tests = tcase_create("store_postgres_plans");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, goes_by_the_indexes_while_the_tables_are_empty);
	tcase_add_test(tests, goes_by_the_indexes_when_they_are_full);
	tcase_add_test(tests, what_is_open_is_found_without_what_was_acknowledged);
	suite_add_tcase(suite, tests);
	postgres_start(&server, NULL);
	postgres_conninfo(&server, "migrator", "template", conninfo);
	if (store_postgres_migrate(conninfo, detail) != STORE_OK) {
		fprintf(stderr, "%s\n", detail);
		return EXIT_FAILURE;
	}
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	postgres_stop(&server);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
