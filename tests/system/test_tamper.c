// Somebody edits the database behind the broker's back: `cpis audit verify` finds it and names the first bad record,
// a client that remembers a newer checkpoint notices, and the broker does not start on it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <check.h>
#include <sqlite3.h>

#include "tests/harness/world.h"

#define PROOF_FAILED 4
#define VICTIM 5
#define VICTIM_TEXT "5"

static struct world *world;
static char child[11];
static char database[256], copy[256], log_key[256];

static void look(const char *profile)
{
	ck_assert_int_eq(world_cpis(world, profile, "query", "--details", child, NULL), 0);
}

static void must_run(const char *const *arguments)
{
	ck_assert_msg(world_command(world, arguments) == 0, "%s", world_err(world));
}

static void copy_file(const char *from, const char *to)
{
	must_run((const char *const[]){"cp", from, to, NULL});
}

// A stopped broker's database with some traffic in it, and an untouched copy to edit.
static void setup(void)
{
	char text[512], start[11];
	world_nhs_number(0, child);
	world_date(0, 5, start);
	world = world_new();
	snprintf(database, sizeof database, "%s", world_path(world, "store.db"));
	snprintf(copy, sizeof copy, "%s", world_path(world, "copy.db"));
	snprintf(log_key, sizeof log_key, "%s", world_path(world, "authority/trust/log.vkey"));
	snprintf(text, sizeof text,
		 "nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"
		 "%s,CPP,%s,,,L-1,EXAMPLE,ALEX,2016-06-01\n",
		 child, start);
	world_write_file(world_path(world, "leeds.csv"), text);
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--now", world_path(world, "leeds.csv"), NULL), 0);
	look("nurse");
	look("paramedic");
	look("nurse");
	ck_assert_int_eq(world_stop(world), 0);
	copy_file(database, copy);
}

static void teardown(void)
{
	world_free(world);
}

// ------------------------------------------------------------------ editing

static sqlite3 *open_without_guard(const char *path)
{
	sqlite3 *handle = NULL;
	sqlite3_stmt *triggers = NULL;
	char drops[1024] = "";
	ck_assert_int_eq(sqlite3_open(path, &handle), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(handle, "SELECT name FROM sqlite_master WHERE type = 'trigger'", -1, &triggers,
					    NULL),
			 SQLITE_OK);
	while (sqlite3_step(triggers) == SQLITE_ROW) {
		size_t used = strlen(drops);
		snprintf(drops + used, sizeof drops - used, "DROP TRIGGER %s;",
			 (const char *)sqlite3_column_text(triggers, 0));
	}
	sqlite3_finalize(triggers);
	ck_assert_int_eq(sqlite3_exec(handle, drops, NULL, NULL, NULL), SQLITE_OK);
	return handle;
}

