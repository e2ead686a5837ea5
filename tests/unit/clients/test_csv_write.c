// Rows of CSV as other programs read them: quoted, ended by CRLF, and no cell a formula.
#include "clients/cli/csv_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

// What the row looks like on standard output, which each test's process has to itself.
static void expect(const char *const *cells, const char *row)
{
	char path[] = "/tmp/cpis-csv-write-XXXXXX", got[5000] = "";
	int made = mkstemp(path);
	ck_assert(made >= 0 && freopen(path, "we", stdout) != NULL);
	csv_write_row(cells);
	ck_assert_int_eq(fflush(stdout), 0);
	FILE *file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	size_t bytes = fread(got, 1, sizeof got - 1, file);
	got[bytes] = '\0';
	fclose(file);
	remove(path);
	ck_assert_str_eq(got, row);
}

START_TEST(each_cell_is_quoted_and_the_row_ends_with_crlf)
{
	expect((const char *const[]){"a", "", "b c", NULL}, "\"a\",\"\",\"b c\"\r\n");
	expect((const char *const[]){"say \"no\"", "x,y", "line\nbreak", NULL}, "\"say \"\"no\"\"\",\"x,y\",\"line\nbreak\"\r\n");
	expect((const char *const[]){"Siân", NULL}, "\"Siân\"\r\n");
}
END_TEST

START_TEST(what_would_be_a_formula_has_an_apostrophe_in_front)
{
	expect((const char *const[]){"=1+1", "+44", "-1", "@SUM", "\tx", "\rx", NULL},
	       "\"'=1+1\",\"'+44\",\"'-1\",\"'@SUM\",\"'\tx\",\"'\rx\"\r\n");
	expect((const char *const[]){"1=1", "a-b", "x@y", NULL}, "\"1=1\",\"a-b\",\"x@y\"\r\n");
}
END_TEST

START_TEST(the_longest_text_of_the_protocol_is_written_whole)
{
	static char longest[1001], row[1100] = "\"'=";
	memset(longest, 'x', sizeof longest - 1);
	longest[0] = '=';
	memset(row + 3, 'x', sizeof longest - 2);
	strcpy(row + 3 + sizeof longest - 2, "\"\r\n");
	expect((const char *const[]){longest, NULL}, row);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("csv_write");
	TCase *all = tcase_create("rows");
	tcase_add_test(all, each_cell_is_quoted_and_the_row_ends_with_crlf);
	tcase_add_test(all, what_would_be_a_formula_has_an_apostrophe_in_front);
	tcase_add_test(all, the_longest_text_of_the_protocol_is_written_whole);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
