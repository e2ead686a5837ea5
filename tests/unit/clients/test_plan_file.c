// Unit tests of the reader of authorities' files, with real files.
#include "clients/cli/plan_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#define HEADER                                                                                       \
	"nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"
#define NAMES ",EXAMPLE,ALEX,2016-06-01\n"
#define ROWS_MAX 8

static char path[] = "/tmp/cpis-csv-XXXXXX";

struct seen {
	unsigned count, stop_after;
	unsigned long line[ROWS_MAX];
	char text[ROWS_MAX][300];
};

static char detail[PLAN_FILE_DETAIL_BYTES];
static struct plan_file_facts facts;

static bool take(void *context, const struct plan_row *row)
{
	struct seen *seen = context;
	ck_assert_uint_lt(seen->count, ROWS_MAX);
	seen->line[seen->count] = row->line;
	snprintf(seen->text[seen->count++], sizeof seen->text[0], "%s|%s|%s|%s|%s|%s", row->text[0], row->text[1],
		 row->text[2], row->text[3], row->text[4], row->text[5]);
	return seen->stop_after == 0 || seen->count < seen->stop_after;
}

static bool read_text(const char *text, size_t bytes, struct seen *seen)
{
	strcpy(path, "/tmp/cpis-csv-XXXXXX");
	int file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, bytes), (ssize_t)bytes);
	close(file);
	bool good = plan_file_read(path, seen == NULL ? NULL : take, seen, &facts, detail);
	unlink(path);
	return good;
}

static void assert_refused(const char *text, const char *place, const char *what)
{
	struct seen seen = {0};
	char where[64];
	ck_assert(!read_text(text, strlen(text), &seen));
	snprintf(where, sizeof where, "%s:%s: ", path, place);
	ck_assert_msg(strncmp(detail, where, strlen(where)) == 0 && strstr(detail, what) != NULL, "%s", detail);
}

START_TEST(reads_rows_and_lines)
{
	struct seen seen = {0};
	static const char text[] = HEADER "9990000018,CPP,2026-01-01,,,A" NAMES
					  "9990000026,LAC,2026-01-02,2026-02-02,2026-03-03,B" NAMES;
	ck_assert(read_text(text, sizeof text - 1, &seen));
	ck_assert_uint_eq(facts.rows, 2);
	ck_assert_str_eq(seen.text[0], "9990000018|CPP|2026-01-01|||A");
	ck_assert_str_eq(seen.text[1], "9990000026|LAC|2026-01-02|2026-02-02|2026-03-03|B");
	ck_assert_uint_eq(seen.line[0], 2);
	ck_assert_uint_eq(seen.line[1], 3);
}
END_TEST

START_TEST(finds_columns_by_name_in_any_order_and_does_without_the_optional_ones)
{
	struct seen seen = {0};
	static const char text[] = "start_date,birth_date,plan_type,given_names,nhs_number,family_name\n"
				   "2026-01-01,2016-06-01,CPP,ALEX,9990000018,EXAMPLE\n";
	ck_assert(read_text(text, sizeof text - 1, &seen));
	ck_assert_str_eq(seen.text[0], "9990000018|CPP|2026-01-01|||");
}
END_TEST

START_TEST(takes_a_byte_order_mark_windows_line_ends_quotation_and_a_missing_last_newline)
{
	struct seen seen = {0};
	static const char text[] = "\xef\xbb\xbf" "nhs_number,plan_type,start_date,local_id,family_name,given_names,birth_date\r\n"
				   "\"9990000018\",CPP,2026-01-01,\"a,\"\"b\"\"\",EXAMPLE,ALEX,2016-06-01\r\n"
				   "\r\n"
				   "9990000026,LAC,2026-01-02,c,EXAMPLE,BETH,2016-06-01";
	ck_assert(read_text(text, sizeof text - 1, &seen));
	ck_assert_str_eq(seen.text[0], "9990000018|CPP|2026-01-01|||a,\"b\"");
	ck_assert_str_eq(seen.text[1], "9990000026|LAC|2026-01-02|||c");
	ck_assert_uint_eq(seen.line[1], 4);
}
END_TEST

START_TEST(stops_when_it_is_told_to_without_a_complaint)
{
	struct seen seen = {.stop_after = 1};
	static const char text[] = HEADER "9990000018,CPP,2026-01-01,,,A" NAMES "9990000026,LAC,2026-01-02,,,B" NAMES;
	ck_assert(!read_text(text, sizeof text - 1, &seen));
	ck_assert_str_eq(detail, "");
	ck_assert_uint_eq(seen.count, 1);
}
END_TEST

