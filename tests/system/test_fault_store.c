// The database itself: locked by another process, opened by another broker, damaged before a start and while the broker runs. Nobody
// is answered from what is damaged: a child that is known is never said to be unknown.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <sqlite3.h>

#include "tests/harness/drill.h"
#include "tests/harness/world_process.h"

// ------------------------------------------------------------------ other processes

START_TEST(a_lock_of_another_process_refuses_until_it_is_gone)
{
	struct drill *drill = drill_new(30, "database locked", "another process holds SQLite's lock for longer than 5 s");
	sqlite3 *other = NULL;
	drill_start(drill);
	ck_assert_int_eq(sqlite3_open(drill->store, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	drill_fault(drill);
	drill_refused(drill);
	ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	drill_mended(drill);
	drill_recovers(drill, NULL);
	drill_end(drill);
}
END_TEST

START_TEST(a_second_broker_on_the_same_store_does_not_start)
{
	struct drill *drill = drill_new(31, "a second broker", "another broker process is started on the same store");
	struct world_process second;
	drill_start(drill);
	drill_fault(drill);
	world_process_start(drill->world, &second, "cpis-broker", world_path(drill->world, "broker.yaml"), NULL);
	ck_assert_int_eq(world_process_wait_exit(drill->world, &second), 2 << 8);
	char *said = world_read_file(second.log, NULL);
	ck_assert_ptr_nonnull(strstr(said, " error cannot_start "));
	drill_operator(drill, said);
	free(said);
	drill_unnoticed(drill);
	drill_end(drill);
}
END_TEST

// ------------------------------------------------------------------ damage

// SQL on the store while nobody has it open.
static sqlite3_int64 number_of(const char *store, const char *sql)
{
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	ck_assert_int_eq(sqlite3_open(store, &database), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	sqlite3_int64 number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return number;
}

struct page {
	long at;
	uint8_t bytes[4096];
};

static void write_page(const char *store, const struct page *page)
{
	FILE *file = fopen(store, "r+e");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, page->at, SEEK_SET), 0);
	ck_assert_uint_eq(fwrite(page->bytes, sizeof page->bytes, 1, file), 1);
	ck_assert_int_eq(fclose(file), 0);
}

// The root page of a table or index, which has all of its rows as long as they are few.
static struct page root_page(const char *store, const char *name)
{
	char sql[200];
	struct page page;
	ck_assert_int_eq(number_of(store, "PRAGMA page_size"), sizeof page.bytes);
	snprintf(sql, sizeof sql, "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", name);
	page.at = (long)(number_of(store, sql) - 1) * (long)sizeof page.bytes;
	FILE *file = fopen(store, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, page.at, SEEK_SET), 0);
	ck_assert_uint_eq(fread(page.bytes, sizeof page.bytes, 1, file), 1);
	fclose(file);
	return page;
}

static void flip_in_last_row(struct page *page)
{
	// The content of a page grows downwards from its end, so that the first row that was put is there.
	page->bytes[sizeof page->bytes - 8] ^= 0x10;
}

static void overwrite(struct page *page)
{
	memset(page->bytes, 0xa5, sizeof page->bytes);
}

// Stopped, damaged, and started: it does not.
static void rehearse_damaged_start(struct drill *drill, const char *name, void (*damage)(struct page *))
{
	drill_start(drill);
	ck_assert_int_eq(world_stop(drill->world), 0);
	struct page good = root_page(drill->store, name), bad = good;
	damage(&bad);
	write_page(drill->store, &bad);
	drill_fault(drill);
	drill_does_not_start(drill);
	ck_assert_int_eq(drill_query(drill, "400"), 2);
	drill_mended(drill);
	write_page(drill->store, &good);
	drill_restart(drill);
	drill_recovers(drill, "the page put back, the broker started");
	drill_end(drill);
}

START_TEST(a_broker_does_not_start_on_a_page_that_is_none)
{
	rehearse_damaged_start(drill_new(40, "corrupt page, stopped", "the page with the plans overwritten"), "plan", overwrite);
}
END_TEST

// SQLite takes it for a row of another child, and the child would be unknown.
START_TEST(a_broker_does_not_start_on_an_index_that_has_lost_a_child)
{
	rehearse_damaged_start(drill_new(41, "one bit flipped, stopped", "a bit of a key in the index of children by NHS number"),
			       "plan_by_subject", flip_in_last_row);
}
END_TEST

START_TEST(a_broker_does_not_start_on_an_audit_log_that_cannot_be_read)
{
	rehearse_damaged_start(drill_new(42, "corrupt page, stopped", "the last page of the audit log overwritten"), "checkpoint",
			       overwrite);
}
END_TEST

// While it runs: what it has in memory is good, so it is started anew and damaged before it reads.
static void rehearse_running(struct drill *drill, void (*damage)(struct page *))
{
	drill_start(drill);
	ck_assert_int_eq(world_stop(drill->world), 0);
	struct page good = root_page(drill->store, "authority"), bad = good;
	drill_restart(drill);
	drill_fault(drill);
	damage(&bad);
	write_page(drill->store, &bad);
	drill_refused(drill);
	ck_assert_int_eq(world_stop(drill->world), 0);
	drill_mended(drill);
	write_page(drill->store, &good);
	drill_restart(drill);
	drill_recovers(drill, "the page put back, the broker started anew");
	drill_end(drill);
}

START_TEST(a_page_that_is_none_answers_nobody)
{
	rehearse_running(drill_new(43, "corrupt page, running", "the page with the authorities' state overwritten, before it is read"),
			 overwrite);
}
END_TEST

// The index is good, so that the broker starts; what is sealed is not.
START_TEST(a_sealed_plan_that_was_damaged_answers_nobody)
{
	struct drill *drill = drill_new(44, "one bit flipped, stopped", "a bit of a sealed plan");
	drill_start(drill);
	ck_assert_int_eq(world_stop(drill->world), 0);
	struct page good = root_page(drill->store, "plan"), bad = good;
	flip_in_last_row(&bad);
	write_page(drill->store, &bad);
	drill_restart(drill);
	drill_fault(drill);
	drill_refused_as(drill, "INTERNAL_SERVER_ERROR", "internal", 6);
	ck_assert_int_eq(world_stop(drill->world), 0);
	drill_mended(drill);
	write_page(drill->store, &good);
	drill_restart(drill);
	drill_recovers(drill, "the page put back, the broker started anew");
	drill_end(drill);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault_store");
	TCase *others = tcase_create("others"), *damage = tcase_create("damage");
	tcase_set_timeout(others, 120);
	tcase_set_timeout(damage, 120);
	tcase_add_test(others, a_lock_of_another_process_refuses_until_it_is_gone);
	tcase_add_test(others, a_second_broker_on_the_same_store_does_not_start);
	tcase_add_test(damage, a_broker_does_not_start_on_a_page_that_is_none);
	tcase_add_test(damage, a_broker_does_not_start_on_an_index_that_has_lost_a_child);
	tcase_add_test(damage, a_broker_does_not_start_on_an_audit_log_that_cannot_be_read);
	tcase_add_test(damage, a_page_that_is_none_answers_nobody);
	tcase_add_test(damage, a_sealed_plan_that_was_damaged_answers_nobody);
	suite_add_tcase(suite, others);
	suite_add_tcase(suite, damage);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
