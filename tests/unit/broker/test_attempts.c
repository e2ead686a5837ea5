// Failed handshakes, counted: what is due when, and that nothing is lost from a count.
#include "broker/attempts.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UTC_MS 1792488600000u
#define MAX 16

static struct attempts *attempts;
static struct attempt taken[MAX];

static void set_up(void)
{
	attempts = attempts_new();
	ck_assert_ptr_nonnull(attempts);
}

static void tear_down(void)
{
	attempts_free(attempts);
}

static size_t take_due(uint64_t monotonic_ms)
{
	return attempts_take(attempts, monotonic_ms, false, MAX, taken);
}

START_TEST(nothing_is_due_when_nothing_happened)
{
	ck_assert_uint_eq(take_due(0), 0);
	ck_assert_uint_eq(attempts_take(attempts, 0, true, MAX, taken), 0);
	attempts_free(NULL);
}
END_TEST

START_TEST(the_first_is_due_at_once_and_says_who_and_when)
{
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "key 01020304 from 10.0.0.1", UTC_MS);
	ck_assert_uint_eq(take_due(0), 1);
	ck_assert_int_eq(taken[0].reason, REASON_HANDSHAKE_KEY);
	ck_assert_uint_eq(taken[0].count, 1);
	ck_assert_uint_eq(taken[0].first_ms, UTC_MS);
	ck_assert_str_eq(taken[0].examples, "key 01020304 from 10.0.0.1");
}
END_TEST

START_TEST(a_flood_is_one_record_a_minute_with_its_whole_count)
{
	uint64_t told = 0, records = 0;
	for (uint64_t ms = 0; ms <= 10 * ATTEMPTS_INTERVAL_MS; ms += 10) {
		for (int i = 0; i < 10; i++)
			attempts_note(attempts, REASON_HANDSHAKE_SECRET, "at tcp://127.0.0.1:1", UTC_MS + ms);
		for (size_t i = take_due(ms); i > 0; i--, records++) {
			ck_assert_uint_eq(taken[i - 1].first_ms, told == 0 ? UTC_MS : UTC_MS + ms - ATTEMPTS_INTERVAL_MS + 10);
			told += taken[i - 1].count;
		}
	}
	ck_assert_uint_eq(records, 11);
	ck_assert_uint_eq(told, 10 * (10 * ATTEMPTS_INTERVAL_MS / 10 + 1));
}
END_TEST

START_TEST(each_reason_has_its_own_minute)
{
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "a", UTC_MS);
	ck_assert_uint_eq(take_due(0), 1);
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "a", UTC_MS);
	attempts_note(attempts, REASON_HANDSHAKE_MECHANISM, "b", UTC_MS);
	ck_assert_uint_eq(take_due(1), 1);
	ck_assert_int_eq(taken[0].reason, REASON_HANDSHAKE_MECHANISM);
	ck_assert_uint_eq(take_due(ATTEMPTS_INTERVAL_MS - 1), 0);
	ck_assert_uint_eq(take_due(ATTEMPTS_INTERVAL_MS), 1);
	ck_assert_int_eq(taken[0].reason, REASON_HANDSHAKE_KEY);
}
END_TEST

START_TEST(at_the_end_all_is_taken_due_or_not)
{
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "a", UTC_MS);
	ck_assert_uint_eq(take_due(0), 1);
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "a", UTC_MS);
	ck_assert_uint_eq(take_due(1), 0);
	ck_assert_uint_eq(attempts_take(attempts, 1, true, MAX, taken), 1);
	ck_assert_uint_eq(taken[0].count, 1);
}
END_TEST

START_TEST(no_more_are_taken_than_there_is_room_for)
{
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "a", UTC_MS);
	attempts_note(attempts, REASON_HANDSHAKE_MECHANISM, "b", UTC_MS);
	ck_assert_uint_eq(attempts_take(attempts, 0, false, 1, taken), 1);
	ck_assert_uint_eq(attempts_take(attempts, 0, false, 1, taken), 1);
	ck_assert_uint_eq(attempts_take(attempts, 0, false, 1, taken), 0);
}
END_TEST

START_TEST(what_could_not_be_recorded_is_counted_on_and_due_again_soon)
{
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "a", UTC_MS);
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "b", UTC_MS + 1);
	size_t count = take_due(0);
	// Meanwhile there are more.
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "c", UTC_MS + 2);
	attempts_give_back(attempts, taken, count, 0);
	ck_assert_uint_eq(take_due(ATTEMPTS_RETRY_MS - 1), 0);
	ck_assert_uint_eq(take_due(ATTEMPTS_RETRY_MS), 1);
	ck_assert_uint_eq(taken[0].count, 3);
	ck_assert_uint_eq(taken[0].first_ms, UTC_MS);
	ck_assert_str_eq(taken[0].examples, "a, b ...");
}
END_TEST

START_TEST(given_back_without_anything_new_it_says_what_it_said)
{
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "a", UTC_MS);
	size_t count = take_due(0);
	attempts_give_back(attempts, taken, count, 0);
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "a", UTC_MS);
	ck_assert_uint_eq(take_due(ATTEMPTS_RETRY_MS), 1);
	ck_assert_uint_eq(taken[0].count, 2);
	ck_assert_str_eq(taken[0].examples, "a");
}
END_TEST

