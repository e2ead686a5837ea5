// The report on the ten data security standards: its figures are those that the commands beside them give, change with what is done,
// and are missing where nobody may ask.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <jansson.h>

#include "tests/harness/world.h"

#define WHY "for the yearly review of access"
#define EMERGENCY "child collapsed in the dental clinic"

static struct world *world;
static char child[11];
static json_t *report;

static const char *profile_of(const char *name)
{
	return world_path(world, "profiles/%s.yaml", name);
}

static void setup(void)
{
	world_nhs_number(0, child);
	world = world_new();
	world_start(world);
}

static void teardown(void)
{
	json_decref(report);
	report = NULL;
	ck_assert_int_eq(world_stop(world), 0);
	world_free(world);
}

// The hospital's privacy officer and a nurse; and about the service, the national operator. The national registrar sees roles at
// another organisation.
#define EVERYBODY "--also", profile_of("registrar"), "--also", profile_of("operator"), "--also", profile_of("nurse")

// An operator of the national body, who may see how the service runs.
static void hire_an_operator(void)
{
	char *text = world_read_file(profile_of("guardian"), NULL), *role = strstr(text, world_person("guardian")->role);
	ck_assert_ptr_nonnull(role);
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "grant", "--uid", world_person("guardian")->uid, "--role", "R8015",
				    "--activity", "L0501", "--reason", WHY, NULL), 0);
	memcpy(role, "R8015", 5);
	world_write_file(profile_of("operator"), text);
	free(text);
}

static void take_report(void)
{
	json_error_t error;
	json_decref(report);
	report = json_loads(world_out(world), 0, &error);
	ck_assert_msg(report != NULL, "%s\n%s", error.text, world_out(world));
}

// The figure under a standard whose words begin so.
static json_t *figure(int standard, const char *what)
{
	size_t i;
	json_t *one, *all = json_object_get(json_array_get(json_object_get(report, "standards"), (size_t)standard - 1), "figures");
	json_array_foreach(all, i, one)
		if (strncmp(json_string_value(json_object_get(one, "what")), what, strlen(what)) == 0)
			return one;
	ck_abort_msg("standard %d has no figure %s", standard, what);
}

static json_int_t count(int standard, const char *what)
{
	json_t *value = json_object_get(figure(standard, what), "value");
	ck_assert_msg(json_is_integer(value), "%s", what);
	return json_integer_value(value);
}

static const char *words(int standard, const char *what)
{
	const char *value = json_string_value(json_object_get(figure(standard, what), "value"));
	ck_assert_msg(value != NULL, "%s", what);
	return value;
}

static bool attention(int standard, const char *what)
{
	return json_is_true(json_object_get(figure(standard, what), "attention"));
}

static bool names(int standard, const char *what, const char *name)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(figure(standard, what), "which"), i, one)
		if (strstr(json_string_value(one), name) != NULL)
			return true;
	return false;
}

static void publish(void)
{
	char text[512];
	snprintf(text, sizeof text,
		 "nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n"
		 "%s,CPP,2020-01-02,,,L1,EXAMPLE,ALEX,2016-06-01\n", child);
	world_write_file(world_path(world, "plans.csv"), text);
	ck_assert_int_eq(world_cpis(world, "leeds", "contacts", "set", "--emergency-duty", "0113 496 0000", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "leeds", "publish", "--now", world_path(world, "plans.csv"), NULL), 0);
}

