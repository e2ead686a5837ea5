// Giving and taking rights on the command line, with the real programs: role profiles and quarantine.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "tests/harness/world.h"

#define HOSPITAL "RXH/hospital-record-system"
#define WHY "reported by the ward at night"

static struct world *world;
static char child[11];

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_start(world);
}

static void teardown(void)
{
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

START_TEST(a_role_is_ended_granted_and_listed)
{
	const char *uid = world_person("guardian")->uid;
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "end", "--uid", uid, "--role", "R5105", "--reason", WHY, NULL),
			 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 3);
	ck_assert_ptr_nonnull(strstr(world_err(world), "role_profile"));
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "end", "--uid", uid, "--role", "R5105", "--reason", WHY, NULL),
			 5);
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "list", NULL), 0);
	ck_assert(!world_said(world, uid));
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "grant", "--uid", uid, "--role", "R5105", "--reason", WHY,
				    NULL),
			 0);
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 0);
	ck_assert(world_said(world, "ROLE_GRANT") && world_said(world, "R5105") && world_said(world, WHY));
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "list", NULL), 0);
	ck_assert(world_said(world, uid) && world_said(world, "granted by"));
}
END_TEST

START_TEST(what_nobody_uses_is_listed_and_ended)
{
	const char *uid = world_person("guardian")->uid;
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "list", "--unused-days", "30", NULL), 0);
	ck_assert(world_said(world, uid) && world_said(world, "never"));
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "end-unused", "--unused-days", "30", "--reason", WHY, NULL), 0);
	ck_assert(world_said(world, uid) && world_said(world, "ended"));
	ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 3);
	// The registrar's own has just been used.
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "list", "--unused-days", "30", NULL), 0);
	ck_assert_str_eq(world_out(world), "");
}
END_TEST

START_TEST(a_system_is_held_back_and_let_go)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "set", "--system", HOSPITAL, "--reason", WHY, NULL), 0);
	ck_assert(!world_said(world, "spelling"));
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 3);
	ck_assert_ptr_nonnull(strstr(world_err(world), "system_quarantined"));
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "list", NULL), 0);
	ck_assert(world_said(world, HOSPITAL) && world_said(world, WHY) && world_said(world, world_person("registrar")->name));
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "lift", "--system", HOSPITAL, "--reason", WHY, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "ping", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "lift", "--system", HOSPITAL, "--reason", WHY, NULL), 5);
}
END_TEST

START_TEST(a_certificate_is_held_back_by_its_file_and_a_mistyped_name_is_noticed)
{
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "set", "--certificate",
				    world_path(world, "staff/nurse.pem"), "--reason", WHY, NULL),
			 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, NULL), 3);
	ck_assert_ptr_nonnull(strstr(world_err(world), "person_quarantined"));
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "set", "--system", "RXH/hospitol", "--reason", WHY, NULL),
			 0);
	ck_assert(world_said(world, "check the spelling"));
}
END_TEST

START_TEST(others_are_refused_and_wrong_words_are_named)
{
	ck_assert_int_eq(world_cpis(world, "nurse", "quarantine", "set", "--system", HOSPITAL, "--reason", WHY, NULL), 3);
	ck_assert_ptr_nonnull(strstr(world_err(world), "role_lacks_activity"));
	ck_assert_int_eq(world_cpis(world, "nurse", "role", "list", NULL), 3);
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "set", "--reason", WHY, NULL), 1);
	ck_assert_int_eq(world_cpis(world, "registrar", "quarantine", "set", "--system", HOSPITAL, NULL), 1);
	ck_assert_ptr_nonnull(strstr(world_err(world), "--reason"));
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "grant", "--uid", "12", "--role", "R8001", "--reason", WHY,
				    NULL),
			 1);
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "grant", "--uid", world_person("registrar")->uid, "--role",
				    "R8001", "--reason", WHY, NULL),
			 3);
	ck_assert_ptr_nonnull(strstr(world_err(world), "role_self"));
}
END_TEST

// A child's number that stands in the wrong place is not repeated where logs keep it.
START_TEST(a_number_in_the_wrong_place_is_not_repeated)
{
	char option[64];
	snprintf(option, sizeof option, "--nhs-number=%s", child);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", option, NULL), 1);
	ck_assert_ptr_null(strstr(world_err(world), child));
	ck_assert_int_eq(world_cpis(world, "nurse", "audit", child, NULL), 1);
	ck_assert_ptr_null(strstr(world_err(world), child));
	ck_assert_int_eq(world_cpis(world, NULL, child, NULL), 1);
	ck_assert_ptr_null(strstr(world_err(world), child));
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, child, NULL), 1);
	ck_assert_ptr_null(strstr(world_err(world), child));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rights");
	TCase *tests = tcase_create("rights");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_role_is_ended_granted_and_listed);
	tcase_add_test(tests, what_nobody_uses_is_listed_and_ended);
	tcase_add_test(tests, a_system_is_held_back_and_let_go);
	tcase_add_test(tests, a_certificate_is_held_back_by_its_file_and_a_mistyped_name_is_noticed);
	tcase_add_test(tests, others_are_refused_and_wrong_words_are_named);
	tcase_add_test(tests, a_number_in_the_wrong_place_is_not_repeated);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
