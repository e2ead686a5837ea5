// What is SQLite's own: the file and who may have it, the schema version, a crash, a full disk, rows edited from outside.
#include "broker/store.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#define FILE_BYTES_MAX (1024 * 1024)
#define LARGE_BYTES 200000

static char directory[] = "/tmp/cpis-sqlite-XXXXXX";
static char disk[64], path[80];
static struct store *store;
static struct arena arena;
static bool mounted;

static bool try_open(const char *at, struct store **ret, char detail[STORE_DETAIL_BYTES])
{
	detail[0] = '\0';
	return store_sqlite_open(at, ret, detail) == STORE_OK;
}

static void open_store(void)
{
	char detail[STORE_DETAIL_BYTES];
	ck_assert_msg(try_open(path, &store, detail), "%s", detail);
}

static void close_store(void)
{
	store->ops->close(store);
	store = NULL;
}

static void refuses_to_open(const char *at, const char *words)
{
	char detail[STORE_DETAIL_BYTES];
	struct store *untouched = store;
	ck_assert_msg(!try_open(at, &store, detail), "%s was opened", at);
	ck_assert_ptr_eq(store, untouched);
	ck_assert_msg(strstr(detail, words) != NULL, "\"%s\" does not say \"%s\"", detail, words);
}

static void start(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(disk, sizeof disk, "%s/disk", directory);
	snprintf(path, sizeof path, "%s/store", disk);
	ck_assert_int_eq(mkdir(disk, 0700), 0);
	ck_assert(arena_init(&arena, 1024 * 1024));
}

static int remove_one(const char *at, const struct stat *status, int type, struct FTW *place)
{
	(void)status, (void)type, (void)place;
	return remove(at);
}

static void stop(void)
{
	if (store != NULL)
		close_store();
	arena_done(&arena);
	if (mounted)
		ck_assert_int_eq(umount(disk), 0);
	mounted = false;
	ck_assert_int_eq(nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static enum store_status put_plan(unsigned char slot, size_t bytes)
{
	static uint8_t sealed[LARGE_BYTES];
	struct store_plan plan = {.slot = {{slot}}, .generation = 1, .subject = {{7}}, .authority = {"383"}, .sealed = {sealed, bytes}};
	return store->ops->plan_put(store, &plan);
}

static void commit_plan(unsigned char slot)
{
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(put_plan(slot, 10), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
}

static size_t plans(void)
{
	struct store_tag subject = {{7}};
	struct store_plan *found;
	size_t count = 0;
	arena_reset(&arena);
	ck_assert_int_eq(store->ops->plans_of(store, &subject, 100, &arena, &found, &count), STORE_OK);
	return count;
}

static void commit_audit_row(uint64_t index)
{
	struct store_audit row = {.index = index, .record = {(const uint8_t *)"record", 6}, .node_count = 1, .time_ms = 5};
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(store->ops->audit_append(store, &row), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
}

// As an operator with the sqlite3 shell would.
static int plain_sql(const char *sql)
{
	sqlite3 *database = NULL;
	ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
	int result = sqlite3_exec(database, sql, NULL, NULL, NULL);
	sqlite3_close(database);
	return result;
}

static size_t read_file(const char *at, uint8_t *out)
{
	int file = open(at, O_RDONLY);
	ck_assert_int_ge(file, 0);
	ssize_t got = read(file, out, FILE_BYTES_MAX);
	ck_assert_int_ge(got, 0);
	close(file);
	return (size_t)got;
}

static void write_file(const char *at, const void *data, size_t bytes)
{
	int file = open(at, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, data, bytes), (ssize_t)bytes);
	close(file);
}

// ------------------------------------------------------------------ the file and its lock

START_TEST(makes_files_for_the_owner_alone_whatever_the_umask)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	umask(0);
	open_store();
	commit_plan(1);
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		char at[128];
		struct stat status;
		snprintf(at, sizeof at, "%s%s", path, ends[i]);
		ck_assert_msg(stat(at, &status) == 0, "%s", at);
		ck_assert_msg((status.st_mode & 07777) == 0600, "%s has mode %o", at, status.st_mode & 07777);
	}
}
END_TEST

START_TEST(refuses_a_file_others_can_use)
{
	static const mode_t modes[] = {0640, 0620, 0604, 0602};
	open_store();
	close_store();
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		ck_assert_int_eq(chmod(path, modes[i]), 0);
		refuses_to_open(path, "chmod 600");
	}
	ck_assert_int_eq(chmod(path, 0600), 0);
	open_store();
}
END_TEST

