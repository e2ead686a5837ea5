// tests/bench/histogram.c: percentiles of durations that are known.
#include <stdlib.h>

#include <check.h>

#include "tests/bench/histogram.h"

#define COUNT 100000u

static struct histogram histogram;

static void forget(void)
{
	histogram = (struct histogram){0};
}

static int by_value(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return a < b ? -1 : a > b;
}

START_TEST(none_is_nothing)
{
	ck_assert_double_eq(histogram_us(&histogram, 0.5), 0);
}
END_TEST

// To half a bucket, which is less than 1.6 % of its value.
START_TEST(percentiles_are_those_of_the_sorted_durations)
{
	static uint64_t durations[COUNT];
	static const double shares[] = {0, 0.5, 0.9, 0.99, 0.999};
	uint64_t state = 1;
	for (unsigned i = 0; i < COUNT; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		// Over six decades, as latencies are.
		durations[i] = (state >> 33) % (UINT64_C(10) << (4 * (state >> 60)) % 33);
		histogram_add(&histogram, durations[i]);
	}
	qsort(durations, COUNT, sizeof durations[0], by_value);
	for (unsigned i = 0; i < sizeof shares / sizeof shares[0]; i++) {
		double exact_us = (double)durations[(size_t)(COUNT * shares[i])] / 1e3;
		ck_assert_double_eq_tol(histogram_us(&histogram, shares[i]), exact_us, exact_us * 0.008 + 0.001);
	}
}
END_TEST

START_TEST(one_stall_shows_in_the_last_percentile_only)
{
	for (unsigned i = 0; i < 999; i++)
		histogram_add(&histogram, 100000);
	histogram_add(&histogram, 5000000000);
	ck_assert_double_eq_tol(histogram_us(&histogram, 0.99), 100, 1);
	ck_assert_double_eq_tol(histogram_us(&histogram, 0.9995), 5e6, 5e6 * 0.008);
}
END_TEST

START_TEST(what_is_longer_than_an_hour_counts_in_the_last_bucket)
{
	histogram_add(&histogram, UINT64_MAX);
	ck_assert_uint_eq(histogram.count, 1);
	ck_assert_double_gt(histogram_us(&histogram, 0.5), 3600e6);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("histogram");
	TCase *all = tcase_create("percentiles");
	tcase_add_checked_fixture(all, forget, NULL);
	tcase_add_test(all, none_is_nothing);
	tcase_add_test(all, percentiles_are_those_of_the_sorted_durations);
	tcase_add_test(all, one_stall_shows_in_the_last_percentile_only);
	tcase_add_test(all, what_is_longer_than_an_hour_counts_in_the_last_bucket);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
