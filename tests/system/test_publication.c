// A local authority's files with the real programs: bad ones of every kind, good ones, and ones that are interrupted.
#include <check.h>
#include <sqlite3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/world.h"
#include "tests/harness/world_client.h"
#include "tests/harness/world_plans.h"

#define HEADER "nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"
#define NAMES ",EXAMPLE,ALEX,2016-06-01\n"
#define ONE "9990000018,CPP,2026-01-02,,,L-1" NAMES
#define TWO "9990000026,LAC,2026-01-02,,,L-2" NAMES
#define DONE 0
#define USAGE 1
#define REFUSED 3
#define PARTIAL 5

static struct world *world;

static void set_contacts(void)
{
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", NULL), 0);
}

static void setup(void)
{
	world = world_new();
	world_start(world);
	set_contacts();
}

static void teardown(void)
{
	world_free(world);
}

static const char *write_file(const char *name, const char *text)
{
	const char *path = world_path(world, "%s", name);
	world_write_file(path, text);
	return path;
}

static void expect_flag(const char *number, bool wanted)
{
	struct cpis_client *nurse = world_sign_in(world, "nurse");
	const Cpis__V1__Reply *reply = world_flag(nurse, number, CPIS__V1__CARE_SETTING__EMERGENCY_DEPARTMENT);
	ck_assert_int_eq(reply->outcome, CPIS__V1__OUTCOME__OK);
	ck_assert_int_eq(reply->flag->flag, wanted);
	cpis_reply_free(reply);
	cpis_close(nurse);
}

// ------------------------------------------------------------------ bad files

// One sentence, an exit code, and nothing changed.
static void expect_bad(int code, const char *path, const char *option, const char *value, const char *sentence)
{
	int got = option == NULL ? world_cpis(world, "leeds", "publish", "--full", path, NULL)
				 : world_cpis(world, "leeds", "publish", "--full", option, value, path, NULL);
	ck_assert_msg(got == code, "%s: exit %d: %s", path, got, world_err(world));
	ck_assert_msg(world_complained(world, sentence), "%s: %s", path, world_err(world));
	ck_assert_str_eq(world_out(world), "");
	const char *end = strchr(world_err(world), '\n');
	ck_assert_msg(code != USAGE || (end != NULL && end[1] == '\0'), "more than a sentence: %s", world_err(world));
}

