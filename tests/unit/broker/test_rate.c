// Counters of a sliding minute.
#include "broker/rate.h"

#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#define FLAG CPIS__V1__OPERATION__FLAG
#define DETAILS CPIS__V1__OPERATION__DETAILS
#define MINUTE UINT64_C(60000)
#define NOON (UINT64_C(29874960) * MINUTE) // the first millisecond of a minute
#define NURSE "555000000001"

static struct rate *rate;

static void set_up(void)
{
	ck_assert(rate_new(&rate));
}

static void tear_down(void)
{
	rate_free(rate);
}

static unsigned take(unsigned times, unsigned per_minute, uint64_t now_ms)
{
	unsigned taken = 0;
	for (unsigned i = 0; i < times; i++)
		taken += rate_take(rate, RATE_PERSON, NURSE, FLAG, per_minute, now_ms);
	return taken;
}

START_TEST(so_many_in_a_minute_and_no_more)
{
	ck_assert_uint_eq(take(10, 5, NOON), 5);
	ck_assert_uint_eq(take(10, 5, NOON + MINUTE - 1), 0);
}
END_TEST

START_TEST(the_minute_slides)
{
	ck_assert_uint_eq(take(60, 60, NOON + MINUTE - 1), 60);
	// All of them were a moment ago.
	ck_assert_uint_eq(take(10, 60, NOON + MINUTE), 0);
	ck_assert_uint_eq(take(60, 60, NOON + MINUTE + MINUTE / 4), 15);
	ck_assert_uint_eq(take(60, 60, NOON + 3 * MINUTE), 60);
}
END_TEST

START_TEST(no_bound_counts_nothing)
{
	ck_assert_uint_eq(take(1000, 0, NOON), 1000);
	ck_assert_uint_eq(take(10, 5, NOON), 5);
}
END_TEST

START_TEST(others_and_other_operations_have_their_own)
{
	ck_assert_uint_eq(take(5, 5, NOON), 5);
	ck_assert(!rate_take(rate, RATE_PERSON, NURSE, FLAG, 5, NOON));
	ck_assert(rate_take(rate, RATE_PERSON, NURSE, DETAILS, 5, NOON));
	ck_assert(rate_take(rate, RATE_SYSTEM, NURSE, FLAG, 5, NOON));
	ck_assert(rate_take(rate, RATE_PERSON, "555000000002", FLAG, 5, NOON));
}
END_TEST

START_TEST(a_clock_that_was_set_back_starts_anew)
{
	ck_assert_uint_eq(take(5, 5, NOON), 5);
	ck_assert_uint_eq(take(10, 5, NOON - 10 * MINUTE), 5);
}
END_TEST

START_TEST(a_full_table_refuses_newcomers_until_minutes_are_over)
{
	char name[RATE_NAME_BYTES];
	for (unsigned i = 0; i < RATE_COUNTERS_MAX; i++) {
		snprintf(name, sizeof name, "%012u", i);
		ck_assert(rate_take(rate, RATE_PERSON, name, FLAG, 5, NOON));
	}
	ck_assert(!rate_take(rate, RATE_PERSON, NURSE, FLAG, 5, NOON));
	ck_assert(rate_take(rate, RATE_PERSON, "000000000000", FLAG, 5, NOON));
	ck_assert(!rate_take(rate, RATE_PERSON, NURSE, FLAG, 5, NOON + MINUTE));
	ck_assert(rate_take(rate, RATE_PERSON, NURSE, FLAG, 5, NOON + 2 * MINUTE));
}
END_TEST

START_TEST(what_another_let_pass_counts_in_its_own_minute)
{
	for (unsigned i = 0; i < 3; i++)
		rate_add(rate, RATE_PERSON, NURSE, FLAG, NOON + 10);
	ck_assert_uint_eq(take(5, 5, NOON + 20), 2);
	// Past the bound it counts too, and goes on counting by halves into the next minute.
	for (unsigned i = 0; i < 5; i++)
		rate_add(rate, RATE_PERSON, NURSE, FLAG, NOON + 30);
	ck_assert_uint_eq(take(10, 10, NOON + MINUTE + MINUTE / 2), 5);
	// What is long over does not take the place of what counts now.
	rate_add(rate, RATE_PERSON, NURSE, FLAG, NOON - MINUTE);
	ck_assert(!rate_take(rate, RATE_PERSON, NURSE, FLAG, 10, NOON + MINUTE + MINUTE / 2));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rate");
	TCase *tests = tcase_create("rate");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, so_many_in_a_minute_and_no_more);
	tcase_add_test(tests, the_minute_slides);
	tcase_add_test(tests, no_bound_counts_nothing);
	tcase_add_test(tests, others_and_other_operations_have_their_own);
	tcase_add_test(tests, a_clock_that_was_set_back_starts_anew);
	tcase_add_test(tests, a_full_table_refuses_newcomers_until_minutes_are_over);
	tcase_add_test(tests, what_another_let_pass_counts_in_its_own_minute);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
