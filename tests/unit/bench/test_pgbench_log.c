// tests/bench/pgbench_log.c: rates and percentiles of logs that are known.
#include <stdlib.h>

#include <check.h>

#include "tests/bench/pgbench_log.h"

static struct pgbench_log got;

static bool reads(const char *text, unsigned clients)
{
	FILE *file = tmpfile();
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	rewind(file);
	bool read = pgbench_log_read(file, clients, &got);
	fclose(file);
	return read;
}

// Their first ones took long.
START_TEST(each_client_counts_from_its_first_transaction_on)
{
	ck_assert(reads("0 1 90000 0 100 0\n1 1 80000 0 100 500000\n0 2 1000 1 101 0\n1 2 3000 0 100 750000\n0 3 2000 0 102 0\n", 2));
	ck_assert_uint_eq(got.transactions, 3);
	ck_assert_double_eq_tol(got.per_s, 2 / 2.0 + 1 / 0.25, 1e-6);
	ck_assert_double_eq(got.p50_us, 2000);
	ck_assert_double_eq(got.p99_us, 2000);
}
END_TEST

START_TEST(percentiles_are_those_of_the_sorted_durations)
{
	char text[10000];
	size_t used = 0;
	for (unsigned i = 0; i <= 200; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "0 %u %u 0 %u 0\n", i, 1000 - i, i);
	ck_assert(reads(text, 1));
	ck_assert_uint_eq(got.transactions, 200);
	ck_assert_double_eq(got.per_s, 1);
	ck_assert_double_eq(got.p50_us, 900);
	ck_assert_double_eq(got.p99_us, 997);
}
END_TEST

START_TEST(what_cannot_be_measured_is_refused)
{
	static const char *const texts[] = {"", "0 1 10 0 100 0\n", "0 1 10 0 100 0\n0 2 10 0 100 0\n", "0 1 10 0 100 0\nfailed\n",
					    "0 1 10 0 100 0\n1 2 10 0 101 0\n"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		ck_assert(!reads(texts[i], 1));
	ck_assert(!reads("0 1 10 0 100 0\n0 2 10 0 101 0\n", 2));
	ck_assert(!reads("", PGBENCH_LOG_CLIENTS_MAX + 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pgbench_log");
	TCase *tests = tcase_create("all");
	tcase_add_test(tests, each_client_counts_from_its_first_transaction_on);
	tcase_add_test(tests, percentiles_are_those_of_the_sorted_durations);
	tcase_add_test(tests, what_cannot_be_measured_is_refused);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
