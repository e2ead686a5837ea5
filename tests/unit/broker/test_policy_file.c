// What no policy file may say: each mistake is refused with its line.
#include "broker/policy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/wire.h"
#include "proto/yaml_file.h"
#include "tests/harness/suite.h"

#define OP(name) CPIS__V1__OPERATION__##name
#define BIT(name) (UINT64_C(1) << CPIS__V1__CARE_SETTING__##name)

static char directory[] = "/tmp/cpis-policy-XXXXXX";
static char path[64];

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/policy.yaml", directory);
}

static void tear_down(void)
{
	unlink(path);
	rmdir(path);
	ck_assert_int_eq(rmdir(directory), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

// Lines 1, 2, 5, 8 and 11 hold the keys.
#define NAME "name: test-1\n"
#define ACTIVITIES \
	"activities:\n  - {code: B0107, name: View}\n  - {code: B0170, name: Silent, silent: true}\n"
#define ROLE_LINES                                                                                    \
	"roles:\n  - {code: R8001, name: Nurse, activities: [B0107]}\n  - {code: R8009, name: Desk, " \
	"activities: []}\n"
#define SETTINGS                                                               \
	"care_settings:\n  - {name: emergency_department, scheduled: false}\n" \
	"  - {name: school_nursing, scheduled: true}\n"
#define FLAG_LINE                                                                                   \
	"  - {name: flag, activities: [B0107], organisation_types: [care_provider], care_setting: " \
	"required}\n"
#define OPERATIONS "operations:\n" FLAG_LINE
#define GOOD NAME ACTIVITIES ROLE_LINES SETTINGS OPERATIONS

static void write_text(const char *text)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

// `expected` is what follows the path.
static void refused(const char *expected)
{
	struct policy *policy = NULL;
	char detail[POLICY_DETAIL_BYTES] = "", whole[POLICY_DETAIL_BYTES];
	ck_assert(!policy_load(path, &policy, detail));
	ck_assert_ptr_null(policy);
	snprintf(whole, sizeof whole, "%s%s", path, expected);
	ck_assert_str_eq(detail, whole);
}

static void refuses(const char *text, const char *expected)
{
	write_text(text);
	refused(expected);
}

START_TEST(a_small_policy_loads_and_denies_what_it_does_not_name)
{
	struct policy *policy = NULL;
	char detail[POLICY_DETAIL_BYTES] = "";
	write_text(GOOD);
	ck_assert_msg(policy_load(path, &policy, detail), "%s", detail);
	struct policy_question question = {.operation = OP(FLAG),
					   .organisation_type = ORGANISATION_CARE_PROVIDER,
					   .role_code = "R8001",
					   .organisation_care_settings = BIT(EMERGENCY_DEPARTMENT)};
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_NONE);
	question.organisation_care_settings = BIT(MATERNITY);
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_CARE_SETTING);
	question.operation = OP(DETAILS);
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_OPERATION);
	question.operation = OP(PING);
	ck_assert_int_eq(policy_decide(policy, &question).reason, REASON_OPERATION);
	policy_free(policy);
	policy_free(NULL);
}
END_TEST

START_TEST(refuses_what_is_not_a_policy_file)
{
	refused(": cannot be opened: No such file or directory");
	ck_assert_int_eq(mkdir(path, 0700), 0);
	refused(": not a regular file");
	ck_assert_int_eq(rmdir(path), 0);
	refuses("", ": empty");
	refuses("name: [\n", ":1: name: Expecting STRING, got event: SEQUENCE_START");
	refuses("nonsense\n", ": Expecting MAPPING, got event: SCALAR");
	refuses("\tname: x\n", ": not YAML: found character that cannot start any token");
	write_text(GOOD);
	ck_assert_int_eq(truncate(path, (off_t)YAML_FILE_BYTES_MAX + 1), 0);
	refused(": larger than 4 MiB");
}
END_TEST

