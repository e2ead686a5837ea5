// What detection remembers: a full table keeps all its rows, and one newcomer takes the place of one other.
#include "broker/detection_memory.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

static struct memory *memory;
static detection_second now_s;

static void start(void)
{
	now_s = 0;
	ck_assert(memory_new(1, &memory));
}

static void finish(void)
{
	memory_free(memory);
}

// Each finds the row of `key`, or a zeroed one, and tells where it keeps the mark of this test.
static uint32_t *person(uint64_t key)
{
	return &memory_person(memory, key, ++now_s)->counts[0].count;
}

static uint32_t *of_system(uint64_t key)
{
	return &memory_system(memory, key, ++now_s)->counts[0].count;
}

static uint32_t *group(uint64_t key)
{
	return &memory_group(memory, key, ++now_s)->total;
}

static bool child_is_known(uint64_t key)
{
	struct memory_child before;
	ck_assert_ptr_nonnull(memory_child(memory, key, ++now_s, &before));
	memory_keep(memory);
	ck_assert(before.row.key == 0 || before.row.key == key);
	return before.row.key == key;
}

// Whether the row of `key` was there; marks it.
static bool is_known(uint32_t *(*find)(uint64_t key), uint64_t key)
{
	uint32_t *mark = find(key);
	bool known = *mark == key;
	ck_assert(known || *mark == 0);
	*mark = (uint32_t)key;
	memory_keep(memory);
	return known;
}

// Keys in a row fill the sets evenly, so that the table is full to its last row.
static void assert_holds(uint32_t *(*find)(uint64_t key), uint64_t max)
{
	for (int again = 0; again < 2; again++)
		for (uint64_t key = 1; key <= max; key++)
			ck_assert_int_eq(is_known(find, key), again);
	ck_assert(!is_known(find, max + 1));
	for (uint64_t key = 2; key <= max + 1; key++)
		ck_assert(is_known(find, key));
	ck_assert(!is_known(find, 1)); // it was used longest ago
}

START_TEST(a_full_table_of_people_systems_or_groups_loses_one_for_each_newcomer)
{
	assert_holds(person, DETECTION_PEOPLE_MAX);
	assert_holds(of_system, DETECTION_SYSTEMS_MAX);
	assert_holds(group, DETECTION_GROUPS_MAX);
}
END_TEST

START_TEST(a_full_table_of_children_loses_one_for_each_newcomer)
{
	for (int again = 0; again < 2; again++)
		for (uint64_t key = 1; key <= DETECTION_CHILDREN_MAX; key++)
			ck_assert_int_eq(child_is_known(key), again);
	ck_assert(!child_is_known(DETECTION_CHILDREN_MAX + 1));
	for (uint64_t key = 2; key <= DETECTION_CHILDREN_MAX + 1; key++)
		ck_assert(child_is_known(key));
	ck_assert(!child_is_known(1));
}
END_TEST

// A batch that is given up gives the pushed-out row its place back.
START_TEST(a_newcomer_of_a_batch_that_was_given_up_pushes_nobody_out)
{
	for (uint64_t key = 1; key <= DETECTION_GROUPS_MAX; key++)
		ck_assert(!is_known(group, key));
	*group(DETECTION_GROUPS_MAX + 1) = 7;
	memory_put_back(memory);
	for (uint64_t key = 1; key <= DETECTION_GROUPS_MAX; key++)
		ck_assert(is_known(group, key));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("detection_memory");
	TCase *tests = tcase_create("detection_memory");
	tcase_add_checked_fixture(tests, start, finish);
	tcase_add_test(tests, a_full_table_of_people_systems_or_groups_loses_one_for_each_newcomer);
	tcase_add_test(tests, a_full_table_of_children_loses_one_for_each_newcomer);
	tcase_add_test(tests, a_newcomer_of_a_batch_that_was_given_up_pushes_nobody_out);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
