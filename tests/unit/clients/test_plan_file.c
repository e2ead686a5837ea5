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
	tcase_add_test(tests, reads_a_file_of_many_rows);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
