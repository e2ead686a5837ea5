// Unit tests of whom a call asks next: a time that the test chooses, no sockets.
#include "clients/libcpis/rotation.h"

#include <stdlib.h>

#include <check.h>

#include "clients/libcpis/backoff.h"

#define START 1000000u
#define HALF (1u << 31)

static struct rotation rotation;

static void begin(size_t count, size_t at, uint64_t deadline_ms)
{
	rotation_begin(&rotation, count, at, START, START + deadline_ms);
}

static void assert_turn(size_t at, uint64_t until_ms)
{
	ck_assert(!rotation.resting);
	ck_assert_uint_eq(rotation.at, at);
	ck_assert_uint_eq(rotation.until_ms, until_ms);
}

static void assert_rest(uint64_t until_ms)
{
	ck_assert(rotation.resting);
	ck_assert_uint_eq(rotation.until_ms, until_ms);
}

START_TEST(one_broker_has_all_the_time_to_let_us_in_and_is_asked_again_after_two_seconds)
{
	begin(1, 0, 20000);
	ck_assert(!rotation_tick(&rotation, HALF, START + 19999));
	rotation_sent(&rotation, 0, START + 5);
	assert_turn(0, START + 5 + 2000);
	ck_assert(!rotation_tick(&rotation, HALF, START + 2004));
	ck_assert(rotation_tick(&rotation, HALF, START + 2005));
	assert_turn(0, UINT64_MAX);
	rotation_sent(&rotation, 40000, START + 2005);
	assert_turn(0, START + 2005 + 2000 + 40000);
	// The connection broke: at once.
	rotation_next(&rotation, 0, HALF, START + 3000);
	assert_turn(0, UINT64_MAX);
}
END_TEST

START_TEST(one_broker_that_says_when_is_asked_then_and_later_each_time)
{
	begin(1, 0, 60000);
	for (unsigned times = 0; times < 4; times++) {
		rotation_sent(&rotation, 0, START);
		rotation_next(&rotation, 100, HALF, START);
		assert_rest(START + backoff_ms(100, times, HALF));
		ck_assert(!rotation_tick(&rotation, HALF, rotation.until_ms - 1));
		ck_assert(rotation_tick(&rotation, HALF, rotation.until_ms));
	}
}
END_TEST

START_TEST(who_does_not_let_us_in_or_does_not_answer_has_a_short_time)
{
	begin(3, 1, 20000);
	assert_turn(1, START + ROTATION_CONNECT_MS);
	rotation_sent(&rotation, 0, START + 10);
	assert_turn(1, START + 10 + ROTATION_ANSWER_MS);
	ck_assert(rotation_tick(&rotation, HALF, START + 510));
	assert_turn(2, START + 510 + ROTATION_CONNECT_MS);
	ck_assert(rotation_tick(&rotation, HALF, START + 810));
	assert_turn(0, START + 810 + ROTATION_CONNECT_MS);
	// Nobody is left to turn to.
	rotation_sent(&rotation, 0, START + 820);
	assert_turn(0, START + 820 + ROTATION_SILENCE_MS);
}
END_TEST

START_TEST(a_near_deadline_is_shared)
{
	begin(4, 0, 400);
	assert_turn(0, START + 100);
	rotation_sent(&rotation, 0, START + 4);
	assert_turn(0, START + 4 + 99);
	rotation_next(&rotation, 0, HALF, START + 100);
	assert_turn(1, START + 200);
	rotation_next(&rotation, 0, HALF, START + 100);
	assert_turn(2, START + 250);
	rotation_next(&rotation, 0, HALF, START + 399);
	assert_turn(3, START + 400);
}
END_TEST

START_TEST(who_was_left_out_is_never_asked_and_one_alone_has_the_time_of_the_last)
{
	begin(3, 1, 20000);
	rotation_leave_out(&rotation, 0, START);
	rotation_leave_out(&rotation, 2, START);
	assert_turn(1, START + ROTATION_CONNECT_MS);
	rotation_sent(&rotation, 0, START);
	assert_turn(1, START + ROTATION_SILENCE_MS);
	// It comes round to the same one.
	ck_assert(!rotation_tick(&rotation, HALF, START + ROTATION_SILENCE_MS));
	assert_rest(START + ROTATION_SILENCE_MS + backoff_ms(ROTATION_REST_MS, 0, HALF));
	ck_assert(rotation_tick(&rotation, HALF, rotation.until_ms));
	ck_assert_uint_eq(rotation.at, 1);
	// Who does not let us in then, nobody else does.
	ck_assert(!rotation_refuse(&rotation, HALF, START + 5000));
	begin(3, 0, 20000);
	rotation_leave_out(&rotation, 1, START);
	rotation_next(&rotation, 0, HALF, START);
	ck_assert_uint_eq(rotation.at, 2);
}
END_TEST

START_TEST(what_waits_at_a_broker_is_not_cut_short_for_others)
{
	begin(2, 0, 60000);
	rotation_sent(&rotation, 55000, START);
	assert_turn(0, START + ROTATION_ANSWER_MS + 55000);
}
END_TEST

START_TEST(after_each_had_its_turn_there_is_a_rest_that_grows_and_then_the_next_round)
{
	uint64_t now_ms = START;
	begin(3, 2, 60000);
	for (unsigned round = 0; round < 5; round++) {
		static const size_t order[] = {2, 0, 1};
		for (unsigned i = 0; i < 3; i++) {
			ck_assert(!rotation.resting);
			ck_assert_uint_eq(rotation.at, order[i]);
			rotation_next(&rotation, 0, HALF, now_ms);
		}
		assert_rest(now_ms + backoff_ms(ROTATION_REST_MS, round, HALF));
		now_ms = rotation.until_ms;
		ck_assert(rotation_tick(&rotation, HALF, now_ms));
	}
	// Whoever is slow has longer by then.
	rotation_sent(&rotation, 0, now_ms);
	assert_turn(2, now_ms + ROTATION_SILENCE_MS);
}
END_TEST

