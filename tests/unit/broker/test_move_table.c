// Rows on their way from one store to another: what is refused of them, and the order of their keys.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "broker/move_table.h"

static const struct move_table *table_of(const char *name)
{
	const struct move_table *table = move_tables;
	while (strcmp(table->name, name) != 0)
		table++;
	return table;
}

static void put_inbox(struct move_row *row, const char *organisation, int64_t box, int64_t id)
{
	ck_assert(move_row_begin(row, 16) && move_row_bytes(row, organisation, strlen(organisation)) && move_row_number(row, box) &&
		  move_row_number(row, id));
	for (unsigned i = 3; i < 13; i++)
		ck_assert(move_row_number(row, (int64_t)i));
	ck_assert(move_row_bytes(row, "sealed", 6) && move_row_null(row) && move_row_bytes(row, "", 0));
}

START_TEST(a_row_is_read_as_it_was_built)
{
	const struct move_table *inbox = table_of("inbox");
	struct move_row row = {0}, copy = {0};
	size_t bytes = 1;
	put_inbox(&row, "RXH", 1, INT64_MAX);
	ck_assert(move_row_is_of(inbox, &row));
	ck_assert_int_eq(move_row_field_number(&row, 2), INT64_MAX);
	ck_assert_mem_eq(move_row_field(&row, 13, &bytes), "sealed", 6);
	ck_assert_uint_eq(bytes, 6);
	// NULL is not nothing.
	ck_assert_ptr_null(move_row_field(&row, 14, &bytes));
	ck_assert_ptr_nonnull(move_row_field(&row, 15, &bytes));
	ck_assert(move_row_set(&copy, row.data, row.bytes) && move_row_equal(&row, &copy));
	copy.data[copy.bytes - 5] ^= 1;
	ck_assert(!move_row_equal(&row, &copy));
	move_row_done(&row);
	move_row_done(&copy);
}
END_TEST

START_TEST(what_is_cut_too_long_or_of_another_kind_is_not_of_the_table)
{
	const struct move_table *inbox = table_of("inbox"), *hold = table_of("hold");
	struct move_row row = {0}, other = {0};
	put_inbox(&row, "RXH", 1, 2);
	for (size_t bytes = 0; bytes < row.bytes; bytes++) {
		// Of its own size, so that a sanitizer sees what is read past it.
		ck_assert(move_row_set(&other, row.data, bytes));
		ck_assert(!move_row_is_of(inbox, &other));
		move_row_done(&other);
	}
	ck_assert(move_row_set(&other, row.data, row.bytes) && move_row_null(&other) && !move_row_is_of(inbox, &other));
	ck_assert(!move_row_is_of(hold, &row));
	ck_assert(move_row_begin(&other, 2) && move_row_null(&other) && move_row_bytes(&other, "x", 1) && !move_row_is_of(hold, &other));
	ck_assert(move_row_begin(&other, 2) && move_row_bytes(&other, "x", 1) && move_row_bytes(&other, "y", 1) && move_row_is_of(hold, &other));
	// A length past the end, and the greatest one.
	other.data[2] = 0x7f;
	ck_assert(!move_row_is_of(hold, &other));
	ck_assert(move_row_begin(&other, 2) && move_row_bytes(&other, "x", 1) && move_row_bytes(&other, "y", 1) &&
		  !move_row_is_of(table_of("policy"), &other));
	move_row_done(&row);
	move_row_done(&other);
}
END_TEST

static int order(const char *left, int64_t left_box, int64_t left_id, const char *right, int64_t right_box, int64_t right_id)
{
	struct move_row rows[2] = {{0}, {0}};
	put_inbox(&rows[0], left, left_box, left_id);
	put_inbox(&rows[1], right, right_box, right_id);
	int result = move_row_compare(table_of("inbox"), &rows[0], &rows[1]);
	ck_assert_int_eq(result < 0, move_row_compare(table_of("inbox"), &rows[1], &rows[0]) > 0);
	move_row_done(&rows[0]);
	move_row_done(&rows[1]);
	return result;
}

START_TEST(keys_are_ordered_column_by_column_bytes_before_length_and_numbers_by_value)
{
	ck_assert_int_eq(order("RXH", 1, 2, "RXH", 1, 2), 0);
	ck_assert_int_lt(order("RX", 9, 9, "RXH", 1, 2), 0);
	ck_assert_int_lt(order("RXH", 9, 9, "S", 1, 2), 0);
	ck_assert_int_lt(order("RXH", 1, 255, "RXH", 1, 256), 0);
	ck_assert_int_lt(order("RXH", -1, 9, "RXH", 0, 0), 0);
	ck_assert_int_lt(order("RXH", 0, 9, "RXH", 1, 0), 0);
	ck_assert_int_lt(order("R\x7f", 0, 0, "R\xc3", 0, 0), 0);
}
END_TEST

START_TEST(column_lists_are_whole_or_refused)
{
	char list[40];
	ck_assert(move_table_list(table_of("hold"), 0, 2, "t.", list, sizeof list));
	ck_assert_str_eq(list, "t.\"name\", t.\"sealed\"");
	ck_assert(!move_table_list(table_of("inbox"), 0, 16, "", list, sizeof list));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("move_table");
	TCase *tests = tcase_create("rows");
	tcase_add_test(tests, a_row_is_read_as_it_was_built);
	tcase_add_test(tests, what_is_cut_too_long_or_of_another_kind_is_not_of_the_table);
	tcase_add_test(tests, keys_are_ordered_column_by_column_bytes_before_length_and_numbers_by_value);
	tcase_add_test(tests, column_lists_are_whole_or_refused);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