START_TEST(figures_are_what_was_done)
{
	publish();
	hire_an_operator();
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--details", child, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "midwife", "query", "--details", child, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "nurse", "query", "--break-glass", "--care-setting", "dentistry", "--reason", EMERGENCY, child,
				    NULL), 3);
	ck_assert_int_eq(world_cpis(world, "consultant", "query", "--break-glass", "--care-setting", "dentistry", "--reason", EMERGENCY,
				    child, NULL), 0);
	ck_assert_msg(world_cpis(world, "privacy_officer", "--json", "assurance", EVERYBODY, NULL) == 0, "%s", world_err(world));
	ck_assert(world_complained(world, "need attention") && world_complained(world, "have no evidence"));
	take_report();
	ck_assert_int_eq(count(1, "accesses to details"), 3);
	ck_assert_int_eq(count(1, "accesses with the glass broken"), 1);
	ck_assert_int_eq(count(1, "requests for details that were refused"), 1);
	ck_assert_int_gt(count(1, "records in the audit log"), 5);
	ck_assert_int_eq(count(4, "accesses that name no member of staff"), 0);
	ck_assert_int_eq(count(5, "cases open now"), 1);
	ck_assert(!attention(5, "of those open now: older than"));
	ck_assert_int_eq(count(6, "alerts that the glass was broken"), 1);
	ck_assert_int_eq(count(7, "of 2 authorities: with nobody to ring"), 1);
	ck_assert(attention(7, "of 2 authorities: with nobody to ring") && names(7, "of 2 authorities: with nobody to ring", "846"));
	ck_assert_str_ne(words(9, "the access policy in force"), "");
	ck_assert_str_ne(words(9, "when the broker's certificate ends"), "");
	ck_assert_str_eq(words(8, "version of the broker"), CPIS_VERSION);
	// Who may list another organisation's roles is not asked for this one's.
	ck_assert(json_is_null(json_object_get(figure(4, "use of role profiles"), "value")));
	ck_assert(strstr(json_string_value(json_object_get(figure(4, "use of role profiles"), "no_evidence")), "registrar.yaml") == NULL);
	// What cannot be known says so, and why.
	ck_assert(json_is_null(json_object_get(figure(10, "contracts"), "value")));
	ck_assert(json_is_null(json_object_get(figure(8, "components and until when"), "value")));
	ck_assert(json_is_string(json_object_get(figure(8, "components and until when"), "no_evidence")));
	// A month later the case is overdue, and the accesses are of another period.
	char later[11];
	world_date(40, 0, later);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "--json", "assurance", EVERYBODY, "--on", later, "--check", NULL), 3);
	take_report();
	ck_assert_int_eq(count(1, "accesses to details"), 0);
	ck_assert(attention(5, "of those open now: older than"));
	ck_assert_int_eq(count(5, "of those open now: older than"), 1);
	// The near miss that the case was.
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "alert", "review", "1", "--finding", "near_miss", "--words",
				    "the emergency was in the waiting room; the desk now rings first", NULL), 0);
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "--json", "assurance", EVERYBODY, NULL), 0);
	take_report();
	ck_assert_int_eq(count(5, "cases decided in the period as near miss"), 1);
	ck_assert_int_eq(count(5, "cases open now"), 0);
}
END_TEST

START_TEST(training_and_unused_access_are_counted_with_who_and_role)
{
	const char *uid = world_person("school_nurse")->uid;
	char recent[11], old[11], later[11];
	world_date(-10, 0, recent);
	world_date(-400, 0, old);
	world_date(200, 0, later);
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "grant", "--uid", uid, "--role", "R5105", "--reason", WHY, "--trained", recent, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "grant", "--uid", world_person("nurse")->uid, "--role", "R5105", "--reason",
				    WHY, "--trained", old, NULL), 0);
	ck_assert_int_eq(world_cpis(world, "registrar", "role", "list", NULL), 0);
	ck_assert(world_said(world, "trained"));
	ck_assert_int_eq(world_cpis(world, "registrar", "--json", "assurance", NULL), 0);
	take_report();
	ck_assert_str_eq(json_string_value(json_object_get(report, "organisation")), "X26");
	ck_assert_int_eq(count(3, "role profiles whose holder's training is more than 365 days ago"), 1);
	ck_assert(attention(3, "role profiles whose holder's training") && names(3, "role profiles whose holder's training", world_person("nurse")->uid));
	ck_assert(names(3, "role profiles without a date of training", world_person("registrar")->uid));
	ck_assert_int_eq(count(3, "role profiles with training in time"), 1);
	// In force since 2020 and never used; those granted today are not unused yet.
	ck_assert(names(4, "role profiles that nobody used for 90 days", world_person("guardian")->uid));
	ck_assert(!names(4, "role profiles that nobody used for 90 days", uid));
	ck_assert(!names(4, "role profiles that nobody used for 90 days", world_person("registrar")->uid));
	// The commands beside the figures give them again.
	const char *source = json_string_value(json_object_get(figure(4, "role profiles that nobody used for 90 days"), "source"));
	char repeat[700];
	snprintf(repeat, sizeof repeat, "cpis --profile %s --json role list", profile_of("registrar"));
	ck_assert_str_eq(source, repeat);
	json_int_t unused = count(4, "role profiles that nobody used for 90 days");
	ck_assert_int_eq(world_cpis(world, "registrar", "--json", "role", "list", "--unused-days", "90", NULL), 0);
	json_error_t error;
	json_t *listed = json_loads(world_out(world), 0, &error);
	ck_assert_int_eq(unused, (json_int_t)json_array_size(json_object_get(listed, "profiles")));
	json_decref(listed);
	ck_assert_int_eq(world_cpis(world, "registrar", "--json", "assurance", "--on", later, "--training-days", "209", NULL), 0);
	take_report();
	ck_assert_int_eq(count(3, "role profiles whose holder's training is more than 209 days ago"), 2);
	// A registrar alone may not read the log, and nobody guesses.
	ck_assert(json_is_null(json_object_get(figure(1, "accesses to details"), "value")));
	ck_assert(strstr(json_string_value(json_object_get(figure(1, "accesses to details"), "no_evidence")), "may not ask (role_lacks_activity)") != NULL);
}
END_TEST