START_TEST(all_who_rest_come_back_at_different_times_and_not_before_the_least)
{
	for (unsigned i = 0; i < 2; i++) {
		begin(2, 0, 60000);
		rotation_next(&rotation, 0, HALF, START);
		rotation_next(&rotation, 0, i == 0 ? 0 : UINT32_MAX, START);
		assert_rest(START + (i == 0 ? ROTATION_REST_MS : 2 * ROTATION_REST_MS - 1));
	}
}
END_TEST

// The other one is asked at once, and nobody before the longest time that one of them said.
START_TEST(a_busy_broker_sends_us_to_the_next_and_is_not_asked_before_its_time)
{
	begin(3, 0, 60000);
	rotation_next(&rotation, 700, HALF, START);
	assert_turn(1, START + ROTATION_CONNECT_MS);
	rotation_next(&rotation, 200, HALF, START);
	rotation_next(&rotation, 0, HALF, START);
	assert_rest(START + backoff_ms(700, 0, HALF));
	// And said once, it counts once.
	ck_assert(rotation_tick(&rotation, HALF, rotation.until_ms));
	for (unsigned i = 0; i < 3; i++)
		rotation_next(&rotation, 0, 0, START);
	assert_rest(START + ROTATION_REST_MS);
}
END_TEST

START_TEST(a_rest_leaves_time_for_an_answer)
{
	begin(2, 0, 1000);
	rotation_next(&rotation, 600, UINT32_MAX, START);
	rotation_next(&rotation, 0, UINT32_MAX, START);
	assert_rest(START + 800);
}
END_TEST

START_TEST(who_refuses_us_is_left_out_and_when_all_do_there_is_nobody)
{
	begin(3, 0, 20000);
	ck_assert(rotation_refuse(&rotation, HALF, START));
	ck_assert_uint_eq(rotation.at, 1);
	rotation_next(&rotation, 0, HALF, START);
	ck_assert_uint_eq(rotation.at, 2);
	rotation_next(&rotation, 0, HALF, START);
	ck_assert(rotation.resting);
	ck_assert(rotation_tick(&rotation, HALF, rotation.until_ms));
	ck_assert_uint_eq(rotation.at, 1);
	ck_assert(rotation_refuse(&rotation, HALF, START));
	ck_assert_uint_eq(rotation.at, 2);
	// The only one that is left is asked in each round.
	rotation_next(&rotation, 0, HALF, START);
	ck_assert(rotation.resting);
	ck_assert(rotation_tick(&rotation, HALF, rotation.until_ms));
	ck_assert_uint_eq(rotation.at, 2);
	ck_assert(!rotation_refuse(&rotation, HALF, START));
}
END_TEST

// Whatever happens, in whatever order: somebody who has not refused has the turn, and time goes on.
START_TEST(any_order_of_events_keeps_to_the_rules)
{
	uint64_t seed = 1;
	for (unsigned run = 0; run < 1000; run++) {
		size_t count = 1 + run % ROTATION_MAX;
		uint64_t now_ms = START;
		bool more = true;
		begin(count, run / 7 % count, 1 + run % 60000);
		for (unsigned step = 0; step < 60 && more; step++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			uint32_t random = (uint32_t)(seed >> 32);
			now_ms += random % 700;
			bool resting = rotation.resting;
			if (random % 5 == 0 && !resting)
				rotation_sent(&rotation, random % 3 == 0 ? random % 55000 : 0, now_ms);
			else if (random % 5 == 1 && !resting)
				rotation_next(&rotation, random % 2000, random, now_ms);
			else if (random % 41 == 2 && !resting)
				more = rotation_refuse(&rotation, random, now_ms);
			else
				(void)rotation_tick(&rotation, random, now_ms);
			ck_assert_uint_lt(rotation.at, count);
			ck_assert_uint_lt(rotation.left, count);
			ck_assert(!more || (rotation.refused >> rotation.at & 1) == 0);
			ck_assert(rotation.resting == false || rotation.until_ms <= (now_ms + 2000 + rotation.end_ms) / 2 ||
				  resting);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rotation");
	TCase *tests = tcase_create("rotation");
	tcase_add_test(tests, one_broker_has_all_the_time_to_let_us_in_and_is_asked_again_after_two_seconds);
	tcase_add_test(tests, one_broker_that_says_when_is_asked_then_and_later_each_time);
	tcase_add_test(tests, who_does_not_let_us_in_or_does_not_answer_has_a_short_time);
	tcase_add_test(tests, a_near_deadline_is_shared);
	tcase_add_test(tests, who_was_left_out_is_never_asked_and_one_alone_has_the_time_of_the_last);
	tcase_add_test(tests, what_waits_at_a_broker_is_not_cut_short_for_others);
	tcase_add_test(tests, after_each_had_its_turn_there_is_a_rest_that_grows_and_then_the_next_round);
	tcase_add_test(tests, all_who_rest_come_back_at_different_times_and_not_before_the_least);
	tcase_add_test(tests, a_busy_broker_sends_us_to_the_next_and_is_not_asked_before_its_time);
	tcase_add_test(tests, a_rest_leaves_time_for_an_answer);
	tcase_add_test(tests, who_refuses_us_is_left_out_and_when_all_do_there_is_nobody);
	tcase_add_test(tests, any_order_of_events_keeps_to_the_rules);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
