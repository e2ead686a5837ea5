// Requests that wait: which wake, in which order, how many there may be, and that a retry takes its first try's place.
#include "broker/parked.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct parked *parked;
static const struct front_peer nobody;
static uint8_t keys[PARKED_MAX / PARKED_PER_SYSTEM_MAX + 1][KEY_BYTES];

static void setup(void)
{
	ck_assert(parked_new(&parked));
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		memcpy(keys[i], &i, sizeof i);
}

static void teardown(void)
{
	parked_free(parked);
}

static bool put(const uint8_t key[KEY_BYTES], uint64_t waits_for, uint32_t request, uint32_t wait_ms)
{
	struct wait wait = {.key = waits_for, .wait_ms = wait_ms};
	memcpy(wait.request_id, &request, sizeof request);
	return parked_put(parked, &nobody, key, &wait, 0, 100, (const uint8_t *)&request, sizeof request);
}

static void wake(uint64_t key)
{
	struct wakes wakes = {0};
	wakes_add(&wakes, key);
	parked_wake(parked, &wakes);
	ck_assert_uint_eq(wakes.count, 0);
}

// The request that comes next; 0: none.
static uint32_t next(uint64_t now_ms)
{
	uint32_t request = 0;
	struct parked_request *taken = parked_take(parked, now_ms);
	if (taken != NULL) {
		ck_assert_uint_eq(taken->bytes, sizeof request);
		memcpy(&request, taken->data, sizeof request);
	}
	parked_request_free(taken);
	return request;
}

START_TEST(those_wake_that_wait_for_it_in_the_order_of_their_coming)
{
	ck_assert(put(keys[0], 1, 11, 1000) && put(keys[0], 2, 12, 1000) && put(keys[1], 1, 13, 1000));
	ck_assert_uint_eq(next(100), 0);
	ck_assert_uint_eq(parked_next_ms(parked), 1100);
	wake(1);
	ck_assert_uint_eq(parked_next_ms(parked), 0);
	ck_assert_uint_eq(next(100), 11);
	ck_assert_uint_eq(next(100), 13);
	ck_assert_uint_eq(next(100), 0);
	ck_assert_uint_eq(next(1100), 12);
	ck_assert_uint_eq(parked_next_ms(parked), UINT64_MAX);
}
END_TEST

START_TEST(too_much_at_once_wakes_everybody)
{
	struct wakes wakes = {0};
	ck_assert(put(keys[0], 1, 11, 1000));
	for (uint64_t i = 0; i <= WAKES_MAX; i++)
		wakes_add(&wakes, 1000 + i);
	parked_wake(parked, &wakes);
	ck_assert_uint_eq(next(100), 11);
}
END_TEST

START_TEST(a_retry_takes_the_place_of_its_first_try)
{
	ck_assert(put(keys[0], 1, 11, 1000) && put(keys[1], 1, 11, 1000));
	ck_assert(put(keys[0], 1, 11, 500)); // of the same system
	wake(1);
	ck_assert(put(keys[1], 1, 11, 500)); // and one that has been woken
	ck_assert_uint_eq(next(100), 11);
	ck_assert_uint_eq(next(100), 0);
	ck_assert_uint_eq(next(600), 11);
	ck_assert_uint_eq(next(10000), 0);
}
END_TEST

START_TEST(one_system_has_64_and_all_have_4096)
{
	uint32_t request = 1;
	for (; request <= PARKED_PER_SYSTEM_MAX; request++)
		ck_assert(put(keys[0], 1, request, 1000));
	ck_assert(!put(keys[0], 1, request, 1000));
	ck_assert(put(keys[0], 1, 1, 1000)); // a retry is none more
	for (; request <= PARKED_MAX; request++)
		ck_assert(put(keys[request / PARKED_PER_SYSTEM_MAX], 1, request, 1000));
	ck_assert(!put(keys[PARKED_MAX / PARKED_PER_SYSTEM_MAX], 1, request, 1000));
}
END_TEST

START_TEST(too_many_bytes_do_not_wait)
{
	static uint8_t data[64 * 1024];
	struct wait wait = {.key = 1, .wait_ms = 1000};
	uint32_t request = 0;
	for (; request < PARKED_BYTES_MAX / sizeof data; request++) {
		memcpy(wait.request_id, &request, sizeof request);
		ck_assert(parked_put(parked, &nobody, keys[request / PARKED_PER_SYSTEM_MAX], &wait, 0, 100, data, sizeof data));
	}
	memcpy(wait.request_id, &request, sizeof request);
	ck_assert(!parked_put(parked, &nobody, keys[60], &wait, 0, 100, data, 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parked");
	TCase *tcase = tcase_create("parked");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, those_wake_that_wait_for_it_in_the_order_of_their_coming);
	tcase_add_test(tcase, too_much_at_once_wakes_everybody);
	tcase_add_test(tcase, a_retry_takes_the_place_of_its_first_try);
	tcase_add_test(tcase, one_system_has_64_and_all_have_4096);
	tcase_add_test(tcase, too_many_bytes_do_not_wait);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
