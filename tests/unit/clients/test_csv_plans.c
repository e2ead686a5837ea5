// Unit tests of the reader of authorities' files, with real files.
#include "clients/cli/csv_plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#define HEADER                                                                                       \
	"nhs_number,plan_type,start_date,end_date,delete_date,local_id,emergency_duty_telephone,office_hours_telephone\n"
#define PHONES ",0113 496 0000,0113 496 0100\n"
#define ROWS_MAX 8

static char path[] = "/tmp/cpis-csv-XXXXXX";

struct seen {
	unsigned count, stop_after;
	unsigned long line[ROWS_MAX];
	char text[ROWS_MAX][300];
};

static char detail[CSV_PLANS_DETAIL_BYTES];
static struct csv_telephones telephones;
static unsigned long rows;

static bool take(void *context, const struct csv_plan *plan)
{
	struct seen *seen = context;
	ck_assert_uint_lt(seen->count, ROWS_MAX);
	seen->line[seen->count] = plan->line;
	snprintf(seen->text[seen->count++], sizeof seen->text[0], "%s|%s|%s|%s|%s|%s", plan->nhs_number, plan->plan_type,
		 plan->start_date, plan->end_date, plan->delete_date, plan->local_id);
	return seen->stop_after == 0 || seen->count < seen->stop_after;
}

static bool read_text(const char *text, size_t bytes, struct seen *seen)
{
	strcpy(path, "/tmp/cpis-csv-XXXXXX");
	int file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, bytes), (ssize_t)bytes);
	close(file);
	bool good = csv_plans_read(path, seen == NULL ? NULL : take, seen, &telephones, &rows, detail);
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

START_TEST(reads_rows_telephones_and_lines)
{
	struct seen seen = {0};
	static const char text[] = HEADER "9990000018,CPP,2026-01-01,,,A" PHONES
					  "9990000026,LAC,2026-01-02,2026-02-02,2026-03-03,B,,\n";
	ck_assert(read_text(text, sizeof text - 1, &seen));
	ck_assert_uint_eq(rows, 2);
	ck_assert_str_eq(seen.text[0], "9990000018|CPP|2026-01-01|||A");
	ck_assert_str_eq(seen.text[1], "9990000026|LAC|2026-01-02|2026-02-02|2026-03-03|B");
	ck_assert_uint_eq(seen.line[0], 2);
	ck_assert_uint_eq(seen.line[1], 3);
	ck_assert_str_eq(telephones.emergency_duty, "0113 496 0000");
	ck_assert_str_eq(telephones.office_hours, "0113 496 0100");
}
END_TEST

START_TEST(finds_columns_by_name_in_any_order_and_does_without_the_optional_ones)
{
	struct seen seen = {0};
	static const char text[] = "start_date,emergency_duty_telephone,plan_type,nhs_number\n"
				   "2026-01-01,0113 496 0000,CPP,9990000018\n";
	ck_assert(read_text(text, sizeof text - 1, &seen));
	ck_assert_str_eq(seen.text[0], "9990000018|CPP|2026-01-01|||");
	ck_assert_str_eq(telephones.office_hours, "");
}
END_TEST

START_TEST(takes_a_byte_order_mark_windows_line_ends_quotation_and_a_missing_last_newline)
{
	struct seen seen = {0};
	static const char text[] = "\xef\xbb\xbf" "nhs_number,plan_type,start_date,local_id,emergency_duty_telephone\r\n"
				   "\"9990000018\",CPP,2026-01-01,\"a,\"\"b\"\"\",0113 496 0000\r\n"
				   "\r\n"
				   "9990000026,LAC,2026-01-02,c,";
	ck_assert(read_text(text, sizeof text - 1, &seen));
	ck_assert_str_eq(seen.text[0], "9990000018|CPP|2026-01-01|||a,\"b\"");
	ck_assert_str_eq(seen.text[1], "9990000026|LAC|2026-01-02|||c");
	ck_assert_uint_eq(seen.line[1], 4);
}
END_TEST

START_TEST(stops_when_it_is_told_to_without_a_complaint)
{
	struct seen seen = {.stop_after = 1};
	static const char text[] = HEADER "9990000018,CPP,2026-01-01,,,A" PHONES "9990000026,LAC,2026-01-02,,,B,,\n";
	ck_assert(!read_text(text, sizeof text - 1, &seen));
	ck_assert_str_eq(detail, "");
	ck_assert_uint_eq(seen.count, 1);
}
END_TEST

