// The index that searches of the audit log go by, changed behind the broker's back: `cpis audit verify` says so, and
// `cpis-broker --rebuild-search` makes it anew.
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/world.h"

#define PROOF 4

static struct world *world;
static char child[11];

static int verify(void)
{
	const char *build = getenv("BUILD");
	char program[200];
	snprintf(program, sizeof program, "%s/cpis", build == NULL ? "build" : build);
	const char *arguments[] = {program, "audit", "verify", "--database", world_path(world, "store.db"), "--log-key",
				   world_path(world, "authority/trust/log.vkey"), NULL};
	return world_command(world, arguments);
}

static int rebuild(void)
{
	const char *build = getenv("BUILD");
	char program[200];
	snprintf(program, sizeof program, "%s/cpis-broker", build == NULL ? "build" : build);
	const char *arguments[] = {program, "--rebuild-search", world_path(world, "broker.yaml"), NULL};
	return world_command(world, arguments);
}

// A few looks, and a search that takes them into the index.
static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_start(world);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(world_cpis(world, "nurse", "query", child, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", child, NULL), 0);
	ck_assert_int_eq(verify(), 0); // beside the running broker
	ck_assert_int_eq(rebuild(), 2);
	ck_assert_ptr_nonnull(strstr(world_err(world), "another broker has this store open"));
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(verify(), 0);
}

static void teardown(void)
{
	world_free(world);
}

static void sql(const char *text)
{
	sqlite3 *database = NULL;
	char *why = NULL;
	ck_assert_int_eq(sqlite3_open_v2(world_path(world, "store.db"), &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(database, text, NULL, NULL, &why) == SQLITE_OK, "%s", why);
	ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
}

static const struct {
	const char *sql, *says;
} edits[] = {
	{"INSERT INTO audit_word (audit_word) VALUES ('delete-all')", "0 words"},
	{"INSERT INTO audit_word (audit_word, rowid, words) SELECT 'delete', idx, 's' || lower(hex(subject)) || ' p' ||"
	 " lower(hex(person)) || ' o' || organisation FROM audit WHERE subject IS NOT NULL ORDER BY idx LIMIT 1", "or not the same"},
	{"INSERT INTO audit_word (rowid, words) VALUES (100000, 'orxh')", "or not the same"},
	// As many words as before, one of them another.
	{"INSERT INTO audit_word (audit_word, rowid, words) SELECT 'delete', idx, 's' || lower(hex(subject)) || ' p' ||"
	 " lower(hex(person)) || ' o' || organisation FROM audit WHERE subject IS NOT NULL ORDER BY idx LIMIT 1;"
	 "INSERT INTO audit_word (rowid, words) SELECT idx, CASE substr(hex(subject), 1, 1) WHEN '0' THEN 's1' ELSE 's0' END ||"
	 " substr(lower(hex(subject)), 2) || ' p' ||"
	 " lower(hex(person)) || ' o' || organisation FROM audit WHERE subject IS NOT NULL ORDER BY idx LIMIT 1", "or not the same"},
	{"UPDATE audit_block SET max_ms = 5", "times"},
	{"UPDATE audit_block SET min_ms = min_ms + 1", "times"},
	{"DELETE FROM audit_block", "times"},
	{"UPDATE audit_block SET peak_ms = peak_ms + 1", "times"},
	{"UPDATE audit_block SET floor_ms = floor_ms - 1", "times"},
	{"INSERT INTO audit_block VALUES (77, 1, 2, 2, 1)", "times"},
	{"UPDATE audit_indexed SET next = 100000", "ahead of the records"},
	{"DELETE FROM audit_indexed", "ahead of the records"},
	{"UPDATE audit_indexed SET next = 2", "times"},
};

START_TEST(an_index_that_was_changed_is_found_and_made_anew)
{
	sql(edits[_i].sql);
	ck_assert_int_eq(verify(), PROOF);
	ck_assert_msg(strstr(world_err(world), edits[_i].says) != NULL, "%s", world_err(world));
	ck_assert_ptr_nonnull(strstr(world_err(world), "--rebuild-search"));
	ck_assert_int_eq(rebuild(), 0);
	ck_assert_msg(verify() == 0, "%s", world_err(world));
	// And the broker finds the looks again.
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", "--nhs-number", child, NULL), 0);
	ck_assert_ptr_nonnull(strstr(world_out(world), world_person("nurse")->uid));
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("search_index");
	TCase *tests = tcase_create("search_index");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, an_index_that_was_changed_is_found_and_made_anew, 0, (int)(sizeof edits / sizeof edits[0]));
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