START_TEST(examples_are_different_ones_and_few)
{
	char example[ATTEMPT_EXAMPLE_BYTES];
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "key 01020304 from 10.0.0.10", UTC_MS);
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "key 01020304 from 10.0.0.1", UTC_MS);
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "key 01020304 from 10.0.0.1", UTC_MS);
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "", UTC_MS);
	ck_assert_uint_eq(take_due(0), 1);
	ck_assert_uint_eq(taken[0].count, 4);
	ck_assert_str_eq(taken[0].examples, "key 01020304 from 10.0.0.10, key 01020304 from 10.0.0.1");
	for (int i = 0; i < 1000; i++) {
		snprintf(example, sizeof example, "key %08x from 10.0.0.1", (unsigned)i);
		attempts_note(attempts, REASON_HANDSHAKE_KEY, example, UTC_MS);
	}
	ck_assert_uint_eq(attempts_take(attempts, 1, true, MAX, taken), 1);
	ck_assert_uint_eq(taken[0].count, 1000);
	ck_assert_uint_lt(strlen(taken[0].examples), sizeof taken[0].examples);
	ck_assert_int_eq(strncmp(taken[0].examples, "key 00000000 from 10.0.0.1, key 00000001", 40), 0);
	ck_assert_str_eq(taken[0].examples + strlen(taken[0].examples) - 4, " ...");
}
END_TEST

START_TEST(examples_of_any_length_end_inside_their_place)
{
	char example[300];
	for (size_t bytes = 0; bytes + 1 < sizeof example; bytes++) {
		memset(example, 'a' + (int)(bytes % 26), bytes);
		example[bytes] = '\0';
		attempts_note(attempts, REASON_HANDSHAKE_KEY, example, UTC_MS);
		attempts_note(attempts, REASON_HANDSHAKE_KEY, "b", UTC_MS);
		ck_assert_uint_eq(attempts_take(attempts, 0, true, MAX, taken), 1);
		ck_assert_ptr_nonnull(memchr(taken[0].examples, '\0', sizeof taken[0].examples));
	}
}
END_TEST

static void *note_many(void *unused)
{
	for (int i = 0; i < 10000; i++)
		attempts_note(attempts, REASON_HANDSHAKE_UNFINISHED, "at tcp://127.0.0.1:1", UTC_MS);
	return unused;
}

START_TEST(threads_that_count_while_others_take_lose_nothing)
{
	pthread_t threads[4];
	uint64_t told = 0;
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, note_many, NULL), 0);
	for (int i = 0; i < 1000; i++) {
		if (attempts_take(attempts, 0, true, MAX, taken) == 0)
			continue;
		// Every other time it cannot be recorded.
		if (i % 2 == 0)
			attempts_give_back(attempts, taken, 1, 0);
		else
			told += taken[0].count;
	}
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	if (attempts_take(attempts, 0, true, MAX, taken) == 1)
		told += taken[0].count;
	ck_assert_uint_eq(told, 40000);
}
END_TEST

// What another process counted adds up with what is here: count, the first one's time, different examples.
START_TEST(what_another_process_counted_is_added)
{
	struct attempt more = {.reason = REASON_HANDSHAKE_KEY, .count = 5, .first_ms = UTC_MS + 7};
	snprintf(more.examples, sizeof more.examples, "key 01020304 from 10.0.0.1, key 05060708 from 10.0.0.2");
	attempts_add(attempts, &more);
	snprintf(more.examples, sizeof more.examples, "key 05060708 from 10.0.0.2, key 090a0b0c from 10.0.0.3 ...");
	more.first_ms = UTC_MS + 9;
	attempts_add(attempts, &more);
	ck_assert_uint_eq(take_due(0), 1);
	ck_assert_uint_eq(taken[0].count, 10);
	ck_assert_uint_eq(taken[0].first_ms, UTC_MS + 7);
	ck_assert_str_eq(taken[0].examples,
			 "key 01020304 from 10.0.0.1, key 05060708 from 10.0.0.2, key 090a0b0c from 10.0.0.3 ...");
}
END_TEST

START_TEST(what_was_recorded_stays_in_the_total)
{
	const struct attempt more = {.reason = REASON_HANDSHAKE_KEY, .count = 5, .first_ms = UTC_MS};
	attempts_note(attempts, REASON_HANDSHAKE_KEY, "x", UTC_MS);
	attempts_add(attempts, &more);
	ck_assert_uint_eq(take_due(0), 1);
	attempts_give_back(attempts, taken, 1, 0);
	ck_assert_uint_eq(attempts_total(attempts, REASON_HANDSHAKE_KEY), 6);
	ck_assert_uint_eq(attempts_total(attempts, REASON_HANDSHAKE_SECRET), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attempts");
	TCase *tests = tcase_create("attempts");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_another_process_counted_is_added);
	tcase_add_test(tests, what_was_recorded_stays_in_the_total);
	tcase_add_test(tests, nothing_is_due_when_nothing_happened);
	tcase_add_test(tests, the_first_is_due_at_once_and_says_who_and_when);
	tcase_add_test(tests, a_flood_is_one_record_a_minute_with_its_whole_count);
	tcase_add_test(tests, each_reason_has_its_own_minute);
	tcase_add_test(tests, at_the_end_all_is_taken_due_or_not);
	tcase_add_test(tests, no_more_are_taken_than_there_is_room_for);
	tcase_add_test(tests, what_could_not_be_recorded_is_counted_on_and_due_again_soon);
	tcase_add_test(tests, given_back_without_anything_new_it_says_what_it_said);
	tcase_add_test(tests, examples_are_different_ones_and_few);
	tcase_add_test(tests, examples_of_any_length_end_inside_their_place);
	tcase_add_test(tests, threads_that_count_while_others_take_lose_nothing);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
