// Tables in CSV: what a row is given, and a file whose field does not end.
#include "clients/responder/csv_table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const columns[] = {"name", "age"};
static char path[] = "/tmp/cpis-csv-table-XXXXXX", said[200];

static const char *take_row(void *context, char *const fields[])
{
	(void)context;
	snprintf(said + strlen(said), sizeof said - strlen(said), "%s=%s;", fields[0], fields[1]);
	return strcmp(fields[1], "0") == 0 ? "nobody is 0" : NULL;
}

static bool read_bytes(const char *data, size_t bytes, char detail[CSV_TABLE_DETAIL_BYTES])
{
	const struct csv_table table = {.columns = columns, .column_count = 2, .row = take_row};
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, bytes, file), bytes);
	ck_assert_int_eq(fclose(file), 0);
	said[0] = '\0';
	return csv_table_read(path, &table, detail);
}

START_TEST(rows_come_by_the_names_of_their_columns)
{
	static const char good[] = "age,name\n7,\"Ada, G\"\n\n8,Uju\n", bad[] = "name,age\nAda,0\n";
	char detail[CSV_TABLE_DETAIL_BYTES] = "";
	ck_assert_msg(read_bytes(good, sizeof good - 1, detail), "%s", detail);
	ck_assert_str_eq(said, "Ada, G=7;Uju=8;");
	ck_assert(!read_bytes(bad, sizeof bad - 1, detail));
	ck_assert_str_eq(strchr(detail, ':'), ":2: nobody is 0");
}
END_TEST

// Of a long one nothing may be kept: five megabytes took minutes, and all of them memory.
START_TEST(a_field_that_does_not_end_is_refused)
{
	static char file[5u << 20];
	char detail[CSV_TABLE_DETAIL_BYTES] = "";
	ck_assert(!read_bytes(file, sizeof file, detail));
	ck_assert_str_eq(strchr(detail, ':'), ":1: a field does not end: is a quotation mark missing?");
	memcpy(file, "name,age\n\"", 10);
	ck_assert(!read_bytes(file, sizeof file, detail));
	ck_assert_str_eq(strchr(detail, ':'), ":2: a field does not end: is a quotation mark missing?");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("csv_table");
	TCase *tables = tcase_create("tables");
	int file = mkstemp(path);
	if (file < 0)
		return 1;
	close(file);
	tcase_add_test(tables, rows_come_by_the_names_of_their_columns);
	tcase_add_test(tables, a_field_that_does_not_end_is_refused);
	suite_add_tcase(suite, tables);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	unlink(path);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
