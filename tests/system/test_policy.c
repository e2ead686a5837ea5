// Reasons, breaking the glass, explanations and policies on the command line, with the real programs.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "tests/harness/world.h"
#include "tests/harness/world_plans.h"

#define WHY "agreed by the board on Monday"
#define EMERGENCY "child collapsed in the dental clinic"

static struct world *world;
static char child[11];

// A look from dentistry at night or at a weekend is found as such: what is found must not depend on when the tests run.
static void forget_the_hours_of_dentistry(void)
{
	static const char with[] = "community_paediatrics, dentistry]", without[] = "community_paediatrics]           ";
	_Static_assert(sizeof with == sizeof without, "it is replaced in place");
	const char *path = world_path(world, "policy.yaml");
	char *policy = world_read_file(path, NULL), *rule = strstr(policy, with);
	ck_assert_ptr_nonnull(rule);
	memcpy(rule, without, sizeof without - 1);
	world_write_file(path, policy);
	free(policy);
	ck_assert_int_eq(world_stop(world), 0);
	world_start(world);
}

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

START_TEST(a_consultant_breaks_the_glass_and_the_privacy_officer_looks_into_it)
{
	char id[24];
	forget_the_hours_of_dentistry();
	world_publish_child(world, child);
	ck_assert_int_eq(world_cpis(world, "consultant", "query", child, "--details", "--care-setting", "dentistry", NULL), 3);
	ck_assert(world_complained(world, "care_setting_not_in_scope") && world_complained(world, "care_settings dentistry"));
	ck_assert_int_eq(world_cpis(world, "consultant", "query", child, "--break-glass", "--care-setting", "dentistry", NULL), 1);
	ck_assert(world_complained(world, "--break-glass needs --reason"));
	ck_assert_int_eq(world_cpis(world, "consultant", "query", child, "--break-glass", "--reason", EMERGENCY, "--care-setting",
				    "dentistry", NULL),
			 0);
	ck_assert(world_said(world, "0113 496 0000") && world_said(world, "your privacy officer has been alerted"));
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, "--break-glass", "--reason", EMERGENCY, NULL), 3);
	ck_assert(world_complained(world, "break_glass_not_allowed"));
	// The authority is told at once that it was, and why.
	ck_assert_int_eq(world_cpis(world, "leeds", "inbox", "list", NULL), 0);
	ck_assert(world_said(world, "the glass was broken") && world_said(world, EMERGENCY));
	// The privacy officer: that it was, and where to look.
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "list", NULL), 0);
	ck_assert(world_said(world, "the glass was broken") && world_said(world, "1 to review") && !world_said(world, world_person("consultant")->name));
	unsigned long long alert, record;
	ck_assert_int_eq(sscanf(world_out(world), "%llu %*s %*s the glass was broken; audit record %llu", &alert, &record), 2);
	snprintf(id, sizeof id, "%llu", record);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "show", id, NULL), 0);
	ck_assert(world_said(world, "GLASS BROKEN") && world_said(world, EMERGENCY) && world_said(world, world_person("consultant")->name) && world_said(world, "activities L0104"));
	snprintf(id, sizeof id, "%llu", alert);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "review", id, "--finding", "fine", "--words", WHY, NULL), 1);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "review", id, "--finding", "appropriate", "--words", WHY, NULL),
			 0);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "review", id, "--finding", "breach", "--words", WHY,
				    NULL),
			 5);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "review", "list", "--all", NULL), 0);
	ck_assert(world_said(world, "appropriate, reviewed") && world_said(world, WHY) && world_said(world, "0 to review"));
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "--json", "alert", "list", "--all", NULL), 0);
	ck_assert(world_said(world, "\"finding\": \"APPROPRIATE\""));
	ck_assert_int_eq(world_cpis(world, "nurse", "alert", "list", NULL), 3);
}
END_TEST

START_TEST(a_finding_is_a_case_from_the_look_to_the_end)
{
	world_publish_child(world, child);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", child, "--details", "--own-household", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "list", NULL), 0);
	unsigned long long alert, record;
	ck_assert_int_eq(sscanf(world_out(world), "%llu %*s %*s something was found; audit record %llu", &alert, &record), 2);
	ck_assert(world_said(world, "own_household, high: looked at a child of whom") && world_said(world, "1 to review"));
	ck_assert_ptr_null(strstr(world_out(world), child));
	char id[24], number[24];
	snprintf(id, sizeof id, "%llu", alert);
	snprintf(number, sizeof number, "%llu", record);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "audit", "show", number, NULL), 0);
	ck_assert(world_said(world, "FOUND by own_household: looked at a child"));
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "assign", id, "nobody", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "note", "x", "--words", WHY, NULL), 1);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "note", id, "--words", WHY, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "close", id, "--words", WHY, NULL), 3);
	ck_assert(world_complained(world, "alert_undecided"));
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "review", id, "--finding", "breach", "--words", WHY,
				    "--keep-open", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "list", NULL), 0);
	ck_assert(world_said(world, "decided") && world_said(world, "1 to review"));
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "close", id, "--words", WHY, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "close", id, "--words", WHY, NULL), 5);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "--json", "alert", "show", id, NULL), 0);
	ck_assert(world_said(world, "\"kind\": \"note\"") && world_said(world, "\"kind\": \"outcome\"") && world_said(world, "\"kind\": \"closed\"") &&
		  world_said(world, "\"state\": \"closed\"") && world_said(world, "\"finding\": \"BREACH\""));
}
END_TEST