START_TEST(refuses_a_header_with_unknown_doubled_or_missing_columns)
{
	assert_refused("nhs_number,plan_type,start_date,emergency_duty_telephone,surname\n", "1", "column 5");
	assert_refused("nhs_number,plan_type,plan_type,start_date,emergency_duty_telephone\n", "1", "stands twice");
	assert_refused("nhs_number,plan_type,start_date\n9990000018,CPP,2026-01-01\n", "1", "emergency_duty_telephone");
	assert_refused("", "1", "empty");
	assert_refused(HEADER, "2", "no row");
}
END_TEST

START_TEST(refuses_rows_of_another_width_than_the_header)
{
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,A" PHONES "9990000026,LAC\n", "3", "fewer fields");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,A,0113 496 0000,,more\n", "2", "more fields");
}
END_TEST

START_TEST(refuses_text_that_is_too_long_or_not_clean)
{
	char text[1024];
	snprintf(text, sizeof text, HEADER "9990000018,CPP,2026-01-01,,,%041d" PHONES, 0);
	assert_refused(text, "2", "local_id is longer than 40 bytes");
	snprintf(text, sizeof text, HEADER "%0201d,CPP,2026-01-01,,,A" PHONES, 0);
	assert_refused(text, "2", "nhs_number is longer than 200 bytes");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,\xff\xfe" PHONES, "2", "local_id is not clean UTF-8");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,a\x1b[2J" PHONES, "2", "local_id is not clean UTF-8");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,\"a\nb\"" PHONES, "2", "local_id is not clean UTF-8");
}
END_TEST

START_TEST(never_repeats_a_value_in_a_complaint)
{
	struct seen seen = {0};
	static const char text[] = HEADER "9990000018,CPP,2026-01-01,,,secret\x01,0113 496 0000,\n";
	ck_assert(!read_text(text, sizeof text - 1, &seen));
	ck_assert_ptr_null(strstr(detail, "9990000018"));
	ck_assert_ptr_null(strstr(detail, "secret"));
}
END_TEST

START_TEST(refuses_telephones_that_are_missing_wrong_or_differ)
{
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,A,,\n", "2", "must give emergency_duty_telephone");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,A,ring me,\n", "2", "not a telephone number");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,A" PHONES "9990000026,LAC,2026-01-02,,,B,01632 960001,\n", "3",
		       "differs from the first row's");
}
END_TEST

START_TEST(refuses_broken_quotation)
{
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,\"A" PHONES, "2", "quotation");
	assert_refused(HEADER "9990000018,CPP,2026-01-01,,,A\"b" PHONES, "2", "");
}
END_TEST

START_TEST(refuses_a_file_that_is_not_there)
{
	ck_assert(!csv_plans_read("/tmp/cpis-no-such-file.csv", NULL, NULL, &telephones, &rows, detail));
	ck_assert_ptr_nonnull(strstr(detail, "No such file"));
}
END_TEST

START_TEST(reads_a_file_of_many_rows)
{
	// More than one of the reader's buffers; the line number at the end is what is checked.
	size_t bytes = sizeof HEADER - 1, count = 5000;
	char *text = malloc(bytes + count * 64 + 1), *at = text;
	at += sprintf(at, "%s", HEADER);
	for (size_t i = 0; i < count; i++)
		at += sprintf(at, "9990000018,CPP,2026-01-01,,,ID-%06zu,%s,\n", i, i == 0 ? "0113 496 0000" : "");
	ck_assert(read_text(text, (size_t)(at - text), NULL));
	ck_assert_uint_eq(rows, count);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("csv_plans");
	TCase *tests = tcase_create("csv_plans");
	tcase_add_test(tests, reads_rows_telephones_and_lines);
	tcase_add_test(tests, finds_columns_by_name_in_any_order_and_does_without_the_optional_ones);
	tcase_add_test(tests, takes_a_byte_order_mark_windows_line_ends_quotation_and_a_missing_last_newline);
	tcase_add_test(tests, stops_when_it_is_told_to_without_a_complaint);
	tcase_add_test(tests, refuses_a_header_with_unknown_doubled_or_missing_columns);
	tcase_add_test(tests, refuses_rows_of_another_width_than_the_header);
	tcase_add_test(tests, refuses_text_that_is_too_long_or_not_clean);
	tcase_add_test(tests, never_repeats_a_value_in_a_complaint);
	tcase_add_test(tests, refuses_telephones_that_are_missing_wrong_or_differ);
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