START_TEST(refuses_a_header_with_unknown_doubled_or_missing_columns)
{
	assert_refused("nhs_number,plan_type,start_date,family_name,surname\n", "1", "column 5");
	assert_refused("nhs_number,plan_type,plan_type,start_date\n", "1", "stands twice");
	assert_refused("nhs_number,plan_type,start_date,family_name,given_names\n9990000018,CPP,2026-01-01,A,B\n", "1", "birth_date");
	assert_refused("\n", "2", "no header");
	assert_refused(HEADER, "2", "no plan");
}
END_TEST

START_TEST(refuses_rows_of_another_width_than_the_header)
{
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,A" NAMES "9990000026,LAC\n", "3", "fewer fields");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,A,EXAMPLE,ALEX,2016-06-01,more\n", "2", "more fields");
}
END_TEST

START_TEST(refuses_text_that_is_too_long_or_not_clean)
{
	char text[1024];
	snprintf(text, sizeof text, HEADER "9990000018,CPP,2026-01-01,,,%041d" NAMES, 0);
	assert_refused(text, "2", "local_id is longer than 40 bytes");
	snprintf(text, sizeof text, HEADER "%0201d,CPP,2026-01-01,,,A" NAMES, 0);
	assert_refused(text, "2", "nhs_number is longer than 200 bytes");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,\xff\xfe" NAMES, "2", "local_id is not UTF-8 text; the file may be in Windows-1252");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,a\x1b[2J" NAMES, "2", "local_id has control characters");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,\"a\nb\"" NAMES, "2", "local_id has control characters");
}
END_TEST

START_TEST(never_repeats_a_value_in_a_complaint)
{
	struct seen seen = {0};
	static const char text[] = HEADER "9990000018,CPP,2026-01-01,,,secret\x01" NAMES;
	ck_assert(!read_text(text, sizeof text - 1, &seen));
	ck_assert_ptr_null(strstr(detail, "9990000018"));
	ck_assert_ptr_null(strstr(detail, "secret"));
}
END_TEST

START_TEST(refuses_broken_quotation)
{
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,\"A" NAMES, "2", "quotation");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,A\"b" NAMES, "2", "");
}
END_TEST

#define PLAN                                                                                         \
	"{\"nhs_number\": \"9990000018\", \"plan_type\": \"CPP\", \"start_date\": \"2026-01-01\","          \
	" \"family_name\": \"EXAMPLE\", \"given_names\": \"ALEX\", \"birth_date\": \"2016-06-01\"}\n"

START_TEST(reads_json_lines_and_what_the_first_one_says)
{
	struct seen seen = {0};
	static const char text[] = "{\"records\": 2, \"sequence\": 7, \"kind\": \"delta\", \"created\": \"2026-01-02T03:04:05Z\"}\n" PLAN
				   "\n" PLAN;
	ck_assert_msg(read_text(text, sizeof text - 1, &seen), "%s", detail);
	ck_assert_uint_eq(facts.rows, 2);
	ck_assert_uint_eq(facts.records, 2);
	ck_assert_uint_eq(facts.sequence, 7);
	ck_assert_int_eq(facts.kind, CPIS__V1__PUBLICATION_KIND__DELTA);
	ck_assert_uint_eq(facts.created_ms, 1767323045000);
	ck_assert_str_eq(seen.text[0], "9990000018|CPP|2026-01-01|||");
	ck_assert_uint_eq(seen.line[1], 4);
}
END_TEST

START_TEST(refuses_json_lines_that_are_not_as_they_should_be)
{
	assert_refused("{\"kind\": \"full\"}\n" PLAN, "1", "how many records");
	assert_refused("{\"records\": 0}\n" PLAN, "1", "records is a number");
	assert_refused("{\"records\": 1, \"kind\": \"some\"}\n" PLAN, "1", "kind is");
	assert_refused("{\"records\": 1, \"created\": \"today\"}\n" PLAN, "1", "created is a UTC time");
	assert_refused("{\"records\": 1, \"more\": 1}\n" PLAN, "1", "not known");
	assert_refused("{\"records\": 1}\n{\"nhs_number\": \"9990000018\"}\n", "2", "plan_type is missing");
	assert_refused("{\"records\": 1}\n{\"nhs_number\": 9990000018}\n", "2", "nhs_number is not a text");
	assert_refused("{\"records\": 1}\n{\"address\": \"secret\"}\n", "2", "a member is not one that is known");
	assert_refused("{\"records\": 1}\n{\"nhs_number\": \"1\", \"nhs_number\": \"2\"}\n", "2", "not one JSON object");
	assert_refused("{\"records\": 1}\n[]\n", "2", "not one JSON object");
	assert_refused("{\"records\": 1}\n{\"family_name\": \"M\xdcLLER\"}\n", "2", "Windows-1252");
	assert_refused("{\"records\": 3}\n" PLAN, "3", "says that it has 3 records, and it has 1");
}
END_TEST

