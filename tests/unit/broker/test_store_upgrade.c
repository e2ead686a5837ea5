// A file of the schema version before: brought to this one's whole, or not at all.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <sqlite3.h>

#include "broker/store.h"

static char directory[] = "/tmp/cpis-migrate-XXXXXX", path[64], fresh_path[64];

static void set_up(void)
{
	strcpy(directory, "/tmp/cpis-migrate-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/store.db", directory);
	snprintf(fresh_path, sizeof fresh_path, "%s/fresh.db", directory);
}

static void tear_down(void)
{
	char command[128];
	snprintf(command, sizeof command, "rm -r %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static bool opens(const char *file, char detail[STORE_DETAIL_BYTES])
{
	struct store *store = NULL;
	bool opened = store_sqlite_open(file, &store, detail) == STORE_OK;
	if (opened)
		store->ops->close(store);
	return opened;
}

// All rows of a question, each with a newline.
static const char *ask(const char *file, const char *sql)
{
	static char texts[4][8192];
	static unsigned next;
	char *text = texts[next++ % 4];
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	text[0] = '\0';
	ck_assert_int_eq(sqlite3_open(file, &database), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW)
		snprintf(text + strlen(text), sizeof texts[0] - strlen(text), "%s\n", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
	return text;
}

static void run(const char *file, const char *sql)
{
	sqlite3 *database = NULL;
	ck_assert_int_eq(sqlite3_open(file, &database), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(database));
	ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
}

// As version 5 had it, and a clock that went back within it.
static void make_file_of_5(void)
{
	char detail[STORE_DETAIL_BYTES];
	ck_assert_msg(opens(path, detail), "%s", detail);
	run(path, "DROP TABLE audit_block;"
		  "CREATE TABLE audit_block (block INTEGER PRIMARY KEY, min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL) STRICT;"
		  "INSERT INTO audit_block VALUES (0, 100, 200), (1, 200, 500), (2, 150, 160), (3, 400, 600);"
		  "PRAGMA user_version = 5");
}

static const char *schema_of(const char *file)
{
	return ask(file, "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master ORDER BY type, name");
}

START_TEST(what_was_migrated_is_as_what_is_made_anew)
{
	char detail[STORE_DETAIL_BYTES] = "";
	make_file_of_5();
	ck_assert(store_sqlite_needs_upgrade(path));
	ck_assert_msg(opens(path, detail), "%s", detail);
	ck_assert(!store_sqlite_needs_upgrade(path));
	ck_assert(opens(fresh_path, detail));
	ck_assert_str_eq(schema_of(path), schema_of(fresh_path));
	ck_assert_str_eq(ask(path, "PRAGMA user_version"), "6\n");
	ck_assert_str_eq(ask(path, "SELECT block || ' ' || min_ms || ' ' || max_ms || ' ' || peak_ms || ' ' || floor_ms FROM audit_block"),
			 "0 100 200 200 100\n1 200 500 500 150\n2 150 160 500 150\n3 400 600 600 400\n");
	// And only once.
	ck_assert(opens(path, detail));
}
END_TEST

START_TEST(what_cannot_be_migrated_stays_as_it_is)
{
	char detail[STORE_DETAIL_BYTES] = "";
	make_file_of_5();
	// The last step finds a name taken.
	run(path, "CREATE TABLE audit_block_by_floor (x)");
	ck_assert(!opens(path, detail));
	ck_assert_str_eq(ask(path, "PRAGMA user_version"), "5\n");
	ck_assert_str_eq(ask(path, "SELECT count(*) FROM audit_block WHERE max_ms > 0"), "4\n");
	ck_assert_str_eq(ask(path, "SELECT count(*) FROM pragma_table_info('audit_block')"), "3\n");
	run(path, "DROP TABLE audit_block_by_floor");
	ck_assert_msg(opens(path, detail), "%s", detail);
}
END_TEST

START_TEST(other_versions_are_refused_with_what_to_do)
{
	char detail[STORE_DETAIL_BYTES] = "";
	make_file_of_5();
	run(path, "PRAGMA user_version = 4");
	ck_assert(!store_sqlite_needs_upgrade(path));
	ck_assert(!opens(path, detail));
	ck_assert_ptr_nonnull(strstr(detail, "has schema version 4, this program knows version 6"));
	run(path, "PRAGMA user_version = 7");
	ck_assert(!opens(path, detail));
	ck_assert_ptr_nonnull(strstr(detail, "has schema version 7, this program knows version 6"));
	ck_assert_ptr_nonnull(strstr(detail, "install the newer version of this program again"));
	ck_assert_str_eq(ask(path, "PRAGMA user_version"), "7\n");
	ck_assert(!store_sqlite_needs_upgrade(fresh_path));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_upgrade");
	TCase *tests = tcase_create("store_upgrade");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_was_migrated_is_as_what_is_made_anew);
	tcase_add_test(tests, what_cannot_be_migrated_stays_as_it_is);
	tcase_add_test(tests, other_versions_are_refused_with_what_to_do);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
