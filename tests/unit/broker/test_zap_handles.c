// Unit tests of the table of handles: which one goes when room is needed.
#include "broker/zap_handles_priv.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

static struct zap_handles table;
static const uint8_t first[KEY_BYTES] = {1}, second[KEY_BYTES] = {2};
static char handles[8][ZAP_HANDLE_BYTES];

static void setup(void)
{
	table = (struct zap_handles){.limits = {.connections_max = 4, .connections_per_system_max = 3}};
}

static void teardown(void)
{
	zap_handles_drop_all(&table);
}

static void mint(const uint8_t key[KEY_BYTES], unsigned number)
{
	ck_assert(zap_handles_mint(&table, key, handles[number]));
}

static bool has(unsigned number)
{
	uint8_t key[KEY_BYTES];
	return zap_handles_find(&table, handles[number], key);
}

START_TEST(a_handle_leads_to_its_key)
{
	uint8_t key[KEY_BYTES];
	mint(first, 0);
	mint(second, 1);
	ck_assert(zap_handles_find(&table, handles[0], key));
	ck_assert_mem_eq(key, first, KEY_BYTES);
	ck_assert(zap_handles_find(&table, handles[1], key));
	ck_assert_mem_eq(key, second, KEY_BYTES);
	ck_assert(!zap_handles_find(&table, "", key));
	ck_assert(!zap_handles_find(&table, "00000000000000000000000000000000", key));
}
END_TEST

START_TEST(a_systems_unused_handle_goes_before_one_in_use)
{
	mint(first, 0);
	mint(first, 1);
	mint(first, 2);
	ck_assert(has(0)); // used now: the oldest, and not the one to go
	mint(first, 3);
	ck_assert(!has(1));
	ck_assert(has(0) && has(2) && has(3));
}
END_TEST

START_TEST(a_connection_in_use_outlives_any_number_of_others_that_come_and_go)
{
	mint(first, 0);
	for (unsigned i = 0; i < 1000; i++) {
		mint(i % 2 == 0 ? first : second, 1 + i % 7);
		ck_assert(has(0));
	}
}
END_TEST

START_TEST(a_keys_handles_go_with_it)
{
	mint(first, 0);
	mint(second, 1);
	mint(first, 2);
	zap_handles_drop_key(&table, first);
	ck_assert(!has(0) && has(1) && !has(2));
	zap_handles_drop_key(&table, first);
	mint(first, 0);
	ck_assert(has(0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("zap_handles");
	TCase *tests = tcase_create("zap_handles");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_handle_leads_to_its_key);
	tcase_add_test(tests, a_systems_unused_handle_goes_before_one_in_use);
	tcase_add_test(tests, a_connection_in_use_outlives_any_number_of_others_that_come_and_go);
	tcase_add_test(tests, a_keys_handles_go_with_it);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
