// How SQLite goes about the statements of STORE_STATEMENTS (the searches of store_sqlite_search.c are not among them): which read a
// whole table, and that what is open in an inbox is found without what was ever acknowledged in it. Asked of SQLite itself, over the
// schema of a new store.
#include "broker/store_sqlite_priv.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name, *sql;
} statements[] = {
#define X(name, sql) {#name, sql},
	STORE_STATEMENTS(X)
#undef X
};

// Over tables that limits.h bounds; INBOX_WAITING ends after so many rows of an index.
static const char *const scans[] = {"QUARANTINE_ALL", "ENROLMENT_ALL", "ROLE_ALL",	 "AUDIT_KEY_ALL",
				    "HOLD_ALL",	      "HEARD_LARGEST", "HEARD_EXPIRE", "INBOX_WAITING"};

#define PLAN_BYTES 2048u

static char directory[] = "/tmp/cpis-statements-XXXXXX";
static char path[64];
static sqlite3 *database;

static void start(void)
{
	char detail[STORE_DETAIL_BYTES];
	struct store *store;
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/store", directory);
	ck_assert_msg(store_sqlite_open(path, &store, detail) == STORE_OK, "%s", detail);
	store->ops->close(store);
	ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
}

static void stop(void)
{
	char command[96];
	sqlite3_close(database);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

// The steps of the statement's plan, a line each (sqlite.org/eqp.html).
static void explain(const char *sql, char ret[PLAN_BYTES])
{
	char text[4096];
	sqlite3_stmt *plan;
	ret[0] = '\0';
	ck_assert_uint_lt((size_t)snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql), sizeof text);
	ck_assert_msg(sqlite3_prepare_v2(database, text, -1, &plan, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(database));
	while (sqlite3_step(plan) == SQLITE_ROW) {
		size_t used = strlen(ret);
		ck_assert_uint_lt((size_t)snprintf(ret + used, PLAN_BYTES - used, "%s\n", (const char *)sqlite3_column_text(plan, 3)),
				  PLAN_BYTES - used);
	}
	sqlite3_finalize(plan);
}

static bool may_scan(const char *name)
{
	for (size_t i = 0; i < sizeof scans / sizeof scans[0]; i++)
		if (strcmp(scans[i], name) == 0)
			return true;
	return false;
}

START_TEST(only_those_named_here_read_a_whole_table)
{
	for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
		char plan[PLAN_BYTES];
		explain(statements[i].sql, plan);
		bool reads_all = strncmp(plan, "SCAN ", 5) == 0 || strstr(plan, "\nSCAN ") != NULL;
		ck_assert_msg(reads_all == may_scan(statements[i].name), "%s: %s", statements[i].name, plan);
	}
}
END_TEST

START_TEST(what_is_open_is_found_without_what_was_acknowledged)
{
	static const char *const open[] = {"INBOX_LIST_OPEN", "INBOX_FREE", "INBOX_NEXT_FREE", "INBOX_UNACKNOWLEDGED"};
	size_t found = 0;
	for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
		for (size_t j = 0; j < sizeof open / sizeof open[0]; j++) {
			char plan[PLAN_BYTES];
			if (strcmp(statements[i].name, open[j]) != 0)
				continue;
			found++;
			explain(statements[i].sql, plan);
			ck_assert_msg(strstr(plan, "INDEX inbox_open ") != NULL, "%s: %s", open[j], plan);
		}
	ck_assert_uint_eq(found, sizeof open / sizeof open[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_statements");
	TCase *tests = tcase_create("store_statements");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, only_those_named_here_read_a_whole_table);
	tcase_add_test(tests, what_is_open_is_found_without_what_was_acknowledged);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
