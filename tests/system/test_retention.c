// Legal holds and what is kept until when, on the command line, with the real programs.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/world.h"

#define WHY "the inquest asks for it"

static struct world *world;

static void setup(void)
{
	world = world_new();
	world_start(world);
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

START_TEST(a_month_is_held_shown_and_released)
{
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "hold", "inquest 7", "--from", "2026-01", "--until", "2099-12",
				    "--reason", WHY, NULL),
			 0);
	ck_assert(world_said(world, "Held"));
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "show", NULL), 0);
	ck_assert(world_said(world, "HELD: inquest 7, 2026-01 to 2099-12") && world_said(world, WHY) && world_said(world, world_person("guardian")->name));
	ck_assert(world_said(world, "STAFF_RECORDS") && world_said(world, "PERSON_INDEX") && world_said(world, "kept"));
	ck_assert_int_eq(world_cpis(world, "guardian", "--json", "retention", "show", NULL), 0);
	ck_assert(world_said(world, "\"holds\"") && world_said(world, "\"seal_key\""));
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "hold", "inquest 7", "--from", "2026-02", "--reason", WHY, NULL),
			 3);
	ck_assert_ptr_nonnull(strstr(world_err(world), "hold_narrower"));
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "release", "inquest 7", "--reason", WHY, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "release", "inquest 7", "--reason", WHY, NULL), 5);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 0);
	ck_assert(world_said(world, "RETENTION_HOLD") && world_said(world, "inquest 7 2026-01 to 2099-12"));
}
END_TEST

START_TEST(others_are_refused_and_wrong_words_are_named)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "retention", "show", NULL), 3);
	ck_assert_int_eq(world_cpis(world, "nurse", "retention", "hold", "inquest", "--reason", WHY, NULL), 3);
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "hold", "inquest", NULL), 1);
	ck_assert_ptr_nonnull(strstr(world_err(world), "--reason"));
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "hold", "inquest", "--from", "October", "--reason", WHY, NULL),
			 1);
	ck_assert_ptr_nonnull(strstr(world_err(world), "2026-11"));
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "hold", "inquest", "--from", "2026-11", "--until", "2026-10",
				    "--reason", WHY, NULL),
			 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "show", "--before", "2026-13", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "retention", "release", NULL), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("retention");
	TCase *tests = tcase_create("retention");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_month_is_held_shown_and_released);
	tcase_add_test(tests, others_are_refused_and_wrong_words_are_named);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