// ------------------------------------------------------------------ files

#define EXERCISE(started, outcome) \
	"{\"started\": \"" started "\", \"exercise\": \"stolen system key\", \"severity\": 1, \"detect_ms\": 40, \"contain_ms\": 900, " \
	"\"recover_ms\": 5000, \"failed_requests\": 0, \"outcome\": \"" outcome "\"}"
#define DRILL(list) "{\"exercises\": [" list "]}"
#define COMPONENT(name, property, value) \
	"{\"type\": \"library\", \"name\": \"" name "\", \"version\": \"1\", \"properties\": [{\"name\": \"cpis:support:" property "\", \"value\": \"" value "\"}]}"
#define BILL(list) "{\"bomFormat\": \"CycloneDX\", \"metadata\": {\"timestamp\": \"2026-11-01T00:00:00Z\"}, \"components\": [" list "]}"

static int with_files(const char *on)
{
	return world_cpis(world, "guardian", "--json", "assurance", "--on", on, "--sbom", world_path(world, "bom.json"), "--drill",
			  world_path(world, "drill.json"), "--contact-sheet", world_path(world, "drill.json"), NULL);
}

START_TEST(files_are_judged_by_the_day)
{
	world_write_file(world_path(world, "drill.json"), DRILL(EXERCISE("2026-11-02T10:00:00Z", "passed") ", " EXERCISE("2025-01-01T10:00:00Z", "failed") ", "
								    EXERCISE("2026-11-03T10:00:00Z", "not_rehearsed")));
	world_write_file(world_path(world, "bom.json"), BILL(COMPONENT("libold", "until", "2026-11-26") ", " COMPONENT("libnew", "until", "2028-06-30") ", "
							     COMPONENT("libpage", "source", "nobody says") ", "
							     "{\"type\": \"application\", \"name\": \"cpis\", \"version\": \"1\"}"));
	ck_assert_msg(with_files("2026-11-27") == 0, "%s", world_err(world));
	take_report();
	ck_assert_int_eq(count(8, "components that the programs are delivered with"), 3);
	ck_assert_int_eq(count(8, "of those: out of support"), 1);
	ck_assert(attention(8, "of those: out of support") && names(8, "of those: out of support", "libold 1"));
	ck_assert_int_eq(count(8, "of those: without a known end"), 1);
	ck_assert(!attention(8, "when the bill of materials was made"));
	ck_assert_int_eq(count(7, "exercises in the last 365 days"), 1);
	ck_assert_int_eq(count(7, "of those: failed"), 0);
	ck_assert_int_eq(count(7, "exercises that were left out"), 1);
	ck_assert_int_eq(count(6, "longest time until it was contained"), 900);
	ck_assert_str_eq(words(7, "the last exercise"), "2026-11-02");
	// The last day of support; and two years on.
	ck_assert_int_eq(with_files("2026-11-26"), 0);
	take_report();
	ck_assert_int_eq(count(8, "of those: out of support"), 0);
	ck_assert_int_eq(with_files("2028-07-01"), 0);
	take_report();
	ck_assert_int_eq(count(8, "of those: out of support"), 2);
	ck_assert(attention(8, "when the bill of materials was made") && attention(7, "when the contact sheet was drawn"));
	ck_assert(attention(7, "exercises in the last 365 days") && attention(9, "when the certificate of"));
	// The certificate of the system and its person, and another one that is watched.
	ck_assert_int_eq(world_cpis(world, "guardian", "--json", "assurance", "--certificate", world_path(world, "systems/hospital.pem"), NULL), 0);
	take_report();
	ck_assert_str_ne(words(9, "when the certificate of"), "");
}
END_TEST