START_TEST(tells_what_is_no_such_file_by_how_it_begins)
{
	static const struct {
		const char *text;
		size_t bytes;
		const char *what;
	} cases[] = {
		{"", 0, "the file is empty"},
		{"PK\x03\x04rest", 8, "zip archive"},
		{"\xff\xfen\0", 4, "UTF-16"},
		{"\xfe\xff\0n", 4, "UTF-16"},
		{"nhs\0number", 10, "not a text file"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct seen seen = {0};
		ck_assert(!read_text(cases[i].text, cases[i].bytes, &seen));
		ck_assert_msg(strstr(detail, cases[i].what) != NULL, "%s", detail);
	}
	ck_assert(!plan_file_read("/tmp", NULL, NULL, &facts, detail));
	ck_assert_ptr_nonnull(strstr(detail, "directory"));
}
END_TEST

START_TEST(takes_the_columns_of_rejected_rows_and_leaves_them_aside)
{
	struct seen seen = {0};
	static const char text[] = "nhs_number,plan_type,start_date,family_name,given_names,birth_date,code,field,reason\n"
				   "9990000018,CPP,2026-01-01,EXAMPLE,ALEX,2016-06-01,CPR07,end_date,\"It, is wrong.\"\n";
	ck_assert_msg(read_text(text, sizeof text - 1, &seen), "%s", detail);
	ck_assert_str_eq(seen.text[0], "9990000018|CPP|2026-01-01|||");
}
END_TEST

START_TEST(a_quotation_that_does_not_end_does_not_fill_the_memory)
{
	size_t bytes = 1000000;
	struct seen seen = {0};
	char *text = malloc(bytes);
	ck_assert_ptr_nonnull(text);
	memset(text, 'x', bytes);
	memcpy(text, HEADER "\"", sizeof HEADER);
	ck_assert(!read_text(text, bytes, &seen));
	ck_assert_ptr_nonnull(strstr(detail, "quotation mark"));
	free(text);
}
END_TEST

START_TEST(refuses_a_file_that_is_not_there)
{
	ck_assert(!plan_file_read("/tmp/cpis-no-such-file.csv", NULL, NULL, &facts, detail));
	ck_assert_ptr_nonnull(strstr(detail, "No such file"));
}
END_TEST

START_TEST(reads_a_file_of_many_rows)
{
	// More than one of the reader's buffers; the line number at the end is what is checked.
	size_t bytes = sizeof HEADER - 1, count = 5000;
	char *text = malloc(bytes + count * 80 + 1), *at = text;
	ck_assert_ptr_nonnull(text);
	at += sprintf(at, "%s", HEADER);
	for (size_t i = 0; i < count; i++)
		at += sprintf(at, "9990000018,CPP,2026-01-01,,,ID-%06zu" NAMES, i);
	ck_assert(read_text(text, (size_t)(at - text), NULL));
	ck_assert_uint_eq(facts.rows, count);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan_file");
	TCase *tests = tcase_create("plan_file");
	tcase_add_test(tests, reads_rows_and_lines);
	tcase_add_test(tests, finds_columns_by_name_in_any_order_and_does_without_the_optional_ones);
	tcase_add_test(tests, takes_a_byte_order_mark_windows_line_ends_quotation_and_a_missing_last_newline);
	tcase_add_test(tests, stops_when_it_is_told_to_without_a_complaint);
	tcase_add_test(tests, refuses_a_header_with_unknown_doubled_or_missing_columns);
	tcase_add_test(tests, refuses_rows_of_another_width_than_the_header);
	tcase_add_test(tests, refuses_text_that_is_too_long_or_not_clean);
	tcase_add_test(tests, never_repeats_a_value_in_a_complaint);
	tcase_add_test(tests, refuses_broken_quotation);
	tcase_add_test(tests, refuses_a_file_that_is_not_there);
	tcase_add_test(tests, reads_json_lines_and_what_the_first_one_says);
	tcase_add_test(tests, refuses_json_lines_that_are_not_as_they_should_be);
	tcase_add_test(tests, tells_what_is_no_such_file_by_how_it_begins);
	tcase_add_test(tests, takes_the_columns_of_rejected_rows_and_leaves_them_aside);
	tcase_add_test(tests, a_quotation_that_does_not_end_does_not_fill_the_memory);
	tcase_add_test(tests, reads_a_file_of_many_rows);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