START_TEST(refuses_what_is_not_a_file_or_not_there)
{
	char at[128], target[128];
	snprintf(at, sizeof at, "%s/no/such/store", disk);
	refuses_to_open(at, "No such file");
	refuses_to_open(disk, "");
	snprintf(at, sizeof at, "%s/link", disk);
	snprintf(target, sizeof target, "%s/target", disk);
	ck_assert_int_eq(symlink(target, at), 0);
	refuses_to_open(at, "");
	ck_assert_int_ne(access(target, F_OK), 0);
}
END_TEST

START_TEST(opens_by_a_path_that_leads_through_a_linked_directory)
{
	char link_path[128], at[160], detail[STORE_DETAIL_BYTES];
	snprintf(link_path, sizeof link_path, "%s/linked", directory);
	snprintf(at, sizeof at, "%s/store", link_path);
	ck_assert_int_eq(symlink(disk, link_path), 0);
	ck_assert_msg(try_open(at, &store, detail), "%s", detail);
	refuses_to_open(path, "another broker"); // the same file by its other name
}
END_TEST

START_TEST(refuses_a_second_open_in_this_process_and_stays_open)
{
	open_store();
	commit_plan(1);
	refuses_to_open(path, "another broker");
	commit_plan(2);
	ck_assert_uint_eq(plans(), 2);
	close_store();
	open_store();
	ck_assert_uint_eq(plans(), 2);
}
END_TEST

static bool opens_in_another_process(void)
{
	int status = 0;
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct store *second = NULL;
		char detail[STORE_DETAIL_BYTES];
		bool opened = try_open(path, &second, detail);
		bool said = strstr(detail, "another broker") != NULL;
		if (opened)
			second->ops->close(second);
		_exit(opened ? 10 : said ? 11 : 12);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_msg(WEXITSTATUS(status) == 10 || WEXITSTATUS(status) == 11, "refused without the sentence");
	return WEXITSTATUS(status) == 10;
}

START_TEST(refuses_a_second_process_until_the_first_has_closed)
{
	open_store();
	ck_assert(!opens_in_another_process());
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert(!opens_in_another_process());
	store->ops->rollback(store);
	ck_assert(!opens_in_another_process());
	close_store();
	ck_assert(opens_in_another_process());
}
END_TEST

// ------------------------------------------------------------------ the schema

static void refuses_and_leaves_unchanged(const char *words)
{
	static uint8_t before[FILE_BYTES_MAX], after[FILE_BYTES_MAX];
	size_t bytes = read_file(path, before);
	refuses_to_open(path, words);
	ck_assert_uint_eq(read_file(path, after), bytes);
	ck_assert_mem_eq(after, before, bytes);
}

START_TEST(refuses_an_unknown_schema_version_and_leaves_the_file_unchanged)
{
	open_store();
	commit_plan(1);
	close_store();
	ck_assert_int_eq(plain_sql("PRAGMA user_version = 99"), SQLITE_OK);
	refuses_and_leaves_unchanged("schema version 99");
	ck_assert_int_eq(plain_sql("PRAGMA user_version = 0"), SQLITE_OK);
	refuses_and_leaves_unchanged("schema version 0");
	ck_assert_int_eq(plain_sql("PRAGMA user_version = 6"), SQLITE_OK);
	open_store();
	ck_assert_uint_eq(plans(), 1);
}
END_TEST

// What a store of version 5 had in place of today's: `rows` of audit_block are "(block, min_ms, max_ms), ...".
static void make_version_5(const char *rows)
{
	char sql[600];
	snprintf(sql, sizeof sql,
		 "DROP INDEX audit_block_by_peak; DROP INDEX audit_block_by_floor; DROP TABLE audit_block;"
		 "CREATE TABLE audit_block (block INTEGER PRIMARY KEY, min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL) STRICT;"
		 "INSERT INTO audit_block VALUES %s; PRAGMA user_version = 5", rows);
	ck_assert_int_eq(plain_sql(sql), SQLITE_OK);
}