START_TEST(an_exercise_that_was_rehearsed_is_in_the_report)
{
	const char *drill = world_path(world, "drill.json");
	ck_assert_msg(world_cpis(world, NULL, "drill", "--policy", "broker/policy.yaml", "--only", "rogue-staff", "--report", drill, NULL) == 0,
		      "%s", world_err(world));
	ck_assert_int_eq(world_cpis(world, "guardian", "--json", "assurance", "--drill", drill, NULL), 0);
	take_report();
	ck_assert_int_eq(count(7, "exercises in the last 365 days"), 1);
	ck_assert_int_eq(count(7, "of those: failed"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(figure(7, "exercises in the last 365 days"), "source")), drill);
}
END_TEST

static void refuses(const char *file, const char *text, const char *complaint)
{
	const char *path = world_path(world, "wrong.json");
	world_write_file(path, text);
	const char *out = world_path(world, "report.md");
	ck_assert_int_eq(world_cpis(world, "guardian", "assurance", file, path, "--out", out, NULL), 1);
	ck_assert_msg(world_complained(world, complaint), "%s", world_err(world));
	char *kept = world_read_file(out, NULL);
	ck_assert_str_eq(kept, "the old report\n");
	free(kept);
}

START_TEST(what_cannot_be_read_makes_no_report)
{
	world_write_file(world_path(world, "report.md"), "the old report\n");
	refuses("--drill", "{", "wrong.json:1:");
	refuses("--drill", "[]", "not a report of exercises");
	refuses("--drill", DRILL("7"), "exercise 1 is not as `cpis drill` writes them");
	refuses("--drill", DRILL(EXERCISE("2026-11-02T10:00:00Z", "passed") ", " EXERCISE("yesterday", "passed")), "exercise 2 is not");
	refuses("--drill", DRILL(EXERCISE("2026-11-02T10:00:00Z", "perfect")), "exercise 1 is not");
	refuses("--sbom", "{}", "not a CycloneDX bill of materials");
	refuses("--sbom", BILL("{}"), "a component without name or version");
	refuses("--sbom", BILL(COMPONENT("lib", "until", "soon")), "is not a date");
	ck_assert_int_eq(world_cpis(world, "guardian", "assurance", "--sbom", world_path(world, "nowhere.json"), NULL), 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "assurance", "--contact-sheet", world_path(world, "nowhere.pdf"), NULL), 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "assurance", "--days", "0", NULL), 1);
	ck_assert_int_eq(world_cpis(world, "guardian", "assurance", "--on", "tomorrow", NULL), 1);
	world_kill(world);
	ck_assert_int_eq(world_cpis(world, "guardian", "--timeout", "500", "assurance", "--out", world_path(world, "report.md"), NULL), 2);
	char *kept = world_read_file(world_path(world, "report.md"), NULL);
	ck_assert_str_eq(kept, "the old report\n");
	free(kept);
	world_start(world);
}
END_TEST

START_TEST(it_reads_as_a_report)
{
	char heading[40];
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "assurance", "--out", world_path(world, "report.md"), NULL), 0);
	ck_assert(world_said(world, "figures need attention") || world_said(world, "0 figures"));
	char *text = world_read_file(world_path(world, "report.md"), NULL);
	ck_assert(strstr(text, "# The ten data security standards at RXH") == text);
	for (int i = 1; i <= 10; i++) {
		snprintf(heading, sizeof heading, "\n## %d. ", i);
		ck_assert_msg(strstr(text, heading) != NULL, "%s", heading);
	}
	ck_assert(strstr(text, "no evidence: contracts are not held here") != NULL && strstr(text, "audit search --operation details --from ") != NULL);
	free(text);
	// Standard output is a pipe here: the report alone is on it.
	ck_assert_int_eq(world_cpis(world, "privacy_officer", "assurance", NULL), 0);
	ck_assert(world_said(world, "## 10. Accountable suppliers") && world_complained(world, "have no evidence"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("assurance");
	TCase *all = tcase_create("assurance");
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, figures_are_what_was_done);
	tcase_add_test(all, training_and_unused_access_are_counted_with_who_and_role);
	tcase_add_test(all, files_are_judged_by_the_day);
	tcase_add_test(all, an_exercise_that_was_rehearsed_is_in_the_report);
	tcase_add_test(all, what_cannot_be_read_makes_no_report);
	tcase_add_test(all, it_reads_as_a_report);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