START_TEST(refuses_unknown_keys_with_their_line)
{
	refuses(GOOD "extra: 1\n", ":13: unknown key 'extra'");
	refuses(NAME ACTIVITIES "roles:\n  - code: R8001\n    name: Nurse\n    colour: blue\n    activities: "
				"[B0107]\n" SETTINGS OPERATIONS,
		":8: unknown key 'colour'");
	refuses(GOOD "  - {name: details, activity: [B0107]}\n", ":13: unknown key 'activity'");
}
END_TEST

START_TEST(refuses_a_missing_part)
{
	refuses(NAME ACTIVITIES ROLE_LINES SETTINGS, ":9: key 'operations' is missing");
	refuses(NAME ACTIVITIES "roles:\n  - {code: R8001, name: Nurse}\n" SETTINGS OPERATIONS,
		":6: key 'activities' is missing");
	refuses(NAME ACTIVITIES ROLE_LINES "care_settings:\n  - {name: maternity}\n" OPERATIONS,
		":9: key 'scheduled' is missing");
}
END_TEST

START_TEST(refuses_aliases)
{
	refuses(NAME ACTIVITIES
		"roles:\n  - {code: R8001, name: &n Nurse, activities: []}\n  - {code: R8002, name: *n, "
		"activities: []}\n" SETTINGS OPERATIONS,
		":7: YAML aliases are not allowed");
}
END_TEST

START_TEST(refuses_a_name_that_is_no_word)
{
	refuses("name: 'test 1'\n" ACTIVITIES ROLE_LINES SETTINGS OPERATIONS,
		":1: name must be of letters, digits, '.', '_' and '-'");
	refuses(ACTIVITIES ROLE_LINES SETTINGS OPERATIONS "name: a@b\n",
		":12: name must be of letters, digits, '.', '_' and '-'");
	refuses("name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" ACTIVITIES
			ROLE_LINES SETTINGS OPERATIONS,
		":1: name: STRING length > 64: "
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}
END_TEST

START_TEST(refuses_bad_activities)
{
	refuses(NAME ACTIVITIES "  - {code: B0107, name: Again}\n" ROLE_LINES SETTINGS OPERATIONS,
		":5: activity B0107 stands twice");
	refuses(NAME ACTIVITIES "  - {code: b0107, name: Small}\n" ROLE_LINES SETTINGS OPERATIONS,
		":5: 'b0107' is not an activity code: a capital letter and 3 to 11 digits");
	refuses(NAME ACTIVITIES "  - {code: B0108, name: \"a\\tb\"}\n" ROLE_LINES SETTINGS OPERATIONS,
		":5: activity B0108: the name has control characters");
	refuses(NAME "activities: []\n" ROLE_LINES SETTINGS OPERATIONS,
		":2: activities: Insufficient entries (0 of 1 min) in sequence.");
}
END_TEST

START_TEST(refuses_a_silent_that_is_neither_true_nor_false)
{
	static const char *const bad[] = {"maybe", "yes", "1", "True"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char text[2048], expected[100];
		snprintf(text, sizeof text,
			 NAME "activities:\n  - {code: B0107, name: V, silent: %s}\n" ROLE_LINES SETTINGS
				 OPERATIONS,
			 bad[i]);
		snprintf(expected, sizeof expected, ":3: silent: '%s' is not one of the words for it",
			 bad[i]);
		refuses(text, expected);
	}
}
END_TEST

START_TEST(refuses_more_activities_than_a_set_holds)
{
	char text[32768] = NAME "activities:\n";
	for (int i = 0; i < 513; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "  - {code: L%04d, name: n}\n", i);
	snprintf(text + strlen(text), sizeof text - strlen(text), "%s", ROLE_LINES SETTINGS OPERATIONS);
	refuses(text, ":515: activities: Excessive entries (512 max) in sequence.");
}
END_TEST

START_TEST(refuses_bad_roles)
{
	refuses(NAME ACTIVITIES ROLE_LINES
		"  - {code: R8001, name: Again, activities: []}\n" SETTINGS OPERATIONS,
		":8: role R8001 stands twice");
	refuses(NAME ACTIVITIES ROLE_LINES
		"  - {code: nurse, name: Again, activities: []}\n" SETTINGS OPERATIONS,
		":8: 'nurse' is not a role code: a capital letter and 3 to 11 digits");
	refuses(NAME ACTIVITIES ROLE_LINES
		"  - {code: R8002, name: \"\\u202e\", activities: []}\n" SETTINGS OPERATIONS,
		":8: role R8002: the name has control characters");
	refuses(NAME ACTIVITIES ROLE_LINES
		"  - {code: R8002, name: M, activities: [B0107, B9999]}\n" SETTINGS OPERATIONS,
		":8: R8002: unknown activity 'B9999'");
	refuses(NAME ACTIVITIES ROLE_LINES
		"  - {code: R8002, name: M, activities: [B0107, B0107]}\n" SETTINGS OPERATIONS,
		":8: R8002: activity B0107 stands twice");
}
END_TEST

START_TEST(refuses_bad_care_settings)
{
	refuses(NAME ACTIVITIES ROLE_LINES SETTINGS "  - {name: cafeteria, scheduled: true}\n" OPERATIONS,
		":11: unknown care setting 'cafeteria'");
	refuses(NAME ACTIVITIES ROLE_LINES SETTINGS
		"  - {name: care_setting_unspecified, scheduled: true}\n" OPERATIONS,
		":11: unknown care setting 'care_setting_unspecified'");
	refuses(NAME ACTIVITIES ROLE_LINES SETTINGS
		"  - {name: school_nursing, scheduled: false}\n" OPERATIONS,
		":11: care setting school_nursing stands twice");
}
END_TEST

START_TEST(refuses_bad_operations)
{
	refuses(GOOD FLAG_LINE, ":13: operation flag stands twice");
	refuses(GOOD "  - {name: delete, activities: [B0107], organisation_types: [care_provider]}\n",
		":13: unknown operation 'delete'");
	refuses(GOOD "  - {name: details, activities: [B9999], organisation_types: [care_provider], "
		     "care_setting: required}\n",
		":13: details: unknown activity 'B9999'");
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [shop]}\n",
		":13: organisation_types: 'shop' is not one of the words for it");
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [1]}\n",
		":13: organisation_types: '1' is not one of the words for it");
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [care_provider, "
		     "care_provider]}\n",
		":13: operation publish: organisation type care_provider stands twice");
}
END_TEST

