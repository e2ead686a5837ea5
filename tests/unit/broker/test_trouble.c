// What fails again and again is told once a minute, and once when it is over.
#include "broker/trouble.h"

#include <stdlib.h>

#include <check.h>

START_TEST(a_line_is_told_at_once_and_then_once_a_minute_with_its_count)
{
	struct trouble trouble = {0};
	uint32_t untold = 99;
	ck_assert(trouble_tell(&trouble, 7, true, 1000, &untold));
	ck_assert_uint_eq(untold, 0);
	for (unsigned i = 0; i < 5; i++)
		ck_assert(!trouble_tell(&trouble, 7, true, 1000 + i, &untold));
	ck_assert(!trouble_tell(&trouble, 7, true, 1000 + TROUBLE_SILENT_MS - 1, &untold));
	ck_assert(trouble_tell(&trouble, 7, true, 1000 + TROUBLE_SILENT_MS, &untold));
	ck_assert_uint_eq(untold, 6);
	ck_assert(!trouble_tell(&trouble, 7, true, 1001 + TROUBLE_SILENT_MS, &untold));
}
END_TEST

START_TEST(another_line_is_told_at_once)
{
	struct trouble trouble = {0};
	uint32_t untold;
	for (uint64_t key = 0; key < TROUBLE_LINES_MAX; key++)
		ck_assert(trouble_tell(&trouble, key, true, 1000 + key, &untold));
	for (uint64_t key = 0; key < TROUBLE_LINES_MAX; key++)
		ck_assert(!trouble_tell(&trouble, key, true, 2000, &untold));
}
END_TEST

START_TEST(one_too_many_takes_the_place_of_the_one_that_was_told_longest_ago)
{
	struct trouble trouble = {0};
	uint32_t untold;
	for (uint64_t key = 0; key <= TROUBLE_LINES_MAX; key++)
		ck_assert(trouble_tell(&trouble, key, true, 1000 + key, &untold));
	ck_assert(!trouble_tell(&trouble, 1, true, 2000, &untold));
	ck_assert(trouble_tell(&trouble, 0, true, 2000, &untold));
	ck_assert_uint_eq(untold, 0);
}
END_TEST

START_TEST(the_end_is_told_once_and_only_after_something_was_told)
{
	struct trouble trouble = {0};
	uint32_t untold;
	uint64_t lasted = 0;
	ck_assert(!trouble_mended(&trouble, 500, &lasted));
	ck_assert(trouble_tell(&trouble, 7, true, 1000, &untold));
	ck_assert(!trouble_tell(&trouble, 7, true, 1500, &untold));
	ck_assert(trouble_mended(&trouble, 4000, &lasted));
	ck_assert_uint_eq(lasted, 3000);
	ck_assert(!trouble_mended(&trouble, 5000, &lasted));
	// By turns: within the minute neither is said again.
	ck_assert(!trouble_tell(&trouble, 7, true, 6000, &untold));
	ck_assert(!trouble_mended(&trouble, 7000, &lasted));
}
END_TEST

START_TEST(what_does_not_pass_is_told_alike_and_never_mended)
{
	struct trouble trouble = {0};
	uint32_t untold;
	uint64_t lasted;
	ck_assert(trouble_tell(&trouble, 7, false, 1000, &untold));
	ck_assert(!trouble_tell(&trouble, 7, false, 1001, &untold));
	ck_assert(!trouble_mended(&trouble, 2000, &lasted));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trouble");
	TCase *tests = tcase_create("trouble");
	tcase_add_test(tests, a_line_is_told_at_once_and_then_once_a_minute_with_its_count);
	tcase_add_test(tests, another_line_is_told_at_once);
	tcase_add_test(tests, one_too_many_takes_the_place_of_the_one_that_was_told_longest_ago);
	tcase_add_test(tests, the_end_is_told_once_and_only_after_something_was_told);
	tcase_add_test(tests, what_does_not_pass_is_told_alike_and_never_mended);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