static void write_many_columns(const char *path)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	for (unsigned i = 0; i < 10000000; i++)
		fputs("nhs_number,", file);
	fputs("\n" ONE, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void write_unclosed_quote(const char *path)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(HEADER "9990000018,CPP,2026-01-02,,,\"L-1" NAMES, file);
	for (unsigned i = 0; i < 100000; i++)
		fputs(TWO, file);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(a_bad_file_of_every_kind_gives_one_sentence_and_changes_nothing)
{
	expect_bad(USAGE, write_file("latin.csv", HEADER "9990000018,CPP,2026-01-02,,,L-1,M\xdcLLER,ALEX,2016-06-01\n"), NULL, NULL,
		   ":2: family_name is not UTF-8 text; the file may be in Windows-1252");
	expect_bad(USAGE, write_file("missing.csv", "nhs_number,plan_type,start_date\n9990000018,CPP,2026-01-02\n"), NULL, NULL,
		   "the header lacks the column family_name");
	write_many_columns(world_path(world, "wide.csv"));
	expect_bad(USAGE, world_path(world, "wide.csv"), NULL, NULL, "the column nhs_number stands twice");
	write_unclosed_quote(world_path(world, "quote.csv"));
	expect_bad(USAGE, world_path(world, "quote.csv"), NULL, NULL, "quotation mark");
	expect_bad(USAGE, write_file("zip.csv", "PK\x03\x04 and so on"), NULL, NULL, "zip archive");
	expect_bad(USAGE, write_file("utf16.csv", "\xff\xfen"), NULL, NULL, "UTF-16");
	expect_bad(USAGE, write_file("empty.csv", ""), NULL, NULL, "the file is empty");
	expect_bad(USAGE, write_file("bare.csv", HEADER), NULL, NULL, "no plan");
	expect_bad(USAGE, world_path(world, "staff"), NULL, NULL, "this is a directory");
	expect_bad(USAGE, "/dev/null", NULL, NULL, "this is not a file");
	expect_bad(USAGE, world_path(world, "nowhere.csv"), NULL, NULL, "No such file");
	const char *good = write_file("good.csv", HEADER ONE TWO);
	expect_bad(USAGE, good, "--records", "3", "has 2 records, and not 3");
	expect_bad(REFUSED, good, "--sequence", "2", "There is a gap: file 2 came, and the next one is 1.");
	expect_bad(USAGE, write_file("count.jsonl", "{\"records\": 2}\n{\"nhs_number\": \"9990000018\", \"plan_type\": \"CPP\","
				     " \"start_date\": \"2026-01-02\", \"family_name\": \"EXAMPLE\", \"given_names\": \"ALEX\","
				     " \"birth_date\": \"2016-06-01\"}\n"), NULL, NULL, "says that it has 2 records, and it has 1");
	expect_bad(USAGE, write_file("broken.jsonl", "{\"records\": 1}\n{\"nhs_number\": \"99900\n"), NULL, NULL,
		   ":2: this is not one JSON object");
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--show", NULL), DONE);
	ck_assert(world_said(world, "Nothing was ever published."));
	expect_flag("9990000018", false);
}
END_TEST

START_TEST(nothing_is_published_without_contacts)
{
	ck_assert_int_eq(world_cpis(world, "brighton", "publish", "--full", write_file("b.csv", HEADER ONE), NULL), REFUSED);
	ck_assert(world_complained(world, "contacts_needed"));
	expect_flag("9990000018", false);
}
END_TEST

// ------------------------------------------------------------------ good files

START_TEST(a_file_is_published_compared_and_published_again)
{
	const char *path = write_file("plans.csv", HEADER ONE TWO);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--full", "--dry-run", path, NULL), DONE);
	ck_assert(world_said(world, "2 new") && world_said(world, "not committed"));
	expect_flag("9990000018", false);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--full", path, NULL), DONE);
	ck_assert(world_said(world, "CPF02: file 1, full: 2 records received, 2 stored (2 new"));
	expect_flag("9990000018", true);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--full", path, NULL), DONE);
	ck_assert(world_said(world, "file 2") && world_said(world, "2 unchanged") && world_said(world, "The file changes nothing."));
	path = write_file("fewer.csv", HEADER ONE);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--full", path, NULL), REFUSED);
	ck_assert(world_complained(world, "1 of 2 plans that are held are not in this file") && world_complained(world, "--accept-vanished"));
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--show", NULL), DONE);
	ck_assert(world_said(world, "not in the file: 9990000026 LAC"));
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--full", "--accept-vanished", path, NULL), DONE);
	ck_assert(world_said(world, "1 of the 2 plans held before are not in it and have ended"));
}
END_TEST

START_TEST(rejected_rows_come_back_as_a_file_that_can_be_mended_and_sent_again)
{
	const char *path = write_file("plans.csv", HEADER ONE "9990000026,LAC,2026-13-02,,,\"L,2\"" NAMES
					    "9990000034,CPP,2026-01-02,,,L-3,,ALEX,2016-06-01\n");
	const char *rejected = world_path(world, "rejected.csv");
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--full", "--rejected", rejected, path, NULL), PARTIAL);
	ck_assert(world_said(world, "CPF03") && world_said(world, "3 records received, 1 stored (1 new") && world_said(world, "2 rejected"));
	char *text = world_read_file(rejected, NULL);
	ck_assert_ptr_nonnull(strstr(text, "9990000026,LAC,2026-13-02,,,\"L,2\",EXAMPLE,ALEX,2016-06-01,CPR07,start_date,"));
	ck_assert_ptr_nonnull(strstr(text, "9990000034,CPP,2026-01-02,,,L-3,,ALEX,2016-06-01,CPR07,family_name,"));
	char *month = strstr(text, "2026-13-02"), *name = strstr(text, "L-3,,ALEX");
	memcpy(month, "2026-03-02", 10);
	memcpy(name, "L-3,A,LEX", 9);
	world_write_file(world_path(world, "mended.csv"), text);
	free(text);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--delta", world_path(world, "mended.csv"), NULL), DONE);
	ck_assert(world_said(world, "file 2, delta") && world_said(world, "2 new"));
	expect_flag("9990000034", true);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--full", "--rejected", path, path, NULL), USAGE);
	ck_assert(world_complained(world, "would overwrite"));
}
END_TEST

START_TEST(json_lines_say_what_the_file_is)
{
	const char *path = write_file("plans.jsonl",
				      "{\"records\": 1, \"sequence\": 1, \"kind\": \"full\", \"created\": \"2026-01-05T03:00:00Z\"}\n"
				      "{\"nhs_number\": \"9990000018\", \"plan_type\": \"CPP\", \"start_date\": \"2026-01-02\","
				      " \"family_name\": \"EXAMPLE\", \"given_names\": \"ALEX\", \"birth_date\": \"2016-06-01\"}\n");
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", path, NULL), DONE);
	expect_flag("9990000018", true);
	ck_assert_int_eq(world_cpis(world, "leeds", "--json", "publish", path, NULL), DONE);
	ck_assert(world_said(world, "\"committed\": true"));
}
END_TEST

START_TEST(contacts_and_quality_are_shown)
{
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "show", NULL), DONE);
	ck_assert(world_said(world, "0113 496 0000") && world_said(world, "confirmed"));
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "confirm", NULL), DONE);
	ck_assert_int_eq(world_cpis(world, "brighton", "contacts", "confirm", NULL), REFUSED);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--full",
				    write_file("plans.csv", HEADER ONE "9990000019,LAC,2026-01-02,,,L-2" NAMES), NULL),
			 PARTIAL);
	ck_assert_int_eq(world_cpis(world, "guardian", "quality", "--authority", "383", NULL), DONE);
	ck_assert(world_said(world, "1 of 2 records") && world_said(world, "NOT PASSED") && world_said(world, "CPR04 nhs_number"));
}
END_TEST