// GOOD's roles are on lines 5 to 7, its operations on 11 and 12.
#define WITH_ROLE(line) NAME ACTIVITIES ROLE_LINES "  - " line "\n" SETTINGS OPERATIONS

START_TEST(refuses_hours_that_are_none)
{
	static const char *const hours[] = {"8:00-18:00", "08:00-24:00", "08:60-18:00", "08:00 18:00", "08:00-08:00", "noon",
					    "08:00-18:0x", "-"};
	char text[2048];
	for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
		snprintf(text, sizeof text, WITH_ROLE("{code: R8002, name: M, activities: [], hours: %s}"), hours[i]);
		refuses(text, ":8: role R8002: hours are like 08:00-18:00, and not empty");
	}
	refuses(WITH_ROLE("{code: R8002, name: M, activities: [], days: weekdays}"), ":8: role R8002: days without hours");
	refuses(WITH_ROLE("{code: R8002, name: M, activities: [], reason: maybe}"), ":8: reason: 'maybe' is not one of the words for it");
}
END_TEST

START_TEST(refuses_bounds_that_are_none)
{
	static const char *const bounds[] = {"0", "1000001", "many", "-1", "1.5", "1e3"};
	char text[2048];
	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
		snprintf(text, sizeof text, GOOD "  - {name: publish, activities: [B0107], organisation_types: [local_authority], "
						 "person_per_minute: %s}\n", bounds[i]);
		refuses(text, ":13: operation publish: person_per_minute is a number from 1 to 1000000");
		snprintf(text, sizeof text, GOOD "  - {name: publish, activities: [B0107], organisation_types: [local_authority], "
						 "system_per_minute: %s}\n", bounds[i]);
		refuses(text, ":13: operation publish: system_per_minute is a number from 1 to 1000000");
	}
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [local_authority], session_minutes: 721}\n",
		":13: operation publish: session_minutes is a number from 1 to 720");
	refuses(GOOD "  - {name: session_open, session_minutes: 60}\n",
		":13: operation session_open takes no conditions: it comes before the role is known");
	refuses(GOOD "  - {name: enrol, system_per_minute: 60}\n",
		":13: operation enrol takes no conditions: it comes before the role is known");
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [local_authority], break_glass: allowed}\n",
		":13: operation publish cannot be done by breaking the glass");
}
END_TEST