static void edit(const char *path, const char *sql)
{
	sqlite3 *handle = open_without_guard(path);
	char *message = NULL;
	ck_assert_msg(sqlite3_exec(handle, sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s", sql, message);
	ck_assert_int_gt(sqlite3_total_changes(handle), 0);
	sqlite3_close(handle);
}

// One bit of one row's blob.
static void flip(const char *path, const char *column)
{
	sqlite3 *handle = open_without_guard(path);
	sqlite3_blob *blob = NULL;
	unsigned char byte = 0;
	ck_assert_int_eq(sqlite3_blob_open(handle, "main", "audit", column, VICTIM, 1, &blob), SQLITE_OK);
	int middle = sqlite3_blob_bytes(blob) / 2;
	ck_assert_int_eq(sqlite3_blob_read(blob, &byte, 1, middle), SQLITE_OK);
	byte ^= 1;
	ck_assert_int_eq(sqlite3_blob_write(blob, &byte, 1, middle), SQLITE_OK);
	sqlite3_blob_close(blob);
	sqlite3_close(handle);
}

static int64_t records_in(const char *path)
{
	sqlite3 *handle = NULL;
	sqlite3_stmt *statement = NULL;
	ck_assert_int_eq(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(handle, "SELECT count(*) FROM audit", -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	int64_t count = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(handle);
	return count;
}

// ------------------------------------------------------------------ verifying

static int verify(const char *path, const char *checkpoint)
{
	if (checkpoint == NULL)
		return world_cpis(world, NULL, "audit", "verify", "--database", path, "--log-key", log_key, NULL);
	return world_cpis(world, NULL, "audit", "verify", "--database", path, "--log-key", log_key, "--checkpoint",
			  checkpoint, NULL);
}

// Whether the output has this number standing alone.
static bool names(const char *text, const char *number)
{
	size_t bytes = strlen(number);
	for (const char *at = strstr(text, number); at != NULL; at = strstr(at + 1, number)) {
		bool before = at == text || strchr("0123456789.", at[-1]) == NULL;
		bool after = at[bytes] == '\0' || strchr("0123456789", at[bytes]) == NULL;
		if (before && after)
			return true;
	}
	return false;
}

static void assert_bad(const char *path, const char *number)
{
	ck_assert_int_eq(verify(path, NULL), PROOF_FAILED);
	ck_assert_msg(names(world_err(world), number) || names(world_out(world), number), "record %s is not named in: %s%s",
		      number, world_out(world), world_err(world));
}

START_TEST(an_untouched_copy_holds)
{
	ck_assert_int_gt(records_in(copy), VICTIM + 2);
	ck_assert_int_eq(verify(copy, NULL), 0);
	ck_assert_int_eq(verify(copy, world_path(world, "profiles/nurse.checkpoint")), 0);
}
END_TEST

START_TEST(one_bit_of_a_records_content_is_found)
{
	flip(copy, "record");
	assert_bad(copy, VICTIM_TEXT);
}
END_TEST

START_TEST(one_bit_of_a_records_salt_is_found)
{
	flip(copy, "salt");
	assert_bad(copy, VICTIM_TEXT);
}
END_TEST

START_TEST(one_bit_of_a_records_hashes_is_found)
{
	flip(copy, "nodes");
	assert_bad(copy, VICTIM_TEXT);
}
END_TEST

START_TEST(a_changed_search_column_is_found)
{
	static const char *const edits[] = {
		"UPDATE audit SET time_ms = time_ms + 1 WHERE idx = " VICTIM_TEXT,
		"UPDATE audit SET organisation = 'RYD' WHERE idx = " VICTIM_TEXT " AND organisation <> 'RYD'",
		"UPDATE audit SET organisation = 'RXH' WHERE idx = " VICTIM_TEXT " AND organisation <> 'RXH'",
		"UPDATE audit SET person = zeroblob(16) WHERE idx = " VICTIM_TEXT,
		"UPDATE audit SET person = NULL WHERE idx = " VICTIM_TEXT,
		"UPDATE audit SET subject = zeroblob(16) WHERE idx = " VICTIM_TEXT,
	};
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		copy_file(database, copy);
		sqlite3 *handle = open_without_guard(copy);
		ck_assert_int_eq(sqlite3_exec(handle, edits[i], NULL, NULL, NULL), SQLITE_OK);
		bool changed = sqlite3_changes(handle) > 0;
		sqlite3_close(handle);
		if (changed)
			assert_bad(copy, VICTIM_TEXT);
	}
}
END_TEST

START_TEST(a_deleted_record_is_found)
{
	edit(copy, "DELETE FROM audit WHERE idx = " VICTIM_TEXT);
	assert_bad(copy, VICTIM_TEXT);
}
END_TEST

START_TEST(a_deleted_record_with_the_others_moved_up_is_found)
{
	edit(copy, "DELETE FROM audit WHERE idx = " VICTIM_TEXT ";"
		   "UPDATE audit SET idx = -idx WHERE idx > " VICTIM_TEXT ";"
		   "UPDATE audit SET idx = -idx - 1 WHERE idx < 0");
	assert_bad(copy, VICTIM_TEXT);
}
END_TEST

START_TEST(swapped_records_are_found)
{
	edit(copy, "UPDATE audit SET idx = -1 WHERE idx = " VICTIM_TEXT ";"
		   "UPDATE audit SET idx = " VICTIM_TEXT " WHERE idx = 6;"
		   "UPDATE audit SET idx = 6 WHERE idx = -1");
	assert_bad(copy, VICTIM_TEXT);
}
END_TEST

START_TEST(a_record_put_in_anothers_place_is_found)
{
	edit(copy, "UPDATE audit SET (salt, record) = (SELECT salt, record FROM audit WHERE idx = 6) WHERE idx = "
		   VICTIM_TEXT);
	assert_bad(copy, VICTIM_TEXT);
}
END_TEST

START_TEST(cut_off_last_records_are_found)
{
	char first_missing[24];
	int64_t count = records_in(copy);
	snprintf(first_missing, sizeof first_missing, "%lld", (long long)count - 2);
	edit(copy, "DELETE FROM audit WHERE idx >= (SELECT max(idx) - 1 FROM audit)");
	ck_assert_int_eq(records_in(copy), count - 2);
	assert_bad(copy, first_missing);
}
END_TEST

START_TEST(an_added_record_is_found)
{
	edit(copy, "INSERT INTO audit SELECT idx + 1, salt, record, nodes, time_ms, organisation, subject, person "
		   "FROM audit ORDER BY idx DESC LIMIT 1");
	ck_assert_int_eq(verify(copy, NULL), PROOF_FAILED);
}
END_TEST

START_TEST(an_emptied_log_is_found)
{
	edit(copy, "DELETE FROM audit");
	assert_bad(copy, "0");
	copy_file(database, copy);
	edit(copy, "DELETE FROM checkpoint");
	ck_assert_int_eq(verify(copy, NULL), PROOF_FAILED);
}
END_TEST

START_TEST(another_logs_key_does_not_verify_it)
{
	const char *other = world_path(world, "other");
	ck_assert_int_eq(world_cpis(world, NULL, "certs", "init", "--dir", other, "--broker-name", WORLD_BROKER_NAME,
				    "--log-origin", "cpis.example/audit/test", NULL),
			 0);
	snprintf(log_key, sizeof log_key, "%s/trust/log.vkey", other);
	ck_assert_int_eq(verify(copy, NULL), PROOF_FAILED);
}
END_TEST

// The old copy is whole in itself: only what a client remembers gives it away.
START_TEST(an_older_copy_put_back_is_found_by_a_clients_checkpoint)
{
	world_start(world);
	look("nurse");
	ck_assert_int_eq(world_stop(world), 0);
	ck_assert_int_eq(verify(copy, NULL), 0);
	ck_assert_int_eq(verify(copy, world_path(world, "profiles/nurse.checkpoint")), PROOF_FAILED);
	ck_assert_int_eq(verify(database, world_path(world, "profiles/nurse.checkpoint")), 0);
}
END_TEST

START_TEST(an_older_copy_put_back_is_noticed_by_the_next_call)
{
	world_start(world);
	for (unsigned i = 0; i < 3; i++)
		look("nurse");
	ck_assert_int_eq(world_stop(world), 0);
	copy_file(copy, database);
	world_start(world);
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), PROOF_FAILED);
	// Who remembers nothing newer has nothing to hold against it.
	ck_assert_int_eq(world_cpis(world, "leeds", "ping", NULL), 0);
	ck_assert_int_eq(world_stop(world), 0);
}
END_TEST

START_TEST(the_broker_does_not_start_on_a_log_that_does_not_match_its_checkpoint)
{
	int status = 0;
	edit(database, "DELETE FROM audit WHERE idx = (SELECT max(idx) FROM audit)");
	world_spawn(world);
	ck_assert(world_wait_exit(world, WORLD_WAIT_MS, &status));
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 2);
	ck_assert_ptr_nonnull(strstr(world_log(world), " cannot_start "));
}
END_TEST