// ------------------------------------------------------------------ interrupted

#define INTERRUPTIONS 20u
#define ROWS 6000u

static void kill_broker(void)
{
	world_kill(world);
	world_start(world);
}

// Publishes the file; while cuts are left, either the broker or the client is killed at some moment and started again.
static void publish_interrupted(const char *path, unsigned *cuts_left)
{
	const char *const arguments[] = {"publish", "--full", "--accept-vanished", path, NULL};
	pid_t client = world_cpis_start(world, "leeds", arguments);
	int code = -1;
	while (!world_cpis_wait(world, client, *cuts_left > 0 ? 5 + (int)world_random(250) : 120000, &code)) {
		if (*cuts_left == 0)
			world_fail(world, "the publication does not end");
		--*cuts_left;
		if (*cuts_left % 2 == 0) {
			kill_broker();
			continue;
		}
		kill(client, SIGKILL);
		ck_assert(world_cpis_wait(world, client, WORLD_WAIT_MS, &code));
		client = world_cpis_start(world, "leeds", arguments);
	}
	char *errors = world_read_file(world_path(world, "publish.err"), NULL);
	ck_assert_msg(code == 0, "exit %d: %s", code, errors);
	free(errors);
}

// Whether something is to be done for any authority, as the store has it.
static bool is_due(void)
{
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	if (sqlite3_open_v2(world_path(world, "store.db"), &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(database, "SELECT max(due_ms) FROM authority", -1, &statement, NULL) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		world_fail(world, "the store cannot be read: %s", sqlite3_errmsg(database));
	bool due = sqlite3_column_int64(statement, 0) != 0;
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return due;
}

static void wait_until_followed(void)
{
	// The next file is not opened before all has followed from the last; a dry run changes nothing.
	ck_assert_int_eq(world_cpis(world, "leeds", "--timeout", "60000", "publish", "--delta", "--dry-run",
				    write_file("last.csv", HEADER ONE), NULL),
			 DONE);
	// What it staged is removed too.
	for (unsigned tries = 0; is_due(); tries++) {
		ck_assert_uint_lt(tries, 1000);
		ck_assert_int_eq(world_cpis(world, "leeds", "ping", NULL), DONE);
	}
}

START_TEST(a_file_that_is_cut_at_20_random_points_is_held_exactly_once)
{
	unsigned cuts_left = INTERRUPTIONS, files = 0;
	char start[11], path[256];
	snprintf(path, sizeof path, "%s", world_path(world, "many.csv"));
	do {
		snprintf(start, sizeof start, "2026-02-%02u", 1 + files % 28);
		world_write_plans(world, path, ROWS, start);
		publish_interrupted(path, &cuts_left);
		files++;
	} while (cuts_left > 0);
	wait_until_followed();
	printf("%u interruptions in %u files of %u plans\n", INTERRUPTIONS, files, ROWS);
	ck_assert_int_eq(world_stop(world), 0);
	world_assert_held(world, ROWS, start);
}
END_TEST

// ------------------------------------------------------------------ large

START_TEST(memory_stays_flat_while_the_file_grows_tenfold)
{
	struct world_measured measured[2];
	char path[256];
	snprintf(path, sizeof path, "%s", world_path(world, "large.csv"));
	const char *const arguments[] = {"publish", "--full", path, NULL};
	for (unsigned i = 0; i < 2; i++) {
		unsigned rows = i == 0 ? 2000 : 20000;
		world_write_plans(world, path, rows, "2026-01-02");
		measured[i] = world_measure(world, "leeds", arguments);
		ck_assert_int_eq(measured[i].exit_code, 0);
		printf("%u plans: %llu rows/s; peak memory: client %ld kB, broker %ld kB\n", rows,
		       (unsigned long long)(rows * 1000ull / measured[i].ms), measured[i].client_peak_kb,
		       measured[i].broker_peak_kb);
	}
	// A sanitizer keeps what was freed, or a shadow of it.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	ck_assert_int_lt(measured[1].client_peak_kb, measured[0].client_peak_kb + 4096);
	ck_assert_int_lt(measured[1].broker_peak_kb, measured[0].broker_peak_kb + 16384);
#endif
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("publication");
	TCase *files = tcase_create("files"), *interrupted = tcase_create("interrupted"), *large = tcase_create("large");
	TCase *all[] = {files, interrupted, large};
	for (size_t i = 0; i < 3; i++) {
		tcase_set_timeout(all[i], 300);
		tcase_add_checked_fixture(all[i], setup, teardown);
		suite_add_tcase(suite, all[i]);
	}
	tcase_add_test(files, a_bad_file_of_every_kind_gives_one_sentence_and_changes_nothing);
	tcase_add_test(files, nothing_is_published_without_contacts);
	tcase_add_test(files, a_file_is_published_compared_and_published_again);
	tcase_add_test(files, rejected_rows_come_back_as_a_file_that_can_be_mended_and_sent_again);
	tcase_add_test(files, json_lines_say_what_the_file_is);
	tcase_add_test(files, contacts_and_quality_are_shown);
	tcase_add_test(interrupted, a_file_that_is_cut_at_20_random_points_is_held_exactly_once);
	tcase_add_test(large, memory_stays_flat_while_the_file_grows_tenfold);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