START_TEST(a_policy_is_put_in_force_on_a_running_broker_and_outlives_it)
{
	char shipped[] = "broker/policy.yaml", path[256];
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "show", NULL), 0);
	ck_assert(world_complained(world, "from the broker's own file"));
	world_write_file(world_path(world, "shown.yaml"), world_out(world));
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "load", shipped, "--reason", WHY, "--check", NULL), 0);
	ck_assert(world_said(world, "6 decisions would change") && world_said(world, "operation details person_per_minute: any -> 60") &&
		  world_said(world, "Nothing was changed"));
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "load", shipped, "--reason", WHY, NULL), 0);
	ck_assert(world_said(world, "6 decisions changed") && world_said(world, "It is in force."));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(world_cpis(world, "registrar", "policy", "show", NULL), 0);
		ck_assert(world_complained(world, world_person("registrar")->name));
		ck_assert(world_said(world, "person_per_minute: 60"));
		ck_assert_int_eq(world_cpis(world, "guardian", "audit", "search", NULL), 0);
		ck_assert(world_said(world, "POLICY_LOAD") && world_said(world, WHY));
		ck_assert_int_eq(world_stop(world), 0);
		world_start(world);
	}
	// What the broker's own file says no longer counts, and what was shown can be loaded again.
	snprintf(path, sizeof path, "%s", world_path(world, "shown.yaml"));
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "load", path, "--reason", WHY, NULL), 0);
	ck_assert(world_said(world, "operation details person_per_minute: 60 -> any"));
}
END_TEST

START_TEST(a_bad_policy_is_refused_with_its_line_and_changes_nothing)
{
	char path[256];
	snprintf(path, sizeof path, "%s", world_path(world, "bad.yaml"));
	world_write_file(path, "name: bad\nactivities: []\n");
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "load", path, "--reason", WHY, NULL), 1);
	ck_assert(world_complained(world, "policy_invalid") && world_complained(world, "policy:"));
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "load", "no/such/file", "--reason", WHY, NULL), 1);
	ck_assert(world_complained(world, "no/such/file"));
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "load", "broker/policy.yaml", "--reason", "short", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "policy", "load", "broker/policy.yaml", "--reason", WHY, NULL), 3);
	ck_assert(world_complained(world, "role_lacks_activity"));
	ck_assert_int_eq(world_cpis(world, "nurse", "policy", "show", NULL), 3);
	ck_assert_int_eq(world_cpis(world, "registrar", "policy", "show", NULL), 0);
	ck_assert(world_complained(world, "from the broker's own file"));
}
END_TEST

START_TEST(a_decision_is_explained)
{
	const char *nurse = world_person("nurse")->uid, *receptionist = world_person("receptionist")->uid;
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "explain", "--uid", nurse, "--role", "R8001", "--operation", "details",
				    "--care-setting", "maternity", NULL),
			 0);
	ck_assert(world_said(world, "YES: notifies") && world_said(world, "roles R8001 activities B0107") && !world_said(world, "FAILS"));
	ck_assert_int_eq(world_cpis(world, "registrar", "explain", "--uid", receptionist, "--role", "R8009", "--operation", "details",
				    "--organisation", "RXH", "--care-setting", "maternity", NULL),
			 0);
	ck_assert(world_said(world, "NO: role_lacks_activity") && world_said(world, "FAILS  operations details activities"));
	ck_assert_int_eq(world_cpis(world, "registrar", "--json", "explain", "--uid", nurse, "--role", "R8001", "--operation",
				    "details", "--organisation", "RXH", "--care-setting", "maternity", "--at", "2019-01-01", NULL),
			 0);
	ck_assert(world_said(world, "\"allowed\": false") && world_said(world, "\"decision\": \"role_profile\""));
	ck_assert_int_eq(world_cpis(world, "nurse", "explain", "--uid", nurse, "--role", "R8001", "--operation", "details", NULL), 3);
	ck_assert_int_eq(world_cpis(world, "registrar", "explain", "--uid", "12", "--role", "R8001", "--operation", "details", NULL),
			 1);
	ck_assert_int_eq(world_cpis(world, "registrar", "explain", "--uid", nurse, "--role", "R8001", "--operation", "fly", NULL), 1);
	ck_assert(world_complained(world, "--operation is one of the policy's"));
}
END_TEST