START_TEST(the_guard_stops_a_careless_edit)
{
	sqlite3 *handle = NULL;
	ck_assert_int_eq(sqlite3_open(copy, &handle), SQLITE_OK);
	ck_assert_int_ne(sqlite3_exec(handle, "UPDATE audit SET time_ms = 0", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_ne(sqlite3_exec(handle, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(handle);
	ck_assert_int_eq(verify(copy, NULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tamper");
	TCase *tests = tcase_create("tamper");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, an_untouched_copy_holds);
	tcase_add_test(tests, one_bit_of_a_records_content_is_found);
	tcase_add_test(tests, one_bit_of_a_records_salt_is_found);
	tcase_add_test(tests, one_bit_of_a_records_hashes_is_found);
	tcase_add_test(tests, a_changed_search_column_is_found);
	tcase_add_test(tests, a_deleted_record_is_found);
	tcase_add_test(tests, a_deleted_record_with_the_others_moved_up_is_found);
	tcase_add_test(tests, swapped_records_are_found);
	tcase_add_test(tests, a_record_put_in_anothers_place_is_found);
	tcase_add_test(tests, cut_off_last_records_are_found);
	tcase_add_test(tests, an_added_record_is_found);
	tcase_add_test(tests, an_emptied_log_is_found);
	tcase_add_test(tests, another_logs_key_does_not_verify_it);
	tcase_add_test(tests, an_older_copy_put_back_is_found_by_a_clients_checkpoint);
	tcase_add_test(tests, an_older_copy_put_back_is_noticed_by_the_next_call);
	tcase_add_test(tests, the_broker_does_not_start_on_a_log_that_does_not_match_its_checkpoint);
	tcase_add_test(tests, the_guard_stops_a_careless_edit);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