START_TEST(refuses_an_operation_that_anybody_may_do)
{
	refuses(GOOD "  - {name: details, organisation_types: [care_provider], care_setting: required}\n",
		":13: operation details needs at least one activity");
	refuses(GOOD "  - {name: details, activities: [], organisation_types: [care_provider], care_setting: "
		     "required}\n",
		":13: operation details needs at least one activity");
	refuses(GOOD "  - {name: audit_show}\n", ":13: operation audit_show needs at least one activity");
	refuses(GOOD "  - {name: publish, activities: [B0107]}\n",
		":13: operation publish needs at least one organisation type");
}
END_TEST

START_TEST(refuses_conditions_that_could_not_be_enforced)
{
	refuses(GOOD "  - {name: details, activities: [B0107], organisation_types: [care_provider]}\n",
		":13: operation details must have care_setting: required");
	refuses(GOOD "  - {name: publish, activities: [B0107], organisation_types: [care_provider], "
		     "care_setting: required}\n",
		":13: operation publish has no care setting to require");
	refuses(GOOD "  - {name: flag2, care_setting: optional}\n",
		":13: care_setting: 'optional' is not one of the words for it");
	refuses(GOOD "  - {name: ping, activities: [B0107]}\n",
		":13: operation ping takes no conditions: it comes before the role is known");
	refuses(GOOD "  - {name: session_open, organisation_types: [care_provider]}\n",
		":13: operation session_open takes no conditions: it comes before the role is known");
}
END_TEST

#define EXAMPLE(decision)                                                                             \
	"examples:\n"                                                                                 \
	"  - {operation: publish, organisation_type: local_authority, role: R8001, decision: " decision "}\n"

START_TEST(an_example_that_is_decided_otherwise_makes_the_file_be_refused)
{
	refuses(GOOD EXAMPLE("allowed"), ":14: the example says allowed and the policy decides operation_not_in_policy");
	refuses(GOOD "examples:\n  - {operation: dance, organisation_type: local_authority, role: R8001, decision: allowed}\n",
		":14: unknown operation 'dance'");
	refuses(GOOD "examples:\n  - {operation: flag, organisation_type: care_provider, role: R8001, care_setting: "
		     "kitchen, decision: allowed}\n",
		":14: unknown care setting 'kitchen'");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy_file");
	TCase *tests = tcase_create("policy_file");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_small_policy_loads_and_denies_what_it_does_not_name);
	tcase_add_test(tests, refuses_what_is_not_a_policy_file);
	tcase_add_test(tests, refuses_unknown_keys_with_their_line);
	tcase_add_test(tests, refuses_a_missing_part);
	tcase_add_test(tests, refuses_aliases);
	tcase_add_test(tests, refuses_a_name_that_is_no_word);
	tcase_add_test(tests, refuses_bad_activities);
	tcase_add_test(tests, refuses_a_silent_that_is_neither_true_nor_false);
	tcase_add_test(tests, refuses_more_activities_than_a_set_holds);
	tcase_add_test(tests, refuses_bad_roles);
	tcase_add_test(tests, refuses_bad_care_settings);
	tcase_add_test(tests, refuses_bad_operations);
	tcase_add_test(tests, refuses_hours_that_are_none);
	tcase_add_test(tests, refuses_bounds_that_are_none);
	tcase_add_test(tests, refuses_an_operation_that_anybody_may_do);
	tcase_add_test(tests, refuses_conditions_that_could_not_be_enforced);
	tcase_add_test(tests, an_example_that_is_decided_otherwise_makes_the_file_be_refused);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