// ------------------------------------------------------------------ two files compared

// The world's policy with one thing taken out of it.
static const char *policy_without(const char *text, const char *instead)
{
	const char *path = world_path(world, "changed.yaml");
	char *policy = world_read_file(world_path(world, "policy.yaml"), NULL), *changed = malloc(65536);
	char *place = strstr(policy, text);
	ck_assert_ptr_nonnull(changed);
	ck_assert_ptr_nonnull(place);
	snprintf(changed, 65536, "%.*s%s%s", (int)(place - policy), policy, instead, place + strlen(text));
	world_write_file(path, changed);
	free(changed);
	free(policy);
	return path;
}

static int diff(const char *before, const char *after)
{
	return world_cpis(world, NULL, "policy", "diff", before, after, NULL);
}

START_TEST(two_policies_are_compared_offline)
{
	const char *policy = world_path(world, "policy.yaml");
	ck_assert_int_eq(diff(policy, policy), 0);
	ck_assert(world_said(world, "0 decisions differ between "));
	// Walk-in centres are no care setting any more.
	ck_assert_int_eq(diff(policy, policy_without("  - {name: walk_in_centre, scheduled: false}\n", "")), 0);
	ck_assert(world_said(world, "walk_in_centre") && world_said(world, "R8001") && world_said(world, "care_setting_not_in_scope") && world_said(world, "decisions differ between "));
	ck_assert_str_eq(world_err(world), "");
}
END_TEST

START_TEST(what_cannot_be_compared_is_said_with_its_line)
{
	const char *policy = world_path(world, "policy.yaml");
	ck_assert_int_eq(diff(policy, policy_without("{name: walk_in_centre,", "{name: cafeteria,")),
			 1);
	ck_assert(world_complained(world, "changed.yaml:") && world_complained(world, "cafeteria"));
	ck_assert_str_eq(world_out(world), "");
	ck_assert_int_eq(diff(policy, world_path(world, "nowhere.yaml")), 1);
	ck_assert(world_complained(world, "nowhere.yaml"));
	ck_assert_int_eq(world_cpis(world, NULL, "policy", "diff", policy, NULL), 1);
	ck_assert_int_eq(world_cpis(world, NULL, "policy", "diff", policy, policy, policy, NULL), 1);
	ck_assert_int_eq(world_cpis(world, NULL, "--json", "policy", "diff", policy, policy, NULL), 1);
}
END_TEST

// A client's machine need not have a broker's program.
START_TEST(without_the_brokers_program_it_says_what_to_do)
{
	const char *policy = world_path(world, "policy.yaml"), *alone = world_path(world, "alone/cpis");
	char program[4200], where[4200], build[4096];
	ck_assert_ptr_nonnull(realpath(getenv("BUILD") == NULL ? "build" : getenv("BUILD"), build));
	snprintf(program, sizeof program, "%s/cpis", build);
	const char *make[] = {"install", "-D", program, alone, NULL};
	ck_assert_int_eq(world_command(world, make), 0);
	const char *nowhere[] = {"env", "PATH=/nowhere", alone, "policy", "diff", policy, policy, NULL};
	ck_assert_int_eq(world_command(world, nowhere), 6);
	ck_assert(world_complained(world, "there is no program cpis-broker beside this one or in PATH"));
	ck_assert(world_complained(world, "install the broker's package"));
	snprintf(where, sizeof where, "PATH=%s", build);
	const char *in_path[] = {"env", where, alone, "policy", "diff", policy, policy, NULL};
	ck_assert_int_eq(world_command(world, in_path), 0);
	ck_assert(world_said(world, "0 decisions differ between "));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *tests = tcase_create("policy");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_consultant_breaks_the_glass_and_the_privacy_officer_looks_into_it);
	tcase_add_test(tests, a_finding_is_a_case_from_the_look_to_the_end);
	tcase_add_test(tests, a_policy_is_put_in_force_on_a_running_broker_and_outlives_it);
	tcase_add_test(tests, a_bad_policy_is_refused_with_its_line_and_changes_nothing);
	tcase_add_test(tests, a_decision_is_explained);
	tcase_add_test(tests, two_policies_are_compared_offline);
	tcase_add_test(tests, what_cannot_be_compared_is_said_with_its_line);
	tcase_add_test(tests, without_the_brokers_program_it_says_what_to_do);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
