// How long a client waits before it asks again.
#include "clients/libcpis/backoff.h"

#include <check.h>
#include <stdlib.h>

START_TEST(never_sooner_than_the_broker_said_and_later_each_time)
{
	ck_assert_uint_eq(backoff_ms(100, 0, 0), 100);
	ck_assert_uint_eq(backoff_ms(100, 0, UINT32_MAX), 199);
	ck_assert_uint_eq(backoff_ms(100, 3, 0), 100);
	ck_assert_uint_eq(backoff_ms(100, 3, UINT32_MAX), 899);
	ck_assert_uint_eq(backoff_ms(100, 3, 1u << 31), 500);
}
END_TEST

START_TEST(the_span_has_an_end)
{
	for (unsigned times = 0; times < 100; times++) {
		ck_assert_uint_le(backoff_ms(100, times, UINT32_MAX), 100 + BACKOFF_SPAN_MS_MAX);
		ck_assert_uint_eq(backoff_ms(60000, times, UINT32_MAX), 60000 + BACKOFF_SPAN_MS_MAX - 1);
		ck_assert_uint_eq(backoff_ms(UINT32_MAX, times, UINT32_MAX), UINT32_MAX);
		ck_assert_uint_eq(backoff_ms(0, times, UINT32_MAX), 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backoff");
	TCase *tests = tcase_create("backoff");
	tcase_add_test(tests, never_sooner_than_the_broker_said_and_later_each_time);
	tcase_add_test(tests, the_span_has_an_end);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