// One text; freed with sqlite3_free.
static char *plain_text(const char *sql)
{
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	char *text = sqlite3_mprintf("%s", sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return text;
}

static void says(const char *sql, const char *wanted)
{
	char *text = plain_text(sql);
	ck_assert_str_eq(text, wanted);
	sqlite3_free(text);
}

#define WHOLE_SCHEMA "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name)"

START_TEST(brings_a_store_of_the_version_before_up_to_date_with_what_is_in_it)
{
	open_store();
	commit_plan(1);
	close_store();
	char *schema = plain_text(WHOLE_SCHEMA);
	make_version_5("(0, 100, 200), (1, 50, 150), (2, 300, 400)");
	open_store();
	ck_assert_uint_eq(plans(), 1);
	close_store();
	says("PRAGMA user_version", "6");
	says(WHOLE_SCHEMA, schema);
	says("SELECT group_concat(block || ':' || min_ms || '-' || max_ms || ':' || peak_ms || ',' || floor_ms, ' ') FROM audit_block",
	     "0:100-200:200,50 1:50-150:200,50 2:300-400:400,300");
	sqlite3_free(schema);
}
END_TEST

START_TEST(a_store_that_cannot_be_brought_up_to_date_stays_as_it_was)
{
	open_store();
	commit_plan(1);
	close_store();
	make_version_5("(0, 100, 200)");
	// What the step makes is there already: it fails in its midst.
	ck_assert_int_eq(plain_sql("CREATE TABLE audit_block_by_floor (x)"), SQLITE_OK);
	refuses_to_open(path, "could not be brought from schema version 5 to 6, and is as it was");
	says("PRAGMA user_version", "5");
	says("SELECT count(*) FROM pragma_table_info('audit_block')", "3");
	ck_assert_int_eq(plain_sql("DROP TABLE audit_block_by_floor"), SQLITE_OK);
	open_store();
	ck_assert_uint_eq(plans(), 1);
}
END_TEST

START_TEST(says_what_to_do_about_a_store_of_another_version)
{
	open_store();
	close_store();
	ck_assert_int_eq(plain_sql("PRAGMA user_version = 7"), SQLITE_OK);
	refuses_and_leaves_unchanged("has schema version 7, this program knows version 6: install the newer version of this program again, or go back to a backup");
	ck_assert_int_eq(plain_sql("PRAGMA user_version = 4"), SQLITE_OK);
	refuses_and_leaves_unchanged("has schema version 4, this program knows version 6: no version can be skipped");
	ck_assert_int_eq(plain_sql("PRAGMA user_version = 6"), SQLITE_OK);
	open_store();
}
END_TEST

START_TEST(refuses_another_programs_database_and_leaves_it_unchanged)
{
	write_file(path, "", 0);
	ck_assert_int_eq(plain_sql("CREATE TABLE shopping (item TEXT)"), SQLITE_OK);
	refuses_and_leaves_unchanged("another program");
	ck_assert_int_eq(plain_sql("PRAGMA user_version = 6"), SQLITE_OK);
	refuses_and_leaves_unchanged("another program");
}
END_TEST

START_TEST(refuses_what_is_not_a_database_and_leaves_it_unchanged)
{
	char text[5000];
	memset(text, 'x', sizeof text);
	write_file(path, text, sizeof text);
	refuses_and_leaves_unchanged("not a database");
}
END_TEST

// ------------------------------------------------------------------ rows and plain SQL

START_TEST(audit_rows_are_neither_updated_nor_deleted_by_plain_sql)
{
	static const char *const statements[] = {
		"UPDATE audit SET record = x'00' WHERE idx = 1",
		"UPDATE audit SET idx = 7 WHERE idx = 1",
		"UPDATE audit SET time_ms = 0",
		"DELETE FROM audit WHERE idx = 1",
		"DELETE FROM audit",
	};
	struct store_audit row;
	uint64_t size;
	open_store();
	commit_audit_row(0);
	commit_audit_row(1);
	close_store();
	for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
		ck_assert_msg(plain_sql(statements[i]) == SQLITE_CONSTRAINT, "%s", statements[i]);
	open_store();
	ck_assert_int_eq(store->ops->audit_size(store, &size), STORE_OK);
	ck_assert_uint_eq(size, 2);
	ck_assert_int_eq(store->ops->audit_get(store, 1, &arena, &row), STORE_OK);
	ck_assert_mem_eq(row.record.data, "record", 6);
}
END_TEST

// REPLACE deletes without a delete trigger, unless the connection has asked for recursive triggers.
START_TEST(audit_rows_are_not_replaced_by_plain_sql)
{
	open_store();
	commit_audit_row(0);
	close_store();
	ck_assert_int_eq(plain_sql("INSERT OR REPLACE INTO audit SELECT idx, salt, x'00', nodes, time_ms, organisation,"
				   " subject, person FROM audit WHERE idx = 0"),
			 SQLITE_CONSTRAINT);
}
END_TEST

START_TEST(refuses_rows_that_it_cannot_have_written)
{
	struct store_tag subject = {{7}};
	struct store_plan *found_plans;
	struct store_authority authority;
	struct store_audit row;
	struct ods_code leeds = {"383"};
	struct merkle_hash hash;
	size_t count;
	open_store();
	commit_plan(1);
	struct store_authority good = {leeds, 5, 0, {(const uint8_t *)"x", 1}};
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(store->ops->authority_put(store, &good), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	close_store();
	ck_assert_int_eq(plain_sql("UPDATE plan SET slot = x'0102'; UPDATE authority SET last_published_ms = -1;"
				   "INSERT INTO audit VALUES (0, x'00', x'00', x'00', 0, 'RXH', NULL, NULL)"),
			 SQLITE_OK);
	open_store();
	ck_assert_int_eq(store->ops->plans_of(store, &subject, 10, &arena, &found_plans, &count), STORE_FAILED);
	ck_assert_int_eq(store->ops->authority_get(store, &leeds, &arena, &authority), STORE_FAILED);
	ck_assert_int_eq(store->ops->audit_get(store, 0, &arena, &row), STORE_FAILED);
	ck_assert_int_eq(store->ops->audit_node(store, 0, 0, &hash), STORE_FAILED);
	close_store();
	ck_assert_int_eq(plain_sql("UPDATE plan SET slot = zeroblob(16), authority = 'no ods code'"), SQLITE_OK);
	open_store();
	ck_assert_int_eq(store->ops->plans_of(store, &subject, 10, &arena, &found_plans, &count), STORE_FAILED);
}
END_TEST

START_TEST(a_reader_of_the_file_does_not_hold_up_a_commit)
{
	sqlite3 *reader = NULL;
	open_store();
	commit_plan(1);
	ck_assert_int_eq(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM plan", NULL, NULL, NULL), SQLITE_OK);
	commit_plan(2);
	ck_assert_uint_eq(plans(), 2);
	sqlite3_close(reader);
}
END_TEST

// ------------------------------------------------------------------ crash and full disk

// What the disk would hold if the power went now: the files as they are, opened under another name.
static void crash_copy(const char *copy, size_t wal_bytes_lost)
{
	static uint8_t data[FILE_BYTES_MAX];
	static const char *const ends[] = {"", "-wal"}; // -shm is not kept over a restart
	for (size_t i = 0; i < 2; i++) {
		char from[128], to[128];
		snprintf(from, sizeof from, "%s%s", path, ends[i]);
		snprintf(to, sizeof to, "%s%s", copy, ends[i]);
		size_t bytes = read_file(from, data);
		ck_assert_uint_ge(bytes, wal_bytes_lost);
		write_file(to, data, i == 1 ? bytes - wal_bytes_lost : bytes);
	}
}

START_TEST(a_crash_after_a_commit_loses_nothing_and_a_torn_commit_is_as_if_it_was_not_made)
{
	char whole[96], torn[96];
	snprintf(whole, sizeof whole, "%s/whole", disk);
	snprintf(torn, sizeof torn, "%s/torn", disk);
	open_store();
	commit_plan(1);
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(put_plan(2, 10000), STORE_OK);
	ck_assert_int_eq(put_plan(3, 10000), STORE_OK);
	ck_assert_int_eq(store->ops->commit(store), STORE_OK);
	crash_copy(whole, 0);
	crash_copy(torn, 1);
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	ck_assert_int_eq(put_plan(4, 10), STORE_OK); // not committed
	close_store();
	memcpy(path, whole, strlen(whole) + 1);
	open_store();
	ck_assert_uint_eq(plans(), 3);
	close_store();
	memcpy(path, torn, strlen(torn) + 1);
	open_store();
	ck_assert_uint_eq(plans(), 1);
	commit_plan(5);
	ck_assert_uint_eq(plans(), 2);
}
END_TEST

// More than there is room for. Somewhere on the way, at the commit at the latest, it must be said.
static void fill(void)
{
	ck_assert_int_eq(store->ops->begin(store), STORE_OK);
	enum store_status status = STORE_OK;
	for (unsigned char slot = 100; slot < 140 && status == STORE_OK; slot++)
		status = put_plan(slot, LARGE_BYTES);
	if (status == STORE_OK)
		status = store->ops->commit(store);
	ck_assert_int_eq(status, STORE_FAILED);
	ck_assert_int_eq(store->ops->commit(store), STORE_FAILED);
	store->ops->rollback(store);
	ck_assert_uint_eq(plans(), 1);
}

START_TEST(a_full_disk_fails_the_batch_and_no_more)
{
	if (geteuid() != 0 || mount("tmpfs", disk, "tmpfs", 0, "size=1m,mode=0700") != 0)
		return; // the next test does the same with what an ordinary user has
	mounted = true;
	open_store();
	commit_plan(1);
	fill();
	fill();
	ck_assert_int_eq(mount("tmpfs", disk, "tmpfs", MS_REMOUNT, "size=64m"), 0);
	commit_plan(2);
	ck_assert_uint_eq(plans(), 2);
	close_store();
	open_store();
	ck_assert_uint_eq(plans(), 2);
}
END_TEST

START_TEST(a_file_that_may_not_grow_fails_the_batch_and_no_more)
{
	struct rlimit limit, small;
	signal(SIGXFSZ, SIG_IGN);
	open_store();
	commit_plan(1);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = 512 * 1024;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	fill();
	fill();
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	commit_plan(2);
	ck_assert_uint_eq(plans(), 2);
	close_store();
	open_store();
	ck_assert_uint_eq(plans(), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_sqlite");
	TCase *tests = tcase_create("store_sqlite");
	tcase_add_checked_fixture(tests, start, stop);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, makes_files_for_the_owner_alone_whatever_the_umask);
	tcase_add_test(tests, refuses_a_file_others_can_use);
	tcase_add_test(tests, refuses_what_is_not_a_file_or_not_there);
	tcase_add_test(tests, opens_by_a_path_that_leads_through_a_linked_directory);
	tcase_add_test(tests, refuses_a_second_open_in_this_process_and_stays_open);
	tcase_add_test(tests, refuses_a_second_process_until_the_first_has_closed);
	tcase_add_test(tests, refuses_an_unknown_schema_version_and_leaves_the_file_unchanged);
	tcase_add_test(tests, brings_a_store_of_the_version_before_up_to_date_with_what_is_in_it);
	tcase_add_test(tests, a_store_that_cannot_be_brought_up_to_date_stays_as_it_was);
	tcase_add_test(tests, says_what_to_do_about_a_store_of_another_version);
	tcase_add_test(tests, refuses_another_programs_database_and_leaves_it_unchanged);
	tcase_add_test(tests, refuses_what_is_not_a_database_and_leaves_it_unchanged);
	tcase_add_test(tests, audit_rows_are_neither_updated_nor_deleted_by_plain_sql);
	tcase_add_test(tests, audit_rows_are_not_replaced_by_plain_sql);
	tcase_add_test(tests, refuses_rows_that_it_cannot_have_written);
	tcase_add_test(tests, a_reader_of_the_file_does_not_hold_up_a_commit);
	tcase_add_test(tests, a_crash_after_a_commit_loses_nothing_and_a_torn_commit_is_as_if_it_was_not_made);
	tcase_add_test(tests, a_full_disk_fails_the_batch_and_no_more);
	tcase_add_test(tests, a_file_that_may_not_grow_fails_the_batch_and_no_more);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
